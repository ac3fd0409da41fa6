"""Whether the runs on record are valid, by the method versions that are approved."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.methods import method_content
from batchqc.actions.setup import own_site
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.canonical import sha256_of
from batchqc.core.methods import Method
from batchqc.core.runs import RunValidity, Validity, assess_runs, standing_of_runs
from batchqc.documents.archive import Archive
from batchqc.errors import IntegrityFailure
from batchqc.records.base import Row
from batchqc.records.methods import (
    MethodApproval,
    method_approvals,
    runs_by_method,
    versions_of_methods,
    with_siblings,
)
from batchqc.records.potency import PotencyFit, newest_fits
from batchqc.records.uploads import (
    AssayRun,
    measurement_content,
    measurements_of,
    runs_by_id,
    supersedings_of,
)

RUNS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RunsLookedAt:
    """The validity of some runs, and all that it rests on.

    ``codes`` are the methods in them, ``methods`` the approved versions of these, ``rows`` the
    records behind both, ``damaged`` what of them is not as it was recorded.
    """

    validity: dict[RunKey, RunValidity]
    codes: frozenset[str]
    methods: tuple[Method, ...] = ()
    rows: tuple[Row, ...] = ()
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MethodRuns:
    """How many runs of a method are on record, and those that are not valid."""

    method: str
    runs: int
    not_valid: tuple[RunValidity, ...]

    @property
    def invalid(self) -> int:
        """How many are invalid."""
        return sum(one.validity is Validity.INVALID for one in self.not_valid)

    @property
    def not_known(self) -> int:
        """How many are not known to be valid."""
        return len(self.not_valid) - self.invalid


def look_at_runs(
    session: Session,
    archive: Archive,
    *,
    runs: Sequence[AssayRun],
    measurements: Sequence[Measurement],
    zone: ZoneInfo,
) -> RunsLookedAt:
    """The validity of a lot's runs, with the rows that other lots have in them."""
    codes = frozenset(one.method for one in measurements)
    versions = versions_of_methods(session, codes)
    approvals = method_approvals(session, codes)
    if not approvals:
        return RunsLookedAt({}, codes, rows=tuple(versions))
    methods = approved_methods(archive, approvals)
    whole = with_siblings(session, runs)
    siblings = [one for one in whole if one not in runs]
    others = list(measurements_of(session, siblings))
    return RunsLookedAt(
        validity=assess_runs([*measurements, *others], methods, zone),
        codes=codes,
        methods=methods,
        rows=(
            *versions,
            *(row for one in approvals for row in (one, one.signature)),
            *siblings,
            *supersedings_of(session, siblings),
        ),
        damaged=(*_damaged(approvals, methods), *damaged_siblings(siblings, others)),
    )


def approved_methods(archive: Archive, approvals: Sequence[MethodApproval]) -> tuple[Method, ...]:
    """The content of every approved version; one that cannot be read says so."""
    return tuple(_method(archive, one) for one in approvals)


def validity_of_lots(
    session: Session, methods: Sequence[Method], lots: Sequence[int]
) -> tuple[dict[int, Validity], dict[int, dict[RunKey, RunValidity]]]:
    """How every run with criteria counts, by its surrogate id; and the validity of each lot's."""
    if not methods:
        return {}, {}
    codes = {one.id for one in methods}
    runs = runs_by_id(session, runs_by_method(session, codes, lots=lots))
    found = _assessed(session, methods, runs)
    by_lot: dict[int, list[AssayRun]] = {}
    for run in runs:
        if run.run_key in found:
            by_lot.setdefault(run.lot_id, []).append(run)
    standing: dict[int, Validity] = {}
    whole: dict[int, dict[RunKey, RunValidity]] = {}
    for lot, own in by_lot.items():
        whole[lot] = {run.run_key: found[run.run_key] for run in own}
        of_lot = standing_of_runs(whole[lot])
        standing |= {run.id: of_lot[run.run_key] for run in own}
    return standing, whole


def count_runs(session: Session, archive: Archive) -> tuple[MethodRuns, ...]:
    """The runs of every method with an approved version (requirement 3.15)."""
    methods = approved_methods(archive, method_approvals(session))
    return tuple(_counted(session, methods, code) for code in sorted({one.id for one in methods}))


def _counted(session: Session, methods: Sequence[Method], code: str) -> MethodRuns:
    ids = runs_by_method(session, [code])
    found: dict[RunKey, RunValidity] = {}
    for start in range(0, len(ids), RUNS_AT_ONCE):
        runs = runs_by_id(session, ids[start : start + RUNS_AT_ONCE])
        assessed = _assessed(session, methods, runs)
        assessed |= unsuitable(assessed, newest_fits(session, [run.id for run in runs]).values())
        found |= {run.run_key: assessed[run.run_key] for run in runs if run.run_key in assessed}
    others = [one for one in found.values() if one.validity is not Validity.VALID]
    return MethodRuns(code, len(found), tuple(sorted(others, key=str)))


def unsuitable(
    validity: Mapping[RunKey, RunValidity], fits: Iterable[PotencyFit]
) -> dict[RunKey, RunValidity]:
    """The runs with wells that are invalid because their newest fit may not be declared."""
    found = {}
    for fit in fits:
        run = fit.assay_run.run_key
        if run in validity and not fit.reportable:
            reasons = tuple(f"{fit.public}: {one}" for one in json.loads(fit.reasons))
            found[run] = replace(validity[run], validity=Validity.INVALID, reasons=reasons)
    return found


def _assessed(
    session: Session, methods: Sequence[Method], runs: Sequence[AssayRun]
) -> dict[RunKey, RunValidity]:
    whole = with_siblings(session, runs)
    zone = ZoneInfo(own_site(session).time_zone)
    return assess_runs(measurements_of(session, whole), methods, zone)


def _method(archive: Archive, approval: MethodApproval) -> Method:
    row = approval.method_version
    try:
        return method_content(archive, row)
    except IntegrityFailure as failure:
        day = date.fromisoformat(row.effective)
        why = f"{row.reference} cannot be read: {failure.message}"
        return Method(row.method, row.version, row.title, day, (), row.sha256, damage=why)


def _damaged(approvals: Sequence[MethodApproval], methods: Sequence[Method]) -> Iterator[str]:
    yield from (one.damage for one in methods if one.damage)
    for one in approvals:
        row, signature = one.method_version, one.signature
        signed = (signature.record, signature.record_sha256, signature.sha256)
        if signed != (row.key, row.sha256, signature.signing.sha256):
            yield f"the approval of {row.reference} was signed over other bytes"


def damaged_siblings(
    siblings: Sequence[AssayRun], measurements: Sequence[Measurement]
) -> Iterator[str]:
    """What other lots have in the runs of a lot, and is not what was uploaded."""
    for run in siblings:
        lot = getattr(run.lot, "lot", "")
        own = [one for one in measurements if one.run == run.run_key and one.lot == lot]
        if sha256_of(measurement_content(own)) != run.measurements_sha256:
            yield f"the measurements of {run.run_key} of {lot} are not those that were uploaded"
