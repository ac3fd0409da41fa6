"""What a certificate says of its layout and its recipient: nothing where it was frozen without."""

from batchqc.core.certificates import CertificateContent
from batchqc.documents.coa_blocks import SMALL, STRONG, Block, Cell, paragraphs, row
from batchqc.documents.coa_paper import MARGIN, WIDTH
from batchqc.documents.coa_words import Words, withheld_lines


def rendition_blocks(content: CertificateContent, words: Words) -> list[Block]:
    """Of which certificate it is a rendition, for whom, and how many lines are left out."""
    if "rendition" not in content:
        return []
    part, count = content["rendition"], withheld_lines(content)
    categories = ", ".join(
        f"{one['lines']} × {words.term('category', one['category'])}" for one in part["withheld"]
    )
    left_out = words("withheld", count=count, categories=categories)
    made, sha256 = part["made"]["shown"], part["content_sha256"]
    says = [
        (words("rendition", number=part["of"], recipient=part["recipient"]), STRONG),
        (left_out if count else words("nothing_withheld"), STRONG),
        (words("rendition_made", when=made, sha256=sha256), SMALL),
    ]
    return row([Cell(MARGIN, WIDTH, says)], below=10)


def layout_blocks(content: CertificateContent, words: Words) -> list[Block]:
    """The remarks of the layout, and what stands as recorded beside its language."""
    if "layout" not in content:
        return []
    footnotes = paragraphs(words("footnotes"), content["layout"]["footnotes"])
    return [*footnotes, *paragraphs(words("language"), [words("language_note")])]


def withheld_blocks(content: CertificateContent, words: Words) -> list[Block]:
    """After the results: how many there are besides."""
    count = withheld_lines(content) if "rendition" in content else 0
    if not count:
        return []
    return row([Cell(MARGIN, WIDTH, [(words("withheld_below", count=count), STRONG)])], above=8)
