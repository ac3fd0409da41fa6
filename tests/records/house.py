"""A laboratory in a database, and what its people do there.

Site, people, product, donor, approved specification, lot and samples stand ready; no result is in.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from batchqc.actions.accountability import change_password_and_accept
from batchqc.actions.approval import approve_specification
from batchqc.actions.audit_review import review_audit_trail, trail_to_read
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import Decision, release_lot
from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.impact import assess_impact, keep_impact
from batchqc.actions.lot_review import review_whole_lot
from batchqc.actions.lots import NewLot, NewSample, register_lot, the_lot
from batchqc.actions.people import (
    principal,
    register_laboratory,
    register_person,
)
from batchqc.actions.profiles import approve_profile, import_profile
from batchqc.actions.received import ReceivedFile
from batchqc.actions.registers import register_donor, register_product
from batchqc.actions.reviews import review_lot
from batchqc.actions.setup import NewSite, create_site, register_first_administrator
from batchqc.actions.signing import Credentials
from batchqc.actions.specifications import (
    content_of,
    import_specification,
    submit_specification,
    the_version,
)
from batchqc.actions.uploads import UploadReport, upload_results
from batchqc.actions.verification import TrailCheck, verify_audit_trail
from batchqc.core.accountability import STATEMENT
from batchqc.core.accounts import RoleTraining, Terms
from batchqc.core.audit_review import performers
from batchqc.core.lot_review import review_hindrances
from batchqc.core.lot_states import UNDECIDED
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.documents.archive import FolderArchive
from batchqc.intake.contract import Asked
from batchqc.records.lot_reviews import AuditReview, LotReview
from batchqc.records.transaction import SYSTEM, Actor, Transaction, reading, transaction
from batchqc.records.uploads import Review
from batchqc.settings import bundled
from tests.cast import MADE_ON, MSC, NOW, SITE_ZONE, TAKEN_AT
from tests.intake.files import HEADER

ANA, BEN, REV, SPEC, QA1, QA2, QA3, DON, AUD, ADM = PEOPLE = (
    "ana", "ben", "rev", "spec", "qa1", "qa2", "qa3", "don", "aud", "adm",
)  # fmt: skip
ROLES: Final[Mapping[str, Role]] = {
    ANA: Role.ANALYST,
    BEN: Role.ANALYST,
    REV: Role.REVIEWER,
    SPEC: Role.SPEC_AUTHOR,
    QA1: Role.QA,
    QA2: Role.QA,
    QA3: Role.QA,
    DON: Role.DONOR_OFFICER,
    AUD: Role.AUDITOR,
    ADM: Role.ADMIN,
}
LABORATORY: Final = "extlab"
PASSWORD: Final = "correct horse 1"
AUDIT_ENDS: Final = date(2026, 12, 31)
FIRST_PASSWORD: Final = "set by the admin"
WHY: Final = "Compared with the raw data"

PRODUCT: Final = "UC-MSC"
DONOR: Final = "DNR-UC-01"
LOT: Final = MSC
SAMPLES: Final = (f"{LOT}-S01", f"{LOT}-S02")
SPECIFICATION: Final = ("UC-MSC-REL", 1)
SPECIFICATION_FILE: Final = "uc-msc/uc-msc-release-v1.toml"
EXPIRES_ON: Final = date(2027, 5, 18)

_ROW: Final = {
    "sample_id": SAMPLES[0],
    "aliquot": "A1",
    "replicate": "1",
    "unit": "%",
    "measured_at": "2025-05-20T10:00:00-05:00",
    "analyst": ANA,
    "result_type": "reportable",
}
_FLOW: Final = {
    "test_code": "FLOW",
    "method_id": "SOP-QC-021 v5",
    "instrument_id": "FAC-002",
    "run_id": "FLOW-250520-01",
}
GOOD: Final[Mapping[str, Mapping[str, str]]] = {
    "CD73": _FLOW | {"value": "97.90"},
    "CD90": _FLOW | {"value": "100"},
    "CD105": _FLOW | {"value": "99.1"},
    "negative_panel": _FLOW | {"value": "0.30"},
    "viability": {
        "test_code": "VIAB",
        "value": "93.40",
        "method_id": "SOP-QC-014 v3",
        "instrument_id": "VCB-001",
        "run_id": "VCB-250520-01",
    },
    "inhibition": {
        "test_code": "PBMC",
        "value": "41.5",
        "method_id": "SOP-QC-031 v2",
        "instrument_id": "FAC-002",
        "run_id": "PBMC-250525-01",
        "measured_at": "2025-05-25T10:00:00-05:00",
    },
    "kynurenine": {
        "test_code": "IDO",
        "value": "14.2",
        "unit": "µmol/L",
        "method_id": "SOP-QC-030 v2",
        "instrument_id": "PHS-001",
        "run_id": "IDO-250523-01",
        "measured_at": "2025-05-23T10:00:00-05:00",
        "analyst": BEN,
    },
    "endotoxin": {
        "test_code": "ENDO",
        "value": "<0.05",
        "unit": "EU/mL",
        "method_id": "SOP-QC-040 v4",
        "instrument_id": "PTS-001",
        "run_id": "ENDO-250520-01",
    },
    "growth_14d": {
        "test_code": "STER",
        "value": "No growth",
        "unit": "",
        "method_id": "SOP-MB-002 v6",
        "instrument_id": "BTA-001",
        "run_id": "STER-250603-01",
        "started_at": "2025-05-20T11:00:00-05:00",
        "measured_at": "2025-06-03T11:00:00-05:00",
    },
    "mycoplasma": {
        "test_code": "MYCO",
        "value": "Negative",
        "unit": "",
        "method_id": "SOP-MB-007 v1",
        "instrument_id": "QS5-001",
        "run_id": "MYCO-250526-01",
        "measured_at": "2025-05-26T10:00:00-05:00",
        "analyst": LABORATORY,
    },
}
"""Results with which the lot can be released, by analyte."""


@dataclass(slots=True)
class Clock:
    """A time that runs a second for every look at it; tests may set ``at``."""

    at: datetime = NOW
    handed: tuple[str, datetime] | None = None
    """The lot that QC and QA were last asked to review, and when: nobody has acted since, if now.
    """

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@dataclass(frozen=True, slots=True)
class House:
    """The laboratory: what it works with, and its people acting."""

    engine: Engine
    archive: FolderArchive
    now: Clock = field(default_factory=Clock)
    prepared: Callable[["House"], None] | None = None
    """What makes it ready at once, while nobody has done anything in it."""

    def actor(self, user_id: str, permission: Permission) -> Actor:
        """A person in the role that allows ``permission``."""
        with reading(self.engine) as session:
            person = principal(session, user_id=user_id, time_zone=SITE_ZONE, now=self.now.at)
            return person.acting(permission)

    @contextmanager
    def acting(self, user_id: str, permission: Permission) -> Iterator[Transaction]:
        """A transaction of a person, now."""
        with transaction(self.engine, self.actor(user_id, permission), self.now()) as tx:
            yield tx

    @contextmanager
    def alone(self, user_id: str) -> Iterator[Transaction]:
        """A transaction of a person in what concerns only themself, such as a password."""
        with transaction(self.engine, Actor(user_id, "self", SITE_ZONE), self.now()) as tx:
            yield tx

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with reading(self.engine) as session:
            yield session

    def upload(
        self,
        data: bytes,
        *,
        by: str = ANA,
        name: str = "results.csv",
        profile: str = "",
        asked: Asked | None = None,
        supersedes: str | None = None,
        retest: str = "",
    ) -> UploadReport:
        """Upload a file."""
        with self.acting(by, Permission.UPLOAD_RESULTS) as tx:
            file = ReceivedFile(
                name, len(data), data, "tests", profile, asked or Asked(), supersedes, retest=retest
            )
            return upload_results(tx, self.archive, file=file)

    def review(self, lot: str = LOT, *, by: str = REV) -> list[Review] | Refusal:
        """Review every run of a lot."""
        with self.acting(by, Permission.REVIEW_RESULTS) as tx:
            return review_lot(tx, self.archive, lot=lot, credentials=signing(by))

    def hand_to_qa(self, lot: str = LOT) -> None:
        """QC reviews the lot as a whole and QA its audit trail, where either may."""
        if self.now.handed == (lot, self.now.at):
            self.now()
            return
        self._hand_to_qa(lot)
        self.now.handed = (lot, self.now.at)

    def _hand_to_qa(self, lot: str) -> None:
        case = self.study(lot)
        if case.disposition not in UNDECIDED or case.facts.damaged:
            return
        if case.facts.lot_review.stops and not review_hindrances(case.facts, case.gates):
            with self.acting(REV, Permission.REVIEW_RESULTS) as tx:
                whole = review_whole_lot(tx, self.archive, lot=lot, credentials=signing(REV))
                assert isinstance(whole, LotReview)
        elif not case.facts.audit_review.stops:
            return
        self.read_trail(lot, if_due=True)

    def read_trail(
        self, lot: str = LOT, *, by: str = "", if_due: bool = False
    ) -> AuditReview | Refusal | None:
        """Somebody of QA who did nothing of it reads the audit trail of a lot, and signs."""
        with self.reading() as session:
            case = study(session, self.archive, lot=the_lot(session, lot), now=self.now())
            if if_due and not case.facts.audit_review.stops:
                return None
            found = trail_to_read(session, case)
        did = performers(found.selection)
        by = by or next((one for one in (QA3, QA2, QA1) if one not in did), QA3)
        with self.acting(by, Permission.REVIEW_AUDIT_TRAIL) as tx:
            return review_audit_trail(
                tx, self.archive, lot=lot, last=found.last, head=found.head,
                credentials=signing(by),
            )  # fmt: skip

    def release(self, lot: str = LOT, *, by: str = QA1) -> Decision | Refusal:
        """Release a lot, after QC and QA reviewed it, where they may."""
        self.hand_to_qa(lot)
        with self.acting(by, Permission.RELEASE_LOT) as tx:
            return release_lot(tx, self.archive, lot=lot, credentials=signing(by))

    def ready(self, lot: str = LOT) -> None:
        """Upload good results of a lot and review them: it could be released."""
        if self.prepared and (lot, self.now.at) == (LOT, NOW):
            self.prepared(self)
            return
        report = self.upload(results(lot=lot))
        assert report.accepted, report.reading.problems
        assert isinstance(self.review(lot), list)
        self.hand_to_qa(lot)

    def study(self, lot: str = LOT) -> LotCase:
        """All that is known about a lot; its rows are read, their references not yet."""
        with reading(self.engine) as session:
            return study(session, self.archive, lot=the_lot(session, lot), now=self.now())

    def verify(self) -> TrailCheck:
        """Compare the records with the audit trail."""
        with reading(self.engine) as session:
            return verify_audit_trail(session, self.archive)


def terms(role: Role) -> Terms:
    """Auditors come for a time; everyone else is trained for the role."""
    if role is Role.AUDITOR:
        return Terms(AUDIT_ENDS)
    return Terms(training=RoleTraining("TR-7", date(2025, 1, 1), date(2030, 12, 31)))


def but_reviews(reasons: Sequence[str]) -> list[str]:
    """Reasons, but that QC and QA have not reviewed what they cannot review yet."""
    return [one for one in reasons if not one.startswith(("QC review: ", "Audit trail review: "))]


def signing(user_id: str, reason: str = WHY, password: str = PASSWORD) -> Credentials:
    """The two components of a signature, and the reason."""
    return Credentials(user_id, password, reason)


def results(*, lot: str = LOT, **changes: str | Mapping[str, str] | None) -> bytes:
    """A file of the long contract with good results of a lot.

    Args:
        lot: whose; its sample is ``<lot>-S01``.
        changes: by analyte, another value, other cells, or ``None`` for no row.
    """
    return table(
        {"lot_id": lot, "sample_id": f"{lot}-S01"} | good(analyte) | _cells(changes.get(analyte))
        for analyte in GOOD
        if changes.get(analyte, "") is not None
    )


def alone(analyte: str, *, lot: str = LOT, **cells: str) -> bytes:
    """A file with the good result of one analyte, with changes in its cells."""
    return table([{"lot_id": lot, "sample_id": f"{lot}-S01"} | good(analyte) | cells])


def good(analyte: str) -> dict[str, str]:
    """The cells of a good result, without those of its lot."""
    without = {key: value for key, value in _ROW.items() if key != "sample_id"}
    return without | {"analyte": analyte} | dict(GOOD[analyte])


def table(rows: Iterator[dict[str, str]] | list[dict[str, str]]) -> bytes:
    """A file of the long contract."""
    out = StringIO(newline="")
    writer = csv.DictWriter(out, HEADER)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


#: The specification, its impact report and its approval, the same whenever a house is furnished:
#: bytes by their place in a store.
_STORED: dict[Path, bytes] = {}


def archive_of(folder: Path) -> FolderArchive:
    """A store of a house: what was stored while it was furnished is in it."""
    archive = FolderArchive(folder / "store")
    restock(archive)
    return archive


def restock(archive: FolderArchive) -> None:
    """Copy what was stored while a house was furnished into another store."""
    for place, data in _STORED.items():
        path = archive.root / place
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o444)


def furnish(engine: Engine) -> None:
    """Set a laboratory up in a migrated, empty database, the day before the tests."""
    now = Clock(NOW - timedelta(days=1))
    with transaction(engine, SYSTEM, now()) as tx:
        create_site(tx, NewSite("Lakeside Cell Therapy", "1 Pier\nChicago", SITE_ZONE, "COA"))
        register_first_administrator(tx, user_id=ADM, name="Ada Min", password=FIRST_PASSWORD)
    _people(engine, now)
    with TemporaryDirectory() as folder:  # each copy of the house has a store of its own
        archive = archive_of(Path(folder))
        _registers(House(engine, archive, now))
        for path in archive.root.rglob("*"):
            if path.is_file():
                _STORED[path.relative_to(archive.root)] = path.read_bytes()


def _people(engine: Engine, now: Clock) -> None:
    for user_id in PEOPLE:
        if user_id != ADM:
            with transaction(engine, SYSTEM, now()) as tx:
                register_person(
                    tx,
                    user_id=user_id,
                    name=f"{user_id.title()} of {SITE_ZONE}",
                    roles=[ROLES[user_id]],
                    password=FIRST_PASSWORD,
                    terms=terms(ROLES[user_id]),
                )
        with transaction(engine, Actor(user_id, "self", SITE_ZONE), now()) as tx:
            refusal = change_password_and_accept(
                tx, user_id=user_id, old=FIRST_PASSWORD, new=PASSWORD, read=STATEMENT.sha256
            )
            assert refusal is None
    with transaction(engine, SYSTEM, now()) as tx:
        register_laboratory(tx, user_id=LABORATORY, name="External Laboratory")


def draft_in_review(house: House, data: bytes, file: str) -> tuple[str, int]:
    """Import a specification and submit it: id and version."""
    with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
        row = import_specification(tx, house.archive, data=data, file=file)
        name, version = row.specification, row.version
        submit_specification(tx, house.archive, specification=name, version=version)
    return name, version


def see_impact(house: House, specification: str, version: int) -> str:
    """Make an impact report, and return the hash by which its approver says to have seen it."""
    with reading(house.engine) as session:
        draft = content_of(house.archive, the_version(session, specification, version))
        impact = assess_impact(session, house.archive, draft=draft)
    with house.acting(SPEC, Permission.REPORT_IMPACT) as tx:
        fonts = bundled("reports") / "fonts"
        return keep_impact(tx, house.archive, fonts=fonts, impact=impact).content_sha


def adopt(house: House, data: bytes, file: str = "another.toml") -> tuple[str, int]:
    """Import, submit, assess and approve a specification: id and version."""
    name, version = draft_in_review(house, data, file)
    seen = see_impact(house, name, version)
    with house.acting(QA2, Permission.APPROVE_SPECIFICATION) as tx:
        approved = approve_specification(
            tx,
            house.archive,
            specification=name,
            version=version,
            impact=seen,
            credentials=signing(QA2, "Limits are right"),
        )
        assert not isinstance(approved, Refusal)
    return name, version


PROFILE: Final = b"""schema = "batchqc/profile/1"
id = "SITE-COMMA"
version = 1
title = "The laboratory's spreadsheet"
[file]
layout = "long"
decimal = ","
"""


def adopt_profile(house: House, data: bytes) -> str:
    """Import and approve a profile: its reference."""
    with house.acting(SPEC, Permission.IMPORT_PROFILE) as tx:
        row = import_profile(tx, house.archive, data=data, file="profile.toml")
        profile, version, reference = row.profile, row.version, row.reference
    with house.acting(QA1, Permission.APPROVE_PROFILE) as tx:
        approved = approve_profile(tx, profile=profile, version=version, credentials=signing(QA1))
        assert not isinstance(approved, Refusal)
    return reference


def _registers(house: House) -> None:
    assert adopt(house, _specification(), SPECIFICATION_FILE) == SPECIFICATION
    with house.acting(QA2, Permission.REGISTER_PRODUCT) as tx:
        register_product(tx, code=PRODUCT, name="Cord MSC", form="Suspension", storage="-150 °C")
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code=DONOR, tissue_source="umbilical cord")
    with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
        signed = signing(DON, "Screening is complete")
        determine_eligibility(
            tx,
            house.archive,
            NewDetermination(DONOR, "Screening and testing", eligible=True),
            credentials=signed,
        )
    samples = tuple(
        NewSample(sample, "release", "cryovial", TAKEN_AT.isoformat()) for sample in SAMPLES
    )
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        register_lot(tx, NewLot(LOT, PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,), samples))


def _specification() -> bytes:
    return (bundled("specs") / SPECIFICATION_FILE).read_bytes()


def _cells(change: str | Mapping[str, str] | None) -> Mapping[str, str]:
    return {"value": change} if isinstance(change, str) else change or {}
