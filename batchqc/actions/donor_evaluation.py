"""What the records of a donor allow to determine, and what they say of a lot today."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donor_records import ApprovedPanel, DonorRecords, records_of
from batchqc.actions.setup import own_site
from batchqc.core.donors import ELIGIBLE, EXCEPTION, INELIGIBLE
from batchqc.core.eligibility import (
    Evaluation,
    Scope,
    consent_problems,
    evaluate,
    unfavourable,
)
from batchqc.core.gates import Against
from batchqc.core.laboratory import Register, Rule
from batchqc.errors import Conflict
from batchqc.records.base import Row
from batchqc.records.donor_panels import (
    PanelVersion,
    panel_approval_of,
    panel_by,
    panel_in_force,
)
from batchqc.records.donors import EligibilityRow, newest_eligibility
from batchqc.records.laboratory import rules_of
from batchqc.records.registers import DonorRow
from batchqc.records.transaction import Transaction


def evaluation_of(
    records: DonorRecords, panel: ApprovedPanel | None, *, zone: ZoneInfo, today: date
) -> Evaluation:
    """Every reason why a donor cannot be determined to be eligible.

    Without a panel these are the results that speak against the donor, a withdrawn consent, and
    corrections that wait.
    """
    donated = records.donated(zone)
    if panel is None:
        consent = records.consented
        withdrawn = () if consent is None else tuple(consent_problems(consent))
        return Evaluation((*unfavourable(donated), *withdrawn, *records.waiting))
    found = evaluate(panel.panel, donated, records.consented, today=today)
    return Evaluation((*found.problems, *records.waiting), found.remarks)


def determined(
    tx: Transaction, records: DonorRecords, *, eligible: bool, panel: ApprovedPanel | None
) -> str:
    """The word of a determination.

    Raises:
        Conflict: for an eligible donor whose records forbid it, with every reason.
    """
    if not eligible:
        return INELIGIBLE
    if panel is not None and panel.by_exception:
        return EXCEPTION
    zone = ZoneInfo(own_site(tx.session).time_zone)
    today = tx.now.astimezone(zone).date()
    problems = evaluation_of(records, panel, zone=zone, today=today).problems
    if problems:
        raise Conflict(
            "BQC-DNR-020",
            f"donor {records.donor.code} cannot be determined to be eligible",
            reasons=problems,
            hint="Complete the records, determine the donor to be ineligible, or document an"
            " exception, which by itself releases no lot.",
        )
    return ELIGIBLE


def evidence_text(records: DonorRecords, panel: PanelVersion | None) -> str:
    """Key and hash of every record that a determination rests on, one on each line."""
    found = records.evidence | ({panel.key: panel.content_sha256} if panel else {})
    return "\n".join(f"{key} {found[key]}" for key in sorted(found))


class DonorsLookedAt:
    """What the donors of a lot say for and against it, and the rows that it rests on."""

    def __init__(
        self, session: Session, donors: tuple[DonorRow, ...], *, market: str, today: date
    ) -> None:
        self.session, self.donors, self.market, self.today = session, donors, market, today
        self.rule = rules_of(session).get(Register.DONORS, Rule.OFF)
        self.records = records_of(session, donors)
        self.determined = newest_eligibility(session, donors)
        self.panels = {
            one.panel: panel_by(session, name, int(version))
            for one in self.determined.values()
            if one.panel
            for name, _, version in [one.panel.rpartition("/")]
        }

    @property
    def against(self) -> Against:
        """Reasons, remarks and evidence; what is not evaluated counts as the site's rule says."""
        stops = [said for donor in self.donors for said in self._facts(donor)]
        asked = [said for donor in self.donors for said in self._asked(donor)]
        remarks = [said for donor in self.donors for said in self._newer(donor)]
        if self.rule is Rule.REFUSE:
            stops += asked
        else:
            remarks += asked
        evidence = [row.key for donor in self.donors for row in self.records[donor.id].rows] + [
            one.key for one in self.determined.values()
        ]
        return Against(tuple(stops), tuple(remarks), tuple(evidence))

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row, to be compared with the audit trail."""
        found: list[Row] = [one.signature for one in self.determined.values()]
        for records in self.records.values():
            found += records.rows
            for correction, decision in records.corrections:
                found += [correction, *([decision.signature] if decision else [])]
        for panel in self.panels.values():
            approval = panel_approval_of(self.session, panel) if panel else None
            found += [one for one in (panel, approval, approval and approval.signature) if one]
        return tuple(found)

    @property
    def damaged(self) -> Iterator[str]:
        """Determinations that were signed over something else."""
        for one in self.determined.values():
            signature = one.signature
            is_own = (
                signature.record == one.donor.key and signature.record_sha256 == one.signed_sha256
            )
            if not is_own or signature.sha256 != signature.signing.sha256:
                yield f"the signature {signature.natural_key} of {one.key} belongs to other content"
            for key, sha256 in one.rests_on.items():
                if self._evidence(one).get(key) != sha256:
                    yield f"{key}, on which {one.key} rests, is not as it was"

    def _evidence(self, one: EligibilityRow) -> dict[str, str]:
        panel = self.panels.get(one.panel)
        own = self.records[one.donor_id].evidence
        return own | ({panel.key: panel.content_sha256} if panel else {})

    def _facts(self, donor: DonorRow) -> Iterator[str]:
        """What stands against a release under every rule."""
        records, determined = self.records[donor.id], self.determined.get(donor.id)
        if determined is not None:
            for key in sorted(self._evidence(determined).keys() - determined.rests_on.keys()):
                yield f"donor {donor.code} was determined before {key} was recorded"
        consent = records.consented
        if consent is not None and consent.withdrawn_on is not None:
            yield f"donor {donor.code}: {next(consent_problems(consent))}"
        for said in records.waiting:
            yield f"donor {donor.code}: {said}"

    def _asked(self, donor: DonorRow) -> Iterator[str]:
        """What the site's rule asks for."""
        determined = self.determined.get(donor.id)
        panel = self.panels.get(determined.panel) if determined else None
        if panel is None:
            yield f"donor {donor.code} was not evaluated against a panel of tests"
        elif self.market and self.market not in panel.markets.splitlines():
            markets = ", ".join(panel.markets.splitlines())
            yield (
                f"donor {donor.code} was evaluated against {panel.reference}, which is for"
                f" {markets} and not for {self.market}"
            )
        consent = self.records[donor.id].consented
        if self.rule is not Rule.OFF and (consent is None or consent.withdrawn_on is None):
            for said in consent_problems(consent, Scope.CLINICAL):
                yield f"donor {donor.code}: {said}"

    def _newer(self, donor: DonorRow) -> Iterator[str]:
        """That another version of the panel applies by now."""
        determined = self.determined.get(donor.id)
        panel = self.panels.get(determined.panel) if determined else None
        newest = panel_in_force(self.session, panel.panel, self.today) if panel else None
        if panel and newest and newest.id != panel.id:
            said = f"donor {donor.code} was evaluated against {panel.reference}"
            yield f"{said}; {newest.reference} applies now"
