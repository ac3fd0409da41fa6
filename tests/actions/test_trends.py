"""Lots against each other: series, frozen limits and what they signal, on both databases."""

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from batchqc.actions import trend_facts, trend_touched
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.dispositions import Decision
from batchqc.actions.limit_sets import NewLimits, approve_limits, propose_limits, start_phase
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.actions.trend_controls import controls_of
from batchqc.actions.trend_signals import look_ahead, signals_of
from batchqc.actions.trend_touched import touched_between
from batchqc.actions.trends import Trends
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.core.trends import Attribute
from batchqc.core.verdicts import Outcome
from batchqc.documents.log_key import LogSigner
from batchqc.errors import Conflict, InvalidInput, NotEstimable, NotFound
from batchqc.records import history
from batchqc.records.audit import newest_link
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.records.trend_evidence import told_between
from batchqc.records.uploads import runs_of
from tests.actions.investigating import conclude_cause, planned, retest
from tests.actions.versions import version
from tests.cast import TAKEN_AT
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PRODUCT,
    QA1,
    QA2,
    House,
    adopt,
    good,
    results,
    signing,
    table,
)  # fmt: skip
from tests.records.laboratory import RECOVERY, adopt_method
from tests.records.tampering import tamper

OF = Attribute(PRODUCT, "release", "", "viability")
READ_AT = "2025-07-20T10:00:00-05:00"
VALUES = ("97", "97", "96", "98", "98", "98", "97", "89")


def make(house: House, values=VALUES, *, first: int = 1) -> list[str]:
    """Lots a day apart, all viabilities in one file."""
    rows, lots = [], registered(house, len(values), first=first)
    for lot, value in zip(lots, values, strict=True):
        own = {"lot_id": lot, "sample_id": f"{lot}-S01", "value": value, "measured_at": READ_AT}
        rows.append(good("viability") | own)
    report = house.upload(table(rows))
    assert report.accepted, report.reading.problems
    return lots


def registered(house: House, many: int, *, first: int = 1) -> list[str]:
    lots = [f"TRD-26-{first + place:03d}" for place in range(many)]
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        for place, lot in enumerate(lots):
            later = timedelta(days=first + place)
            day, taken = MADE_ON + later, (TAKEN_AT + later).isoformat()
            sample = NewSample(f"{lot}-S01", "release", "cryovial", taken)
            register_lot(tx, NewLot(lot, PRODUCT, day, EXPIRES_ON, (DONOR,), (sample,)))
    return lots


def look(house: House, trends: Trends | None = None):
    with house.reading() as session:
        return (trends or Trends()).of(session, house.archive, OF)


def propose(house: House, **more) -> int:
    with house.acting(QA2, Permission.PROPOSE_LIMITS) as tx:
        new = NewLimits(OF, "Eight lots are there", **more)
        return propose_limits(tx, house.archive, new).number


def approve(house: House, number: int, by: str = QA1):
    with house.acting(by, Permission.APPROVE_LIMITS) as tx:
        return approve_limits(
            tx, house.archive, attribute=OF, number=number, credentials=signing(by)
        )


@pytest.mark.requirement("9.02")
@pytest.mark.requirement("3.11")
def test_a_lot_that_is_odd_is_flagged_before_there_are_limits_and_told_at_its_review(house: House):
    lots = make(house)
    trend = look(house)
    assert [one.lot.lot for one in trend.lots][1:] == lots  # the lot of the house has no result
    assert trend.lots[0].value is None
    (signal,) = trend.signals
    assert (signal.lot, signal.by) == (lots[-1], "self-starting")
    assert signal.score == pytest.approx(-3.337, abs=1e-3)
    case = house.study(lots[-1])
    with house.reading() as session:
        ((runs, said),) = signals_of(session, house.archive, case)
    assert "3.34 sigma below" in said
    assert {run.test for run in runs} == {"VIAB"}
    assert all("sigma" not in reason for gate in case.gates for reason in gate.reasons)


