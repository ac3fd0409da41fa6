"""Where registers, validity and reviews meet: no lot goes further than it should, or is stuck."""

from batchqc.core.laboratory import Register, Rule
from batchqc.core.verdicts import Outcome
from tests.actions.test_laboratory import material, rule, stops, use
from tests.actions.test_methods import OTHER, another_lot, endotoxin, recovery, row, send
from tests.actions.test_register_remarks import train
from tests.records.house import LABORATORY, REV, House, results, table
from tests.records.laboratory import adopt_method


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
    train(house, REV, *sorted(by_site)[:-1])
    assert house.review()  # the rest is left for who is trained for the last method
