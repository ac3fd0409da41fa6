"""The life of a specification, from its draft to its end."""

import json
from datetime import date
from pathlib import Path

import pytest

from batchqc.actions.binding import bind
from batchqc.actions.specification_folder import compare_folder
from batchqc.actions.specifications import (
    import_specification,
    submit_specification,
    the_version,
)
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict
from batchqc.records.specifications import approval_of
from tests.actions.versions import (
    FOR_EU,
    LOOSER,
    NAME,
    SHIPPED,
    TODAY,
    approve,
    refused,
    register,
    state,
    version,
    withdraw,
)
from tests.records.house import (
    LOT,
    MADE_ON,
    PRODUCT,
    QA2,
    SPEC,
    House,
    adopt,
    draft_in_review,
    results,
    see_impact,
)
from tests.records.tampering import tamper


@pytest.mark.requirement("2.03")
def test_a_version_goes_from_draft_to_its_end(house: House):
    data = version(2, "2026-06-10", LOOSER)
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        import_specification(tx, house.archive, data=data, file="v2.toml")
    assert state(house, 2) == "draft"
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        submit_specification(tx, house.archive, specification=NAME, version=2)
    assert state(house, 2) == "in review"
    approve(house, 2, see_impact(house, NAME, 2))
    assert (state(house, 1), state(house, 2)) == ("effective", "approved")
    later = date(2026, 6, 10)
    assert (state(house, 1, later), state(house, 2, later)) == ("superseded", "effective")
    withdraw(house, 2, date(2026, 7, 1))
    end = date(2026, 7, 1)
    assert (state(house, 2, later), state(house, 2, end)) == ("effective", "withdrawn")
    assert house.verify().problems == ()


@pytest.mark.requirement("2.03")
def test_the_approver_signs_the_bytes_the_boundaries_and_the_impact(house: House):
    name, number = draft_in_review(house, version(2, "2026-06-10", LOOSER), "v2.toml")
    seen = see_impact(house, name, number)
    approve(house, 2, seen)
    with house.reading() as session:
        row = the_version(session, NAME, 2)
        approval = approval_of(session, row)
        assert approval is not None
        assert approval.signature.record_sha256 == approval.content_sha
        content = json.loads(house.archive.get(approval.content_sha))
    assert content["sha256"] == row.sha256
    assert content["impact"]["sha256"] == seen
    turns = {one["criterion"]: one["turns"] for one in content["boundary"]}
    assert turns["viability"] == [["from below", "80", "81"]]


def test_a_step_out_of_its_order_is_refused(house: House):
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        import_specification(
            tx, house.archive, data=version(2, "2026-06-10", LOOSER), file="v2.toml"
        )
    refused("BQC-SPC-011", house, "approve", 2, impact="")
    refused("BQC-SPC-014", house, "withdraw", 2, day="2026-06-20")
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        submit_specification(tx, house.archive, specification=NAME, version=2)
    refused("BQC-SPC-012", house, "submit", 2)
    refused("BQC-SPC-015", house, "approve", 2, impact="")
    first = see_impact(house, NAME, 2)
    refused("BQC-SPC-015", house, "approve", 2, impact="0" * 64)
    assert house.upload(results()).accepted
    told = refused("BQC-SPC-016", house, "approve", 2, impact=first)
    assert "is out of date" in told.message
    again = see_impact(house, NAME, 2)
    refused("BQC-SPC-015", house, "approve", 2, impact=first)
    approve(house, 2, again)
    refused("BQC-SPC-014", house, "withdraw", 2, day="2026-05-01")
    withdraw(house, 2, date(2026, 6, 20))
    told = refused("BQC-SPC-014", house, "withdraw", 2, day="2026-06-20")
    assert "withdrawn already" in told.message


def test_a_draft_with_open_findings_is_not_submitted(house: House):
    doubtful = version(2, "2026-06-10", (LOOSER[0], 'accept = "> 90"\nrounding = "usp"'))
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        import_specification(tx, house.archive, data=doubtful, file="v2.toml")
    told = refused("BQC-SPC-010", house, "submit", 2)
    assert any("viability: dead-band" in reason for reason in told.reasons)
    accepted = doubtful.replace(b"version   = 2", b"version   = 3").replace(
        b'rounding = "usp"\n',
        b'rounding = "usp"\nacknowledge = { dead-band = "as registered in 2019" }\n', 1,
    )  # fmt: skip
    assert draft_in_review(house, accepted, "v3.toml") == (NAME, 3)


def test_two_versions_of_one_key_on_one_date_are_refused(house: House):
    adopt(house, version(2, "2026-06-10"))
    draft_in_review(house, version(3, "2026-06-10", LOOSER), "v3.toml")
    refused("BQC-SPC-005", house, "approve", 3, impact=see_impact(house, NAME, 3))
    adopt(house, version(4, "2026-06-10", FOR_EU))  # another market is another key
    withdraw(house, 2, date(2026, 6, 10))  # it never applied, and its date is free again
    approve(house, 3, see_impact(house, NAME, 3))
    assert state(house, 3, date(2026, 6, 10)) == "effective"


