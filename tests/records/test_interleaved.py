"""Each pair of people who may meet over a lot, in the order that only a lock makes safe.

The second person comes while the first has acted and not yet committed, on both databases. Each
case names the locks that guard it, and fails without them:

    BATCHQC_WITHOUT_LOCKS=1 .venv/bin/pytest -q -n 2 tests/records/test_interleaved.py

takes them out (on SQLite, the write lock with which a transaction begins); nothing passes then.
``python tests/without_locks.py`` does so and says it, as a part of ``make long``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from batchqc.actions.accounts import change_role, deactivate
from batchqc.actions.after_decision import came_after
from batchqc.actions.audit_review import review_audit_trail, trail_to_read
from batchqc.actions.cell_banks import set_bank_status
from batchqc.actions.conditional_release import release_conditionally
from batchqc.actions.consents import withdraw_consent
from batchqc.actions.corrections import request_correction
from batchqc.actions.deciding import case_to_decide
from batchqc.actions.dispositions import reject_lot, release_lot
from batchqc.actions.donor_panels import approve_panel, import_panel
from batchqc.actions.evaluation import study
from batchqc.actions.holds import hold_lot
from batchqc.actions.laboratory import set_rule
from batchqc.actions.later_decisions import decide_later
from batchqc.actions.look_backs import NewLookBack, start_look_back
from batchqc.actions.lot_origins import name_origin
from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.actions.methods import approve_method, import_method
from batchqc.actions.policies import set_policy
from batchqc.actions.specifications import withdraw_specification
from batchqc.actions.system_stops import record_stop, withdraw_stop
from batchqc.actions.uploads import UploadReport
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.conclusions import Wanted
from batchqc.core.deviations import State
from batchqc.core.investigations import Finding
from batchqc.core.laboratory import Register, Rule
from batchqc.core.late_entries import Paper
from batchqc.core.look_backs import LookBackCause
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission, Role
from batchqc.core.policies import Certifies, Policy
from batchqc.documents.archive import FolderArchive
from batchqc.errors import Conflict
from tests.actions.investigating import METHOD, PLAN, concluded, perform, plan, retest, review_phase
from tests.actions.test_deviations import CLOSED, OPEN, keep
from tests.cast import NOW, TAKEN_AT
from tests.databases import Databases
from tests.records.donors import (
    DIN,
    PANEL,
    PANEL_FILE,
    adopt_panel,
    consent,
    determine,
    donate,
    take_tests,
)
from tests.records.genealogy import (
    MCB,
    SITE,
    WCB,
    WORKING_ON,
    bank,
    clinic,
    new_bank,
    shipped,
    vials,
)  # fmt: skip
from tests.records.house import (
    ADM,
    ANA,
    DON,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PRODUCT,
    QA1,
    QA2,
    QA3,
    REV,
    SPEC,
    SPECIFICATION,
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
from tests.records.interleaving import DONE, Work, interleaved, taken_out
from tests.records.laboratory import METHOD as ENDOTOXIN
from tests.records.laboratory import METHOD_FILE, adopt_method

FAILING, STAGED, NEW = "MSC-26-0070", "MSC-26-0071", "MSC-26-0072"
VIAL = f"{LOT}-V1"
NEWER_PANEL = PANEL_FILE.replace(b"version      = 1", b"version      = 2", 1).replace(
    b"effective    = 2020-01-01", b"effective    = 2026-05-01", 1
)
BLOCKED = "BQC-REL-001"
NO_LOT = frozenset({"lot:", "donor:"})
NONE_OF_DECISION = NO_LOT | {
    "genealogy", "register rules", "policies", "donor panels", "methods",
}  # fmt: skip


def furnish_contested(engine: Engine, archive: FolderArchive) -> None:
    """A lot that is ready, one with an investigation and its plan, one that waits for sterility."""
    furnish(engine)
    restock(archive)
    house = House(engine, archive)
    donate(house, donated_on=date(2024, 1, 10))
    consent(house)
    determine(house)
    bank(house, new_bank(MCB, BankKind.MASTER, DIN))
    bank(house, new_bank(WCB, BankKind.WORKING, MCB, made_on=WORKING_ON, basis=""))
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        name_origin(tx, lot=LOT, made_of=(WCB,), reason="From the batch record")
    vials(house, LOT, VIAL)
    clinic(house)
    adopt_method(house, METHOD)
    adopt(house, INTERIM)
    sample = NewSample(f"{FAILING}-S01", "release", "cryovial", TAKEN_AT.isoformat())
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(FAILING, PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,), (sample,)))
    register_interim(house, STAGED)
    assert house.upload(alone("viability", lot=FAILING, value="89", run_id="V-70")).accepted
    perform(house)
    review_phase(house)
    plan(house, replace(PLAN, retests=1))
    _bring_in_but_sterility(house)
    keep(house, OPEN)
    keep(house, CLOSED)
    house.ready()


def _bring_in_but_sterility(house: House) -> None:
    runs = {name: {"run_id": f"{cells['run_id']}-71"} for name, cells in good_cells().items()}
    assert house.upload(results(lot=STAGED, **{**runs, "growth_14d": None})).accepted
    stain = good("mycoplasma") | {
        "lot_id": STAGED, "sample_id": f"{STAGED}-S01", "test_code": "GRAM", "analyte": "gram",
        "method_id": "SOP-MB-001", "run_id": "G-1", "value": "No growth",
    }  # fmt: skip
    assert house.upload(table([stain])).accepted
    house.review(STAGED)
    house.hand_to_qa(STAGED)


def good_cells() -> dict[str, dict[str, str]]:
    return {name: good(name) for name in ("CD73", "CD90", "CD105", "negative_panel", "viability",
            "inhibition", "kynurenine", "endotoxin", "mycoplasma")}  # fmt: skip


@pytest.fixture
def contested(
    database: str, databases: Databases, shared_archive: FolderArchive
) -> Iterator[House]:
    def fill(engine: Engine) -> None:
        furnish_contested(engine, shared_archive)

    with databases.copy(database, "contested", fill) as engine:
        yield House(engine, shared_archive, Clock(NOW + timedelta(hours=1)))


def release(by: str = QA1) -> Work:
    def work(house: House) -> object:
        with house.acting(by, Permission.RELEASE_LOT) as tx:
            return release_lot(tx, house.archive, lot=LOT, credentials=signing(by))

    return work


def reject(house: House) -> object:
    with house.acting(QA2, Permission.REJECT_LOT) as tx:
        return reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA2))


def accepted(report: UploadReport) -> UploadReport:
    if not report.accepted:
        raise Conflict(report.reading.problems[0].code, "refused")
    return report


def upload(lot: str = LOT, analyte: str = "viability", value: str = "50") -> Work:
    data = alone(analyte, lot=lot, value=value, run_id="LATE-1")
    return lambda house: accepted(house.upload(data))


def correct(house: House) -> object:
    with house.acting(ANA, Permission.REQUEST_CORRECTION) as tx:
        return request_correction(
            tx, subject=f"lot:{LOT}", field="expires_on", after="2026-05-18", reason="Misread label"
        )


def hold(house: House) -> object:
    with house.acting(QA2, Permission.HOLD_LOT) as tx:
        return hold_lot(tx, lot=LOT, credentials=signing(QA2))


def find_ineligible(house: House) -> object:
    return determine(house, eligible=False)


def find_reactive(house: House) -> object:
    return take_tests(house, results=(("HBsAg", "reactive"),))


def withdraw(house: House) -> object:
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        return withdraw_consent(
            tx, house.archive, donor=DONOR, withdrawn_on=date(2026, 5, 1), reason="By letter"
        )


def look_back(house: House) -> object:
    new = NewLookBack(f"donor:{DONOR}", LookBackCause.SEROCONVERSION, "A late result")
    with house.acting(QA2, Permission.START_LOOK_BACK) as tx:
        return start_look_back(tx, house.archive, new, credentials=signing(QA2))


def deviate_elsewhere(house: House) -> object:
    return keep(house, replace(OPEN, id="DEV-26-015"))


def deviate_again(house: House) -> object:
    """The deviation that was closed opens again; its lots are known."""
    return keep(house, replace(OPEN, state=State.OPEN, lots=()))


def quarantine_bank(house: House) -> object:
    with house.acting(QA2, Permission.KEEP_BANKS) as tx:
        return set_bank_status(tx, bank=WCB, status=BankStatus.QUARANTINED, reason="Tank alarm")


def refuse_donors(house: House) -> object:
    with house.acting(QA2, Permission.SET_REGISTER_RULE) as tx:
        return set_rule(tx, register=Register.DONORS, rule=Rule.REFUSE, reason="As the SOP")


def certify_every_lot(house: House) -> object:
    with house.acting(QA2, Permission.SET_POLICY) as tx:
        return set_policy(
            tx, policy=Policy.QP_CERTIFIES, value=Certifies.EVERY_LOT, credentials=signing(QA2)
        )


def read_trail(seen: House) -> Work:
    """Sign the audit trail as it was when the case began."""
    with seen.reading() as session:
        case = study(session, seen.archive, lot=the_lot(session, LOT), now=seen.now())
        found = trail_to_read(session, case)

    def work(house: House) -> object:
        with house.acting(QA3, Permission.REVIEW_AUDIT_TRAIL) as tx:
            return review_audit_trail(
                tx, house.archive, lot=LOT, last=found.last, head=found.head,
                credentials=signing(QA3),
            )  # fmt: skip

    return work


def review_lot(house: House) -> object:
    with house.acting(REV, Permission.REVIEW_RESULTS) as tx:
        return review_whole_lot(tx, house.archive, lot=LOT, credentials=signing(REV))


def retested(run: str) -> Work:
    return lambda house: accepted(
        retest(house, "93.4", run, lot=FAILING, sample_id=f"{FAILING}-S01")
    )


def stands(house: House) -> object:
    return concluded(house, Wanted(Finding.ORIGINAL_STANDS, "Nothing was found"))


def conditionally(house: House) -> object:
    due = {"sterility": house.study(STAGED).facts.today + timedelta(days=14)}
    with house.acting(QA1, Permission.RELEASE_LOT) as tx:
        return release_conditionally(
            tx, house.archive, lot=STAGED, due=due, sites=(SITE,), credentials=signing(QA1)
        )


def recall(house: House) -> object:
    said = {"class": "I", "scope": "every dose"}
    with house.acting(QA2, Permission.DECIDE_LATER) as tx:
        return decide_later(
            tx, house.archive, lot=LOT, wanted=Disposition.RECALLED, particulars=said,
            credentials=signing(QA2),
        )  # fmt: skip


def ship(house: House) -> object:
    return shipped(house, VIAL)


def import_endotoxin(house: House) -> None:
    with house.acting(SPEC, Permission.IMPORT_METHOD) as tx:
        import_method(tx, house.archive, data=METHOD_FILE, file="method.toml")


def approve_endotoxin(house: House) -> object:
    """From then on a run needs a control, which the run of the lot has not."""
    with house.acting(QA2, Permission.APPROVE_METHOD) as tx:
        return approve_method(
            tx, method=ENDOTOXIN[0], version=ENDOTOXIN[1], credentials=signing(QA2)
        )


def determine_by_panel(house: House) -> None:
    """The donor is determined by the panel in force, of which another version waits."""
    take_tests(house, taken_at="2024-01-11T09:00:00-05:00")
    determine(house, panel=adopt_panel(house))
    house.hand_to_qa()
    with house.acting(DON, Permission.IMPORT_PANEL) as tx:
        assert import_panel(tx, house.archive, data=NEWER_PANEL, file="panel.toml").version == 2


def approve_newer_panel(house: House) -> object:
    with house.acting(QA2, Permission.APPROVE_PANEL) as tx:
        return approve_panel(tx, panel=PANEL, version=2, credentials=signing(QA2))


def release_knowing_the_panel(house: House) -> object:
    """Release the lot where the decision is shown that another version of the panel applies."""
    with house.acting(QA1, Permission.RELEASE_LOT) as tx:
        case = case_to_decide(tx, house.archive, LOT)
        if not any(f"{PANEL} v2 applies now" in one for one in case.facts.origin.remarks):
            raise Conflict("UNSEEN", "the decision does not see it")
        return release_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))


def take_role(house: House) -> object:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        return change_role(tx, user_id=QA1, role=Role.QA, granted=False, reason="Left QA")


def close_account(house: House) -> object:
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        return deactivate(tx, user_id=QA1, reason="Left the site")


def record_a_stop(house: House) -> None:
    house.now.at += timedelta(hours=3)
    began, ended = (house.now.at - timedelta(hours=hours) for hours in (2, 1))
    with house.acting(QA3, Permission.RECORD_STOP) as tx:
        record_stop(tx, began=began.isoformat(), ended=ended.isoformat(), credentials=signing(QA3))


def withdraw_the_stop(house: House) -> object:
    with house.acting(QA2, Permission.RECORD_STOP) as tx:
        return withdraw_stop(tx, stop=1, credentials=signing(QA2))


def hold_on_paper(house: House) -> object:
    happened = (house.now.at - timedelta(minutes=90)).isoformat()
    late = replace(signing(QA1), paper=Paper(happened, "F-12"))
    with house.acting(QA1, Permission.HOLD_LOT) as tx:
        return hold_lot(tx, lot=LOT, credentials=late)


def register_new(house: House) -> object:
    new = NewLot(NEW, PRODUCT, date(2026, 6, 1), EXPIRES_ON, (DONOR,))
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        return register_lot(tx, new)


def withdraw_version(house: House) -> object:
    with house.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx:
        return withdraw_specification(
            tx, specification=SPECIFICATION[0], version=2, from_day=house.now.at.date(),
            credentials=signing(QA1),
        )  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two people: what becomes of the second, which locks guard it, and what is so afterwards."""

    first: Work
    second: Work
    told: str
    locks: frozenset[str] = NO_LOT
    after: Callable[[House], bool] = bool
    before: Callable[[House], object] = bool


