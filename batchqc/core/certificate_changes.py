"""What an amended certificate says otherwise than the one that it replaces (requirement 5.07).

Everything that two contents say is compared but what differs by its nature: number, moment of
issue, place in the audit trail, seals, and the pictures of trends.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from batchqc.core.certificate_parts import Change
from batchqc.core.certificates import CertificateContent, ResultLine


class _Place(NamedTuple):
    """What says something: its part, which one of it, and which of its facts."""

    part: str
    item: str = ""
    fact: str = ""


class _Said(NamedTuple):
    """What it is called, and what is said."""

    what: str
    text: str


_LINE = "line"
#: Facts of a line, and how the page calls them.
_FACTS = {
    "title": "title",
    "category": "category",
    "test": "test",
    "method": "method",
    "analyte": "analyte",
    "stage": "stage",
    "unit": "unit",
    "acceptance": "acceptance criterion",
    "rounding": "rounding rule",
    "result": "result",
    "rounded": "rounded result",
    "verdict": "verdict",
    "aggregate": "calculation",
    "measured_on": "measured on",
    "external": "tested by",
}
_WHY = "why"
#: What is told of a line that only one of two certificates has.
_BRIEF = frozenset({"acceptance", "result", "verdict"})


def changes_between(before: CertificateContent, after: CertificateContent) -> list[Change]:
    """Every change, in the order of the pages of the newer certificate, then what is gone."""
    old, new = dict(_said(before)), dict(_said(after))
    both = _lines(old) & _lines(new)
    changed = [
        place
        for place in (*new, *(place for place in old if place not in new))
        if _text(old, place) != _text(new, place)
        and (place.part != _LINE or place.item in both or place.fact in _BRIEF)
    ]
    told = {place.item for place in changed if place.fact != _WHY}
    return [
        {
            "what": (new.get(place) or old[place]).what,
            "before": _text(old, place),
            "after": _text(new, place),
        }
        for place in changed
        if place.fact != _WHY or place.item not in told
    ]


def _lines(said: Mapping[_Place, _Said]) -> set[str]:
    return {place.item for place in said if place.part == _LINE}


def _text(said: Mapping[_Place, _Said], place: _Place) -> str:
    found = said.get(place)
    return found.text if found else ""


def _said(content: CertificateContent) -> Iterator[tuple[_Place, _Said]]:
    """What a content says, each at its place; what is empty is not said."""
    parts = (_registered, _results, _sentences, _people)
    for place, said in (one for part in parts for one in part(content)):
        if said.text:
            yield place, said


def _registered(content: CertificateContent) -> Iterator[tuple[_Place, _Said]]:
    issuer, product, lot = content["issuer"], content["product"], content["lot"]
    rules = content["specification"]
    facts = {
        "Specimen": content["specimen"],
        "Issuer": ", ".join((issuer["name"], *issuer["address"])),
        "Time zone of the site": issuer["time_zone"],
        "Product code": product["code"],
        "Product": product["name"],
        "Form": product["form"],
        "Storage": product["storage"],
        "Lot": lot["id"],
        "Manufactured": lot["manufactured_on"],
        "Expires": lot["expires_on"],
        "Specification": f"{rules['id']}, version {rules['version']}",
        "Title of the specification": rules["title"],
        "Specification effective from": rules["effective"],
        "SHA-256 of the specification": rules["sha256"],
    }
    for what, text in facts.items():
        yield _Place(what), _Said(what, text)
    for sample in lot["samples"]:
        text = f"{sample['stage']}, {sample['container']}, taken {sample['taken']['shown']}"
        yield _Place("sample", sample["id"]), _Said(f"Sample {sample['id']}", text)
    for donor in content["donors"]:
        text = f"{donor['tissue_source']}; {donor['eligibility']}"
        yield _Place("donor", donor["code"]), _Said(f"Donor {donor['code']}", text)


def _results(content: CertificateContent) -> Iterator[tuple[_Place, _Said]]:
    for line in content["lines"]:
        values: Mapping[str, object] = line
        for fact, name in _FACTS.items():
            value = values[fact]
            if fact == "verdict":
                value = str(value or "for information").replace("_", " ")
            text = str(value or "")
            yield _Place(_LINE, line["criterion"], fact), _Said(f"{line['title']}: {name}", text)
        for fact, name, text in (("n", "n", str(line["n"])), ("cells", "read from", _cells(line))):
            yield _Place(_LINE, line["criterion"], fact), _Said(f"{line['title']}: {name}", text)
        why = _Said(f"{line['title']}: how it was judged", line["sentence"])
        yield _Place(_LINE, line["criterion"], _WHY), why
    for one in content.get("pending", ()):
        text = f"{one['title']}, due on {one['due_on']}"
        yield _Place("pending", one["criterion"]), _Said("Pending", text)


def _cells(line: ResultLine) -> str:
    return "; ".join(
        f"{cell['upload']} ({cell['file']}), row {cell['row']}, {cell['column']}: {cell['text']}"
        for cell in line["provenance"]
    )


def _sentences(content: CertificateContent) -> Iterator[tuple[_Place, _Said]]:
    complies = "complies" if content["complies"] else "does not comply"
    complies = "preliminary" if content.get("pending") else complies
    yield _Place("Verdict of the lot"), _Said("Verdict of the lot", complies)
    for part, texts in (
        ("Note", content["notes"]),
        ("Decision rule", [content["decision_rule"]]),
        ("Statement", content["statements"]),
        ("Conclusion", [content["conclusion"]]),
    ):
        for text in texts:
            # Of a part that stands once the text is replaced; of others one goes, another comes.
            item = "" if part in {"Decision rule", "Conclusion"} else text
            yield _Place(part, item), _Said(part, text)


def _people(content: CertificateContent) -> Iterator[tuple[_Place, _Said]]:
    for one in content["corrections"]:
        text = (
            f"{one['subject']}, {one['field']}: “{one['before']}” became “{one['after']}”"
            f" ({one['reason']}); requested by {one['requested_by']}, approved by"
            f" {one['approved_by']}, {one['approved']['shown']}"
        )
        yield _Place("correction", text), _Said("Correction", text)
    for signed in content["signatures"]:
        text = f"{signed['meaning']} by {signed['name']}, {signed['signed']['shown']}"
        yield _Place("signature", signed["id"]), _Said(f"Signature {signed['id']}", text)
    software = content["software"]
    facts = {
        "Software": f"batchqc {software['batchqc']}, contract {software['contract']}",
        "Vocabularies": ", ".join(software["vocabularies"]),
    }
    for what, text in facts.items():
        yield _Place(what), _Said(what, text)
