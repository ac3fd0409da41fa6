"""Where registers, validity and reviews meet: no lot goes further than it should, or is stuck."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from batchqc.actions.lots import the_lot
from batchqc.actions.register_remarks import trained_for
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.core.verdicts import Outcome
from batchqc.errors import NotPermitted
from batchqc.records.audit import AuditEntry
from batchqc.records.uploads import runs_of
from tests.actions.test_laboratory import material, rule, stops, use
from tests.actions.test_methods import OTHER, another_lot, endotoxin, recovery, row, send
from tests.actions.test_register_remarks import train
from tests.records.house import LABORATORY, LOT, REV, House, results, table
from tests.records.laboratory import adopt_method

REVIEWED = "results reviewed"


def test_a_use_at_the_next_version_for_one_lot_counts_for_every_lot_of_the_run(house: House):
    rule(house, Register.MATERIALS, Rule.REFUSE)
    another_lot(house)
    material(house, "2025-05-19")
    send(house, row("endotoxin"), row("endotoxin", OTHER))
    newer = table([row("endotoxin", OTHER, value="<0.04")])
    second = house.upload(newer, supersedes="The wrong cell was exported")
    assert second.accepted
    use(house, second.number)
    assert stops(house, OTHER) != []
    assert stops(house) != []


def test_the_same_results_of_the_same_minute_with_another_control_are_no_repetition(house: House):
    adopt_method(house)
    send(house, row("endotoxin", run_id=""), recovery("10", run_id=""))
    assert endotoxin(house).outcome is Outcome.CANNOT_JUDGE
    send(house, row("endotoxin", run_id=""), recovery("100", run_id=""))
    assert endotoxin(house).outcome is Outcome.CANNOT_JUDGE


def test_two_reviewers_trained_for_half_of_the_methods_each_can_review_a_lot(house: House):
    house.upload(results())
    rule(house, Register.TRAINING, Rule.REFUSE)
    measured = house.study().measurements
    by_site = {one.method for one in measured if one.analyst != LABORATORY}
    *known, last = sorted(by_site)
    train(house, REV, *known)
    assert isinstance(house.review(), list)
    of_last = {str(one.run) for one in measured if one.method == last}
    assert reviews_missing(house) == of_last  # left for who is trained for the last method
    with house.reading() as session:
        (text,) = session.scalars(select(AuditEntry.text).where(AuditEntry.what == REVIEWED)).all()
    assert json.loads(text)["after"]["left"] == sorted(of_last)
    with pytest.raises(NotPermitted) as refused:
        house.review()
    assert refused.value.code == "BQC-LAB-010"
    train(house, REV, last)
    assert isinstance(house.review(), list)
    assert reviews_missing(house) == set()


def test_nobody_signs_for_nothing_where_each_run_has_a_method_without_training(house: House):
    """A run by two methods, of which the reviewer is trained for one."""
    house.upload(results())
    rule(house, Register.TRAINING, Rule.REFUSE)
    train(house, REV, "SOP-QC-021")
    case = house.study()
    flow = [one for one in case.measurements if one.run.test == "FLOW"]
    flow[0] = replace(flow[0], method="SOP-QC-022")
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        runs = [run for run in runs_of(tx.session, the_lot(tx.session, LOT)) if run.test == "FLOW"]
        assert len(runs) == 1
        with pytest.raises(NotPermitted, match="not trained"):
            trained_for(tx.session, runs, flow, person=REV, now=tx.now)


def reviews_missing(house: House) -> set[str]:
    """The runs that the gate of reviews names."""
    case = house.study()
    (gate,) = [one for one in case.gates if one.name == "Review"]
    return {
        str(run.run_key) for run in case.runs if any(str(run.run_key) in x for x in gate.reasons)
    }
