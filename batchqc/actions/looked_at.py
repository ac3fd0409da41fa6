"""What is looked at beside a lot's results: holds, investigations, deviations, its origin."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donors_looked_at import DonorsLookedAt
from batchqc.actions.genealogy_gate import look_at_genealogy
from batchqc.actions.investigation_look import look_at_deviations, look_at_investigations
from batchqc.actions.kept import KeptRows
from batchqc.actions.trail import Subjects, entries_of
from batchqc.core.assays import Measurement
from batchqc.core.audit import break_after
from batchqc.core.audit_review import AFTER
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.conditional import is_awaited
from batchqc.core.failures import Failure
from batchqc.core.gates import Against
from batchqc.core.lot_review import lot_review_says
from batchqc.core.lots import Lot
from batchqc.core.policies import Policy, needs_qp
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.records.annex16 import LotCheck, certifications_of, checks_of
from batchqc.records.base import Row
from batchqc.records.conditional import conditional_sites, pending_results
from batchqc.records.decisions import dispositions_of
from batchqc.records.holds import HoldEnd, holds_of
from batchqc.records.investigations import Taken
from batchqc.records.laboratory import RULES
from batchqc.records.lot_reviews import (
    AuditReview,
    LotReview,
    audit_reviews_of,
    links_since_review,
    lot_reviews_of,
)
from batchqc.records.once import once
from batchqc.records.policies import POLICIES, policies_of, policy_rows
from batchqc.records.registers import DonorRow, LotRow, SampleRow
from batchqc.records.specifications import SpecificationVersion
from batchqc.records.uploads import AssayRun, Review


@dataclass(frozen=True, slots=True)
class SoFar:
    """A lot with what its results say; ``verdicts`` are those of every stage.

    ``failures`` are whatever fails of them, with the ``investigations`` of the lot; ``kept`` is
    what stands of it in the registers of the laboratory.
    """

    row: LotRow
    lot: Lot
    version: SpecificationVersion
    donor_rows: tuple[DonorRow, ...]
    sample_rows: tuple[SampleRow, ...]
    runs: tuple[AssayRun, ...]
    reviews: tuple[Review, ...]
    measurements: tuple[Measurement, ...]
    verdicts: tuple[Verdict, ...]
    now: datetime
    investigations: Sequence[Taken] = ()
    failures: tuple[Failure, ...] = ()
    kept: KeptRows = field(default_factory=KeptRows)


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What is said for and against a lot, the rows that it rests on, and what is wrong with them.

    The rows are compared with the audit trail; ``damaged`` is what that comparison cannot see,
    ``nodes`` the keys of what the lot comes from.
    """

    against: Against = field(default_factory=Against)
    rows: tuple[Row, ...] = ()
    damaged: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """Each of what is looked at; named as the facts of a lot name it."""

    holds: LookedAt
    lot_review: LookedAt
    audit_review: LookedAt
    chain: LookedAt
    annex16: LookedAt
    pending: LookedAt
    investigations: LookedAt
    deviations: LookedAt
    origin: LookedAt
    genealogy: LookedAt

    def __iter__(self) -> Iterator[LookedAt]:
        """Each of them."""
        return (getattr(self, one.name) for one in fields(self))

    @property
    def against(self) -> dict[str, Against]:
        """What each says, by its name."""
        return {one.name: getattr(self, one.name).against for one in fields(self)}


def look_beside(session: Session, archive: Archive, so_far: SoFar) -> Beside:
    """Look at everything that a decision rests on beside the results."""
    genealogy = LookedAt(*look_at_genealogy(session, so_far.row, so_far.lot, so_far.donor_rows))
    return Beside(
        holds=_holds(session, so_far),
        lot_review=_lot_review(session, so_far),
        audit_review=_audit_review(session, so_far, trail_subjects(so_far, genealogy)),
        chain=_chain(session),
        annex16=_annex16(session, so_far),
        pending=_pending(session, so_far),
        investigations=_investigations(archive, so_far),
        deviations=LookedAt(*look_at_deviations(session, so_far.row)),
        genealogy=genealogy,
        origin=_origin(session, so_far),
    )


def review_basis(so_far: SoFar) -> dict[str, Json]:
    """What QC reviews as a whole: every verdict, every run by hash, every review of a run."""
    return {
        "type": "batchqc/lot-review/1",
        "lot": so_far.row.key,
        "specification": {"id": so_far.version.reference, "sha256": so_far.version.sha256},
        "verdicts": [
            [one.criterion.id, one.outcome.value if one.outcome else None, one.sentence]
            for one in so_far.verdicts
        ],
        "runs": sorted([run.key, run.content_sha256] for run in so_far.runs),
        "reviews": sorted({one.signature.natural_key for one in so_far.reviews}),
    }


def trail_subjects(so_far: SoFar, genealogy: LookedAt) -> Subjects:
    """The records of a lot and its sources under which entries of the audit trail are filed."""
    uploads = {run.upload.key for run in so_far.runs}
    rows = (so_far.row, *so_far.sample_rows, *so_far.donor_rows)
    own = [*(row.key for row in rows), *sorted(uploads)]
    return Subjects(own, (*so_far.kept.keys, *genealogy.nodes))


def unbound(row: LotReview | AuditReview | LotCheck | HoldEnd) -> Iterator[str]:
    """Whether the signature under a review, or the end of a hold, belongs to something else."""
    signature = row.signature
    if signature.record_sha256 != row.content_sha or signature.sha256 != signature.signing.sha256:
        yield f"the signature {signature.natural_key} of {row.key} belongs to other content"