@pytest.mark.requirement("2.41")
def test_a_past_date_that_would_take_lots_from_another_version_is_refused(house: House):
    register(house, "MSC-26-0031", MADE_ON)
    draft_in_review(house, version(2, MADE_ON.isoformat(), LOOSER), "v2.toml")
    told = refused("BQC-SPC-013", house, "approve", 2, impact=see_impact(house, NAME, 2))
    assert told.reasons == (
        f"{LOT} of {MADE_ON}",
        f"MSC-26-0031 of {MADE_ON}",
    )
    assert house.study().facts.specification_problem == ""


def test_a_withdrawn_version_judges_no_later_lot_and_keeps_the_earlier(house: House):
    adopt(house, version(2, "2026-05-01", LOOSER))
    assert register(house, "MSC-26-0032", date(2026, 5, 20)) == "UC-MSC-REL v2"
    withdraw(house, 2, TODAY)
    with house.reading() as session:
        key = {"product": PRODUCT, "market": ""}
        assert "release" not in bind(session, manufactured_on=TODAY, **key)
        found = bind(session, manufactured_on=date(2026, 5, 31), **key)
        assert found["release"].version.version == 2
    with pytest.raises(Conflict) as refusal:
        register(house, "MSC-26-0033", TODAY)
    assert refusal.value.code == "BQC-SPC-007"
    assert house.study("MSC-26-0032").facts.specification_problem == ""


def test_a_version_is_not_withdrawn_from_a_day_of_lots_that_it_judges(house: House):
    register(house, "MSC-26-0041", TODAY)
    told = refused("BQC-SPC-014", house, "withdraw", 1, day=TODAY.isoformat())
    assert f"MSC-26-0041 of {TODAY}" in told.message
    withdraw(house, 1, date(2026, 6, 2))


def test_an_approval_that_speaks_of_other_bytes_closes_the_gate(house: House):
    """Its content lost, changed, or that of another version."""
    with house.reading() as session:
        row = the_version(session, NAME, 1)
        approval = approval_of(session, row)
        assert approval is not None
        path = house.archive._path(approval.content_sha)
    content = path.read_bytes()
    path.unlink()
    assert "UC-MSC-REL v1 cannot be read" in house.study().facts.specification_problem
    path.write_bytes(content.replace(b"above 90", b"above 80"))
    assert "UC-MSC-REL v1 cannot be read" in house.study().facts.specification_problem
    path.write_bytes(content)
    assert house.study().facts.specification_problem == ""
    tamper(house.engine, "UPDATE specification_approval SET content_sha = 'other'")
    assert "signed over other bytes" in house.study().facts.specification_problem


def test_an_approval_from_before_binds_the_bytes_alone(house: House):
    tamper(house.engine, "UPDATE specification_approval SET content_sha = ''")
    assert "signed over other bytes" in house.study().facts.specification_problem
    tamper(
        house.engine,
        "UPDATE signature SET record_sha256 = (SELECT sha256 FROM specification_version)"
        " WHERE meaning = 'approved'",
    )
    assert house.study().facts.specification_problem == ""


def test_the_folder_of_a_site_is_compared_line_by_line(house: House, tmp_path: Path):
    def compared() -> dict[str, str]:
        with house.reading() as session:
            return dict(compare_folder(session, house.archive, tmp_path))

    assert compared() == {}
    (tmp_path / "same.toml").write_bytes(SHIPPED)
    (tmp_path / "edited.toml").write_bytes(SHIPPED.replace(b'"> 90"', b'"> 80"'))
    (tmp_path / "longer.toml").write_bytes(SHIPPED + b"# more\n")
    (tmp_path / "new.toml").write_bytes(version(7, "2030-01-01"))
    (tmp_path / "wrong.toml").write_bytes(b"x = 1")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    line = SHIPPED.decode().splitlines().index('accept   = "> 90"') + 1
    assert compared() == {
        "edited.toml": f"line {line} differs from UC-MSC-REL v1",
        "gone.toml": "it cannot be read: No such file or directory",
        "longer.toml": f"line {len(SHIPPED.splitlines()) + 1} differs from UC-MSC-REL v1",
        "new.toml": "UC-MSC-REL v7 is not imported",
        "same.toml": "the same",
        "wrong.toml": "not a specification; see batchqc spec lint",
    }
    with house.reading() as session:
        assert compare_folder(session, house.archive, None) == []


def test_who_imported_may_not_approve(house: House):
    draft_in_review(house, version(2, "2026-06-10"), "v2.toml")
    seen = see_impact(house, NAME, 2)
    tamper(house.engine, "UPDATE specification_version SET author = 'qa2' WHERE version = 2")
    with pytest.raises(Conflict) as refusal:
        approve(house, 2, seen, by=QA2)
    assert refusal.value.code == "BQC-SPC-004"
