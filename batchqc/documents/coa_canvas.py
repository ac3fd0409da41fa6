"""A canvas that writes PDF/A-3a and PDF/UA-1 in one pass.

ReportLab draws; this adds what these standards ask for and ReportLab does not write: marked content
with its structure, metadata (XMP), the colours' profile, an embedded file, signature fields.
Sources: ISO 19005-3 (PDF/A-3), ISO 14289-1 (PDF/UA-1), ISO 32000-1.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO, Final, NamedTuple

from reportlab.lib.rl_accel import escapePDF, fp_str
from reportlab.pdfbase.pdfdoc import (
    NoEncryption,
    PDFArray,
    PDFDate,
    PDFDictionary,
    PDFName,
    PDFObject,
    PDFStream,
    PDFString,
    PDFZCompress,
)
from reportlab.pdfbase.pdfmetrics import getFont
from reportlab.pdfgen.canvas import Canvas

from batchqc.documents.coa_metadata import metadata
from batchqc.documents.coa_paper import Paper
from batchqc.documents.coa_tags import Structure, Tag

LANGUAGE: Final = "en-GB"
_PRINTED_AND_LOCKED: Final = 132  # annotation flags: bits 3 and 8
_LOCK: Final = {"Type": PDFName("SigFieldLock"), "Action": PDFName("All"), "P": 1}
_LEVELS: Final = ("H1", "H2", "H3")


class Attachment(NamedTuple):
    """A JSON file inside the document: its name, what it is, its bytes."""

    name: str
    description: str
    data: bytes


class Stamp:
    """A moment as ReportLab asks for it, in UTC."""

    def __init__(self, moment: datetime) -> None:
        self.t = moment.timestamp()
        self.lt = moment.utctimetuple()
        self.YMDhms = tuple(self.lt)[:6]
        self.dhh = self.dmm = 0
        self.tzname = "UTC"


class _Body(bytes, PDFObject):  # type: ignore[misc]  # ReportLab has no types
    """Bytes of a stream, with the end of line before ``endstream`` that is not part of them."""

    __slots__ = ()

    def format(self, document: object) -> bytes:  # noqa: ARG002 - ReportLab gives it
        return bytes(self) + b"\n"


class _Plain(NoEncryption):  # type: ignore[misc]  # ReportLab has no types
    """No encryption. ReportLab asks it for the bytes of every stream."""

    def encode(self, content: bytes | str) -> bytes:
        return _Body(content.encode() if isinstance(content, str) else content)


class TaggedCanvas(Canvas):  # type: ignore[misc]  # ReportLab has no types
    """A canvas whose bytes depend on nothing but its arguments and on what is drawn.

    Args:
        target: where the document goes when it is saved.
        paper: the sheet of every page.
        issued_utc: RFC 3339 text; becomes the creation and modification date.
        document_id: at least 32 hexadecimal digits; becomes the document's /ID.
        info: Title, Author, Subject, Keywords and Creator of the document.
        profile: the ICC profile of its colours.
    """

    style: object = None
    """In which style text was drawn last on the page; ``None`` where that has to be said again."""

    def __init__(
        self,
        target: BinaryIO,
        *,
        paper: Paper,
        issued_utc: str,
        document_id: str,
        info: Mapping[str, str],
        profile: bytes,
    ) -> None:
        super().__init__(
            target,
            pagesize=(paper.width, paper.height),
            pageCompression=1,
            pdfVersion=(1, 7),
            initialFontName="sans",  # else ReportLab writes a Helvetica that is not embedded
            lang=LANGUAGE,
        )
        self.paper = paper
        document = self._doc
        document.encrypt = _Plain()
        # By itself ReportLab takes the time from the clock, or from a variable of the process.
        document._timeStamp = Stamp(datetime.fromisoformat(issued_utc))  # noqa: SLF001 - there is no other place for it
        document._ID = f"[<{document_id[:32]}><{document_id[:32]}>]".encode()  # noqa: SLF001 - there is no other place for it
        for name, value in info.items():
            getattr(self, f"set{name}")(value)
        self.structure = Structure(document)
        self.structure.pages.append([])
        self._fields: list[_Object] = []
        catalog = document.Catalog
        catalog.__NoDefault__ = [*catalog.__NoDefault__, "OutputIntents", "AF"]
        catalog.StructTreeRoot = self.structure.root
        catalog.MarkInfo = PDFDictionary({"Marked": "true"})
        catalog.ViewerPreferences = PDFDictionary({"DisplayDocTitle": "true"})
        catalog.Metadata = _stream(
            metadata(info, issued_utc=issued_utc, producer=document.info.producer),
            {"Type": PDFName("Metadata"), "Subtype": PDFName("XML")},
            compress=False,
        )
        catalog.OutputIntents = _intents(profile)

    def speak(self, language: str) -> None:
        """Say in which language the document is, as BCP 47 has it; else it is in English."""
        self._doc.Catalog.Lang = PDFString(language)

    def write(self, x: float, y: float, text: str) -> None:
        """A line of text in the current style: what ``drawString`` writes, without its objects."""
        font, document = getFont(self._fontname), self._doc
        style = f"{fp_str(self._fontsize)} Tf {fp_str(self._leading)} TL"
        parts: list[str] = []
        written = -1
        for part, codes in font.splitString(text, document):
            if part != written:
                parts.append(f"{font.getSubsetInternalName(part, document)} {style}")
                written = part
            parts.append(f"({escapePDF(codes)}) Tj")
        self._code.append(f"BT 1 0 0 1 {fp_str(x, y)} Tm {' '.join(parts)} T* ET")

    def begin(self, tag: Tag | None, *, top: float = 0) -> None:
        """What is drawn from here on is content of this element, or decoration without one.

        A heading that is drawn for the first time becomes a bookmark to ``top`` (in points from
        the lower edge of the page).
        """
        if tag is None:
            self._code.append("/Artifact BMC")
            return
        if tag.role in _LEVELS and not self.structure.knows(tag):
            key = f"heading {len(self._doc.idToObject)}"
            self.bookmarkHorizontal(key, 0, top)
            self.addOutlineEntry(tag.words, key, level=_LEVELS.index(tag.role))
        number = self.structure.content(tag, self._doc.thisPageRef())
        self._code.append(f"/{tag.role} <</MCID {number}>> BDC")

    def end(self) -> None:
        """End what ``begin`` began."""
        self._code.append("EMC")

    def signature_field(
        self, name: str, label: str, *, box: tuple[float, float, float, float], last: bool
    ) -> None:
        """Place an empty signature field on the page; what it looks like is drawn beneath it.

        Args:
            name: of the field.
            label: what it is, for who cannot see it.
            box: left, bottom, right, top in points.
            last: whether its signature locks the document.
        """
        document, page = self._doc, self._doc.thisPageRef()
        left, bottom, right, top = box
        empty = _stream(
            b"",
            {
                "Type": PDFName("XObject"),
                "Subtype": PDFName("Form"),
                "BBox": PDFArray([0, 0, right - left, top - bottom]),
            },
        )
        # Field and widget are one object: poppler finds no signature in a field apart from it.
        field = _Object(
            {
                "Type": PDFName("Annot"),
                "Subtype": PDFName("Widget"),
                "FT": PDFName("Sig"),
                "T": PDFString(name),
                "TU": PDFString(label),
                "Rect": PDFArray([left, bottom, right, top]),
                "F": _PRINTED_AND_LOCKED,
                "P": page,
                "AP": PDFDictionary({"N": document.Reference(empty)}),
            }
            | ({"Lock": PDFDictionary(_LOCK)} if last else {})
        )
        reference = document.Reference(field)
        self._annotationrefs.append(reference)
        self._fields.append(field)
        self.structure.widget(Tag("Form"), page, reference)

    def attach(self, file: Attachment) -> None:
        """Embed a file as data of the document (AFRelationship /Data)."""
        document = self._doc
        date = PDFDate(ts=document._timeStamp)  # noqa: SLF001 - there is no other place for it
        embedded = _stream(
            file.data,
            {
                "Type": PDFName("EmbeddedFile"),
                "Subtype": "/application#2Fjson",
                "Params": PDFDictionary({"Size": len(file.data), "ModDate": date}),
            },
        )
        stored = document.Reference(embedded)
        specification = PDFDictionary(
            {
                "Type": PDFName("Filespec"),
                "F": PDFString(file.name),
                "UF": PDFString(file.name),
                "Desc": PDFString(file.description),
                "AFRelationship": PDFName("Data"),
                "EF": PDFDictionary({"F": stored, "UF": stored}),
            }
        )
        reference = document.Reference(specification)
        names = PDFDictionary({"Names": PDFArray([PDFString(file.name), reference])})
        document.Catalog.Names = PDFDictionary({"EmbeddedFiles": names})
        document.Catalog.AF = PDFArray([reference])

    def showPage(self) -> None:  # noqa: N802 - ReportLab's name
        """End the page."""
        super().showPage()
        self.style = None
        page = self._doc.Pages[-1]
        page.__NoDefault__ = [*page.__NoDefault__, "StructParents", "Tabs"]
        page.StructParents = len(self.structure.pages) - 1
        page.Tabs = PDFName("S")
        page.Trans = None  # ReportLab writes an empty one, which PDF/A knows nothing of
        self.structure.pages.append([])

    def save(self) -> None:
        """Write the document; every page was shown."""
        self.structure.pages.pop()
        for number, field in enumerate(self._fields, len(self.structure.pages)):
            field["StructParent"] = number
        if self._fields:
            self._doc.Catalog.AcroForm = PDFDictionary({"Fields": PDFArray(self._fields)})
        super().save()


class _Object(PDFDictionary):  # type: ignore[misc]  # ReportLab has no types
    """A dictionary that others refer to."""

    __RefOnly__ = 1


def _stream(content: bytes, keys: Mapping[str, object], *, compress: bool = True) -> PDFStream:
    filters = [PDFZCompress] if compress else []
    return PDFStream(PDFDictionary(dict(keys)), content=content, filters=filters)


def _intents(profile: bytes) -> PDFArray:
    intent = {
        "Type": PDFName("OutputIntent"),
        "S": PDFName("GTS_PDFA1"),
        "OutputConditionIdentifier": PDFString("sRGB IEC61966-2.1"),
        "Info": PDFString("sRGB IEC61966-2.1"),
        "DestOutputProfile": _stream(profile, {"N": 3}),
    }
    return PDFArray([PDFDictionary(intent)])
