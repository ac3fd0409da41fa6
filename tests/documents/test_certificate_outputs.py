"""FHIR, CSV and plain text of a certificate: complete, valid, safe, and nothing reads as a pass."""

import base64
import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.canonical import canonical_bytes
from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents.certificate_csv import certificate_csv
from batchqc.documents.certificate_fhir import certificate_fhir
from batchqc.documents.certificate_text import certificate_text
from batchqc.documents.plain_text import WIDTH, apart, labelled, paragraph, plain
from tests.documents.certificate_content import (
    CORRECTION,
    certificate_content,
    earlier_content,
    line,
    long_lines,
    moment,
    signature,
)
from tests.documents.certificate_outputs import (
    JSON_ONLY,
    carried_by,
    facts,
    left_to_json,
    named,
    resources,
    rows,
    with_fact,
)
from tests.documents.external import squeezed

GOLDEN = Path(__file__).with_name("outputs") / "COA-2026-000002.json"
FORMS = {
    "fhir": (certificate_fhir, "fhir.json"),
    "csv": (certificate_csv, "csv"),
    "text": (certificate_text, "txt"),
}
PENDING = line(
    "ster", title="Sterility", result="not tested", verdict="CANNOT_JUDGE", unit="", n=0,
    measured_on="", provenance=[], accept={"kind": "words", "terms": ["no growth"]},
    acceptance="no growth", rounding="", sentence="CANNOT JUDGE: no result for Sterility",
)  # fmt: skip


def everything() -> CertificateContent:
    """Content in which each part is there."""
    whole = certificate_content(
        corrections=[CORRECTION],
        supersedes={
            "number": "COA-2026-000012",
            "reason": "released: late results",
            "changes": [{"what": "Sterility, result", "before": "", "after": "no growth"}],
        },
        pending=[{"criterion": "ster", "title": "Sterility", "due_on": "2026-03-19"}],
    )
    late = {**signature(43), "happened": moment("2026-03-18", "07:12:00"), "paper": "FORM-0012"}
    whole["signatures"].append(late)  # type: ignore[arg-type]
    accepts: list[dict[str, Any]] = [
        {"kind": "limits", "limits": [{"operator": "<", "limit": "1.8E8"}], "guard": "0.05"},
        {"kind": "words", "terms": ["46,XX", "46,XY"]},
        {
            "kind": "classes",
            "bands": [{"name": "strong", "limits": [{"operator": "<", "limit": "29"}]}],
            "terms": ["strong"],
        },
        {"kind": "control", "operator": "<", "factor": "0.5"},
        {"kind": "group", "count": 2, "of": 3},
        {"kind": "report"},
    ]
    more = [line(f"c{number}", accept=one) for number, one in enumerate(accepts)]
    whole["lines"] = [PENDING, *more, *whole["lines"]]
    return whole


def other(path: tuple[str | int, ...], value: object) -> object:
    """Another value for a fact, which stands nowhere else."""
    match value:
        case bool():
            return not value
        case int():
            return 771123
        case _ if path[-1] == "verdict":
            return "FAIL" if value != "FAIL" else "CANNOT_JUDGE"
        case _ if path[-1] == "operator":
            return {"<": "<=", ">": ">=", "<=": "<", ">=": ">"}[str(value)]
        case _:
            return f"{value}Zq7"


def is_carried(
    form: str, content: CertificateContent, path: tuple[str | int, ...], new: object
) -> bool:
    """Whether the output tells another value of a fact, and shows it."""
    if path == ("complies",):  # a preliminary certificate does neither
        content = with_fact(content, ("pending",), [])
    after = carried_by(form, with_fact(content, path, new))
    is_shown = squeezed(str(new)) in after or "Zq7" not in str(new) or path[0] == "pending"
    return is_shown and after != carried_by(form, content)


