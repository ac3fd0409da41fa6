"""The certificate of the tests under layouts: in each language, on each paper, for a recipient."""

from itertools import product
from typing import Any, Final

from batchqc.core.certificate_layouts import Language, Layout, PaperSize, laid_out
from batchqc.core.certificates import (
    CertificateContent,
    conclusion_of,
    content_sha256,
    seals_of,
)
from batchqc.core.renditions import rendition_of
from tests.documents.certificate_content import (
    CORRECTION,
    REVIEW,
    certificate_content,
    long_lines,
    moment,
    signature,
)

EVERY: Final = tuple(product(Language, PaperSize))
CLINIC: Final = "Klinik am See, Hamburg"
TITLES: Final = {
    Language.ENGLISH: "Viability after thawing",
    Language.GERMAN: "Viabilität nach dem Auftauen",
    Language.FRENCH: "Viabilité après décongélation",
    Language.SPANISH: "Viabilidad tras la descongelación",
}
_PEOPLE = (
    {**REVIEW, "meaning": "reviewed", "role": "reviewer"},
    signature(42, meaning="certified", role="QA"),
)


def layout(
    language: Language = Language.GERMAN, paper: PaperSize = PaperSize.A4, **changes: Any
) -> Layout:
    """A layout that names what it can; ``changes`` replace parts of it."""
    parts: dict[str, Any] = {
        "id": f"COA-{language.value.upper()}-{paper.value.upper()}",
        "version": 2,
        "title": "Of the tests",
        "sha256": "ab" * 32,
        "contact": ("qc@mekong.example · +84 28 1234 5678",),
        "order": ("viability", "sterility", "endotoxin"),
        "titles": (("viability", TITLES[language]), ("ido", "Left out")),
        "footnotes": ("For the clinical trial only.",),
    }
    return Layout(language=language, paper=paper, **{**parts, **changes})


def for_clinic(language: Language = Language.GERMAN, **changes: Any) -> Layout:
    """A layout of one recipient, who does not get the line for information."""
    return layout(language, **{"recipient": CLINIC, "withhold": ("ido",), **changes})


def complete(**changes: Any) -> CertificateContent:
    """The content of the tests as the system writes it: its conclusion, meanings and roles."""
    said = conclusion_of("UCM-P2-T1", "UC-MSC-REL v3", "released", complies=True, pending=())
    people = [dict(one) for one in _PEOPLE]
    content = certificate_content(specimen="", conclusion=said, signatures=people, **changes)
    content["seals"] = seals_of(content["signatures"][0], content["signatures"][1])
    content["donors"][0]["eligibility"] = "eligible"
    return content


def failing() -> CertificateContent:
    """150 lines, among them a long karyotype, long units and every verdict; with a correction."""
    said = conclusion_of("UCM-P2-T1", "UC-MSC-REL v3", "rejected", complies=False, pending=())
    return {
        **complete(lines=long_lines(150), corrections=[CORRECTION], notes=[]),
        "conclusion": said,
        "complies": False,
    }


def rendition(content: CertificateContent, layout: Layout) -> CertificateContent:
    """What a recipient gets of it."""
    made = moment("2026-04-01", "10:00:00")
    return rendition_of(
        content,
        layout,
        content_sha256=content_sha256(content),
        made={"utc": made["utc"], "shown": made["shown"]},
    )


def shown_in(language: Language, paper: PaperSize) -> CertificateContent:
    """The certificate under a layout of a language and paper."""
    return laid_out(complete(), layout(language, paper))
