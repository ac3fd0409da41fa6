"""What an output of a certificate carries, but for hashes and the content embedded in it."""

import csv
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from io import StringIO
from typing import Any, Final

from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents.certificate_csv import certificate_csv
from batchqc.documents.certificate_fhir import certificate_fhir
from batchqc.documents.certificate_text import certificate_text
from tests.documents.external import squeezed

Path = tuple[str | int, ...]

#: What no format but JSON carries, by the names on the way to it; a part stands for all inside.
JSON_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "fhir": frozenset({"shown", "pending.title"}),
    "text": frozenset({"utc", "accept", "pending.title"}),
    "csv": frozenset(
        {
            "type", "shown", "statements", "supersedes.changes", "supersedes.reason",
            "issuer.address", "issuer.time_zone", "product.form", "product.storage",
            "lot.samples", "donors", "specification.title",
            "specification.effective", "decision_rule", "signatures", "seals", "corrections",
            "audit", "software", "pending.title",
        }
    ),
}  # fmt: skip
#: What else a certificate may say that is about its page only.
PICTURES: Final = ("layout", "rendition", "trends", "status", "log")


def carried_by(form: str, content: CertificateContent) -> str:
    """Everything that an output says of itself, without white space."""
    return squeezed(_CARRIED[form](content))


def facts(value: object, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every fact of a content with its place; what is absent or empty is none."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from facts(part, (*path, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from facts(part, (*path, number))
    elif value not in {None, ""}:
        yield path, value


def named(path: Path) -> str:
    """The names on the way, without places in lists."""
    return ".".join(str(part) for part in path if isinstance(part, str))


def left_to_json(form: str, name: str) -> set[str]:
    """By what of JSON_ONLY and PICTURES a fact is left to JSON."""
    return {one for one in (*JSON_ONLY[form], *PICTURES) if f".{one}." in f".{name}."}


def with_fact(content: CertificateContent, path: Path, value: object) -> CertificateContent:
    """The content with another value at a place."""
    changed: Any = deepcopy(content)
    place = changed
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return changed  # type: ignore[no-any-return]


def resources(content: CertificateContent) -> list[dict[str, Any]]:
    """The resources of the bundle, their numbers as text."""
    bundle = json.loads(certificate_fhir(content), parse_float=str, parse_int=str)
    return [entry["resource"] for entry in bundle["entry"]]


def rows(content: CertificateContent) -> list[dict[str, str]]:
    """The rows of the CSV by their columns."""
    return list(csv.DictReader(StringIO(certificate_csv(content).decode("utf-8-sig"))))


def _of_fhir(content: CertificateContent) -> str:
    bundle = json.loads(certificate_fhir(content), parse_float=str, parse_int=str)
    for entry in bundle["entry"]:
        entry["resource"].pop("presentedForm", None)
        if entry["resource"]["resourceType"] == "DiagnosticReport":
            del entry["resource"]["identifier"][1]
    said = (str(one) for _, one in facts(bundle))
    return "\n".join(one.replace('\\"', '"') for one in said if not one.startswith("urn:uuid:"))


def _of_csv(content: CertificateContent) -> str:
    return "\n".join(
        text for row in rows(content) for name, text in row.items() if name != "content_sha256"
    )


def _of_text(content: CertificateContent) -> str:
    hashed = f"    SHA-256 {content_sha256(content)}"
    told = certificate_text(content).decode().splitlines()
    return "\n".join(one for one in told if one != hashed)


_CARRIED: Final = {"fhir": _of_fhir, "csv": _of_csv, "text": _of_text}