@pytest.mark.requirement("5.08")
@pytest.mark.parametrize("form", FORMS)
def test_each_fact_of_the_content_is_carried_or_named_as_left_to_json(form: str):
    content = everything()
    lost, needless, seen = [], set(JSON_ONLY[form]), {""}
    for path, value in facts(content):
        name = named(path)
        if name in seen or name == "lines.notes":  # numbers: their texts stand with the result
            continue
        seen.add(name)
        if is_carried(form, content, path, other(path, value)):
            continue
        left = left_to_json(form, name)
        needless -= left
        lost += [] if left else [name]
    assert lost == []
    assert needless == set()
    assert len(seen) > 75


@pytest.mark.requirement("5.09")
@pytest.mark.parametrize("form", FORMS)
def test_a_frozen_certificate_of_the_demonstration_gives_the_same_bytes_as_ever(form: str):
    make, ending = FORMS[form]
    content = json.loads(GOLDEN.read_bytes())
    assert make(content) == GOLDEN.with_suffix(f".{ending}").read_bytes()


@pytest.mark.requirement("5.09")
@pytest.mark.parametrize(
    "content",
    [everything(), certificate_content(donors=[], lines=long_lines(30)), earlier_content()],
    ids=["everything", "long", "earlier"],
)
def test_a_bundle_is_one_of_fhir_r5_as_the_guide_profiles_it(content: CertificateContent):
    bundle = Bundle.model_validate_json(certificate_fhir(content))
    entries = {entry.fullUrl: entry.resource for entry in bundle.entry}
    assert len(entries) == len(bundle.entry)
    found = [one.get_resource_type() for one in entries.values()]
    for kind in (
        "MedicinalProductDefinition", "SubstanceDefinition", "Medication", "PlanDefinition",
        "DiagnosticReport", "Organization",
    ):  # fmt: skip
        assert found.count(kind) >= 1, kind
    for kind in ("ObservationDefinition", "Observation"):
        assert found.count(kind) == len(content["lines"])
    told = resources(content)
    links = [
        str(value)
        for path, value in facts(told)
        if path[-1] in {"reference", "definitionCanonical"}
    ]
    assert set(links) <= set(entries)
    site = next(one for one in told if one["resourceType"] == "Organization")
    assert site["type"]
    assert all(one["system"] and one["value"] for one in site["identifier"])


@pytest.mark.requirement("5.09")
def test_the_criterion_stands_in_words_and_with_its_operator_beside_each_range():
    accept = {
        "kind": "limits",
        "limits": [{"operator": ">", "limit": "90"}, {"operator": "<=", "limit": "99.50"}],
    }
    content = certificate_content(
        lines=[line("viability", accept=accept, acceptance="> 90 and <= 99.50 %")]
    )
    told = resources(content)
    defined = next(one for one in told if one["resourceType"] == "ObservationDefinition")
    (qualified,) = defined["qualifiedValue"]
    result = next(one for one in told if one["resourceType"] == "Observation")
    (reference,) = result["referenceRange"]
    assert qualified["extension"][0]["valueString"] == "> 90 and <= 99.50 %" == reference["text"]
    for ends in (qualified["range"], reference):
        assert [ends[end]["extension"][0]["valueString"] for end in ("low", "high")] == [">", "<="]
        assert [ends[end]["value"] for end in ("low", "high")] == ["90", "99.50"]


@pytest.mark.requirement("5.09")
@pytest.mark.parametrize(
    ("result", "unit", "expected"),
    [
        ("<0.10", "EU/mL", {"value": "0.10", "comparator": "<", "code": "[iU]/mL"}),
        ("≥ 1.8E8", "cells", {"value": "1.8E8", "comparator": ">=", "code": "{cells}"}),
        ("98.50", "%", {"value": "98.50", "code": "%"}),
        ("-0.0", "EU/{dose}", {"value": "-0.0", "code": "[iU]/{dose}"}),
        ("12", "×10⁶/kg", {"value": "12", "unit": "×10⁶/kg"}),
        ("no growth", "", "no growth"),
        ("93.1; 89.0", "%", "93.1; 89.0"),
        ("0.123456789012345678", "%", "0.123456789012345678"),
        ("007", "%", "007"),
    ],
)
def test_a_result_keeps_its_digits_its_qualifier_and_its_unit(
    result: str, unit: str, expected: object
):
    content = certificate_content(lines=[line("a", result=result, unit=unit)])
    found = next(one for one in resources(content) if one["resourceType"] == "Observation")
    if isinstance(expected, str):
        assert found["valueString"] == expected
        assert "valueQuantity" not in found
        return
    if "code" in expected:  # type: ignore[operator]
        expected = {"unit": unit, "system": "http://unitsofmeasure.org", **expected}  # type: ignore[dict-item]
    assert found["valueQuantity"] == expected


