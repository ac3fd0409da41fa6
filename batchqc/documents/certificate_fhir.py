"""Certificate content -> batch analysis bundle of HL7 FHIR R5.

A Bundle of type collection, as the guide "Pharmaceutical Quality (Industry)" 1.0.0 profiles it
(Bundle-batch-analysis-pq): the site, the product, what it is made of, the lot, the specification,
its criteria, the report with its results, and for each electronic signature a Provenance. Same
content, same bytes. What FHIR has no element for stands in notes of the report, which also embeds
the frozen content itself.
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import Final, cast

from batchqc.core.canonical import Json, canonical_bytes
from batchqc.core.certificates import CertificateContent, ResultLine, SignaturePart
from batchqc.documents.certificate_fhir_results import Links, observation, observation_definition
from batchqc.documents.certificate_said import changes_of
from batchqc.documents.fhir import PQ, Element, concept, extension, fhir_json, identifier

_REPORT: Final = "http://terminology.hl7.org/CodeSystem/pharmaceutical-report-type"
_MADE: Final = "http://hl7.org/fhir/StructureDefinition/medication-manufacturingBatch"


def certificate_fhir(content: CertificateContent) -> bytes:
    """The bundle of a certificate as JSON in UTF-8.

    References are ``urn:uuid:`` of entries in it, made from the hash of the content.
    """
    data = canonical_bytes(cast("Json", content))
    sha256 = hashlib.sha256(data).hexdigest()
    links = Links(sha256)
    entries = [
        _organization(content),
        _product(content),
        *_substances(content),
        _lot(content),
        _specification(content, links),
        *(observation_definition(line, links) for line in content["lines"]),
        *_specimens(content),
        _report(content, links, data),
        *(observation(content, line, links) for line in content["lines"]),
        *(_provenance(one, links) for one in content["signatures"]),
    ]
    bundle = {
        "resourceType": "Bundle",
        "meta": {"profile": [f"{PQ}/Bundle-batch-analysis-pq"]},
        "identifier": identifier("certificate", content["number"]),
        "type": "collection",
        "timestamp": content["issued"]["utc"],
        "entry": [{"fullUrl": links.urn(name), "resource": resource} for name, resource in entries],
    }
    return fhir_json(bundle)


def _organization(content: CertificateContent) -> tuple[str, Element]:
    issuer = content["issuer"]
    described = [*issuer["address"], f"Time zone {issuer['time_zone']}"]
    return "organization", {
        "resourceType": "Organization",
        "meta": {"profile": [f"{PQ}/Organization-drug-pq"]},
        "identifier": [identifier("site", issuer["name"])],
        "type": [concept("Manufacturer and issuer of the certificate")],
        "name": issuer["name"],
        "description": "\n".join(described),
    }


def _product(content: CertificateContent) -> tuple[str, Element]:
    product = content["product"]
    return "product", {
        "resourceType": "MedicinalProductDefinition",
        "meta": {"profile": [f"{PQ}/MedicinalProductDefinition-drug-product-pq"]},
        "identifier": [identifier("product", product["code"])],
        "description": f"Storage: {product['storage']}",
        "combinedPharmaceuticalDoseForm": concept(product["form"]),
        "name": [{"productName": product["name"]}],
    }


def _substances(content: CertificateContent) -> Iterator[tuple[str, Element]]:
    """The cells of each donor; where no donor is named, the cells of the product."""
    base = {
        "resourceType": "SubstanceDefinition",
        "meta": {"profile": [f"{PQ}/SubstanceDefinition-component-substance-drug-pq"]},
        "name": [{"name": f"Cells of {content['product']['name']}"}],
    }
    for donor in content["donors"]:
        yield (
            f"donor {donor['code']}",
            {
                **base,
                "identifier": [identifier("donor", donor["code"])],
                "note": [{"text": f"Donor eligibility: {donor['eligibility']}"}],
                "sourceMaterial": {"part": concept(donor["tissue_source"])},
            },
        )
    if not content["donors"]:
        yield "substance", base


def _lot(content: CertificateContent) -> tuple[str, Element]:
    product, lot = content["product"], content["lot"]
    made = extension("manufacturingDate", valueDateTime=lot["manufactured_on"])
    return "lot", {
        "resourceType": "Medication",
        "meta": {"profile": [f"{PQ}/Medication-batch-information-drug-pq"]},
        "code": concept(product["name"], ("urn:batchqc:product", product["code"])),
        "batch": {
            "extension": [{"url": _MADE, "extension": [made]}],
            "lotNumber": lot["id"],
            "expirationDate": lot["expires_on"],
        },
    }


def _specification(content: CertificateContent, links: Links) -> tuple[str, Element]:
    rules = content["specification"]
    groups: dict[str, list[ResultLine]] = {}
    for line in content["lines"]:
        groups.setdefault(line["category"], []).append(line)
    return "specification", {
        "resourceType": "PlanDefinition",
        "meta": {"profile": [f"{PQ}/PlanDefinition-drug-pq"]},
        "identifier": [
            identifier("specification", rules["id"]),
            identifier("sha256", rules["sha256"]),
        ],
        "version": str(rules["version"]),
        "title": rules["title"],
        "type": concept("Specification"),
        "status": "active",
        "subjectReference": links.to("product"),
        "effectivePeriod": {"start": rules["effective"]},
        "action": [
            {
                "title": category,
                "action": [
                    {
                        "title": line["title"],
                        "definitionCanonical": links.urn(f"criterion {line['criterion']}"),
                    }
                    for line in lines
                ],
            }
            for category, lines in groups.items()
        ],
    }


def _specimens(content: CertificateContent) -> Iterator[tuple[str, Element]]:
    for sample in content["lot"]["samples"]:
        yield (
            f"sample {sample['id']}",
            {
                "resourceType": "Specimen",
                "meta": {"profile": [f"{PQ}/Specimen-drug-pq"]},
                "identifier": [identifier("sample", sample["id"])],
                "type": concept(sample["stage"]),
                "collection": {"collectedDateTime": sample["taken"]["utc"]},
                "note": [{"text": f"Container: {sample['container']}"}],
            },
        )


def _report(content: CertificateContent, links: Links, data: bytes) -> tuple[str, Element]:
    word = "complies" if content["complies"] else "does not comply"
    word = "preliminary" if content.get("pending") else word
    samples = (links.to(f"sample {one['id']}") for one in content["lot"]["samples"])
    results = (links.to(f"result {line['criterion']}") for line in content["lines"])
    return "report", {
        "resourceType": "DiagnosticReport",
        "meta": {"profile": [f"{PQ}/DiagnosticReport-analysis-drug-pq"]},
        "identifier": [
            identifier("certificate", content["number"]),
            identifier("sha256", links.sha256),
        ],
        "status": "preliminary" if content.get("pending") else "final",
        "code": concept("Certificate of analysis", (_REPORT, "Batch Analysis Report")),
        "subject": links.to("lot"),
        "issued": content["issued"]["utc"],
        "performer": [links.to("organization")],
        "specimen": list(samples),
        "result": list(results),
        "note": [{"text": text} for text in _notes(content)],
        "conclusion": content["conclusion"],
        "conclusionCode": [concept(word, ("urn:batchqc:conclusion", word))],
        "presentedForm": [
            {
                "contentType": "application/json",
                "data": base64.b64encode(data).decode(),
                "title": f"certificate.json, {content['type']}",
            }
        ],
    }


def _notes(content: CertificateContent) -> Iterator[str]:
    """What FHIR has no element for, a sentence each."""
    if content["specimen"]:
        yield f"SPECIMEN: {content['specimen']}"
    if earlier := content["supersedes"]:
        yield f"Supersedes {earlier['number']}: {earlier['reason']}"
    yield from (f"Changed: {text}" for text in changes_of(content))
    yield f"Decision rule: {content['decision_rule']}"
    yield from content["statements"]
    for change in content["corrections"]:
        yield (
            f"Correction of {change['subject']}, {change['field']}: “{change['before']}” became"
            f" “{change['after']}”. Reason: {change['reason']}. Requested by"
            f" {change['requested_by']}, approved by {change['approved_by']},"
            f" {change['approved']['utc']}"
        )
    for seal in content.get("seals", ()):
        signed = f" for signature {seal['signature']}" if seal["signature"] else ""
        yield f"Seal {seal['field']}{signed}: {seal['says']}"
    audit, software = content["audit"], content["software"]
    yield f"Audit trail when this was frozen: entry {audit['sequence']}, head {audit['head']}"
    vocabularies = ", ".join(software["vocabularies"]) or "none"
    yield (
        f"Made with batchqc {software['batchqc']}, contract {software['contract']},"
        f" vocabularies {vocabularies}; frozen as {content['type']}"
    )


def _provenance(signature: SignaturePart, links: Links) -> tuple[str, Element]:
    who = {"identifier": identifier("user", signature["user_id"]), "display": signature["name"]}
    record = {
        "identifier": identifier("sha256", signature["record_sha256"]),
        "display": signature["record"],
    }
    form = {"display": f"Paper form {signature['paper']}"} if "paper" in signature else None
    paper = [{"role": "source", "what": form}] if form else []
    return f"signature {signature['id']}", {
        "resourceType": "Provenance",
        "id": signature["id"],
        "target": [links.to("report")],
        "occurredDateTime": signature["happened"]["utc"] if "happened" in signature else None,
        "recorded": signature["signed"]["utc"],
        "authorization": [{"concept": concept(signature["reason"])}] if signature["reason"] else [],
        "activity": concept(signature["meaning"]),
        "agent": [{"role": [concept(signature["role"])], "who": who}],
        "entity": [{"role": "source", "what": record}, *paper],
    }
