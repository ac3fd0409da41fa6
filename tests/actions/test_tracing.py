"""Provenance of what is computed, of other stages, and of what somebody changed."""

import json

import pytest
from sqlalchemy import select

from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.evaluation import study
from batchqc.actions.lots import NewLot, NewSample, register_lot, register_samples, the_lot
from batchqc.actions.received import ReceivedFile
from batchqc.actions.sources import (
    Use,
    VerdictSources,
    certified_case,
    sources_of_criterion,
    sources_of_line,
)
from batchqc.actions.tracing import CellTrace, result_columns, trace_cell
from batchqc.actions.uploads import upload_results
from batchqc.core.canonical import canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.errors import IntegrityFailure
from batchqc.records.decisions import Certificate
from tests.cast import TAKEN_AT
from tests.records.full_house import CERTIFICATE, POST_THAW, THAWED_FROM
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    LOT,
    PRODUCT,
    QA1,
    House,
    adopt,
    good,
    signing,
    table,
)  # fmt: skip
from tests.records.tampering import tamper

NEW = "MSC-26-0099"
COMPUTED = b"""
[criteria.margin]
title = "Viability above the marker"
category = "quantity"
formula = "a / b"
inputs = { a = "viability", b = "cd73" }
unit = "1"
accept = "> 0.5"

[criteria.either]
title = "One of both"
category = "identity"
any_of = ["cd90", "cd105"]
"""


def trace(house: House, upload: str, row: int, column: str = "value") -> CellTrace:
    with house.reading() as session:
        return trace_cell(
            session, house.archive, number=upload, place=(row, column), now=house.now()
        )


def _back(house: House, criterion: str) -> list[VerdictSources]:
    with house.reading() as session:
        case = study(session, house.archive, lot=the_lot(session, NEW), now=house.now())
        return sources_of_criterion(case, criterion)


def thawed(house: House, specification: bytes) -> None:
    """Register a lot that a specification of thawed doses judges too, with two samples."""
    adopt(house, specification)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(NEW, PRODUCT, THAWED_FROM, EXPIRES_ON, (DONOR,)))
        samples = [
            NewSample(f"{NEW}-S01", "release", "cryovial", TAKEN_AT.isoformat()),
            NewSample(f"{NEW}-S02", "post-thaw", "cryovial", TAKEN_AT.isoformat()),
        ]
        register_samples(tx, lot=NEW, samples=samples)


def reject(house: House, lot: str) -> None:
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert isinstance(
            reject_lot(tx, house.archive, lot=lot, credentials=signing(QA1)), Decision
        )


@pytest.mark.requirement("1.06")
def test_each_stage_uses_the_cells_of_its_own_samples(house: House):
    thawed(house, POST_THAW)
    rows = [
        {"lot_id": NEW, "sample_id": f"{NEW}-S0{number}"} | good("viability") | {"value": value}
        for number, value in ((1, "93.4"), (2, "85.0"))
    ]
    assert house.upload(table(rows)).accepted
    reject(house, NEW)
    release, post_thaw = (trace(house, "U-2026-000001", row) for row in (2, 3))
    assert {one.specification for one in release.verdicts} == {"UC-MSC-REL v1"}
    assert {one.specification for one in post_thaw.verdicts} == {"UC-MSC-THAW v1"}
    assert [len(one.decisions) for one in (release, post_thaw)] == [1, 1]
    found = _back(house, "viability")
    assert [(one.specification, [s.measurement.text for s in one.sources]) for one in found] == [
        ("UC-MSC-REL v1", ["93.4"]), ("UC-MSC-THAW v1", ["85.0"]),
    ]  # fmt: skip


def test_what_is_computed_from_a_cell_and_grouped_with_it_used_it(house: House):
    text = (
        POST_THAW
        + b"".join(
            b'[criteria.%s]\ntitle = "%s"\ncategory = "identity"\ntest = "FLOW"\nanalyte = "%s"\n'
            b'method = "SOP-QC-021"\nunit = "%%"\naccept = ">= 50"\nplausible = "1 to 100"\n'
            % (name.lower().encode(), name.encode(), name.encode())
            for name in ("CD73", "CD90", "CD105")
        )
        + COMPUTED
    )
    thawed(house, text)
    own = {"lot_id": NEW, "sample_id": f"{NEW}-S02"}
    names = ("viability", "CD73", "CD90", "CD105")
    assert house.upload(table([own | good(name) for name in names])).accepted
    reject(house, NEW)
    told = trace(house, "U-2026-000001", 3)
    assert [(one.criterion, bool(one.decision)) for one in told.verdicts] == [
        ("cd73", False), ("margin", False), ("cd73", True), ("margin", True),
    ]  # fmt: skip
    assert {one.criterion for one in trace(house, "U-2026-000001", 4).verdicts} == {
        "cd90",
        "either",
    }
    (margin,) = _back(house, "margin")
    assert [(one.measurement.analyte, one.use) for one in margin.sources] == [
        ("CD73", Use.RESULT), ("viability", Use.RESULT),
    ]  # fmt: skip


def test_a_file_of_several_lots_is_traced_to_the_lot_of_the_row(house: House):
    thawed(house, POST_THAW)
    rows = [{"lot_id": lot, "sample_id": f"{lot}-S01"} | good("viability") for lot in (LOT, NEW)]
    assert house.upload(table(rows)).accepted
    assert {one.lot for one in trace(house, "U-2026-000001", 2).verdicts} == {LOT}
    assert {one.lot for one in trace(house, "U-2026-000001", 3).verdicts} == {NEW}


def test_the_columns_of_a_row_that_hold_results_are_known(house: House):
    wide = (
        "lot_id,sample_id,replicate,measured_at,analyst,FLOW.CD73 [%],FLOW.CD90 [%]\n"
        f"{LOT},{LOT}-S01,1,2025-05-20T10:00:00-05:00,ana,97.9,98\n"
    ).encode()
    house.upload(wide)
    with house.reading() as session:
        assert result_columns(session, number="U-2026-000001", row=2) == [
            "FLOW.CD73 [%]", "FLOW.CD90 [%]",
        ]  # fmt: skip
        assert result_columns(session, number="U-2026-000001", row=9) == ["value"]


@pytest.mark.requirement("1.05")
def test_a_line_whose_cell_is_not_on_record_any_more_is_told(house: House):
    house.ready()
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        row = session.scalars(select(Certificate)).one()
        content = json.loads(house.archive.get(row.content_sha))
    for line in content["lines"]:
        for cell in line["provenance"]:
            cell["row"] += 100
    sha = house.archive.put(canonical_bytes(content))
    tamper(house.engine, f"UPDATE certificate SET content_sha = '{sha}'")  # noqa: S608
    with house.reading() as session:
        case = certified_case(session, house.archive, number=CERTIFICATE)
        with pytest.raises(IntegrityFailure, match="BQC-TRC-003"):
            sources_of_line(
                session, house.archive, case=case, number=CERTIFICATE, criterion="viability"
            )


def test_a_file_whose_bytes_were_not_kept_is_told_as_refused(house: House):
    with house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        file = ReceivedFile(name="zeros.csv", size=300_000_000, data=None, client="tests")
        number = upload_results(tx, house.archive, file=file).number
    told = trace(house, number, 2)
    assert told.not_used == "the upload was refused: nothing of it is used"
    assert [one["code"] for one in told.problems] == ["E113"]
