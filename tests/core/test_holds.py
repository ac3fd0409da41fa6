"""A hold never ends before its reason does, and every reason is told."""

from datetime import date

import pytest

from batchqc.core.containers import LotLabel, storing_problems
from batchqc.core.gates import Gate
from batchqc.core.holds import IN_USE, Cause, held_on, why_held
from batchqc.core.look_backs import LookBackCause, doubtful
from batchqc.core.lot_states import Disposition
from tests.core.world import criterion, measured, verdict_of

BAD = verdict_of(criterion(), measured("89"))
GOOD = verdict_of(criterion(), measured("95"))
GATES = [
    Gate("Investigations", ("OOS-1 waits",), "Conclude"),
    Gate("Deviations", ("DEV-1 is open",), "Close"),
    Gate("Registers", ("LAL-1 expired",), "Correct"),
    Gate("Genealogy", ("a bank is quarantined",), "Clear"),
    Gate("Donor", ("donor D is ineligible",), "Determine"),
    Gate("Audit chain", ("a link is broken",), "Stop"),
    Gate("Records", ("a row is missing",), "Stop"),
    Gate("Results", (BAD.sentence, "density cannot be judged"), "Upload"),
    Gate("Other stages", ("viability, thawed, cannot be judged",), "Conclude"),
    Gate("Review", ("a run is not reviewed",), "Review"),
    Gate("Expiry", ("it expired",), "Reject"),
]


def told(cause: Cause, disposition: Disposition) -> list[str]:
    return list(
        why_held(
            cause, disposition, verdicts=[BAD, GOOD], gates=GATES,
            overdue=[("sterility", date(2026, 4, 1))], look_backs=["LB-1"],
        )
    )  # fmt: skip


@pytest.mark.requirement("2.01")
@pytest.mark.parametrize("disposition", Disposition)
@pytest.mark.parametrize("cause", Cause)
def test_everything_that_stands_against_a_lot_keeps_it_held_but_what_qa_held_of_none_in_use(
    cause: Cause, disposition: Disposition
):
    found = told(cause, disposition)
    if cause is Cause.QA and disposition not in IN_USE:
        assert found == []
        return
    assert found == [
        f"Results: {BAD.sentence}",
        "Results: the result of sterility was due on 2026-04-01 and is not in",
        "look-back LB-1 is open",
        "Investigations: OOS-1 waits",
        "Deviations: DEV-1 is open",
        "Registers: LAL-1 expired",
        "Genealogy: a bank is quarantined",
        "Donor: donor D is ineligible",
        "Audit chain: a link is broken",
        "Records: a row is missing",
        *(
            [
                "Results: density cannot be judged",
                "Other stages: viability, thawed, cannot be judged",
                "Review: a run is not reviewed",
            ]
            if disposition in IN_USE
            else []
        ),
    ]


def test_nothing_left_on_a_day_that_a_hold_lay_over():
    first, second, third = (date(2026, 6, day) for day in (1, 3, 6))
    ended = [("L/1", first, third), ("L/2", second, second)]

    def found(day: int) -> list[str]:
        return list(held_on(date(2026, 6, day), ended))

    assert found(1) == [
        "hold L/1 lay over it from 2026-06-01 to 2026-06-06, so nothing left on 2026-06-01"
    ]
    assert [len(found(day)) for day in range(1, 8)] == [1, 1, 1, 1, 1, 0, 0]
    assert list(held_on(date(2026, 5, 31), ended)) == []


def test_a_hold_ends_where_nothing_stands_against_the_lot():
    gates = [Gate("Donor", (), "Determine"), GATES[-1]]
    assert not [*why_held(Cause.DEVIATION, Disposition.RELEASED, verdicts=[GOOD], gates=gates)]


@pytest.mark.requirement("8.13")
@pytest.mark.parametrize(
    ("results", "cause", "said"),
    [
        ([("HBsAg", "reactive")], LookBackCause.SEROCONVERSION, "reactive: HBsAg"),
        ([("HBsAg", "indeterminate")], LookBackCause.DONOR_INFORMATION, "indeterminate: HBsAg"),
        (
            [("A", "indeterminate"), ("B", "reactive"), ("C", "reactive"), ("D", "nonreactive")],
            LookBackCause.SEROCONVERSION,
            "reactive: B, C; indeterminate: A",
        ),
    ],
)
def test_what_is_reactive_or_indeterminate_is_a_doubt(
    results: list[tuple[str, str]], cause: LookBackCause, said: str
):
    assert doubtful(results) == (cause, said)


def test_what_is_nonreactive_or_not_done_is_no_doubt():
    assert doubtful([("HBsAg", "nonreactive"), ("HBV NAT", "not done")]) is None
    assert doubtful([]) is None


@pytest.mark.requirement("2.42")
@pytest.mark.parametrize("disposition", Disposition)
def test_nothing_goes_back_to_stock_of_a_lot_that_is_held_or_never_given(disposition: Disposition):
    def found(*holds: str) -> list[str]:
        label = LotLabel("L", disposition.value, holds, date(2030, 1, 1))
        return list(storing_problems("V-1", label))

    never = disposition in {Disposition.REJECTED, Disposition.RECALLED, Disposition.DESTROYED}
    own = [f"V-1: lot L is {disposition}"] if never else []
    assert found() == own
    assert found("alarm") == [*own, "V-1: lot L is on hold: alarm"]
