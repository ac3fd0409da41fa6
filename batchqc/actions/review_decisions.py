"""What was decided over the lots of a product within a period, corrected, and certified.

Every event of the period counts, whenever its lot was made.
"""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.review_tables import Days, table
from batchqc.core.canonical import Json
from batchqc.core.lot_states import Disposition
from batchqc.records.conditional import CertificateWithdrawal
from batchqc.records.corrections import Correction, decision_on
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.donations import Consent, Donation, DonorTest
from batchqc.records.registers import DonorRow, LotDonor, LotRow, Product, SampleRow

_WHEN = "of every lot of the product, within the period"


def decision_tables(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    """Decisions, corrections and certificates."""
    for part in (_decisions, _corrections, _certificates):
        yield from part(session, product, days)


def _decisions(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    query = (
        select(DispositionRow)
        .join(LotRow)
        .where(
            LotRow.product_id == product.id,
            DispositionRow.decided_at >= days.begins,
            DispositionRow.decided_at < days.ends,
        )
        .order_by(DispositionRow.id)
    )
    rows = session.scalars(query).all()
    counted = Counter(row.disposition for row in rows)
    yield table(
        "decisions_counted", "Decisions, counted", ("Decision", "Decisions", "Lots"),
        (
            (one.value, counted[one.value], len({row.lot_id for row in rows
                                                 if row.disposition == one.value}))
            for one in Disposition if one is not Disposition.QUARANTINE
        ),
        note=f"Signed decisions {_WHEN}.", numbers=2,
    )  # fmt: skip
    yield table(
        "decisions", "Decisions", ("Lot", "Decision", "Decided on", "Signature", "Reason"),
        ((row.lot.lot, row.disposition, days.day(row.decided_at), row.signature.natural_key,
          row.reason) for row in rows),
        note=f"Signed decisions {_WHEN}.",
    )  # fmt: skip


def _corrections(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    rows = session.scalars(
        select(Correction)
        .where(Correction.requested_at >= days.begins, Correction.requested_at < days.ends)
        .order_by(Correction.id)
    ).all()
    own = _keys_of(session, product) if rows else frozenset()
    decided = {row.id: decision_on(session, row) for row in rows}
    yield table(
        "corrections", "Corrections of registrations",
        ("Correction", "Record", "Field", "Before", "After", "Decision", "Reason"),
        ((row.natural_key, row.subject, row.field, row.before, row.after,
          _answer(None if one is None else one.approved), row.reason)
         for row in rows if row.subject in own for one in [decided[row.id]]),
        note="Asked for within the period, of lots and samples of the product, and of its donors"
        " with their donations, tests and consents.",
    )  # fmt: skip


def _keys_of(session: Session, product: Product) -> frozenset[str]:
    """The keys of the lots of a product, of their samples, and of their donors with what is theirs.

    Of donors that are donations, tests and consents: a corrected test decides who is eligible.
    """
    lots = select(LotRow.lot).where(LotRow.product_id == product.id)
    samples = select(SampleRow.sample).join(LotRow).where(LotRow.product_id == product.id)
    used = select(LotDonor.donor_id).join(LotRow).where(LotRow.product_id == product.id)
    tests = select(Donation.donation, DonorTest.number).join(
        Donation, Donation.id == DonorTest.donation_id
    )
    consents = select(DonorRow.code, Consent.number).join(DonorRow, DonorRow.id == Consent.donor_id)
    queries = (
        (LotRow.__tablename__, lots),
        (SampleRow.__tablename__, samples),
        (DonorRow.__tablename__, select(DonorRow.code).where(DonorRow.id.in_(used))),
        (Donation.__tablename__, select(Donation.donation).where(Donation.donor_id.in_(used))),
        (DonorTest.__tablename__, tests.where(Donation.donor_id.in_(used))),
        (Consent.__tablename__, consents.where(DonorRow.id.in_(used))),
    )
    return frozenset(
        f"{kind}:{'/'.join(map(str, parts))}"
        for kind, query in queries
        for parts in session.execute(query)
    )


def _answer(approved: int | None) -> str:
    if approved is None:
        return "waits"
    return "approved" if approved else "refused"


def _certificates(session: Session, product: Product, days: Days) -> Iterator[dict[str, Json]]:
    own = select(Certificate).join(LotRow, LotRow.id == Certificate.lot_id)
    own = own.where(LotRow.product_id == product.id)
    given = session.scalars(
        own.where(Certificate.reserved_at >= days.begins, Certificate.reserved_at < days.ends)
        .order_by(Certificate.id)
    ).all()  # fmt: skip
    withdrawn = session.scalars(
        select(CertificateWithdrawal)
        .join(Certificate)
        .join(LotRow, LotRow.id == Certificate.lot_id)
        .where(
            LotRow.product_id == product.id,
            CertificateWithdrawal.withdrawn_at >= days.begins,
            CertificateWithdrawal.withdrawn_at < days.ends,
        )
        .order_by(CertificateWithdrawal.id)
    ).all()
    again = [row for row in given if row.supersedes is not None]
    yield table(
        "certificates_counted", "Certificates, counted", ("What", "Certificates"),
        (("numbered", len(given)), ("superseding an earlier one", len(again)),
         ("withdrawn", len(withdrawn))),
        note=f"Certificates {_WHEN}.", numbers=1,
    )  # fmt: skip
    yield table(
        "amendments", "Superseding and withdrawn certificates",
        ("Certificate", "Lot", "What", "On", "Reason"),
        (
            *((row.natural_key, row.lot.lot, f"supersedes {row.supersedes.natural_key}",
               days.day(row.reserved_at), row.disposition.reason)
              for row in again if row.supersedes is not None),
            *((row.certificate.natural_key, row.certificate.lot.lot, "withdrawn",
               days.day(row.withdrawn_at), row.reason) for row in withdrawn),
        ),
        note=f"Certificates {_WHEN}.",
    )  # fmt: skip
