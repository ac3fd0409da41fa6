"""What a draft would do to every past lot: looked at, kept as a report, and signed as seen.

Nothing is changed by looking. A report that is kept holds every change with its reason, as data and
as a document; it is out of date as soon as another run is on record.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.orm import Session

from batchqc.actions.donors_today import study_donors
from batchqc.actions.permission import require
from batchqc.actions.run_validity import approved_methods, validity_of_lots
from batchqc.actions.specifications import content_of, the_version
from batchqc.core.canonical import Json, canonical_bytes, sha256_of
from batchqc.core.impact import Comparison, CriterionChange, LotImpact, Standing
from batchqc.core.impact_runs import usable_evidence
from batchqc.core.permissions import Permission
from batchqc.core.specifications import Specification
from batchqc.documents.archive import Archive
from batchqc.errors import InvalidInput
from batchqc.records.decisions import newest_dispositions
from batchqc.records.history import (
    basis_of_impact,
    evidence_of,
    lots_judged,
    runs_on_record,
    superseded_lots,
    typed_runs,
    versions_of,
)
from batchqc.records.investigations import folded, investigated_lots, investigations_of
from batchqc.records.methods import method_approvals
from batchqc.records.specifications import ImpactReport, SpecificationVersion, reports_of
from batchqc.records.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ChangedLot:
    """A lot of which a verdict would change."""

    lot: str
    manufactured_on: str
    disposition: str
    version: str
    donors: tuple[str, ...]
    impact: LotImpact


@dataclass(slots=True)
class Impact:
    """What a draft would do to the lots that were looked at.

    ``basis`` counts what it hangs on; all of it only grows, so other counts make it out of date.
    """

    specification: Specification
    runs: int
    basis: Mapping[str, int]
    since: str = ""
    until: str = ""
    lots: int = 0
    results: int = 0
    changed: list[ChangedLot] = field(default_factory=list)

    @property
    def flips(self) -> list[ChangedLot]:
        """The lots that would be judged differently as a whole."""
        return [one for one in self.changed if one.impact.flips]

    @property
    def by_criterion(self) -> list[tuple[str, str, str, int]]:
        """How many lots change for each criterion, from which verdict to which."""
        counted = Counter(
            (change.criterion, standing_text(change.before), standing_text(change.after))
            for one in self.changed
            for change in one.impact.changes
        )
        return [(*key, count) for key, count in sorted(counted.items())]

    @property
    def by_donor(self) -> list[tuple[str, int]]:
        """How many lots of each donor flip."""
        return sorted(Counter(code for one in self.flips for code in one.donors).items())


def assess_impact(
    session: Session,
    archive: Archive,
    *,
    draft: Specification,
    since: str = "",
    until: str = "",
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Impact:
    """Judge every past lot of the draft's product, stage and market by the draft as well.

    Args:
        session: only read.
        archive: where the versions stand that judged the lots.
        draft: what would judge them.
        since: the first date of manufacture, ISO 8601; "" is open.
        until: the last one.
        tell: is told how many lots are judged, of how many nobody knows yet (0).
    """
    found = Impact(draft, runs_on_record(session), basis_of_impact(session), since, until)
    key = SpecificationVersion(product=draft.product, stage=draft.stage.value, market=draft.market)
    methods = approved_methods(archive, method_approvals(session))
    typed = typed_runs(session)
    whole_lots = superseded_lots(session) | investigated_lots(session)
    references: dict[int, str] = {}
    comparisons: dict[int, Comparison] = {}
    for lots in lots_judged(session, key, since=since, until=until):
        ids = [lot.id for lot in lots]
        evidence = evidence_of(session, lots, stage=draft.stage.value, typed=typed)
        versions = versions_of(session, whole_lots.intersection(ids))
        taken = investigations_of(session, whole_lots.intersection(ids))
        donors = study_donors(session, ids)
        decided = newest_dispositions(session, ids)
        validity, of_lots = validity_of_lots(session, methods, ids)
        for lot in lots:
            if not lot.version and lot.id not in evidence:
                continue  # nothing judges the lot at this stage, and nothing was measured
            if lot.version not in comparisons:
                old, references[lot.version] = _judging(session, archive, lot.version, draft)
                comparisons[lot.version] = Comparison(old, draft)
            own = evidence.get(lot.id, {})
            usable = usable_evidence(own, validity) if validity else own
            impact = comparisons[lot.version].impact(
                usable,
                donors[lot.id],
                versions.get(lot.id, ()),
                of_lots.get(lot.id, {}),
                [folded(row, steps) for row, steps in taken if row.lot_id == lot.id],
            )
            found.lots += 1
            found.results += sum(map(len, own.values()))
            if impact is not None:
                codes = tuple(donor.code for donor in donors[lot.id])
                disposition = decided.get(lot.id, "quarantine")
                found.changed.append(
                    ChangedLot(
                        lot.lot, lot.manufactured_on, disposition, references[lot.version], codes,
                        impact,
                    )
                )  # fmt: skip
        tell(found.lots, 0)
    return found


def _judging(
    session: Session, archive: Archive, version: int, draft: Specification
) -> tuple[Specification, str]:
    """What judges a lot today, and its name; nothing, where the stage has no version yet."""
    if not version:
        return replace(draft, criteria=()), "none"
    row = session.get_one(SpecificationVersion, version)
    return content_of(archive, row), row.reference


def keep_impact(tx: Transaction, archive: Archive, *, fonts: Path, impact: Impact) -> ImpactReport:
    """Keep what was assessed of an imported version over all lots, for whoever approves it."""
    from batchqc.documents.impact_report import (  # noqa: PLC0415 - only who reports pays for it
        impact_document,
    )

    require(tx, Permission.REPORT_IMPACT)
    row = the_version(tx.session, impact.specification.id, impact.specification.version)
    if impact.since or impact.until or content_of(archive, row) != impact.specification:
        raise InvalidInput("BQC-SPC-017", "a report is kept of an imported version, over all lots")
    content = impact_content(impact) | {"sha256": row.sha256}
    tx.lock(f"impact of {row.key}")
    report = ImpactReport(
        specification_version=row,
        number=len(reports_of(tx.session, row)) + 1,
        content_sha=archive.put(canonical_bytes(content)),
        document_sha=archive.put(impact_document(impact_rows(impact), fonts, sha256_of(content))),
        runs=impact.runs, made_by=tx.actor.user_id, made_at=tx.now,
    )  # fmt: skip
    tx.add(report)
    tx.audit(
        "impact assessed",
        rows=[report],
        about=[row.key],
        after={"lots": impact.lots, "would flip": len(impact.flips)},
    )
    return report


def impact_content(impact: Impact) -> dict[str, Json]:
    """The report as data."""
    return {
        "type": "batchqc/impact/1",
        "specification": impact.specification.reference,
        "since": impact.since,
        "until": impact.until,
        "basis": dict(impact.basis),
        "lots": impact.lots,
        "results": impact.results,
        "flips": len(impact.flips),
        "changed": [
            {
                "lot": one.lot,
                "manufactured_on": one.manufactured_on,
                "disposition": one.disposition,
                "judged_by": one.version,
                "donors": list(one.donors),
                "before": one.impact.before.value,
                "after": one.impact.after.value,
                "criteria": [
                    [
                        change.criterion,
                        ", ".join(change.results),
                        standing_text(change.before),
                        standing_text(change.after),
                    ]
                    for change in one.impact.changes
                ],
            }
            for one in impact.changed
        ],
    }


def impact_rows(impact: Impact) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """The report as titled tables of text, the first row of each its header."""
    draft = impact.specification
    yield (
        f"{draft.reference}: what it would do to past lots",
        [
            ("Product", "Stage", "Market", "Made from", "Made until", "Assay runs on record"),
            (
                draft.product,
                draft.stage.value,
                draft.market or "every market",
                impact.since or "the first lot",
                impact.until or "the last lot",
                str(impact.runs),
            ),
        ],
    )
    yield (
        "In numbers",
        [
            ("Lots", "Results", "Lots that would flip", "Lots with another verdict"),
            (
                str(impact.lots),
                str(impact.results),
                str(len(impact.flips)),
                str(len(impact.changed)),
            ),
        ],
    )
    yield (
        "By criterion",
        [
            ("Criterion", "Was", "Would be", "Lots"),
            *((*names, str(count)) for *names, count in impact.by_criterion),
        ],
    )
    yield (
        "Lots that flip, by donor",
        [("Donor", "Lots"), *((code, str(count)) for code, count in impact.by_donor)],
    )
    yield (
        "Lots",
        [
            ("Lot", "Made", "Disposition", "Judged by", "Was", "Would be", "Because"),
            *(
                (
                    one.lot,
                    one.manufactured_on,
                    one.disposition,
                    one.version,
                    one.impact.before.value,
                    one.impact.after.value,
                    "; ".join(change_text(change) for change in one.impact.changes),
                )
                for one in impact.changed
            ),
        ],
    )


def standing_text(standing: Standing | None) -> str:
    """A standing in a word."""
    if standing is None:
        return "not in this version"
    return standing.outcome.value if standing.outcome else "for information"


def change_text(change: CriterionChange) -> str:
    """One change in words."""
    results = f" {', '.join(change.results)}" if change.results else ""
    stood, would = standing_text(change.before), standing_text(change.after)
    return f"{change.criterion}{results}: {stood} to {would}"