@pytest.mark.requirement("9.04")
def test_limits_are_frozen_signed_by_another_person_and_judge_later_lots(house: House):
    lots = make(house)
    with pytest.raises(InvalidInput) as refused:
        propose(house, excluded={lots[0]: "-", "NONE-1": "Broken incubator"})
    assert refused.value.code == "BQC-TRD-006"
    assert len(refused.value.reasons) == 2
    with pytest.raises(NotEstimable):
        propose(house, excluded={lots[-1]: "Incubator failed"})  # seven are left
    number = propose(house)
    assert look(house).lots[-1].by == "self-starting"  # nothing is judged by a proposal
    with pytest.raises(Conflict) as own:
        approve(house, number, by=QA2)
    assert "ask another person" in own.value.reasons[0]
    assert not isinstance(approve(house, number), Refusal)
    with pytest.raises(Conflict, match="BQC-TRD-004"):
        approve(house, number)
    (later,) = make(house, ["60"], first=20)
    trend = look(house)
    (kept,) = trend.by_lot[lots[-1]].signals  # the limits came from it, and do not hide it
    assert kept.by == "self-starting"
    (signal,) = trend.by_lot[later].signals
    assert (signal.by, signal.rule) == ("limit set 1", "Nelson 1")
    assert house.verify().problems == ()
    tamper(house.engine, "UPDATE limit_set SET reason = 'other'")
    assert any("limit_set" in one for one in house.study(later).facts.damaged)


def test_a_process_that_runs_and_one_that_starts_say_the_same_and_only_what_is_new_is_read(
    house: House,
):
    running = Trends()
    lots = make(house)
    look(house, running)
    before = running.read
    make(house, ["97"], first=20)
    assert look(house, running) == look(house)
    assert running.read == before + 1
    with house.acting(QA1, Permission.START_PHASE) as tx:
        begun = start_phase(
            tx, house.archive, attribute=OF, lot=lots[4], credentials=signing(QA1, "New medium")
        )
        assert not isinstance(begun, Refusal)
    after = look(house, running)
    assert [one.because for one in after.phases] == ["", "New medium"]
    assert after == look(house)
    with house.reading() as session, pytest.raises(NotFound):
        running.of(session, house.archive, OF._replace(criterion="none"))
    assert running.read == before + 2  # the lot that the phase begins with


def test_a_process_that_runs_takes_the_criterion_of_a_new_version_with_its_first_lot(house: House):
    running = Trends()
    (lot,) = make(house, ["97"])
    adopt(house, version(2, "2025-06-01", ('accept   = "> 90"', 'accept   = "> 95"')))
    with house.reading() as session:
        before = running.lot(session, house.archive, OF, the_lot(session, lot).id)
    assert before is not None
    assert running.of(session, house.archive, OF).criterion.acceptance == "> 90 %"
    make(house, ["97"], first=20)
    assert look(house, running) == look(house)
    assert look(house, running).criterion.acceptance == "> 95 %"


@pytest.mark.requirement("9.04")
def test_a_process_that_runs_judges_by_new_limits_at_once(house: House):
    running = Trends()
    make(house)
    look(house, running)
    assert not isinstance(approve(house, propose(house)), Refusal)
    assert look(house, running) == look(house)
    (later,) = make(house, ["60"], first=20)
    (signal,) = look(house, running).by_lot[later].signals
    assert (signal.by, signal.rule) == ("limit set 1", "Nelson 1")


def test_who_reads_ahead_leaves_nothing_to_read_and_reads_nothing_for_others_who_know_more(
    house: House,
):
    running = Trends()
    lots = make(house)
    with house.reading() as session:
        running.read_ahead(session, house.archive, OF)
    before = running.read
    assert before > len(lots)
    with house.reading() as older:
        row = the_lot(older, lots[0])
        make(house, ["97"], first=20)
        with house.reading() as session:
            look_ahead(session, house.archive, row, running)
            assert running.lot(session, house.archive, OF, row.id) is not None
        newer = running.read
        assert newer > before
        look_ahead(older, house.archive, row, running)
    assert running.read == newer