def _lot_review(session: Session, so_far: SoFar) -> LookedAt:
    """QC's newest review stands while what it was signed over stands."""
    reviews = lot_reviews_of(session, so_far.row)
    signed = [row for one in reviews for row in (one, one.signature)]
    damaged = [said for one in reviews for said in unbound(one)]
    basis, number = "", ""
    if reviews:
        basis, number = reviews[-1].basis_sha256, reviews[-1].signature.natural_key
    now = sha256_of(review_basis(so_far)) if reviews else ""
    return LookedAt(lot_review_says(basis, now, number), tuple(signed), tuple(damaged))


def _audit_review(session: Session, so_far: SoFar, subjects: Subjects) -> LookedAt:
    """QA's newest review stands while nothing new is told about the lot."""
    reviews = audit_reviews_of(session, so_far.row)
    if not reviews:
        return LookedAt(Against(("QA has not reviewed the audit trail of the lot",)))
    newest = reviews[-1]
    since = entries_of(
        session,
        subjects.with_own(RULES, POLICIES),
        after=newest.last,
        but={*AFTER, "lot registered"},
    )
    said = ", ".join(dict.fromkeys(entry.what for _, entry in since))
    number = newest.signature.natural_key
    stops = (
        (f"{len(since)} entries since QA reviewed the trail up to {newest.last}: {said}",)
        if since
        else ()
    )
    signed = [row for one in reviews for row in (one, one.signature)]
    damaged = [said for one in reviews for said in unbound(one)]
    return LookedAt(Against(stops, evidence=(number,)), tuple(signed), tuple(damaged))


@once
def _chain(session: Session) -> LookedAt:
    """The links of the audit trail from the newest head that QA signed to the end."""
    known, links = links_since_review(session)
    broken = break_after(links, known)
    return LookedAt(Against((broken,) if broken else ()))


def _annex16(session: Session, so_far: SoFar) -> LookedAt:
    """Whether step 1 of Annex 16 stands, where a qualified person certifies the lot."""
    policies = policy_rows(session)
    checks = checks_of(session, so_far.row)
    rows: list[Row] = [*policies, *(one.signature for one in policies)]
    rows += [*checks, *(one.signature for one in checks)]
    for certification, transfer in certifications_of(session, so_far.row):
        rows.append(certification)
        rows += [] if transfer is None else [transfer, transfer.signature]
    damaged = tuple(said for one in checks for said in unbound(one))
    if not needs_qp(policies_of(session)[Policy.QP_CERTIFIES], so_far.row.market):
        return LookedAt(Against(), tuple(rows), damaged)
    stops, trail = [], audit_reviews_of(session, so_far.row)[-1:]
    if not checks:
        stops = ["manufacture and testing have not been checked (Annex 16, step 1)"]
    elif checks[-1].basis_sha256 != sha256_of(review_basis(so_far)):
        stops = [f"the lot is no longer what was checked ({checks[-1].signature.natural_key})"]
    elif any(one.signature.at > checks[-1].signature.at for one in trail):
        stops = ["the audit trail was reviewed again since manufacture and testing were checked"]
    said = Against(tuple(stops), ("a qualified person certifies it",))
    return LookedAt(said, tuple(rows), damaged)


def _pending(session: Session, so_far: SoFar) -> LookedAt:
    """What is due under a conditional release; of what is judged by now nothing is said."""
    decisions = [row.id for row in dispositions_of(session, so_far.row)]
    if not decisions:
        return LookedAt()
    due = pending_results(session, decisions)
    judged = {one.criterion.id for one in so_far.verdicts if not is_awaited(one)}
    waiting = [one for one in due if one.criterion not in judged]
    remarks = tuple(f"the result of {one.criterion} is due until {one.due_on}" for one in waiting)
    return LookedAt(Against((), remarks), (*due, *conditional_sites(session, decisions)))


def _investigations(archive: Archive, so_far: SoFar) -> LookedAt:
    today = so_far.now.astimezone(ZoneInfo(so_far.row.site.time_zone)).date()
    return LookedAt(*look_at_investigations(archive, so_far.investigations, so_far.failures, today))


def _origin(session: Session, so_far: SoFar) -> LookedAt:
    """Donations, tests and consents of the lot's donors, and what was determined of them."""
    found = DonorsLookedAt(
        session,
        so_far.donor_rows,
        market=so_far.row.market,
        made_on=so_far.lot.manufactured_on,
        now=so_far.now,
    )
    return LookedAt(found.against, found.rows, tuple(found.damaged))


def _holds(session: Session, so_far: SoFar) -> LookedAt:
    """A lot is held by what has not ended."""
    found = holds_of(session, [so_far.row.id])
    still = [hold for hold, end in found if end is None]
    said = (
        f"held since {one.held_at:%Y-%m-%d} ({one.cause}, hold {one.number}): {one.reason}"
        for one in still
    )
    rows = [one for pair in found for one in pair if one is not None]
    signatures = [one.signature for one in rows if one.signature is not None]
    against = Against(tuple(said), evidence=tuple(one.key for one in still))
    ends = [end for _, end in found if end is not None and end.content_sha]
    damaged = tuple(said for one in ends for said in unbound(one))
    return LookedAt(against, (*rows, *signatures), damaged)
