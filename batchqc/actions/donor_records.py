"""All that is on record of a donor: donations, tests, consents, corrections; as it stands today."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.core.eligibility import Consented, Donated, Interpretation, MarkerResult, Person, Scope
from batchqc.core.panels import Panel
from batchqc.records.base import Row
from batchqc.records.corrections import (
    Correction,
    CorrectionDecision,
    approved_changes,
    corrections_of,
)
from batchqc.records.donations import (
    Consent,
    ConsentWithdrawal,
    Donation,
    DonorTest,
    consents_of,
    donations_of,
    tests_of,
    withdrawals_of,
)
from batchqc.records.donor_panels import PanelVersion
from batchqc.records.donors import EligibilityRow
from batchqc.records.registers import DonorRow


@dataclass(frozen=True, slots=True)
class ApprovedPanel:
    """An approved version, and what it says; an exception is asked for ``by_exception``."""

    row: PanelVersion
    panel: Panel
    by_exception: bool = False


@dataclass(frozen=True, slots=True)
class DonorRecords:
    """The rows of one donor, oldest first, and what corrections make of them."""

    donor: DonorRow
    donations: tuple[Donation, ...]
    tests: tuple[DonorTest, ...]
    consents: tuple[Consent, ...]
    withdrawals: tuple[ConsentWithdrawal, ...]
    corrections: tuple[tuple[Correction, CorrectionDecision | None], ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Everything that a determination rests on; of corrections what was decided."""
        decided = [one for _, one in self.corrections if one is not None]
        return (*self.donations, *self.tests, *self.consents, *self.withdrawals, *decided)

    @property
    def evidence(self) -> dict[str, str]:
        """The hash of the content of every row, by its key."""
        return {row.key: row.content_sha256 for row in self.rows}

    def since(self, determined: EligibilityRow | None) -> tuple[str, ...]:
        """The keys of the records that came after a determination, which counts no more then."""
        if determined is None:
            return ()
        return tuple(sorted(self.evidence.keys() - determined.rests_on.keys()))

    @property
    def true_times(self) -> dict[str, datetime]:
        """When each specimen was taken, by what it is in words."""
        return {f"the specimen of {one.key} was taken": one.taken_at for one in self.tests}

    @property
    def waiting(self) -> tuple[str, ...]:
        """Corrections that no second person has decided, of records of the donor."""
        return tuple(
            f"{one.natural_key} ({one.field} of {one.subject}) waits for a second person"
            for one, decision in self.corrections
            if decision is None and one.subject != self.donor.key
        )

    def donated(self, zone: ZoneInfo) -> tuple[Donated, ...]:
        """The donations with their results, corrected, in dates of the site."""
        return tuple(self._donated(row, zone) for row in self.donations)

    @property
    def consented(self) -> Consented | None:
        """The newest consent, whether it was withdrawn, and which were before it."""
        if not self.consents:
            return None
        newest = self.consents[-1]
        now = self.now(newest)
        withdrawn = {one.consent_id: one for one in self.withdrawals}
        ended = withdrawn.get(newest.id)
        return Consented(
            now.get("version", newest.version),
            frozenset(Scope(scope) for scope in newest.scopes.splitlines()),
            date.fromisoformat(now.get("given_on", newest.given_on)),
            date.fromisoformat(ended.withdrawn_on) if ended else None,
            tuple(
                self.now(one).get("version", one.version)
                for one in self.consents[:-1]
                if one.id in withdrawn
            ),
        )

    def now(self, row: Donation | DonorTest | Consent) -> Mapping[str, str]:
        """The corrected fields of a row, each with what it says today."""
        return dict(approved_changes(self.corrections, row.key))

    def _donated(self, row: Donation, zone: ZoneInfo) -> Donated:
        now = self.now(row)
        return Donated(
            name=now.get("donation", row.donation),
            tissue=now.get("tissue", row.tissue),
            donated_on=date.fromisoformat(now.get("donated_on", row.donated_on)),
            tested_person=Person(now.get("tested_person", row.tested_person)),
            age=now.get("donor_age", row.donor_age),
            tests=tuple(self._tested(one, zone) for one in self.tests if one.donation_id == row.id),
        )

    def _tested(self, row: DonorTest, zone: ZoneInfo) -> MarkerResult:
        now = self.now(row)
        taken = datetime.fromisoformat(now.get("taken_text", row.taken_text))
        return MarkerResult(
            name=f"result {row.number}",
            marker=row.marker,
            result=Interpretation(now.get("result", row.result)),
            person=Person(now.get("person", row.person)),
            taken_on=taken.astimezone(zone).date(),
        )


def records_of(session: Session, donors: Iterable[DonorRow]) -> dict[int, DonorRecords]:
    """What is on record of some donors, by donor id."""
    rows = list(donors)
    donations = donations_of(session, rows)
    tests = tests_of(session, donations) if donations else ()
    consents = consents_of(session, rows)
    withdrawals = withdrawals_of(session, consents) if consents else ()
    subjects = [row.key for row in (*rows, *donations, *tests, *consents)]
    corrections = corrections_of(session, subjects)
    return {row.id: _of(row, donations, tests, consents, withdrawals, corrections) for row in rows}


def _of(
    donor: DonorRow,
    donations: Sequence[Donation],
    tests: Sequence[DonorTest],
    consents: Sequence[Consent],
    withdrawals: Sequence[ConsentWithdrawal],
    corrections: Sequence[tuple[Correction, CorrectionDecision | None]],
) -> DonorRecords:
    own = tuple(one for one in donations if one.donor_id == donor.id)
    of_own = {one.id for one in own}
    results = tuple(one for one in tests if one.donation_id in of_own)
    given = tuple(one for one in consents if one.donor_id == donor.id)
    of_given = {one.id for one in given}
    keys = {row.key for row in (donor, *own, *results, *given)}
    return DonorRecords(
        donor,
        own,
        results,
        given,
        tuple(one for one in withdrawals if one.consent_id in of_given),
        tuple(pair for pair in corrections if pair[0].subject in keys),
    )
