"""The whole life of lots at random: what people do, in any order, and what may never come of it.

A machine drives two lots through whatever its people try. Its model knows of each lot which
results came, who entered and reviewed, what is held, open or doubted, and decides by itself whether
a release would be wrong, without ``batchqc.core``. After each step what the label says equals the
model, and each decision has one signature that binds its content, and one entry. At the end of each
run the records are compared with the audit trail.

``BATCHQC_LONG=1`` (in ``make long``) tries many more and longer lives.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)  # fmt: skip
from sqlalchemy import Engine

from batchqc.actions.accounts import change_role
from batchqc.actions.conditional_release import release_conditionally
from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.deviations import NewDeviation, keep_deviation
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.holds import hold_lot
from batchqc.actions.later_decisions import decide_later
from batchqc.actions.letting_go import let_go
from batchqc.actions.look_backs import NewLookBack, close_look_back, start_look_back
from batchqc.actions.lots import the_lot
from batchqc.actions.overdue import hold_what_is_overdue
from batchqc.actions.uploads import UploadReport
from batchqc.core.conclusions import Wanted
from batchqc.core.deviations import State
from batchqc.core.investigations import Finding
from batchqc.core.look_backs import LookBackCause
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission, Role
from batchqc.documents.archive import FolderArchive
from batchqc.errors import BatchqcError
from batchqc.records.audit import entries_about
from batchqc.records.decisions import dispositions_of
from batchqc.records.holds import HoldEnd, open_holds
from batchqc.records.investigations import InvestigationStep, folded, investigations_of
from batchqc.records.look_backs import open_look_backs
from tests.actions.investigating import (
    METHOD,
    PLAN,
    conclude_cause,
    concluded,
    perform,
    plan,
    retest,
    review_phase,
)  # fmt: skip
from tests.cast import NOW
from tests.databases import Databases
from tests.records.donors import determine
from tests.records.genealogy import SITE, clinic
from tests.records.house import (
    ADM,
    ANA,
    BEN,
    DONOR,
    EXPIRES_ON,
    GOOD,
    LOT,
    QA1,
    QA2,
    QA3,
    REV,
    Clock,
    House,
    adopt,
    alone,
    furnish,
    good,
    restock,
    results,
    signing,
    table,
)  # fmt: skip
from tests.records.interim import INTERIM, register_interim
from tests.records.laboratory import adopt_method
from tests.tiers import LONG

SECOND: Final = "MSC-26-0077"
STERILITY: Final = "growth_14d"
REQUIRED: Final = {LOT: frozenset(GOOD), SECOND: frozenset(GOOD) | {"gram"}}
PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
TEXTS: Final = {
    "viability": {PASS: "93.40", FAIL: "50", UNKNOWN: ">80"},
    "endotoxin": {PASS: "<0.05", FAIL: "9", UNKNOWN: "<900"},
    STERILITY: {PASS: "No growth", FAIL: "Growth", UNKNOWN: "No growth"},
    "gram": {PASS: "No growth", FAIL: "Growth", UNKNOWN: "No growth"},
}
QUARANTINE, RELEASED, CONDITIONAL, REJECTED, RECALLED, DESTROYED = (
    "quarantine", "released", "conditionally released", "rejected", "recalled", "destroyed",
)  # fmt: skip
#: Where a decision leads from, written by hand.
FROM: Final = {
    RELEASED: {QUARANTINE, CONDITIONAL},
    CONDITIONAL: {QUARANTINE},
    REJECTED: {QUARANTINE, CONDITIONAL},
    RECALLED: {RELEASED, CONDITIONAL},
    DESTROYED: {RELEASED, REJECTED, RECALLED},
}
#: Everybody who may be asked to do anything; BEN and REV hold QA's role beside their own.
ANYBODY: Final = st.sampled_from([QA1, QA2, QA3, BEN, REV, ANA])
LOTS: Final = st.sampled_from([LOT, SECOND])


@dataclass
class Life:
    """What is known of a lot, without asking the system.

    ``dirty`` are runs that nobody reviewed; ``read`` and ``checked`` whether the audit trail and
    the lot were reviewed since the last change.
    """

    disposition: str = QUARANTINE
    results: dict[str, list[str]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    entered: set[str] = field(default_factory=set)
    reviewed: set[str] = field(default_factory=set)
    dirty: bool = False
    checked: bool = False
    read: bool = False
    holds: int = 0
    deviates: bool = False
    waits: bool = False
    was_in_use: bool = False
    expires_on: date = EXPIRES_ON

    def changed(self) -> None:
        self.checked = self.read = False

    def wrong(self, lot: str, *, but: frozenset[str] = frozenset()) -> list[str]:
        """Why a release would be wrong, whoever decides; results ``but`` may be missing."""
        counted = {one: self.results.get(one, []) for one in REQUIRED[lot]}
        found = [
            one for one, told in counted.items() if told != [PASS] and (told or one not in but)
        ]
        found += [f"{one} is investigated" for one in self.failed]
        flags = {"not reviewed": self.dirty, "not checked": not self.checked,
                 "trail not read": not self.read, "on hold": self.holds > 0,
                 "deviation": self.deviates, "correction waits": self.waits}  # fmt: skip
        return found + [name for name, is_so in flags.items() if is_so]


def furnish_lives(engine: Engine, archive: FolderArchive) -> None:
    """A house with two lots, of which one may be released while its sterility is pending."""
    furnish(engine)
    restock(archive)
    house = House(engine, archive)
    for person, role in ((BEN, Role.QA), (REV, Role.QA)):
        with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            change_role(tx, user_id=person, role=role, granted=True, reason="Stands in for QA")
    adopt_method(house, METHOD)
    adopt(house, INTERIM)
    register_interim(house, SECOND)
    clinic(house)


class Lives(RuleBasedStateMachine):
    """What people do with two lots of one donor."""

    databases: Databases
    archive: FolderArchive
    seen: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        copy = self.databases.copy("sqlite", "lives", lambda at: furnish_lives(at, self.archive))
        engine = self.stack.enter_context(copy)
        self.house = House(engine, self.archive, Clock(NOW + timedelta(hours=1)))
        self.lots = {LOT: Life(), SECOND: Life()}
        self.is_eligible = True
        self.runs = 0

    def teardown(self) -> None:
        try:
            assert self.house.verify().problems == ()
        finally:
            self.stack.close()

    # what the laboratory does

    def upload(self, lot: str, data: bytes, by: str, told: dict[str, str]) -> None:
        life = self.lots[lot]
        report = self.tried(lambda: self.house.upload(data, by=by))
        assert isinstance(report, UploadReport)
        assert report.accepted, "a lot takes results whatever became of it"
        life.entered |= {by, ANA, BEN} if len(told) > 1 else {by, ANA}
        life.dirty = True
        life.changed()
        for analyte, outcome in told.items():
            life.results.setdefault(analyte, []).append(outcome)
            if outcome == FAIL:
                life.failed.add(analyte)
                if life.disposition in {CONDITIONAL, RELEASED}:
                    self.seen["failed late"] += 1
                    self.grown(lot)

    @initialize(values=st.tuples(*[st.sampled_from([PASS, PASS, PASS, PASS, FAIL, UNKNOWN])] * 2),
                pending=st.sampled_from([True, True, False]), late=st.booleans())  # fmt: skip
    def begin(self, values: tuple[str, str], pending: bool, late: bool) -> None:
        """Each lot has a file; sterility of the second may be pending, the first may lack one."""
        self.send_everything(LOT, {"endotoxin"} if late else set(), values[0])
        self.send_everything(SECOND, {STERILITY} if pending else set(), values[1])

    def send_everything(self, lot: str, left_out: set[str], value: str) -> None:
        """A file with every result of a lot that has none; viability may fail, or be censored."""
        life = self.lots[lot]
        self.runs += 1
        told = dict.fromkeys(GOOD, PASS) | {"viability": value}
        changes = {
            one: {"run_id": f"{good(one)['run_id']}-{self.runs}", "value": good(one)["value"]}
            for one in GOOD
        }
        changes["viability"]["value"] = TEXTS["viability"][value]
        for one in left_out:
            del told[one]
        rows = {one: None if one in left_out else cells for one, cells in changes.items()}
        self.upload(lot, results(lot=lot, **rows), ANA, told)
        if "gram" in REQUIRED[lot] and life.results:
            self.send(lot, "gram", PASS, ANA)

    @rule(lot=LOTS, analyte=st.sampled_from(["viability", "endotoxin", STERILITY]),
          value=st.sampled_from([PASS, FAIL]), by=st.sampled_from([ANA, BEN]))  # fmt: skip
    def send_one(self, lot: str, analyte: str, value: str, by: str) -> None:
        """One result: late, a second one, or the missing one."""
        self.send(lot, analyte, value, by)

    def send(self, lot: str, analyte: str, value: str, by: str) -> None:
        self.runs += 1
        cells = {"value": TEXTS[analyte][value], "run_id": f"RUN-{self.runs}"}
        if analyte == "gram":
            row = good("mycoplasma") | cells | {
                "lot_id": lot, "sample_id": f"{lot}-S01", "test_code": "GRAM", "analyte": "gram",
                "method_id": "SOP-MB-001",
            }  # fmt: skip
            data = table([row])
        else:
            data = alone(analyte, lot=lot, **cells)
        self.upload(lot, data, by, {analyte: value})

    @rule(lot=LOTS, by=ANYBODY)
    def review(self, lot: str, by: str) -> None:
        self.review_runs(lot, by)
        self.hand_to_qa(lot)

    def review_runs(self, lot: str, by: str) -> None:
        life = self.lots[lot]
        found = self.tried(lambda: self.house.review(lot, by=by))
        if isinstance(found, list):
            assert by not in life.entered, "who entered or measured reviewed"
            life.reviewed.add(by)
            life.dirty = False
            life.changed()

    @rule(lot=LOTS, by=st.sampled_from([QA1, QA2, QA1, REV]))
    def review_and_release(self, lot: str, by: str) -> None:
        """What is done of most lots, in its order."""
        self.review_runs(lot, REV)
        self.hand_to_qa(lot)
        self.release(lot, by)
        self.release_in_part(lot, by)

    @rule(lot=LOTS, value=st.sampled_from([PASS, PASS, FAIL]))
    def bring_in_what_is_pending(self, lot: str, value: str) -> None:
        """The last result of a lot comes, and QA decides on it or takes the lot back."""
        life = self.lots[lot]
        missing = sorted(one for one in REQUIRED[lot] if not life.results.get(one))
        if life.disposition == RELEASED:
            self.decide_later(lot, QA3, RECALLED)
        elif len(missing) == 1 and missing[0] in TEXTS:
            self.send(lot, missing[0], value, ANA)
            self.review_and_release(lot, QA1)

    def hand_to_qa(self, lot: str) -> None:
        """QC reviews the lot and QA its audit trail, where either may."""
        life = self.lots[lot]
        self.tried(lambda: self.house.hand_to_qa(lot))
        facts = self.house.study(lot).facts
        life.checked = not facts.lot_review.stops
        life.read = not facts.audit_review.stops
        if life.checked:
            assert not life.dirty
            life.reviewed.add(REV)

    @rule(lot=LOTS, retested=st.sampled_from([PASS, FAIL, ""]), is_cause=st.booleans())
    def investigate(self, lot: str, retested: str, is_cause: bool) -> None:
        """From phase I to a conclusion, where viability failed alone."""
        life = self.lots[lot]
        if "viability" not in life.failed or life.results["viability"] != [FAIL]:
            return
        number = self.open_number(lot)
        perform(self.house, number)
        review_phase(self.house, number)
        life.changed()
        if retested:
            self.measure_again(lot, number, retested)
            self.review_runs(lot, REV)
        if is_cause:
            done = self.tried(lambda: conclude_cause(self.house, number, by=QA2))
        else:
            wanted = Wanted(Finding.ORIGINAL_STANDS, "Nothing was found in the laboratory")
            done = self.tried(lambda: concluded(self.house, wanted, number, by=QA2))
        assert isinstance(done, InvestigationStep), done
        self.seen[f"concluded: {'cause' if is_cause else 'stands'}, {retested or 'none'}"] += 1
        life.failed.discard("viability")
        kept = {(True, PASS): [PASS], (True, ""): []}
        life.results["viability"] = kept.get((is_cause, retested), [FAIL, "concluded"])
        if is_cause and retested == FAIL:
            life.failed.add("viability")

    def open_number(self, lot: str) -> str:
        with self.house.reading() as session:
            own = investigations_of(session, [the_lot(session, lot).id])
            return next(
                row.natural_key
                for row, steps in own
                if row.criterion == "viability" and folded(row, steps).conclusion is None
            )

    def measure_again(self, lot: str, number: str, value: str) -> None:
        plan(self.house, replace(PLAN, retests=1), number)
        self.runs += 1
        text, run, sample = TEXTS["viability"][value], f"RETEST-{self.runs}", f"{lot}-S01"
        sent = retest(self.house, text, run, number, lot=lot, sample_id=sample)
        assert sent.accepted, sent.reading.problems
        self.lots[lot].entered.add(BEN)
        self.lots[lot].dirty = True

    # what QA and the donor officer do

    @rule(lot=LOTS)
    def hold(self, lot: str) -> None:
        with self.house.acting(QA3, Permission.HOLD_LOT) as tx:
            hold_lot(tx, lot=lot, credentials=signing(QA3))
        self.grown(lot)

    @rule(lot=LOTS)
    def let_all_go(self, lot: str) -> None:
        life = self.lots[lot]

        def end(number: int) -> object:
            with self.house.acting(QA3, Permission.HOLD_LOT) as tx:
                return let_go(
                    tx, self.house.archive, lot=lot, number=number, credentials=signing(QA3)
                )

        self.close_look_backs()
        for number in self.held(lot):
            ended = isinstance(self.tried(lambda number=number: end(number)), HoldEnd)
            stands = life.deviates or life.failed or not self.is_eligible
            assert not (ended and stands and life.disposition in {RELEASED, CONDITIONAL})
            self.seen[f"let go of {life.disposition}: {ended}"] += 1
        life.holds = len(self.held(lot))

    def close_look_backs(self) -> None:
        with self.house.reading() as session:
            numbers = [one.natural_key for one in open_look_backs(session)]
        for one in numbers:
            with self.house.acting(QA3, Permission.CLOSE_LOOK_BACK) as tx:
                close_look_back(tx, number=one, conclusion="A slip", credentials=signing(QA3))

    @rule(lot=LOTS, opens=st.booleans())
    def deviate(self, lot: str, opens: bool) -> None:
        state = State.OPEN if opens else State.CLOSED
        new = NewDeviation(f"DEV-{lot}", "Freezer", "QMS 1", state, True, (lot,))

        def keep() -> object:
            with self.house.acting(QA3, Permission.KEEP_DEVIATIONS) as tx:
                return keep_deviation(tx, deviation=new, credentials=signing(QA3))

        self.tried(keep)  # it may say so already
        life = self.lots[lot]
        life.deviates, life.holds = opens, len(self.held(lot))
        assert life.holds or not opens or life.disposition not in {RELEASED, CONDITIONAL}

    @rule(is_eligible=st.sampled_from([True, True, False]))
    def determine_donor(self, is_eligible: bool) -> None:
        self.tried(lambda: determine(self.house, eligible=is_eligible))
        self.is_eligible = is_eligible
        for lot, life in self.lots.items():
            life.changed()
            life.holds = len(self.held(lot))
            assert life.holds or is_eligible, "the donor is ineligible and the lot is not held"

    @rule()
    def look_back(self) -> None:
        new = NewLookBack(f"donor:{DONOR}", LookBackCause.SEROCONVERSION, "A late result")
        with self.house.acting(QA3, Permission.START_LOOK_BACK) as tx:
            start_look_back(tx, self.house.archive, new, credentials=signing(QA3))
        for lot in self.lots:
            self.grown(lot)

    @rule(lot=LOTS, days=st.integers(1, 400), decided=st.booleans())
    def correct_expiry(self, lot: str, days: int, decided: bool) -> None:
        life, after = self.lots[lot], EXPIRES_ON - timedelta(days=days)

        def ask() -> str:
            with self.house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
                return request_correction(
                    tx, subject=f"lot:{lot}", field="expires_on", after=after.isoformat(),
                    reason="Misread label",
                ).natural_key  # fmt: skip

        number = self.tried(ask)
        assert isinstance(number, str) <= (life.disposition == QUARANTINE)
        if not isinstance(number, str):
            return
        life.waits = True
        life.changed()
        if decided:
            with self.house.acting(QA3, Permission.APPROVE_CORRECTION) as tx:
                decide_correction(
                    tx, self.house.archive, number=number, approve=True, credentials=signing(QA3)
                )
            life.waits, life.expires_on = False, after
        else:
            life.waits = True

    @rule(days=st.integers(1, 120))
    def time_passes(self, days: int) -> None:
        """Days go by; what is overdue is held."""
        self.house.now.at += timedelta(days=days)
        with self.house.acting(QA3, Permission.HOLD_LOT) as tx:
            held = hold_what_is_overdue(tx, self.house.archive)
        for lot in held:
            assert self.lots[lot].disposition == CONDITIONAL
            self.grown(lot)
        for lot, life in self.lots.items():
            if life.disposition == CONDITIONAL and not life.results.get(STERILITY) and days > 14:
                assert self.held(lot), "a result is overdue and the lot is not held"

    # decisions

    @rule(lot=LOTS, by=ANYBODY)
    def release(self, lot: str, by: str) -> None:
        def act() -> object:
            with self.house.acting(by, Permission.RELEASE_LOT) as tx:
                return release_lot(tx, self.house.archive, lot=lot, credentials=signing(by))

        if self.decided(lot, RELEASED, by, act):
            self.may_be_given(lot, by, self.lots[lot].wrong(lot))

    @rule(lot=LOTS, by=ANYBODY)
    def release_in_part(self, lot: str, by: str) -> None:
        due = {"sterility": self.today() + timedelta(days=14)}

        def act() -> object:
            with self.house.acting(by, Permission.RELEASE_LOT) as tx:
                return release_conditionally(
                    tx, self.house.archive, lot=lot, due=due, sites=(SITE,),
                    credentials=signing(by),
                )  # fmt: skip

        if self.decided(lot, CONDITIONAL, by, act):
            assert lot == SECOND, "nothing stands in for the sterility of the first"
            wrong = self.lots[lot].wrong(lot, but=frozenset({STERILITY}))
            self.may_be_given(lot, by, wrong)
            assert STERILITY not in self.lots[lot].results

    @rule(lot=LOTS, by=ANYBODY)
    def reject(self, lot: str, by: str) -> None:
        def act() -> object:
            with self.house.acting(by, Permission.REJECT_LOT) as tx:
                return reject_lot(tx, self.house.archive, lot=lot, credentials=signing(by))

        self.decided(lot, REJECTED, by, act)

    @rule(lot=LOTS, by=ANYBODY, wanted=st.sampled_from([RECALLED, DESTROYED]))
    def decide_later(self, lot: str, by: str, wanted: str) -> None:
        said = {"class": "I", "scope": "all"}
        if wanted == DESTROYED:
            said = {"method": "autoclave", "witness": "aud"}

        def act() -> object:
            with self.house.acting(by, Permission.DECIDE_LATER) as tx:
                return decide_later(
                    tx, self.house.archive, lot=lot, wanted=Disposition(wanted), particulars=said,
                    credentials=signing(by),
                )  # fmt: skip

        self.decided(lot, wanted, by, act)

    def may_be_given(self, lot: str, by: str, wrong: list[str]) -> None:
        life = self.lots[lot]
        assert wrong == []
        assert self.is_eligible, "the donor is not eligible"
        assert self.today() <= life.expires_on, "the lot has expired"
        assert by not in life.entered | life.reviewed, f"{by} entered, measured or reviewed"

    def decided(self, lot: str, wanted: str, by: str, act: Callable[[], object]) -> bool:
        life, found = self.lots[lot], self.tried(act)
        if not isinstance(found, Decision):
            return False
        self.seen[f"{life.disposition} -> {wanted}"] += 1
        again = wanted == RECALLED and life.disposition == REJECTED and life.was_in_use
        assert life.disposition in FROM[wanted] or again
        life.was_in_use |= wanted in {RELEASED, CONDITIONAL}
        assert by != ANA, "an analyst decided"
        life.disposition = wanted
        return True

    @invariant()
    def labels_and_decisions_are_as_they_must_be(self) -> None:
        with self.house.reading() as session:
            for lot, life in self.lots.items():
                rows = dispositions_of(session, the_lot(session, lot))
                assert (rows[-1].disposition if rows else QUARANTINE) == life.disposition
                assert len({one.signature_id for one in rows}) == len(rows)
                for one in rows:
                    signed = one.signature
                    assert signed.record_sha256 == one.content_sha
                    assert signed.sha256 == signed.signing.sha256
                    self.house.archive.get(one.content_sha)  # checked against its hash
                    told = [each.what for each in entries_about(session, [one.key])]
                    assert told.count(f"lot {one.disposition}") == 1
                    others = {f"lot {each}" for each in FROM} - {f"lot {one.disposition}"}
                    assert not others & set(told)

    def tried(self, act: Callable[[], object]) -> object:
        """What came of it, a refusal too."""
        try:
            return act()
        except BatchqcError as refused:
            return refused

    def held(self, lot: str) -> list[int]:
        with self.house.reading() as session:
            return [one.number for one in open_holds(session, [the_lot(session, lot).id])]

    def grown(self, lot: str) -> None:
        """A hold came; the model knows of one more at least."""
        found = len(self.held(lot))
        assert found > self.lots[lot].holds
        self.lots[lot].holds = found

    def today(self) -> date:
        return (self.house.now.at - timedelta(hours=5)).date()


@pytest.fixture
def lives(databases: Databases, shared_archive: FolderArchive) -> type[Lives]:
    class Tried(Lives):
        pass

    Tried.databases, Tried.archive = databases, shared_archive
    Tried.seen = Counter()
    return Tried


@pytest.mark.requirement("2.02", "2.24")
def test_whatever_people_do_no_lot_is_released_wrongly(lives: type[Lives]):
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=500 if LONG else 6,
            stateful_step_count=60 if LONG else 25,
            deadline=None,
            derandomize=not LONG,
            phases=tuple(Phase) if LONG else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert lives.seen, "nobody decided anything"


def test_the_model_lets_through_what_is_right(lives: type[Lives]):
    """Released, in part and for good, after an investigation too; else nothing would be tried."""
    walk = lives()
    walk.begin((FAIL, PASS), pending=True, late=False)
    walk.investigate(LOT, PASS, is_cause=True)
    for lot, by in ((LOT, REV), (LOT, BEN), (LOT, QA1), (SECOND, QA1)):
        walk.review_and_release(lot, by)
    walk.bring_in_what_is_pending(SECOND, PASS)
    walk.bring_in_what_is_pending(SECOND, PASS)
    walk.labels_and_decisions_are_as_they_must_be()
    walk.teardown()
    assert dict(walk.seen) == {
        "concluded: cause, pass": 1,
        f"{QUARANTINE} -> {RELEASED}": 1,
        f"{QUARANTINE} -> {CONDITIONAL}": 1,
        f"{CONDITIONAL} -> {RELEASED}": 1,
        f"{RELEASED} -> {RECALLED}": 1,
    }
