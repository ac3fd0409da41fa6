"""Certificate content -> CSV: one row for each criterion, with what it is of.

Lists of a criterion are joined by `` | ``. Of the whole certificate each row says lot, product,
specification and conclusion; samples, donors, signatures, statements and corrections it does not.
"""

from typing import Final, cast

from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.certificates import CertificateContent, ResultLine, content_sha256
from batchqc.documents.csv_file import csv_bytes

_JOINED: Final = " | "
_OF_LINE: Final = (
    "criterion", "title", "category", "test", "method", "analyte", "stage", "acceptance",
    "rounding", "unit", "result", "verdict", "sentence", "aggregate", "measured_on", "external",
)  # fmt: skip


def certificate_csv(content: CertificateContent) -> bytes:
    """The rows of a certificate, the header first; UTF-8 with a byte order mark."""
    whole = _of_certificate(content)
    rows = [{**whole, **_of_line(content, line)} for line in content["lines"]]
    header = [*whole, *_OF_LINE, "rounded", "n", "accept", "notes", "provenance", "due_on"]
    return csv_bytes([header, *([row[name] for name in header] for row in rows)])


def _of_certificate(content: CertificateContent) -> dict[str, str]:
    product, lot, rules = content["product"], content["lot"], content["specification"]
    return {
        "certificate": content["number"],
        "issued": content["issued"]["utc"],
        "issuer": content["issuer"]["name"],
        "specimen": content["specimen"],
        "supersedes": content["supersedes"]["number"] if content["supersedes"] else "",
        "lot": lot["id"],
        "manufactured_on": lot["manufactured_on"],
        "expires_on": lot["expires_on"],
        "product": product["code"],
        "product_name": product["name"],
        "specification": rules["id"],
        "version": str(rules["version"]),
        "specification_sha256": rules["sha256"],
        "complies": "true" if content["complies"] else "false",
        "conclusion": content["conclusion"],
        "content_sha256": content_sha256(content),
    }


def _of_line(content: CertificateContent, line: ResultLine) -> dict[str, str]:
    due = {one["criterion"]: one["due_on"] for one in content.get("pending", ())}
    cells = (
        f"{cell['upload']}, {cell['file']}, row {cell['row']}, {cell['column']}: {cell['text']}"
        f" (SHA-256 {cell['sha256']})"
        for cell in line["provenance"]
    )
    own = cast("dict[str, str | None]", line)
    accept = canonical_bytes(cast("Json", line["accept"])).decode() if "accept" in line else ""
    return {
        **{name: own[name] or "" for name in _OF_LINE},
        "rounded": line["rounded"] or "",
        "n": str(line["n"]),
        "accept": accept,
        "notes": _JOINED.join(content["notes"][place - 1] for place in line["notes"]),
        "provenance": _JOINED.join(cells),
        "due_on": due.get(line["criterion"], ""),
    }
