"""Who stands behind each assay run of a lot, and whether what they signed is still what it was."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from batchqc.core.assays import Measurement, RunKey
from batchqc.core.canonical import Json, sha256_of
from batchqc.core.dispositions import RunFacts
from batchqc.records.base import Row
from batchqc.records.corrections import CorrectionDecision
from batchqc.records.decisions import DispositionRow
from batchqc.records.entries import EntryVerification
from batchqc.records.uploads import AssayRun, Review, measurement_content

Signed = Review | EntryVerification | DispositionRow | CorrectionDecision


def run_facts(
    runs: Iterable[AssayRun],
    reviews: Iterable[Review],
    verified: Mapping[int, EntryVerification],
) -> Iterator[RunFacts]:
    """Who entered, measured, verified and reviewed each run; ``verified`` is by upload."""
    by_run: dict[int, list[Review]] = {}
    for review in reviews:
        by_run.setdefault(review.assay_run_id, []).append(review)
    for run in runs:
        second = verified.get(run.upload_id)
        yield RunFacts(
            key=run.run_key,
            uploaded_by=run.upload.uploaded_by,
            analysts=frozenset(run.analysts.splitlines()),
            reviewed_by=frozenset(one.signature.person.user_id for one in by_run.get(run.id, ())),
            verified_by=second.signature.person.user_id if second else "",
        )


def reviewed_runs(runs: Iterable[AssayRun]) -> dict[str, Json]:
    """What the signature of a review binds: every run with the hash of its content."""
    content = [[run.key, run.content_sha256] for run in sorted(runs, key=lambda run: run.key)]
    return {"type": "batchqc/review/1", "runs": content}


def review_content(runs: Iterable[AssayRun]) -> str:
    """The hash of what the signature of a review binds."""
    return sha256_of(reviewed_runs(runs))


def run_damage(
    runs: Sequence[AssayRun], measurements: Sequence[Measurement], reviews: Sequence[Review]
) -> Iterator[str]:
    """Measurements and reviews of the lot that the hashes over them do not match."""
    by_run: dict[RunKey, list[Measurement]] = {}
    for one in measurements:
        by_run.setdefault(one.run, []).append(one)
    for run in runs:
        own = by_run.get(run.run_key, [])
        if sha256_of(measurement_content(own)) != run.measurements_sha256:
            yield f"the measurements of {run.run_key} are not those that were uploaded"
    by_signature: dict[int, list[AssayRun]] = {}
    for review in reviews:
        by_signature.setdefault(review.signature_id, []).append(review.assay_run)
    for review in {review.signature_id: review for review in reviews}.values():
        signature = review.signature
        signed = review_content(by_signature[review.signature_id])
        if signature.record_sha256 != signed or signature.sha256 != signature.signing.sha256:
            yield f"the review signature {signature.natural_key} belongs to other content"


def signed_rows(*kinds: Iterable[Signed | None]) -> Iterator[Row]:
    """Rows that are signed, with their signatures."""
    for one in chain.from_iterable(kinds):
        if one is not None:
            yield one
            yield one.signature
