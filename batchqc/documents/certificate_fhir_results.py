"""Criteria and results of a certificate in FHIR R5: ObservationDefinition and Observation.

A range of FHIR cannot say whether its ends belong to it: the criterion's text stands beside each
range, and each end carries its operator. A result that cannot be judged is indeterminate, and one
that is not in has a reason instead of a value; neither ever reads as a pass.
"""

import uuid
from collections.abc import Iterator
from typing import Final, NamedTuple, cast

from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.certificates import NOT_TESTED, CertificateContent, ResultLine
from batchqc.documents.fhir import (
    OWN,
    PQ,
    Element,
    concept,
    extension,
    measured_in,
    number,
    quantity,
)

_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_INTERPRETED: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_VERDICT: Final = "urn:batchqc:verdict"


class Links(NamedTuple):
    """References between the entries of a bundle; ``sha256`` is that of the content."""

    sha256: str

    def urn(self, name: str) -> str:
        """The ``urn:uuid:`` of the entry of a name."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"urn:batchqc:{self.sha256}:{name}").urn

    def to(self, name: str) -> Element:
        """A reference to the entry of a name."""
        return {"reference": self.urn(name)}


def observation_definition(line: ResultLine, links: Links) -> tuple[str, Element]:
    """A criterion: what is measured how, and what is accepted."""
    name = f"criterion {line['criterion']}"
    accepted = [
        extension(f"{PQ}/Extension-qualified-value-text-pq", valueString=line["acceptance"])
    ]
    if "accept" in line:
        part = canonical_bytes(cast("Json", line["accept"])).decode()
        accepted.append(extension(f"{OWN}:accept", valueString=part))
    if line["rounding"]:
        accepted.append(extension(f"{OWN}:rounding", valueString=line["rounding"]))
    return name, {
        "resourceType": "ObservationDefinition",
        "meta": {"profile": [f"{PQ}/ObservationDefinition-test-method-drug-pq"]},
        "url": links.urn(name),
        "title": line["title"],
        "status": "active",
        "category": [concept(line["category"])],
        "code": _code(line),
        "method": concept(line["method"]) if line["method"] else None,
        "permittedUnit": _permitted(line["unit"]),
        "qualifiedValue": [{"extension": accepted, "range": _range(line)}],
    }


def observation(content: CertificateContent, line: ResultLine, links: Links) -> tuple[str, Element]:
    """A result with its verdict; ``registered`` while it is pending."""
    due = {one["criterion"]: one["due_on"] for one in content.get("pending", ())}
    day = due.get(line["criterion"], "")
    laboratory = [{"display": line["external"]}] if line["external"] else []
    return f"result {line['criterion']}", {
        "resourceType": "Observation",
        "meta": {"profile": [f"{PQ}/Observation-test-result-drug-pq"]},
        "instantiatesReference": links.to(f"criterion {line['criterion']}"),
        "status": "registered" if day else "final",
        "category": [concept(line["category"])],
        "code": _code(line),
        "subject": links.to("lot"),
        "effectiveDateTime": line["measured_on"],
        "performer": laboratory or [links.to("organization")],
        **_value(line, is_pending=bool(day)),
        "interpretation": [_interpretation(line["verdict"])],
        "note": [{"text": text} for text in _notes(content, line, day)],
        "method": concept(line["method"]) if line["method"] else None,
        "referenceRange": [{**(_range(line) or {}), "text": line["acceptance"]}],
        "component": list(_components(line)),
    }


def _code(line: ResultLine) -> Element:
    coded = [("urn:batchqc:criterion", line["criterion"])]
    coded += [("urn:batchqc:test", line["test"])] if line["test"] else []
    coded += [("urn:batchqc:analyte", line["analyte"])] if line["analyte"] else []
    return concept(line["title"], *coded)


def _permitted(unit: str) -> list[Element]:
    said = measured_in(unit)
    return [{"system": said["system"], "code": said["code"], "display": unit}] if unit else []


def _range(line: ResultLine) -> Element | None:
    """The limits of the criterion; each end says by its operator whether it is allowed."""
    ends: Element = {}
    for limit in line["accept"].get("limits", ()) if "accept" in line else ():
        value = number(limit["limit"])
        if value is None:
            return None
        said = extension(f"{OWN}:operator", valueString=limit["operator"])
        end = "low" if limit["operator"].startswith(">") else "high"
        ends[end] = {"extension": [said], "value": value, **measured_in(line["unit"])}
    return {end: ends[end] for end in ("low", "high") if end in ends} or None


def _value(line: ResultLine, *, is_pending: bool) -> Element:
    if line["result"] in {"", NOT_TESTED}:
        reason = "temp-unknown" if is_pending else "not-performed"
        return {"dataAbsentReason": concept(line["result"] or NOT_TESTED, (_ABSENT, reason))}
    if measured := quantity(line["result"], line["unit"]):
        return {"valueQuantity": measured}
    return {"valueString": line["result"]}


def _interpretation(verdict: str | None) -> Element:
    if verdict is None:
        return concept("for information")
    coded = [(_VERDICT, verdict)]
    if verdict == "CANNOT_JUDGE":
        coded.append((_INTERPRETED, "IND"))
    return concept(verdict.replace("_", " "), *coded)


def _notes(content: CertificateContent, line: ResultLine, day: str) -> Iterator[str]:
    yield line["sentence"]
    if day:
        yield f"Pending, due on {day}"
    yield from (content["notes"][place - 1] for place in line["notes"])
    for cell in line["provenance"]:
        yield (
            f"Read from {cell['upload']}, {cell['file']}, row {cell['row']}, {cell['column']}:"
            f" “{cell['text']}” (SHA-256 {cell['sha256']})"
        )


def _components(line: ResultLine) -> Iterator[Element]:
    if line["rounded"] is not None:
        yield _component("Rounded result, as compared", line["rounded"], line["unit"])
    yield {"code": concept("Number of measurements"), "valueInteger": line["n"]}
    for name, text in (
        ("Aggregation", line["aggregate"]),
        ("Stage", line["stage"]),
        ("Unit", line["unit"]),
    ):
        if text:
            yield {"code": concept(name), "valueString": text}


def _component(name: str, text: str, unit: str) -> Element:
    measured = quantity(text, unit)
    value = {"valueQuantity": measured} if measured else {"valueString": text}
    return {"code": concept(name), **value}