def test_reviews_leave_the_series_of_their_lots_as_they_are_and_a_decision_does_not(house: House):
    running = Trends()
    assert house.upload(results(lot=LOT)).accepted
    look(house, running)
    before = running.read
    house.review()
    assert look(house, running) == look(house)
    house.hand_to_qa()
    assert not house.study().facts.audit_review.stops
    assert look(house, running) == look(house)
    assert running.read == before
    assert isinstance(house.release(), Decision)
    assert look(house, running) == look(house)
    assert running.read == before + 1


def test_a_checkpoint_leaves_every_series_as_it_is(house: House, log_signer: LogSigner):
    running = Trends()
    make(house)
    look(house, running)
    before = running.read
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        sign_checkpoint(tx, log_signer)
    assert look(house, running) == look(house)
    assert running.read == before


def test_who_did_not_look_for_long_reads_everything_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    running = Trends()
    lots = make(house)
    look(house, running)
    before = running.read
    make(house, ["97"], first=20)
    monkeypatch.setattr("batchqc.actions.trend_touched.MANY", 2)
    assert look(house, running) == look(house)
    assert running.read == before + 1  # what many entries touch is asked by portions
    make(house, ["98"], first=30)
    monkeypatch.setattr("batchqc.actions.trend_touched.FAR", 2)
    assert look(house, running) == look(house)
    assert running.read == before + 1 + len(lots) + 3  # and the lot of the house


def test_what_is_new_is_read_for_a_series_when_somebody_looks_at_it(house: House):
    running, other = Trends(), OF._replace(criterion="cd73")
    make(house)
    with house.reading() as session:
        for one in (OF, other):
            running.of(session, house.archive, one)
    before = running.read
    (second,) = make(house, ["97"], first=20)
    with house.reading() as earlier:
        assert newest_link(earlier) is not None  # what it sees is fixed from now on
        (third,) = make(house, ["96"], first=30)
        with house.reading() as session:
            seen = running.of(session, house.archive, other)
        assert seen.lots[-1].lot.lot == third
        assert running.read == before + 2  # of this series alone
        mine = running.of(earlier, house.archive, OF)
    assert mine.lots[-1].lot.lot == second  # neither what came later nor what was held before
    assert look(house, running) == look(house)


@pytest.mark.only_on("sqlite", "PostgreSQL reads a small table whole whatever it is asked")
def test_what_is_new_is_found_from_the_end_of_the_trail(house: House):
    said: list[tuple[str, Any]] = []
    with house.reading() as session:
        last = newest_link(session)
        assert last is not None
        event.listen(
            session.connection(), "before_cursor_execute", lambda *of: said.append(of[2:4])
        )
        assert f"lot:{LOT}" in set(told_between(session, 0, last.sequence))
        assert set(told_between(session, last.sequence, last.sequence)) == set()
    ((statement, given), _) = said
    with house.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        assert "SCAN" not in "".join(row[3] for row in plan)


@pytest.mark.requirement("9.02")
def test_a_result_touches_the_series_that_it_is_of_and_no_other(house: House):
    running, other = Trends(), OF._replace(criterion="cd73")
    lots = make(house)
    with house.reading() as session:
        before = running.of(session, house.archive, other)
    own = look(house, running)
    (later,) = make(house, ["97"], first=20)
    assert look(house, running) is not own
    with house.reading() as session:
        again = running.of(session, house.archive, other)
        page = running.page(session, house.archive, other, kind="figures")
    assert [one.lot.lot for one in again.lots][-1] == later  # a lot that has no result of it yet
    more = good("viability") | {
        "lot_id": LOT, "sample_id": f"{LOT}-S01", "value": "96", "measured_at": READ_AT,
    }  # fmt: skip
    assert house.upload(table([more])).accepted
    assert look(house, running).by_lot[LOT].value == 96
    with house.reading() as session:
        assert running.of(session, house.archive, other) is again
        assert running.page(session, house.archive, other, kind="figures") is page
    assert before.criterion == again.criterion
    assert len(lots) + 2 == len(again.lots)


