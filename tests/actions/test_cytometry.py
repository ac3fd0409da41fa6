"""A FlowJo workspace through to the verdict: its counts, and percentages by the specification."""

from functools import partial

import pytest

from batchqc.actions.recheck import recheck
from batchqc.actions.uploads import the_upload
from batchqc.errors import InvalidInput, NotFound
from batchqc.intake.contract import Asked
from batchqc.settings import shipped_profiles
from tests.actions.state import counts, grown
from tests.actions.test_tracing import NEW, thawed, trace
from tests.intake.cytometry import flowjo_sample, workspace
from tests.records.full_house import POST_THAW
from tests.records.house import ANA, House, adopt_profile

COUNTED = (
    POST_THAW
    + b"".join(
        b'[criteria.%s]\ntitle = "%s"\ncategory = "identity"\ntest = "FLOW"\nanalyte = "%s"\n'
        b'method = "SOP-QC-021"\nunit = "{cells}"\naccept = "for information"\n'
        % (name.lower().replace("_", "-").encode(), name.encode(), name.encode())
        for name in ("live_count", "CD73_count", "CD90_count")
    )
    + b"".join(
        b'[criteria.%s]\ntitle = "%s+ of live cells"\ncategory = "identity"\n'
        b'formula = "part / live"\ninputs = { part = "%s-count", live = "live-count" }\n'
        b'unit = "%%"\naccept = ">= 95.0"\n' % (name, name, name)
        for name in (b"cd73", b"cd90")
    )
)
STATED = Asked(
    {
        "measured_at": "2025-05-20T10:00:00-05:00", "analyst": ANA, "instrument_id": "FAC-002",
        "run_id": "FLOW-250520-02",
    },
    {"Donor 7 vial 2": f"{NEW}-S02"},
)  # fmt: skip
EXPORT = workspace(
    flowjo_sample("Compensation Controls", "FITC"),
    flowjo_sample("Donor 7 vial 2", "panel 1", cd90="32000"),
).encode()


def ready(house: House) -> None:
    thawed(house, COUNTED)
    adopt_profile(house, (shipped_profiles() / "flowjo-workspace.toml").read_bytes())


@pytest.mark.requirement("1.30")
@pytest.mark.requirement("1.06")
def test_counts_of_a_workspace_are_judged_as_percentages_and_traced_to_their_lines(house: House):
    ready(house)
    report = house.upload(EXPORT, name="panel.wsp", profile="FLOWJO-WORKSPACE", asked=STATED)
    assert report.accepted, report.reading.problems
    with house.reading() as session:
        assert the_upload(session, report.number).profile.startswith("FLOWJO-WORKSPACE v1")
        assert recheck(session, house.archive).differences == ()
    judged = {
        one.criterion: (one.verdict, one.sentence)
        for one in trace(house, report.number, 3, "Live").verdicts
    }
    assert judged["cd73"][0] == "PASS"
    assert "98.0001726469… % meets >= 95.0 %" in judged["cd73"][1]
    assert judged["cd90"][0] == "FAIL"
    assert "92.0783817224… % does not meet >= 95.0 %" in judged["cd90"][1]
    lines = EXPORT.decode().split("\n")
    cell = trace(house, report.number, 3, "Live/CD90+")
    assert (cell.text, lines[cell.line - 1].strip()) == (
        "32000", next(one.strip() for one in lines if 'count="32000"' in one),
    )  # fmt: skip
    assert "cd90" in {one.criterion for one in cell.verdicts}
    tube = trace(house, report.number, 3, "Tube")
    assert (tube.text, '"TUBE NAME"' in lines[tube.line - 1]) == ("panel 1", True)
    with pytest.raises(NotFound):
        trace(house, report.number, 3, "Viability")
    assert house.verify().problems == ()


def test_a_hostile_document_leaves_the_refusal_and_nothing_else(house: House):
    ready(house)
    before = counts(house.engine)
    laughs = b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + EXPORT.partition(b"?>")[2]
    report = house.upload(laughs, name="panel.wsp", profile="FLOWJO-WORKSPACE", asked=STATED)
    assert (report.accepted, [one.code for one in report.reading.problems]) == (False, ["E117"])
    assert set(grown(house.engine, before)) <= {
        "event",
        "upload",
        "audit_entry",
        "audit_link",
        "audit_subject",
    }


def test_a_count_of_nothing_is_divided_by_nothing(house: House):
    """Under a profile that does not refuse it, none of none is no percentage."""
    thawed(house, COUNTED)
    text = (shipped_profiles() / "flowjo-workspace.toml").read_text(encoding="utf-8")
    adopt_profile(house, text.replace('["-1", "0"]', '["-1"]').encode())
    nothing = workspace(flowjo_sample("Donor 7 vial 2", "panel 1", live="0", cd73="0", cd90="0"))
    send = partial(house.upload, nothing.encode(), profile="FLOWJO-WORKSPACE", asked=STATED)
    with pytest.raises(InvalidInput, match="ends like a table as text, and holds an XML document"):
        send(name="panel.csv")
    report = send(name="panel.wsp")
    assert report.accepted, report.reading.problems
    used = trace(house, report.number, 2, "Live").verdicts
    assert {one.criterion: one.verdict for one in used if one.criterion in {"cd73", "cd90"}} == {
        "cd73": "CANNOT_JUDGE", "cd90": "CANNOT_JUDGE",
    }  # fmt: skip
