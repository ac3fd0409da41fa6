"""The logical structure of a document: what a screen reader reads, in which order and as what.

A mark with a tag is content, and belongs to an element of that role; a mark without one is an
artifact: rules, tints, running heads and feet, repeated table headers. Elements come into the tree
in the order in which they are first drawn. Source: ISO 32000-1, 14.7 and 14.8.
"""

from dataclasses import dataclass

from reportlab.pdfbase.pdfdoc import PDFDocument, PDFObject, PDFObjectReference, PDFString


@dataclass(frozen=True, slots=True, eq=False)
class Tag:
    """An element of the structure, by its identity.

    Args:
        role: a standard structure type, such as ``P``, ``H1``, ``Table``, ``TR``, ``TH``, ``TD``,
            ``Figure``, ``Form``.
        parent: the element that holds it; the document where there is none.
        scope: of a ``TH``: ``Row`` or ``Column``.
        span: how many columns a cell takes.
        words: of a heading its text, which becomes a bookmark; of a figure what it shows.
    """

    role: str
    parent: "Tag | None" = None
    scope: str = ""
    span: int = 1
    words: str = ""


class _Element(PDFObject):  # type: ignore[misc]  # ReportLab has no types
    """A structure element as ReportLab writes it."""

    __RefOnly__ = 1

    def __init__(self, tag: Tag, parent: PDFObjectReference) -> None:
        self.tag = tag
        self.parent = parent
        self.children: list[PDFObjectReference | tuple[PDFObjectReference, int]] = []
        self.widget: tuple[PDFObjectReference, PDFObjectReference] | None = None
        self.box: tuple[float, float, float, float] | None = None

    def format(self, document: PDFDocument) -> bytes:
        tag = self.tag
        parts = [f"<</S/{tag.role}/P {_at(self.parent, document)}"]
        marked = [one for one in self.children if isinstance(one, tuple)]
        page = marked[0][0] if marked else None
        if page is not None:
            parts.append(f"/Pg {_at(page, document)}")
        kids = self._kids(page, document)
        # One child stands by itself: in an array pyHanko would not know it for a form field.
        parts += [f"/K {kids[0]}" if len(kids) == 1 else f"/K[{' '.join(kids)}]"]
        parts += self._attributes()
        if tag.role == "Figure":
            parts.append(f"/Alt {PDFString(tag.words).format(document).decode('latin-1')}")
        return ("".join(parts) + ">>").encode("latin-1")

    def _kids(self, page: PDFObjectReference | None, document: PDFDocument) -> list[str]:
        kids = []
        for child in self.children:
            if not isinstance(child, tuple):
                kids.append(_at(child, document))
            elif page is not None and child[0].name == page.name:
                kids.append(str(child[1]))
            else:
                kids.append(f"<</Type/MCR/Pg {_at(child[0], document)}/MCID {child[1]}>>")
        if self.widget:
            where, widget = (_at(one, document) for one in self.widget)
            kids.append(f"<</Type/OBJR/Pg {where}/Obj {widget}>>")
        return kids

    def _attributes(self) -> list[str]:
        scope = f"/Scope/{self.tag.scope}" if self.tag.scope else ""
        span = f"/ColSpan {self.tag.span}" if self.tag.span > 1 else ""
        if scope or span:
            return [f"/A<</O/Table{scope}{span}>>"]
        if self.box:
            return ["/A<</O/Layout/BBox[{:.2f} {:.2f} {:.2f} {:.2f}]>>".format(*self.box)]
        return []


class _Root(PDFObject):  # type: ignore[misc]  # ReportLab has no types
    """The root of the structure, with the one element that holds all, and the way back to them."""

    __RefOnly__ = 1

    def __init__(self, structure: "Structure") -> None:
        self._structure = structure

    def format(self, document: PDFDocument) -> bytes:
        structure = self._structure
        pages = [
            f"{number}[{' '.join(_at(one, document) for one in page)}]"
            for number, page in enumerate(structure.pages)
        ]
        widgets = [
            f"{number} {_at(one, document)}"
            for number, one in enumerate(structure.widgets, len(structure.pages))
        ]
        return (
            f"<</Type/StructTreeRoot/K {_at(structure.whole, document)}"
            f"/ParentTree<</Nums[{' '.join([*pages, *widgets])}]>>"
            f"/ParentTreeNextKey {len(pages) + len(widgets)}>>"
        ).encode()


class Structure:
    """The elements of a document, gathered while it is drawn."""

    def __init__(self, document: PDFDocument) -> None:
        self._document = document
        self._elements: dict[Tag | None, tuple[_Element, PDFObjectReference]] = {}
        self.root = _Root(self)
        root = document.Reference(self.root)
        whole = _Element(Tag("Document"), root)
        self.whole = document.Reference(whole)
        self._elements[None] = whole, self.whole
        self.pages: list[list[PDFObjectReference]] = []
        self.widgets: list[PDFObjectReference] = []

    def knows(self, tag: Tag) -> bool:
        """Whether something of this element was drawn before."""
        return tag in self._elements

    def content(self, tag: Tag, page: PDFObjectReference) -> int:
        """The number (MCID) under which content of the element begins on the current page."""
        element, reference = self._element(tag)
        number = len(self.pages[-1])
        self.pages[-1].append(reference)
        element.children.append((page, number))
        return number

    def figure(self, tag: Tag, box: tuple[float, float, float, float]) -> None:
        """Say where on the page a figure is, in points: left, bottom, right, top."""
        self._element(tag)[0].box = box

    def widget(self, tag: Tag, page: PDFObjectReference, widget: PDFObjectReference) -> None:
        """Make a widget the content of a ``Form`` element."""
        element, reference = self._element(tag)
        element.widget = page, widget
        self.widgets.append(reference)

    def _element(self, tag: Tag) -> tuple[_Element, PDFObjectReference]:
        found = self._elements.get(tag)
        if found is None:
            holder, parent = self._element(tag.parent) if tag.parent else self._elements[None]
            element = _Element(tag, parent)
            found = element, self._document.Reference(element)
            holder.children.append(found[1])
            self._elements[tag] = found
        return found


def _at(reference: PDFObjectReference, document: PDFDocument) -> str:
    number, version = document.idToObjectNumberAndVersion[reference.name]
    return f"{number} {version} R"
