"""What the donors of a lot say for and against it, whenever the lot is looked at.

- What came after a determination makes it stale, under every rule: the officer determines anew.
- A withdrawn consent stops a lot that is not decided, under every rule, until the donor consents
  to clinical use anew; so does a donor who gave only after the lot was made.
- A donor that was not evaluated against a panel, and a consent that is missing, count as the rule
  of the register of donors says: nothing but a remark (off, flag), or a reason (refuse).
"""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donor_records import records_of
from batchqc.actions.setup import own_site
from batchqc.core.eligibility import Scope, consent_problems
from batchqc.core.gates import Against
from batchqc.core.laboratory import Register, Rule
from batchqc.records.base import Row
from batchqc.records.donor_panels import panel_approval_of, panel_by, panel_in_force
from batchqc.records.donors import EligibilityRow, newest_eligibility
from batchqc.records.laboratory import rules_of
from batchqc.records.registers import DonorRow


class DonorsLookedAt:
    """The donors of a lot, what was determined of them, and by which panels."""

    def __init__(
        self,
        session: Session,
        donors: tuple[DonorRow, ...],
        *,
        market: str,
        made_on: date,
        now: datetime,
    ) -> None:
        self.session, self.donors, self.market, self.made_on = session, donors, market, made_on
        self.zone = ZoneInfo(own_site(session).time_zone)
        self.today = now.astimezone(self.zone).date()
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
        found: list[Row] = [*self.determined.values()]
        found += [one.signature for one in self.determined.values()]
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
        yield from (f"donor {donor.code}: {said}" for said in self._withdrawn(donor))
        donated = [one.donated_on for one in records.donated(self.zone)]
        if donated and min(donated) > self.made_on:
            first = f"donor {donor.code} gave first on {min(donated)}"
            yield f"{first}, after the lot was made on {self.made_on}"
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
        if self.rule is not Rule.OFF and not self._withdrawn(donor):
            for said in consent_problems(self.records[donor.id].consented, Scope.CLINICAL):
                yield f"donor {donor.code}: {said}"

    def _withdrawn(self, donor: DonorRow) -> tuple[str, ...]:
        """That a consent was withdrawn, as long as none to clinical use came after it."""
        consent = self.records[donor.id].consented
        return () if consent is None else tuple(consent_problems(consent))

    def _newer(self, donor: DonorRow) -> Iterator[str]:
        """That another version of the panel applies by now."""
        determined = self.determined.get(donor.id)
        panel = self.panels.get(determined.panel) if determined else None
        newest = panel_in_force(self.session, panel.panel, self.today) if panel else None
        if panel and newest and newest.id != panel.id:
            said = f"donor {donor.code} was evaluated against {panel.reference}"
            yield f"{said}; {newest.reference} applies now"