@pytest.mark.requirement("5.09")
def test_what_cannot_be_judged_and_what_is_not_in_never_reads_as_a_pass():
    content = certificate_content(
        lines=[
            line("censored", result=">90", verdict="CANNOT_JUDGE"),
            line("absent", result="not tested", verdict="CANNOT_JUDGE"),
            PENDING,
            line("failed", result="89", verdict="FAIL"),
        ],
        pending=[{"criterion": "ster", "title": "Sterility", "due_on": "2026-03-19"}],
    )
    report = next(one for one in resources(content) if one["resourceType"] == "DiagnosticReport")
    found = [one for one in resources(content) if one["resourceType"] == "Observation"]
    codes = [[one["code"] for one in each["interpretation"][0]["coding"]] for each in found]
    assert codes == [*[["CANNOT_JUDGE", "IND"]] * 3, ["FAIL"]]
    absent = [each.get("dataAbsentReason", {}).get("coding", [{}])[0].get("code") for each in found]
    assert absent == [None, "not-performed", "temp-unknown", None]
    assert not any("dataAbsentReason" in each and "valueString" in each for each in found)
    assert [each["status"] for each in found] == ["final", "final", "registered", "final"]
    assert report["status"] == "preliminary"
    assert [row["verdict"] for row in rows(content)] == [*["CANNOT_JUDGE"] * 3, "FAIL"]
    assert [row["due_on"] for row in rows(content)] == ["", "", "2026-03-19", ""]
    text = certificate_text(content).decode()
    assert text.count(" CANNOT JUDGE\n") == 3
    assert "PRELIMINARY" in text.splitlines()[2]
    assert "PASS" not in text


def test_the_report_embeds_the_frozen_content_itself():
    content = everything()
    report = next(one for one in resources(content) if one["resourceType"] == "DiagnosticReport")
    assert base64.b64decode(report["presentedForm"][0]["data"]) == canonical_bytes(content)  # type: ignore[arg-type]
    assert report["identifier"][1]["value"] == content_sha256(content)
    assert {row["content_sha256"] for row in rows(content)} == {content_sha256(content)}
    assert content_sha256(content) in certificate_text(content).decode()


def test_a_spreadsheet_runs_nothing_of_a_certificate():
    content = certificate_content(lines=[line("a", title='=HYPERLINK("http://x")', result="-3")])
    (row,) = rows(content)
    assert row["title"] == '\'=HYPERLINK("http://x")'
    assert row["result"] == "-3"


def test_no_value_breaks_out_of_its_place_in_plain_text():
    forged = "late\nViability" + " " * 40 + "PASS\n\u202ella\x1b[2K"
    content = certificate_content(signatures=[signature(1, reason=forged)], lines=long_lines(30))
    lines = certificate_text(content).decode().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert not [one for one in lines if one.startswith("Viability")]
    assert squeezed("<U+202E>lla<U+001B>[2K") in squeezed("".join(lines))


@given(st.text(max_size=300), st.text(max_size=40))
def test_text_is_wrapped_to_the_width_and_nothing_of_it_is_lost(text: str, label: str):
    told = list(
        chain(paragraph(text, indent=4, mark="[1] "), apart(text, "PASS"), labelled("L", text))
    )
    assert all(len(one) <= WIDTH and one.isprintable() for one in told)
    assert squeezed(plain(text)) in squeezed("".join(told))
