"""Certificate content -> plain text of 80 columns in UTF-8, with everything that the page says."""

from collections.abc import Iterator
from typing import Final

from batchqc.core.certificates import (
    CertificateContent,
    CorrectionPart,
    ResultLine,
    SignaturePart,
    content_sha256,
)
from batchqc.documents.certificate_said import changes_of, marked, rebound
from batchqc.documents.plain_text import RULE, apart, digest, heading, labelled, paragraph

_COPY: Final = (
    "This text is a copy without a seal: it proves nothing. The sealed document does, and its pages"
    " carry the content hash above."
)
_REMARKS: Final = "The results relate only to the samples tested."


def certificate_text(content: CertificateContent) -> bytes:
    """The certificate as text; every line ends in a line feed."""
    lines = (
        *_opening(content),
        *_facts(content),
        *_samples_and_donors(content),
        *_results(content),
        *_listed("Notes", content["notes"]),
        *heading("Decision rule"),
        *paragraph(content["decision_rule"]),
        *_statements(content["statements"]),
        *_changes(content),
        *_corrections(content["corrections"]),
        *heading("Conclusion"),
        *paragraph(content["conclusion"]),
        *_signatures(content),
        *_record(content),
    )
    return "".join(f"{line.rstrip()}\n" for line in lines).encode()


def _opening(content: CertificateContent) -> Iterator[str]:
    answer = "COMPLIES" if content["complies"] else "DOES NOT COMPLY"
    yield RULE
    yield from apart("CERTIFICATE OF ANALYSIS", content["number"])
    yield from apart(
        f"Lot {content['lot']['id']}", "PRELIMINARY" if content.get("pending") else answer
    )
    yield RULE
    if content["specimen"]:
        yield from paragraph(content["specimen"], mark="SPECIMEN: ")
    if earlier := content["supersedes"]:
        yield from paragraph(f"Supersedes {earlier['number']}: {earlier['reason']}")


def _facts(content: CertificateContent) -> Iterator[str]:
    issuer, product = content["issuer"], content["product"]
    lot, rules, changed = content["lot"], content["specification"], content["corrections"]
    made = marked(lot["manufactured_on"], of=lot["id"], by=changed)
    expires = marked(lot["expires_on"], of=lot["id"], by=changed)
    version = f"{rules['version']}{rebound(rules, by=changed)}"
    yield from labelled("Issued by", ", ".join([issuer["name"], *issuer["address"]]))
    yield from labelled("Issued", f"{content['issued']['shown']}, {issuer['time_zone']}")
    yield from labelled("Product", f"{product['name']} ({product['code']})")
    yield from labelled("Form", product["form"])
    yield from labelled("Storage", product["storage"])
    yield from labelled("Manufactured", made)
    yield from labelled("Expires", f"{expires} (last usable day)")
    yield from labelled("Specification", f"{rules['id']}, version {version}")
    yield from labelled("", rules["title"])
    yield from labelled("", f"effective from {rules['effective']}")
    yield from digest("SHA-256", rules["sha256"])


def _samples_and_donors(content: CertificateContent) -> Iterator[str]:
    changed = content["corrections"]
    if samples := content["lot"]["samples"]:
        yield from heading("Samples")
        for one in samples:
            container = marked(one["container"], of=one["id"], by=changed)
            about = f"{one['stage']}, {container}, taken {one['taken']['shown']}"
            yield from paragraph(f"{one['id']}: {about}")
    if donors := content["donors"]:
        yield from heading("Donors")
        for donor in donors:
            tissue = marked(donor["tissue_source"], of=donor["code"], by=changed)
            about = f"{tissue}, {donor['eligibility']}"
            yield from paragraph(f"{donor['code']}: {about}")


def _results(content: CertificateContent) -> Iterator[str]:
    due = {one["criterion"]: one["due_on"] for one in content.get("pending", ())}
    category = None
    yield from heading("Results")
    for line in content["lines"]:
        if line["category"] != category:
            category = line["category"]
            yield from paragraph(category, mark="* ")
        yield from _result(line, due.get(line["criterion"], ""))
        yield ""