def is_held(lot: str) -> Callable[[House], bool]:
    return lambda house: "on hold" in house.study(lot).overlays


def is_investigated_only(house: House) -> bool:
    """A result that came after the recall opens its investigation and holds nothing."""
    case = house.study(LOT)
    return bool(case.known.investigations) and not case.overlays


def recall_rests_on_everything(house: House) -> bool:
    return not came_after(house.archive, house.study(LOT))


PAIRS = {
    "release, release": Pair(release(), release(QA2), BLOCKED, NONE_OF_DECISION),
    "release, reject": Pair(release(), reject, "BQC-REL-003", NONE_OF_DECISION),
    "reject, release": Pair(reject, release(), BLOCKED, NONE_OF_DECISION),
    "late failing result, release": Pair(upload(), release(), BLOCKED),
    "release, late failing result": Pair(release(), upload(), DONE, after=is_held(LOT)),
    "recall, late failing result": Pair(
        recall, upload(), DONE, NONE_OF_DECISION, after=is_investigated_only, before=release()
    ),
    "late failing result, recall": Pair(
        upload(), recall, DONE, after=recall_rests_on_everything, before=release()
    ),
    "late failing result, ship": Pair(upload(), ship, "BQC-GEN-017", before=release()),
    "correction, release": Pair(correct, release(), BLOCKED),
    "release, correction": Pair(release(), correct, "BQC-COR-004"),
    "hold, release": Pair(hold, release(), BLOCKED),
    "ineligible donor, release": Pair(
        find_ineligible, release(), BLOCKED, NO_LOT | {"genealogy"}
    ),
    "reactive test, release": Pair(find_reactive, release(), BLOCKED, NO_LOT | {"genealogy"}),
    "withdrawn consent, release": Pair(withdraw, release(), BLOCKED, NO_LOT | {"genealogy"}),
    "look-back, release": Pair(look_back, release(), BLOCKED, NO_LOT | {"genealogy"}),
    "deviation, release": Pair(deviate_elsewhere, release(), BLOCKED),
    "deviation again, release": Pair(deviate_again, release(), BLOCKED),
    "bank in quarantine, release": Pair(
        quarantine_bank, release(), BLOCKED, NO_LOT | {"genealogy"}
    ),
    "rule, release": Pair(refuse_donors, release(), BLOCKED, frozenset({"register rules"})),
    "policy, release": Pair(
        certify_every_lot, release(), "BQC-ACC-009", frozenset({"policies"})
    ),
    "upload, audit trail review": Pair(upload(), read_trail, "BQC-ATR-003"),
    "upload, QC review": Pair(upload(), review_lot, "BQC-REV-007"),
    "conclusion, retest": Pair(stands, retested("V-71"), "E408"),
    "retest, retest": Pair(retested("V-71"), retested("V-72"), "E408", NO_LOT | {"uploads"}),
    "late failing result, conditional release": Pair(
        upload(STAGED), conditionally, BLOCKED
    ),
    "conditional release, late failing result": Pair(
        conditionally, upload(STAGED, "growth_14d", "Growth"), DONE, after=is_held(STAGED)
    ),
    "recall, ship": Pair(
        recall, ship, "BQC-GEN-017", NONE_OF_DECISION, before=release()
    ),
    "hold, ship": Pair(hold, ship, "BQC-GEN-017", before=release()),
    "look-back, ship": Pair(
        look_back, ship, "BQC-GEN-017", NO_LOT | {"genealogy"}, before=release()
    ),
    "release, ship": Pair(release(), ship, DONE, NONE_OF_DECISION),
    "rule, ship": Pair(
        refuse_donors, ship, "BQC-GEN-017", frozenset({"register rules"}), before=release()
    ),
    "policy, ship": Pair(
        certify_every_lot, ship, "BQC-GEN-017", frozenset({"policies"}), before=release()
    ),
    "method approval, release": Pair(
        approve_endotoxin, release(), BLOCKED, frozenset({"methods"}), before=import_endotoxin
    ),
    "panel approval, release": Pair(
        approve_newer_panel, release_knowing_the_panel, DONE, frozenset({"donor panels"}),
        before=determine_by_panel,
    ),
    "role taken, release": Pair(take_role, release(), "BQC-ACC-002", frozenset({"person:"})),
    "account closed, release": Pair(
        close_account, release(), "BQC-ACC-014", frozenset({"person:", "attempts of "})
    ),
    "stop withdrawn, paper of it": Pair(
        withdraw_the_stop, hold_on_paper, "BQC-LAT-001", frozenset({"system stops"}),
        before=record_a_stop,
    ),
    "lot, withdrawal of its version": Pair(
        register_new, withdraw_version, "BQC-SPC-014", frozenset({"specifications of"})
    ),
    "withdrawal of its version, lot": Pair(
        withdraw_version, register_new, "BQC-SPC-007", frozenset({"specifications of"})
    ),
}  # fmt: skip


@pytest.mark.requirement("1.06", "2.02", "2.24")
@pytest.mark.parametrize("name", PAIRS)
def test_who_comes_second_is_told_what_the_first_did(contested: House, name: str):
    """Guarded by the locks that the pair names, of ``Transaction.lock`` or of SQLite's writer."""
    pair = PAIRS[name]
    pair.before(contested)
    second = pair.second(contested) if pair.second is read_trail else pair.second
    with taken_out(contested.engine, *pair.locks):
        assert interleaved(contested, pair.first, second) == (DONE, pair.told)
    assert pair.after(contested)
    assert contested.verify().problems == ()