@pytest.mark.parametrize(
    "subject",
    [
        "lot:{lot}", "lot_donor:{lot}/{donor}", "lot_specification:{lot}/1",
        "disposition:{lot}/1", "sample:{lot}-S01", "upload:{upload}",
        "assay_run:{upload}/VIAB/R1", "superseding:{upload}/VIAB/R1",
        "entry_verification:{upload}", "donor:{donor}", "eligibility:{donor}/1",
        "derivation:lot:{lot} from cell_bank:B-1",
    ],
)  # fmt: skip
def test_each_kind_of_record_touches_the_lots_that_it_is_about(
    house: House, monkeypatch: pytest.MonkeyPatch, subject: str
):
    house.upload(results())
    with house.reading() as session:
        upload = runs_of(session, the_lot(session, LOT))[0].upload.natural_key
        told = subject.format(lot=LOT, donor=DONOR, upload=upload)
        monkeypatch.setattr(trend_touched, "told_between", lambda *_: [told])
        touched = touched_between(session, 0, 1)
        assert (touched.everything, touched.lines) == (False, False)
        assert the_lot(session, LOT).id in touched.lots[PRODUCT]


def test_limits_of_lots_of_which_some_are_censored_are_by_likelihood(house: House):
    make(house, ("97", "97", "96", ">99", "98", "98.5", "97", "95", "96.5", "97.5", ">99"))
    approve(house, propose(house))
    (later,) = make(house, ["60"], first=20)
    trend = look(house)
    (own,) = trend.sets
    assert (own.content["n"], own.content["censored"]) == (11, 2)
    assert own.content["method"] == "censored prediction"
    assert own.lines.rules == ("1", "2", "3", "5")
    assert [one.rule for one in trend.by_lot[later].signals] == ["Nelson 1"]
    with pytest.raises(InvalidInput, match="need numbers"):
        propose(house, method="individuals")


@pytest.mark.requirement("9.04")
def test_the_controls_of_the_assays_of_an_attribute_have_a_history_of_their_own(house: House):
    lot = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    for place, value in enumerate((100, 103, 98, 101, 99, 102, 97, 104, 140), 1):
        run = {"run_id": f"E-{place}", "value": str(value)}
        at = {"measured_at": f"2025-06-{place:02d}T10:00:00-05:00"}
        report = house.upload(table([lot | good("endotoxin") | RECOVERY | run | at]))
        assert report.accepted, report.reading.problems
    with house.reading() as session:
        (found,) = controls_of(session, house.archive, OF._replace(criterion="endotoxin"))
        assert controls_of(session, house.archive, OF) == []  # of another test
    assert found.name == "control PPC recovery, SOP-QC-040 v4, site COA"
    assert found.means == (100, 103, 98, 101, 99, 102, 97, 104, 140)
    assert found.days[0] == "2025-06-01"
    assert found.runs[-1].startswith("E-9 U-2026-")
    assert {one.rule for one in found.signals} == {"1_2s"}


@pytest.mark.requirement("9.04")
def test_a_control_has_one_history_however_it_is_written(house: House):
    lot = {"lot_id": LOT, "sample_id": f"{LOT}-S01"}
    for place in range(1, 9):
        written = {"aliquot": "ppc", "analyte": "Recovery"} if place % 2 else {"aliquot": "PPC"}
        run = {
            "run_id": f"E-{place}",
            "measured_at": f"2025-06-{place:02d}T10:00:00-05:00",
            "value": str(100 + place),
        }
        report = house.upload(table([lot | good("endotoxin") | RECOVERY | run | written]))
        assert report.accepted, report.reading.problems
    with house.reading() as session:
        (found,) = controls_of(session, house.archive, OF._replace(criterion="endotoxin"))
    assert found.name == "control ppc Recovery, SOP-QC-040 v4, site COA"
    assert len(found.runs) == 8
    assert found.lines is not None


