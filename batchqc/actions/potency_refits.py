"""Fits made anew from the same wells, and several fits combined; nothing is written."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from batchqc.actions.potency import compute, fit_result, plate_of
from batchqc.core.potency import PotencyAnalysis
from batchqc.core.potency_outcomes import differences
from batchqc.documents.archive import Archive
from batchqc.records.potency import PotencyDeclaration, PotencyFit, sources_of


def combined(analysis: PotencyAnalysis, fits: Sequence[PotencyFit]) -> Mapping[str, str]:
    """Value, interval and standard error of the reportable value of some fits, as texts."""
    from batchqc.statistics.plate_runs import combine_fits  # noqa: PLC0415 - loads scipy

    return combine_fits(analysis, [fit_result(one)["numbers"] for one in fits])


def refit(session: Session, archive: Archive, fit: PotencyFit) -> tuple[str, ...]:
    """What differs when the wells of a fit are fitted anew; nothing is changed.

    Numbers are compared within the relative tolerance of the method, all else must be the same.
    """
    plate = plate_of(session, archive, fit.assay_run)
    if plate.version.sha256 != fit.method_version.sha256:
        return (
            f"{fit.public} was by {fit.method_version.reference}, now {plate.method.reference}",
        )
    found = compute(plate, fit.sample.sample)
    said = []
    if found.wells_sha256 != fit.wells_sha256:
        said.append("the wells are not those that were fitted")
    before, after = fit_result(fit), found.result
    for part in ("numbers", "facts"):
        old, new = before.get(part, {}), after.get(part, {})
        if isinstance(new, dict):
            now = {name: str(one) for name, one in new.items()}
            said += differences(old, now, plate.analysis.tolerance)
    if before.get("reported", "") != after.get("reported", ""):
        said.append(f"reported: {before.get('reported')} before, {after.get('reported')} now")
    by = "" if found.software == fit.software else f" ({fit.software}; now {found.software})"
    return tuple(f"{fit.public}: {one}{by}" for one in said)


def refit_declaration(
    session: Session, archive: Archive, declaration: PotencyDeclaration
) -> tuple[str, ...]:
    """What differs when every fit under a declaration is made anew; its value never changes."""
    sources = sources_of(session, [declaration])
    return tuple(said for one in sources for said in refit(session, archive, one.potency_fit))