def _result(line: ResultLine, day: str) -> Iterator[str]:
    notes = "".join(f" [{number}]" for number in line["notes"])
    verdict = (line["verdict"] or "for information").replace("_", " ")
    yield from apart(line["title"] + notes, verdict)
    yield from labelled("Criterion", line["acceptance"], indent=2)
    yield from labelled("Result", f"{line['result']} {line['unit']}".strip(), indent=2)
    if line["rounded"] is not None:
        yield from labelled("Rounded", f"{line['rounded']} ({line['rounding']})", indent=2)
    elif line["rounding"]:
        yield from labelled("Rounding", line["rounding"], indent=2)
    about = (line["method"], line["test"], line["analyte"], line["stage"], line["measured_on"])
    yield from labelled("Method", ", ".join(filter(None, about)), indent=2)
    yield from labelled("Tested by", line["external"], indent=2)
    yield from labelled("Due on", day, indent=2)
    yield from labelled("Why", line["sentence"], indent=2)
    how = ", ".join(filter(None, (f"n = {line['n']}", line["aggregate"], line["criterion"])))
    yield from labelled("From", how, indent=2)
    for cell in line["provenance"]:
        place = f"{cell['upload']}, {cell['file']}, row {cell['row']}, {cell['column']}"
        yield from labelled("", f"{place}: “{cell['text']}”", indent=2)
        yield from digest("SHA-256", cell["sha256"])


def _listed(title: str, texts: list[str]) -> Iterator[str]:
    if texts:
        yield from heading(title)
    for number, text in enumerate(texts, 1):
        yield from paragraph(text, mark=f"[{number}] ")


def _statements(texts: list[str]) -> Iterator[str]:
    yield from heading("Statements")
    for text in (*texts, _REMARKS):
        yield from paragraph(text)


def _changes(content: CertificateContent) -> Iterator[str]:
    if texts := changes_of(content):
        yield from heading("Changes")
    for text in texts:
        yield from paragraph(text)


def _corrections(corrections: list[CorrectionPart]) -> Iterator[str]:
    if corrections:
        yield from heading(f"Corrections of registration data: {len(corrections)}")
    for number, change in enumerate(corrections, 1):
        became = f"“{change['before']}” became “{change['after']}”"
        people = f"Requested by {change['requested_by']}, approved by {change['approved_by']}"
        text = f"{change['subject']}, {change['field']}: {became}. Reason: {change['reason']}."
        yield from paragraph(
            f"{text} {people}, {change['approved']['shown']}", mark=f"[C{number}] "
        )


def _signatures(content: CertificateContent) -> Iterator[str]:
    yield from heading("Electronic signatures")
    for one in content["signatures"]:
        yield from apart(one["name"], one["id"])
        yield from labelled("Who", f"{one['user_id']}, {one['role']}", indent=2)
        yield from labelled("Meaning", one["meaning"], indent=2)
        yield from labelled("Reason", one["reason"], indent=2)
        yield from _when(one)
        yield from labelled("Record", one["record"], indent=2)
        yield from digest("SHA-256", one["record_sha256"])
    for seal in content.get("seals", ()):
        signed = f" ({seal['signature']})" if seal["signature"] else ""
        yield from paragraph(f"{seal['field']}{signed}: {seal['says']}", mark="Seal ")


def _when(signature: SignaturePart) -> Iterator[str]:
    entered = signature["signed"]["shown"]
    if "happened" not in signature:
        yield from labelled("Signed", entered, indent=2)
        return
    yield from labelled("Signed on paper", signature["happened"]["shown"], indent=2)
    form = f"{signature.get('paper', '')}, entered late {entered}"
    yield from labelled("Form", form, indent=2)


def _record(content: CertificateContent) -> Iterator[str]:
    audit, software = content["audit"], content["software"]
    yield from heading("Record")
    yield from labelled("Audit trail", f"entry {audit['sequence']}")
    yield from digest("head", audit["head"])
    made = (f"batchqc {software['batchqc']}", software["contract"], *software["vocabularies"])
    yield from labelled("Software", ", ".join(made))
    yield from labelled("Content", content["type"])
    yield from digest("SHA-256", content_sha256(content))
    yield from paragraph(_COPY)
    yield RULE
    yield from apart(f"End of certificate {content['number']}", f"Lot {content['lot']['id']}")