@pytest.mark.parametrize("at_once", [1, 500])
def test_a_trend_sees_the_controls_that_the_verdict_of_a_lot_sees(
    house: House, monkeypatch: pytest.MonkeyPatch, at_once: int
):
    """However their analyte is written, and whether few lots are read or many."""
    monkeypatch.setattr(trend_facts, "LOTS_AT_ONCE", at_once)
    against = ('accept   = "> 90"', 'control  = "PC"\naccept   = "> 0.5 * control"')
    adopt(house, version(2, "2025-05-20", against))
    lots, rows = registered(house, 3), []
    for lot, written in zip(lots, ("viability", "Viability", "VIABILITY"), strict=True):
        own = {"lot_id": lot, "sample_id": f"{lot}-S01", "measured_at": READ_AT, "run_id": "C-1"}
        result = good("viability") | own
        rows += [result | {"value": "97"}]
        rows += [
            result | {"value": "100", "analyte": written, "result_type": "control", "aliquot": "PC"}
        ]
    report = house.upload(table(rows))
    assert report.accepted, report.reading.problems
    seen = {one.lot.lot: one.lot.observed for one in look(house).lots}
    for lot in lots:
        (judged,) = [x for x in house.study(lot).verdicts if x.criterion.id == OF.criterion]
        assert (seen[lot].outcome, seen[lot].sentence) == (judged.outcome, judged.sentence)
        assert judged.outcome is Outcome.PASS


def test_attributes_that_are_read_together_say_the_same_as_each_by_itself(house: House):
    both, running = (OF, OF._replace(criterion="cd73")), Trends()
    lots = make(house)
    with house.reading() as session:
        for one in both:
            running.of(session, house.archive, one)
    rows = [
        good("CD73") | {"lot_id": lot, "sample_id": f"{lot}-S01", "measured_at": READ_AT}
        for lot in lots[:3]
    ]
    assert house.upload(table(rows)).accepted
    with house.reading() as session:
        trends = [running.of(session, house.archive, one) for one in both]
        assert trends == [Trends().of(session, house.archive, one) for one in both]
    assert sum(one.value is not None for one in trends[1].lots) == 3


def statements_of(house: House, ask: Callable[[Session], object]) -> int:
    """How many a look takes."""
    said: list[str] = []
    with house.reading() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *of: said.append(of[2]))
        ask(session)
    return len(said)


@pytest.mark.parametrize("at_once", [3, 500])
def test_attributes_that_are_prepared_are_read_once_for_all_and_say_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch, at_once: int
):
    lots = make(house)
    rows = [
        good(attribute) | {"lot_id": lot, "sample_id": f"{lot}-S01", "measured_at": READ_AT}
        for attribute in ("CD73", "CD90")
        for lot in lots[2:]
    ]
    assert house.upload(table(rows)).accepted
    monkeypatch.setattr(history, "LOTS_AT_ONCE", at_once)
    listed = [OF._replace(criterion=one) for one in ("cd73", "cd90", "viability", "none")]
    running, each = Trends(), 3 * (len(lots) + 1)  # the lot of the house is one of them

    def prepare(*wanted: Attribute) -> int:
        return statements_of(house, lambda one: running.prepare(one, house.archive, wanted))

    alone = prepare(listed[0])
    assert prepare(*listed) == alone
    assert running.read == each
    assert prepare(*listed) == 1
    with house.reading() as session:
        for one in listed[:3]:
            anew = Trends().of(session, house.archive, one)
            assert running.of(session, house.archive, one) == anew
        with pytest.raises(NotFound):
            running.of(session, house.archive, listed[3])
    assert running.read == each


