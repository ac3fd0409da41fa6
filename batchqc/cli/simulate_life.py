"""A simulated site, and the life of one lot in it, by the actions that people's acts are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final, TypeVar

from batchqc.actions.accountability import change_password_and_accept
from batchqc.actions.accounts import change_role
from batchqc.actions.approval import approve_specification
from batchqc.actions.audit_review import review_audit_trail, trail_to_read
from batchqc.actions.certificates import issue_certificate
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import reject_lot, release_lot
from batchqc.actions.evaluation import study
from batchqc.actions.impact import assess_impact, keep_impact
from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.actions.people import principal, register_person
from batchqc.actions.received import ReceivedFile
from batchqc.actions.registers import register_donor, register_product
from batchqc.actions.reviews import review_lot
from batchqc.actions.setup import create_site, register_first_administrator
from batchqc.actions.signing import Credentials
from batchqc.actions.specifications import (
    content_of,
    import_specification,
    submit_specification,
    the_version,
)
from batchqc.actions.uploads import upload_results
from batchqc.cli import simulate_cast as cast
from batchqc.cli.demo_cast import StoryClock
from batchqc.cli.demo_decisions import number_of
from batchqc.cli.simulate_cast import SimulatedLot
from batchqc.cli.workplace import Workplace, raise_refusal
from batchqc.core.accountability import STATEMENT
from batchqc.core.accounts import Terms
from batchqc.core.permissions import Permission, Role
from batchqc.core.specifications import Stage
from batchqc.errors import IntegrityFailure
from batchqc.records.transaction import SYSTEM, Actor, Transaction, reading, transaction
from batchqc.settings import bundled

_Done = TypeVar("_Done")
_KEPT: Final = timedelta(days=700)
_APPOINTED: Final = timedelta(days=365)


class Ending(Enum):
    """How far the life of a lot has come."""

    OPEN = "in test"
    REJECTED = "rejected"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Scene:
    """The installation, and the clock of the story."""

    place: Workplace
    clock: StoryClock

    def do(self, who: str, may: Permission, action: Callable[[Transaction], _Done]) -> _Done:
        """One action of a person, in a transaction of its own."""
        with transaction(self.place.engine, self.acting(who, may), self.clock()) as tx:
            done = action(tx)
        raise_refusal(done)
        return done

    def acting(self, who: str, may: Permission) -> Actor:
        """A person in the role that allows something."""
        with reading(self.place.engine) as session:
            person = principal(session, user_id=who, time_zone="UTC", now=self.clock.at)
        return person.acting(may)


def set_up(scene: Scene) -> None:
    """Site, people, product and approved specification, in an empty database."""
    with transaction(scene.place.engine, SYSTEM, scene.clock()) as tx:
        create_site(tx, cast.SITE)
        register_first_administrator(
            tx, user_id=cast.ADMIN, name="Simulated Administrator", password=cast.FIRST_PASSWORD
        )
    _own_password(scene, cast.ADMIN)
    for user_id, (name, role) in cast.PEOPLE.items():
        scene.do(
            cast.ADMIN,
            Permission.MANAGE_ACCOUNTS,
            lambda tx, user_id=user_id, name=name, role=role: register_person(  # type: ignore[misc]  # mypy infers no defaults of a lambda
                tx, user_id=user_id, name=name, roles=(role,), password=cast.FIRST_PASSWORD,
                **({"terms": _for_a_year(scene)} if role is Role.AUDITOR else {}),
            ),
        )  # fmt: skip
        _own_password(scene, user_id)
    for product in (cast.MADE, cast.BEGUN):
        _begin(scene, product)


def _begin(scene: Scene, product: str) -> None:
    """A product and its specification, imported by one person and approved by another."""
    engine, archive, name = scene.place.engine, scene.place.archive, f"{product}-REL"

    def imported(tx: Transaction) -> None:
        import_specification(tx, archive, data=cast.specification(product), file="simulated.toml")
        submit_specification(tx, archive, specification=name, version=1)

    scene.do(cast.AUTHOR, Permission.IMPORT_SPECIFICATION, imported)
    with reading(engine) as session:
        draft = content_of(archive, the_version(session, name, 1))
        impact = assess_impact(session, archive, draft=draft)
    fonts = bundled("reports") / "fonts"
    seen = scene.do(
        cast.AUTHOR,
        Permission.REPORT_IMPACT,
        lambda tx: keep_impact(tx, archive, fonts=fonts, impact=impact).content_sha,
    )
    scene.do(
        cast.READER,
        Permission.APPROVE_SPECIFICATION,
        lambda tx: approve_specification(
            tx, archive, specification=name, version=1, impact=seen,
            credentials=_signing(cast.READER, "Simulated limits"),
        ),
    )  # fmt: skip
    scene.do(
        cast.READER,
        Permission.REGISTER_PRODUCT,
        lambda tx: register_product(tx, code=product, **cast.PRODUCT),
    )


def appoint_auditor(scene: Scene) -> None:
    """Renew what an auditor is granted for a year at most."""
    scene.do(
        cast.ADMIN,
        Permission.MANAGE_ACCOUNTS,
        lambda tx: change_role(
            tx, user_id=cast.AUDITOR, role=Role.AUDITOR, granted=True,
            reason="Appointed for another year (simulated)", terms=_for_a_year(scene),
        ),
    )  # fmt: skip


def live(scene: Scene, one: SimulatedLot, ending: Ending) -> None:
    """Everything that happens to a lot, from its donor to how far it comes."""
    scene.clock.at = one.begins
    archive, at = scene.place.archive, scene.clock.at
    scene.do(
        cast.OFFICER,
        Permission.REGISTER_DONOR,
        lambda tx: register_donor(tx, code=one.donor, tissue_source=cast.TISSUE),
    )
    scene.do(
        cast.OFFICER,
        Permission.DETERMINE_ELIGIBILITY,
        lambda tx: determine_eligibility(
            tx, archive, NewDetermination(one.donor, "Screening file (simulated)", eligible=True),
            credentials=_signing(cast.OFFICER, "Screened (simulated)"),
        ),
    )  # fmt: skip
    sample = NewSample(f"{one.lot}-S01", Stage.RELEASE, "vial", at.isoformat())
    new = NewLot(one.lot, one.product, at.date(), at.date() + _KEPT, (one.donor,), (sample,))
    scene.do(cast.ANALYST, Permission.REGISTER_LOT, lambda tx: register_lot(tx, new))
    data = cast.csv_of(one, at)
    file = ReceivedFile(
        name=f"{one.lot}.csv", size=len(data), data=data, client="batchqc simulate", retest=""
    )
    report = scene.do(
        cast.ANALYST, Permission.UPLOAD_RESULTS, lambda tx: upload_results(tx, archive, file=file)
    )
    if not report.accepted:
        problems = [problem.message for problem in report.reading.problems]
        raise IntegrityFailure("BQC-SIM-003", "a simulated file was refused", reasons=problems)
    if ending is Ending.REJECTED:
        why = _signing(cast.RELEASER, "Out of specification (simulated)")
        scene.do(
            cast.RELEASER,
            Permission.REJECT_LOT,
            lambda tx: reject_lot(tx, archive, lot=one.lot, credentials=why),
        )
    elif ending is Ending.RELEASED:
        _release(scene, one.lot)


def _release(scene: Scene, lot: str) -> None:
    engine, archive = scene.place.engine, scene.place.archive
    why = _signing(cast.REVIEWER, "Compared with the raw data (simulated)")
    scene.do(
        cast.REVIEWER,
        Permission.REVIEW_RESULTS,
        lambda tx: review_lot(tx, archive, lot=lot, credentials=why),
    )
    scene.do(
        cast.REVIEWER,
        Permission.REVIEW_RESULTS,
        lambda tx: review_whole_lot(tx, archive, lot=lot, credentials=why),
    )
    with reading(engine) as session:
        case = study(session, archive, lot=the_lot(session, lot), now=scene.clock())
        found = trail_to_read(session, case)
    read = _signing(cast.READER, "Read what was selected (simulated)")
    scene.do(
        cast.READER,
        Permission.REVIEW_AUDIT_TRAIL,
        lambda tx: review_audit_trail(
            tx, archive, lot=lot, last=found.last, head=found.head, credentials=read
        ),
    )
    agrees = _signing(cast.RELEASER, "Complies with its specification (simulated)")
    number = scene.do(
        cast.RELEASER,
        Permission.RELEASE_LOT,
        lambda tx: number_of(release_lot(tx, archive, lot=lot, credentials=agrees)),
    )
    issue_certificate(
        engine, archive, scene.place.press, number=number,
        actor=scene.acting(cast.RELEASER, Permission.RELEASE_LOT), clock=scene.clock,
    )  # fmt: skip


def _own_password(scene: Scene, user_id: str) -> None:
    with transaction(scene.place.engine, Actor(user_id, "self", "UTC"), scene.clock()) as tx:
        raise_refusal(
            change_password_and_accept(
                tx, user_id=user_id, old=cast.FIRST_PASSWORD, new=cast.PASSWORD,
                read=STATEMENT.sha256,
            )
        )  # fmt: skip


def _for_a_year(scene: Scene) -> Terms:
    return Terms(last_day=(scene.clock.at + _APPOINTED).date())


def _signing(user_id: str, reason: str) -> Credentials:
    return Credentials(user_id, cast.PASSWORD, reason)
