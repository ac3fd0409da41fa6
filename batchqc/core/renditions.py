"""Renditions: what a recipient gets of a certificate, made from its frozen content alone.

Left out may be what a layout names, where it passed or is for information, where the specification
does not require it, and where nothing else speaks of it. The rendition says how many lines of which
category are left out; neither its page nor its data hold anything else of them.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypedDict, cast

from batchqc.core.certificate_layouts import Layout, laid_out

if TYPE_CHECKING:
    from batchqc.core.certificates import CertificateContent

#: What a rendition takes over. Anything else could speak of what is left out: it stays away until
#: somebody has looked at it, and written here that it may go along.
_KEPT: Final = frozenset(
    {
        "type", "number", "specimen", "statements", "issuer", "issued", "supersedes", "product",
        "lot", "donors", "specification", "decision_rule", "lines", "notes", "conclusion",
        "complies", "signatures", "seals", "corrections", "audit", "software", "pending", "layout",
    }
)  # fmt: skip


class MadeAt(TypedDict):
    """When it was made: canonical UTC text, and the text shown to people with its offset."""

    utc: str
    shown: str


class WithheldPart(TypedDict):
    """How many lines of a category are left out."""

    category: str
    lines: int


class RenditionPart(TypedDict):
    """Of which certificate content is a rendition, for whom, and what it leaves out.

    ``content_sha256`` is of the complete content.
    """

    of: str
    content_sha256: str
    recipient: str
    made: MadeAt
    withheld: list[WithheldPart]


def rendition_of(
    content: "CertificateContent", layout: Layout, *, content_sha256: str, made: MadeAt
) -> "CertificateContent":
    """The content of a rendition; ``rendition_problems`` found nothing against it."""
    left_out = Counter(
        line["category"] for line in content["lines"] if line["criterion"] in layout.withhold
    )
    rendition: RenditionPart = {
        "of": content["number"],
        "content_sha256": content_sha256,
        "recipient": layout.recipient,
        "made": made,
        "withheld": [{"category": name, "lines": many} for name, many in left_out.items()],
    }
    whole = laid_out(content, layout, without=layout.withhold)
    kept = {name: part for name, part in whole.items() if name in _KEPT}
    replaced = content["supersedes"]
    if replaced:
        kept["supersedes"] = {"number": replaced["number"], "reason": replaced["reason"]}
    return cast("CertificateContent", {**kept, "rendition": rendition})


def rendition_problems(
    content: "CertificateContent", layout: Layout, *, optional: Collection[str]
) -> list[str]:
    """Every reason why a certificate has no rendition under a layout.

    Args:
        content: of the certificate, complete.
        layout: the layout of the rendition.
        optional: ids of the criteria that the specification does not require.
    """
    return [*_mismatches(content, layout), *_protected(content, layout, optional)]


def _mismatches(content: "CertificateContent", layout: Layout) -> Iterator[str]:
    if "rendition" in content:
        yield f"it is a rendition of {content['rendition']['of']}: make one of the certificate"
    if not layout.recipient:
        yield (
            f"{layout.reference} names no recipient: it is of the site's own certificates; import"
            " a layout with a recipient"
        )
    if layout.product not in {"", content["product"]["code"]}:
        yield (
            f"{layout.reference} is for product {layout.product}, not for"
            f" {content['product']['code']}: take a layout of this product"
        )


def _protected(
    content: "CertificateContent", layout: Layout, optional: Collection[str]
) -> Iterator[str]:
    lines = {line["criterion"]: line for line in content["lines"]}
    pending = {one["criterion"] for one in content.get("pending", ())}
    texts = list(_texts(content, layout.withhold))
    texts += [("a footnote of the layout", text) for text in layout.footnotes]
    texts += [("the address of the layout", text) for text in (*layout.address, *layout.contact)]
    texts += [
        (f"the wording of {name}", text)
        for name, text in layout.titles
        if name in lines and name not in layout.withhold
    ]
    analytes = {
        line["analyte"] for line in content["lines"] if line["criterion"] not in layout.withhold
    }
    for name in layout.withhold:
        if name not in lines:
            yield (
                f"{name} is to be withheld, and the certificate has no such line: name the"
                " criterion as its specification does, or take it out of the layout"
            )
            continue
        line = lines[name]
        if line["verdict"] not in {"PASS", None}:
            yield f"{name} is {line['verdict']}: what does not pass is never withheld"
        if name in pending:
            yield f"{name} is pending: what is not known is never withheld"
        if name not in optional:
            yield (
                f"{name} is required by {content['specification']['id']}"
                f" v{content['specification']['version']}: only a criterion that has"
                " required = false there may be withheld"
            )
        # What is derived, or is asked of the donor, has no analyte: "" would be found everywhere.
        own = {line["criterion"], line["title"]} | ({line["analyte"]} - analytes - {""})
        yield from _spoken_of(name, own, texts)


def _spoken_of(
    criterion: str, own: Collection[str], texts: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """Where one of the names of a criterion stands, however it is written."""
    words = "|".join(re.escape(word) for word in sorted(own))
    named = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)
    for place, text in texts:
        if named.search(text):
            yield (
                f"{criterion} cannot be withheld: {place} speaks of it; withhold that too,"
                " or leave the line in"
            )


def _texts(content: "CertificateContent", without: Collection[str]) -> Iterator[tuple[str, str]]:
    """What stays and could speak of a line that is left out, each with its place."""
    shown = [line for line in content["lines"] if line["criterion"] not in without]
    kept = {note for line in shown for note in line["notes"]}
    of_lines = {note for line in content["lines"] for note in line["notes"]}
    for number, note in enumerate(content["notes"], 1):
        if number in kept or number not in of_lines:
            yield f"note {number}", note
    for number, statement in enumerate(content["statements"], 1):
        yield f"statement {number}", statement
    for line in shown:
        yield f"the sentence of {line['criterion']}", f"{line['sentence']} {line['aggregate']}"
        yield f"the title of {line['criterion']}", f"{line['title']} {line['external']}"
    for change in content["corrections"]:
        yield "a correction", f"{change['subject']} {change['field']}"
        yield "a correction", f"{change['before']} {change['after']} {change['reason']}"
    for signature in content["signatures"]:
        yield f"the reason of signature {signature['id']}", signature["reason"]
    yield "the decision rule", content["decision_rule"]
    yield "the conclusion", content["conclusion"]
    if content["supersedes"]:
        yield "the reason for which it supersedes", content["supersedes"]["reason"]
