"""What the pages of a proven document say: of which certificate, lot and content each is.

For ``certificate_check`` only. The pages are read by pypdf, which the stand-alone verifier has not;
where it is here, both readers must find the same title, subject and data in the file.
"""

from batchqc.documents.certificate_words import PAGE_WORDS
from batchqc.documents.verifier.case import Case
from batchqc.documents.verifier.findings import Failed


def on_pages(case: Case) -> None:
    """Every page says which certificate, lot, page and content it is of."""
    from batchqc.documents.certificate_pages import pages_of  # noqa: PLC0415 - pypdf, when needed

    pages = pages_of(case.pdf)
    said = (pages.title, pages.subject, dict(pages.files))
    if said != (case.title, case.subject, dict(case.files)):
        raise Failed("another program reads something else in the file")
    total, says = len(pages.texts), PAGE_WORDS[case.language]
    for page in range(1, total + 1):
        expected = [
            says.identity.format(case.number, case.lot),
            says.page.format(page, total),
            says.content.format(case.content_sha256),
        ]
        if case.recipient:
            expected.append(says.withheld.format(case.withheld))
        if case.recipient and page == 1:
            expected.append(says.rendition.format(case.number))
        for words in expected:
            if not pages.shows(page, words):
                raise Failed(f"page {page} does not show “{words}”")