def test_what_does_not_count_of_a_lot_does_not_count_where_attributes_are_read_together(
    house: House,
):
    """An invalid run, a value that failed before it was superseded, and one that was retested."""
    adopt_method(house)
    planned(house)
    for text, run in (("95.1", "VCB-R1"), ("94.2", "VCB-R2")):
        assert retest(house, text, run).accepted
    assert isinstance(house.review(), list)
    assert not isinstance(conclude_cause(house), Refusal)
    lots = make(house, ["97", "89", "96"])
    first, second = (
        {"lot_id": lot, "sample_id": f"{lot}-S01", "measured_at": READ_AT} for lot in lots[:2]
    )
    own = good("endotoxin") | first
    assert house.upload(table([own, own | RECOVERY | {"value": "30"}])).accepted
    newer = table([good("viability") | second | {"value": "99"}])
    report = house.upload(newer, supersedes="Counted anew")
    assert report.accepted, report.reading.problems
    both, running = (OF, OF._replace(criterion="endotoxin")), Trends()
    with house.reading() as session:
        running.prepare(session, house.archive, both)
        together = [running.of(session, house.archive, one) for one in both]
        assert together == [Trends().of(session, house.archive, one) for one in both]
    assert running.read == 2 * 4
    viability, endotoxin = together
    assert viability.by_lot[LOT].lot.observed.text == "95.1; 94.2"
    assert "a version of the run does not meet" in viability.by_lot[lots[1]].lot.observed.sentence
    assert "does not meet 50 to 200 %" in endotoxin.by_lot[lots[0]].lot.observed.sentence


def test_what_many_lots_are_in_memory_is_not_looked_through_for_garbage(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    lots = make(house)
    running, both = Trends(), (OF, OF._replace(criterion="cd73"))
    monkeypatch.setattr("batchqc.actions.trends_of_product._MANY", 2 * len(lots))
    gc.freeze()  # as a server does

    def left_alone(attribute: Attribute) -> bool:
        before = gc.get_freeze_count()
        with house.reading() as session:
            running.prepare(session, house.archive, [attribute])
        return gc.get_freeze_count() > before

    assert [left_alone(one) for one in (both[0], both[1], both[0])] == [False, True, False]


def test_nobody_waits_while_another_product_is_read(house: House):
    make(house)
    running, begun, end = Trends(), Event(), Event()

    class Slow:
        """A store that answers when it is let."""

        def get(self, sha256: str) -> bytes:
            begun.set()
            assert end.wait(30)
            return house.archive.get(sha256)

    store: Any = Slow()

    def read() -> None:
        with house.reading() as session:
            running.read_ahead(session, store, OF)

    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read)
        try:
            assert begun.wait(30)
            with house.reading() as session, pytest.raises(NotFound):
                running.of(session, house.archive, OF._replace(product="ANOTHER"))
            assert not reading.done()
        finally:
            end.set()
        reading.result()
    assert look(house, running) == look(house)


def test_who_came_earlier_reads_nothing_anew_where_nothing_of_it_changed(
    house: House, log_signer: LogSigner
):
    running = Trends()
    make(house)
    with house.reading() as session:
        lot = the_lot(session, LOT).id
        mine = running.lot(session, house.archive, OF, lot)
    before = running.read
    with house.reading() as earlier:
        assert newest_link(earlier) is not None  # what it sees is fixed from now on
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            sign_checkpoint(tx, log_signer)
        with house.reading() as session:
            running.lot(session, house.archive, OF, lot)
        assert running.lot(earlier, house.archive, OF, lot) == mine
        assert running.read == before
        (later,) = make(house, ["97"], first=20)
        with house.reading() as session:
            later_id = the_lot(session, later).id
            assert running.lot(session, house.archive, OF, later_id) is not None
        assert running.lot(earlier, house.archive, OF, lot) == mine
        assert running.lot(earlier, house.archive, OF, later_id) is None


def test_what_an_earlier_session_would_read_is_not_prepared(house: House):
    running = Trends()
    make(house)
    with house.reading() as earlier:
        assert newest_link(earlier) is not None  # what it sees is fixed from now on
        make(house, ["97"], first=20)
        look(house, running)
        before = running.read
        running.prepare(earlier, house.archive, [OF, OF._replace(criterion="cd73")])
    assert running.read == before


def test_limits_of_lots_that_a_phase_parted_meanwhile_are_not_approved(house: House):
    lots = make(house)
    number = propose(house)
    with house.acting(QA1, Permission.START_PHASE) as tx:
        begun = start_phase(tx, house.archive, attribute=OF, lot=lots[4], credentials=signing(QA1))
    assert not isinstance(begun, Refusal)
    with pytest.raises(Conflict) as refused:
        approve(house, number)
    assert refused.value.reasons == (
        "its lots are of several phases by now; propose a new set of one of them",
    )
