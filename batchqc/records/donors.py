"""The determination of a donor's eligibility, signed by a donor officer."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, Session, relationship

from batchqc.core.canonical import Json, sha256_of
from batchqc.records.base import Row, added_later, refers_to
from batchqc.records.once import once
from batchqc.records.registers import DonorRow
from batchqc.records.rows_by import rows_by
from batchqc.records.signatures import SignatureRow


class EligibilityRow(Row):
    """One determination; the newest counts.

    ``evidence`` holds what it rests on: on each line the key of a record and the hash of its
    content. ``panel`` names the panel version that it fulfils. Both are blank where there was none.
    """

    __tablename__ = "eligibility"

    donor_id: Mapped[int] = refers_to("donor")
    number: Mapped[int]
    eligibility: Mapped[str]
    basis: Mapped[str]
    signature_id: Mapped[int] = refers_to("signature")
    evidence: Mapped[str] = added_later()
    panel: Mapped[str] = added_later()

    donor: Mapped[DonorRow] = relationship()
    signature: Mapped[SignatureRow] = relationship(lazy="joined")
    __table_args__ = (UniqueConstraint("donor_id", "number"),)

    @property
    def natural_key(self) -> str:
        """Donor and the how many-th."""
        return f"{self.donor.code}/{self.number}"

    @property
    def signed_content(self) -> dict[str, Json]:
        """What its signature binds: evidence and panel with it, where there are any."""
        on_records: dict[str, Json] = {"evidence": self.evidence.splitlines(), "panel": self.panel}
        content: dict[str, Json] = {
            "type": f"batchqc/eligibility/{2 if self.evidence else 1}",
            "donor": self.donor.key,
            "number": self.number,
            "eligibility": self.eligibility,
            "basis": self.basis,
        }
        return content | on_records if self.evidence else content

    @property
    def signed_sha256(self) -> str:
        """The hash that its signature binds."""
        return sha256_of(self.signed_content)

    @property
    def rests_on(self) -> dict[str, str]:
        """The hash of the content of every record that it rests on, by its key."""
        parted = (line.rpartition(" ") for line in self.evidence.splitlines())
        return {key: sha256 for key, _, sha256 in parted}


@once
def eligibility_of(session: Session, donors: Iterable[DonorRow]) -> Sequence[EligibilityRow]:
    """Every determination of some donors, oldest first."""
    of, ids = EligibilityRow, (donor.id for donor in donors)
    return rows_by(session, of, of.donor_id, ids, of.number)


def newest_eligibility(
    session: Session, donors: Iterable[DonorRow]
) -> Mapping[int, EligibilityRow]:
    """The determination that counts of each donor that has one, by donor id."""
    return {row.donor_id: row for row in eligibility_of(session, donors)}
