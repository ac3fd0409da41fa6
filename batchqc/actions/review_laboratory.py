"""What the laboratory did for a product: runs, retests, missing and late results, what it used."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from batchqc.actions.other_stages import readable
from batchqc.actions.review_lots import LOTS_AT_ONCE, ReviewedLots
from batchqc.actions.review_tables import Days, table
from batchqc.actions.run_validity import approved_methods, validity_of_lots
from batchqc.core.canonical import Json
from batchqc.core.genealogy import Direction
from batchqc.core.investigations import attributes_of
from batchqc.core.runs import Validity
from batchqc.core.subjects import Measured
from batchqc.documents.archive import Archive
from batchqc.records.bindings import binding_of
from batchqc.records.cell_banks import CellBank
from batchqc.records.conditional import PendingResult
from batchqc.records.corrections import corrections_of
from batchqc.records.decisions import DispositionRow
from batchqc.records.genealogy import walk
from batchqc.records.methods import method_approvals
from batchqc.records.potency import newest_fits
from batchqc.records.registers import LotRow, Product
from batchqc.records.specifications import approved_by_stage, markets_of
from batchqc.records.uploads import AssayRun, MeasurementRow, Upload


def run_tables(
    session: Session, archive: Archive, product: Product, days: Days
) -> Iterator[dict[str, Json]]:
    """Runs by test and method with their validity, and retests by test."""
    query = (
        select(AssayRun.id, AssayRun.lot_id, AssayRun.test, Upload.retest, MeasurementRow.method)
        .join(Upload, Upload.id == AssayRun.upload_id)
        .join(LotRow, LotRow.id == AssayRun.lot_id)
        .join(MeasurementRow, MeasurementRow.assay_run_id == AssayRun.id)
        .where(
            LotRow.product_id == product.id,
            Upload.received_at >= days.begins,
            Upload.received_at < days.ends,
        )
        .distinct()
        .order_by(AssayRun.id)
    )
    found = session.execute(query).all()
    standing = _standing(session, archive, sorted({row.lot_id for row in found}))
    counted: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    retests: dict[str, set[int]] = defaultdict(set)
    under: dict[str, set[str]] = defaultdict(set)
    for row in found:
        validity = standing.get(row.id)
        counted[row.test, row.method].update(["runs", validity.value if validity else "none"])
        if row.retest:
            retests[row.test].add(row.id)
            under[row.test].add(row.retest)
    shown = ("runs", Validity.VALID.value, Validity.INVALID.value, Validity.NOT_KNOWN.value, "none")
    yield table(
        "runs", "Assay runs, by test and method",
        ("Test", "Method", "Runs", "Valid", "Invalid", "Not known", "Without criteria"),
        ((*names, *(counts[one] for one in shown)) for names, counts in sorted(counted.items())),
        note="A run counts once for each lot in it. Received within the period, for lots of the"
        " product whenever made.", numbers=5,
    )  # fmt: skip
    yield table(
        "retests", "Retests, by test", ("Test", "Under investigations", "Investigations", "Runs"),
        ((test, ", ".join(sorted(under[test])), len(under[test]), len(runs))
         for test, runs in sorted(retests.items())),
        note="Received within the period under approved retest plans.", numbers=2,
    )  # fmt: skip


def _standing(session: Session, archive: Archive, lots: list[int]) -> dict[int, Validity]:
    """How each run counts; one of which the newest fit may not be declared is invalid."""
    methods = approved_methods(archive, method_approvals(session))
    found: dict[int, Validity] = {}
    for start in range(0, len(lots), LOTS_AT_ONCE):
        some = validity_of_lots(session, methods, lots[start : start + LOTS_AT_ONCE])[0]
        fits = newest_fits(session, some)
        found |= some
        found |= {run: Validity.INVALID for run in fits if not fits[run].reportable and run in some}
    return found


def result_tables(
    session: Session, archive: Archive, product: Product, days: Days, lots: ReviewedLots
) -> Iterator[dict[str, Json]]:
    """Verdicts by attribute; missing results, and late ones; what the registers say."""
    counted: dict[tuple[str, str, str, str], Counter[str]] = {}
    missing = []
    for lot in lots.lots:
        for version, verdict in lot.judged:
            one = verdict.criterion  # several may have one title
            name = (version.stage, version.reference, one.title, one.id)
            outcome = verdict.outcome.value if verdict.outcome else "for information"
            outcome = "missing" if verdict.missing else outcome
            counted.setdefault(name, Counter()).update([outcome])
            if verdict.missing and verdict.criterion.required:
                missing.append((lot.row.lot, lot.disposition, version.stage,
                                verdict.criterion.title, version.reference))  # fmt: skip
    shown = ("PASS", "FAIL", "CANNOT_JUDGE", "missing", "for information")
    yield table(
        "verdicts", "Verdicts, by attribute",
        ("Stage", "Specification", "Attribute", "Pass", "Fail", "Cannot judge", "Missing",
         "Information"),
        ((*name[:2], _told_apart(name, counted), *(counts[one] for one in shown))
         for name, counts in counted.items()),
        note="Of lots made within the period, by the specification that judges each.", numbers=5,
    )  # fmt: skip
    yield table(
        "missing", "Missing results", ("Lot", "Disposition", "Stage", "Attribute", "Specification"),
        missing, note="Required, and not on record, of lots made within the period.",
    )  # fmt: skip
    yield from _late(session, archive, product, days)
    yield table(
        "registers", "Exceptions of the registers", ("What they say", "What it is to the lots"),
        sorted(lots.registers),
        note="Instruments, training, method versions, materials and contract laboratories, for lots"
        " made within the period; a register whose rule is off says nothing.",
    )  # fmt: skip


def _told_apart(name: tuple[str, str, str, str], among: Iterable[tuple[str, str, str, str]]) -> str:
    """The title of a criterion, with its id where another one of the version has it too."""
    is_alone = sum(one[:3] == name[:3] for one in among) == 1
    return name[2] if is_alone else f"{name[2]} ({name[3]})"


def _late(
    session: Session, archive: Archive, product: Product, days: Days
) -> Iterator[dict[str, Json]]:
    """Results that a conditional release waited for, due within the period."""
    rows = session.scalars(
        select(PendingResult)
        .join(DispositionRow, DispositionRow.id == PendingResult.disposition_id)
        .join(LotRow, LotRow.id == DispositionRow.lot_id)
        .where(
            LotRow.product_id == product.id,
            PendingResult.due_on >= days.period.first.isoformat(),
            PendingResult.due_on <= days.period.last.isoformat(),
        )
        .order_by(PendingResult.id)
    ).all()
    yield table(
        "pending", "Results that a conditional release waited for",
        ("Lot", "Criterion", "Due on", "First result after the release"),
        ((row.disposition.lot.lot, row.criterion, row.due_on, _came(session, archive, row, days))
         for row in rows),
        note="Due within the period.",
    )  # fmt: skip


def _came(session: Session, archive: Archive, row: PendingResult, days: Days) -> str:
    """When the first run came in after the decision that holds what the criterion hangs on."""
    decided, lot = row.disposition, row.disposition.lot
    version = binding_of(session, lot, corrections_of(session, [lot.key])).versions[0]
    specification, _ = readable(archive, version)
    own = (
        [one for one in specification.criteria if one.id == row.criterion] if specification else []
    )
    if specification is None or not own:
        return "not known: the specification cannot be read"
    measured = [
        and_(AssayRun.test == test, MeasurementRow.analyte == analyte)
        for _, test, analyte in attributes_of(specification, own[0])
    ]
    first = session.scalar(
        select(Upload.received_at)
        .join(AssayRun, AssayRun.upload_id == Upload.id)
        .join(MeasurementRow, MeasurementRow.assay_run_id == AssayRun.id)
        .where(AssayRun.lot_id == lot.id, Upload.received_at > decided.decided_at, or_(*measured))
        .order_by(Upload.id)
        .limit(1)
    )
    if first is None:
        return "none"
    day = days.day(first)
    return f"{day}, late" if day > date.fromisoformat(row.due_on) else str(day)


def source_tables(session: Session, lots: ReviewedLots) -> Iterator[dict[str, Json]]:
    """Donors and banks of the lots that were made within the period."""
    used = Counter(
        (one.code, one.tissue_source, one.eligibility or "not determined")
        for lot in lots.lots
        for one in lot.donors
    )
    yield table(
        "donors", "Donors", ("Donor", "Tissue source", "Eligibility", "Lots"),
        ((*donor, count) for donor, count in sorted(used.items())),
        note="Of lots made within the period; a pooled lot counts for each of its donors.",
        numbers=1,
    )  # fmt: skip
    start = {lot.row.key: lot.row for lot in lots.lots}
    graph = walk(session, start, Direction.BACK)
    parents: dict[str, list[str]] = defaultdict(list)
    for edge in graph.edges:
        parents[edge.child].append(edge.parent)
    reached = Counter(key for lot in start for key in _ancestors(lot, parents))
    banks = [one for one in graph.nodes.values() if isinstance(one, CellBank)]
    yield table(
        "banks", "Cell banks", ("Bank", "Kind", "Made on", "Passage", "Lots"),
        ((one.bank, one.kind, one.made_on, one.passage, reached[one.key])
         for one in sorted(banks, key=lambda one: one.folded)),
        note="That lots made within the period come from, through other banks too.", numbers=2,
    )  # fmt: skip


def _ancestors(node: str, parents: dict[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        new = set(parents.get(waiting.pop(), ())) - seen
        seen |= new
        waiting += new
    return seen


def version_tables(
    session: Session, product: Product, days: Days, lots: ReviewedLots
) -> Iterator[dict[str, Json]]:
    """Versions of specifications and methods that were in force, with their days."""
    period = days.period
    markets = {"", *markets_of(session, product.code)}
    rows = []
    stages = approved_by_stage(session, product=product.code, markets=markets)
    for stage, by_market in sorted(stages.items()):
        for market, approved in sorted(by_market.items()):
            starts = [one.effective for one in approved]
            for number, one in enumerate(approved):
                ends = [*starts[number + 1 : number + 2], *filter(None, [one.withdrawn_from])]
                end = min(ends, default=None)
                if period.covers(one.effective, end):
                    rows.append((one.version.reference, stage, market or "every market",
                                 one.effective, end or "in force"))  # fmt: skip
    yield table(
        "specifications", "Specifications in force",
        ("Version", "Stage", "Market", "From", "Until the day before"), rows,
        note="For lots made within the period.",
    )  # fmt: skip
    yield table(
        "methods", "Methods in force", ("Version", "Title", "From", "Until the day before"),
        _methods(session, days, _codes(lots)),
        note="With an approved document; of those that judge lots made within the period.",
    )  # fmt: skip


def _codes(lots: ReviewedLots) -> set[str]:
    return {
        verdict.criterion.subject.method
        for lot in lots.lots
        for _, verdict in lot.judged
        if isinstance(verdict.criterion.subject, Measured)
    }


def _methods(session: Session, days: Days, codes: Iterable[str]) -> Iterator[tuple[object, ...]]:
    rows = [one.method_version for one in method_approvals(session, codes)]
    for number, row in enumerate(rows):
        later = [one.effective for one in rows[number + 1 :] if one.method == row.method]
        end = date.fromisoformat(later[0]) if later else None
        if days.period.covers(date.fromisoformat(row.effective), end):
            yield row.reference, row.title, row.effective, end or "in force"
