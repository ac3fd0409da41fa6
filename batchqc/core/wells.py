"""Wells of a plate, as the rows of an assay run hold them, checked against a potency analysis.

A well is a row that is not reportable: ``raw`` of the sample, ``standard`` of the reference,
``control`` of a control preparation, ``blank``. Its value is the response; its aliquot says where
it stands and what is in it: ``plate=P1;well=B02;dose=30``. Nothing is guessed and no well is left
out: whatever is not as the analysis asks is a problem, and all problems are told at once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from batchqc.core.assays import CONTROL, INVESTIGATIONAL, REPORTABLE, Measurement
from batchqc.core.identifiers import fold
from batchqc.core.potency import Model, PotencyAnalysis
from batchqc.core.quantities import parse_amount
from batchqc.core.units import canonical_unit

STANDARD: Final = "standard"
BLANK: Final = "blank"
RAW: Final = "raw"
_NUMBERS: Final = ("dose", "size", "dilution", "cells", "volume", "hours")
_NAMES: Final = ("plate", "well", "preparation")
KEYS: Final = (*_NAMES, *_NUMBERS)
_EXAMPLE: Final = "Write it as plate=P1;well=B02;dose=30."


@dataclass(frozen=True, slots=True)
class Well:
    """One well. ``preparation`` is "" for the sample; ``more`` are its other numbers by key."""

    kind: str
    preparation: str
    plate: str
    well: str
    dose: Decimal | None
    response: Decimal
    more: Mapping[str, Decimal]
    row: Measurement


class WellProblem(NamedTuple):
    """What is wrong, in which row (``None``: of the whole run) and column, and what to do."""

    row: Measurement | None
    column: str
    said: str
    todo: str


@dataclass(frozen=True, slots=True)
class Wells:
    """The wells of one sample of a run, with those of reference and controls; or problems."""

    wells: tuple[Well, ...]
    problems: tuple[WellProblem, ...]


def is_well(one: Measurement, analysis: PotencyAnalysis) -> bool:
    """Whether a row holds a well of an analysis."""
    return one.analyte == analysis.readout and one.result_type not in {REPORTABLE, INVESTIGATIONAL}


def read_wells(
    rows: Iterable[Measurement], analysis: PotencyAnalysis, *, sample: str = ""
) -> Wells:
    """The wells of a run.

    Args:
        rows: every row of the run, of all lots in it.
        analysis: of the method.
        sample: whose raw wells are wanted; "" is every sample, for a check of a whole file.
    """
    own = [one for one in rows if is_well(one, analysis)]
    wanted = [
        one
        for one in own
        if one.result_type != RAW or not sample or fold(one.sample) == fold(sample)
    ]
    problems: list[WellProblem] = []
    read = (_well(one, analysis, problems) for one in wanted)
    wells = tuple(one for one in read if one is not None)
    problems += _places(wells)
    if not problems:  # a plate with a damaged row would seem to have gaps
        problems += _layout(wells, analysis)
    return Wells(() if problems else wells, tuple(problems))


def _well(one: Measurement, analysis: PotencyAnalysis, problems: list[WellProblem]) -> Well | None:
    found, said = _cell(one.aliquot)
    wrong = [WellProblem(one, "aliquot", each, _EXAMPLE) for each in said]
    response = one.amount
    if response is None or response.is_censored:
        text = f'"{one.text}" is no response: a well holds a plain number'
        wrong.append(WellProblem(one, "value", text, "Enter the response as it was read."))
    if canonical_unit(one.unit) != canonical_unit(analysis.readout_unit):
        text = f'unit "{one.unit}"; the method reads "{analysis.readout_unit}"'
        wrong.append(WellProblem(one, "unit", text, "Export the readout of the method."))
    numbers = {key: parse_amount(found[key]) for key in _NUMBERS if key in found}
    for key, amount in numbers.items():
        if amount is None or amount.is_censored or amount.number < 0:
            text = f"{key}={found[key]} is not a number of 0 or more"
            wrong.append(WellProblem(one, "aliquot", text, _EXAMPLE))
    wrong += [
        WellProblem(one, "aliquot", text, _EXAMPLE) for text in _lacking(one, found, analysis)
    ]
    problems += wrong
    if wrong or response is None:
        return None
    more = {str(key): amount.number for key, amount in numbers.items() if amount is not None}
    dose = more.pop("dose", None)
    return Well(
        one.result_type, found.get("preparation", ""), found["plate"], found["well"], dose,
        response.number, more, one,
    )  # fmt: skip


def _cell(text: str) -> tuple[dict[str, str], list[str]]:
    """What an aliquot cell says by key, and what is wrong with it."""
    found: dict[str, str] = {}
    said = []
    for part in text.split(";"):
        key, mark, value = (piece.strip() for piece in part.partition("="))
        if not (mark and value) or key not in KEYS:
            said.append(f'"{part.strip()}" is none of {", ".join(f"{one}=…" for one in KEYS)}')
        elif key in found:
            said.append(f"{key} stands twice")
        else:
            found[key] = value
    return found, said


def _lacking(
    one: Measurement, found: Mapping[str, str], analysis: PotencyAnalysis
) -> Iterable[str]:
    """What the cell of a well must say, and does not, or may not say."""
    yield from (f"{key}= is missing" for key in _needed(one, analysis) if key not in found)
    name = found.get("preparation", "")
    is_reference = fold(name) == fold(analysis.reference)
    if one.result_type == STANDARD and name and not is_reference:
        yield f"preparation={name} is not the reference {analysis.reference} of the method"
    elif one.result_type != STANDARD and is_reference:
        yield f"preparation={name} is the reference, and the row is of type {one.result_type}"
    elif one.result_type == RAW and name:
        yield f"preparation={name}: a row of type raw is of its sample, and names none"


def _needed(one: Measurement, analysis: PotencyAnalysis) -> Iterable[str]:
    """The keys that the cell of a well must have."""
    yield from ("plate", "well")
    if one.result_type in {STANDARD, CONTROL}:
        yield "preparation"
    if one.result_type == STANDARD or (analysis.is_relative and one.result_type != BLANK):
        yield "dose"
        if analysis.model is Model.QUANTAL:
            yield "size"
    elif one.result_type in {RAW, CONTROL}:
        yield "dilution"
        if analysis.per_million_cells and one.result_type == RAW:
            yield from ("cells", "volume")


def _places(wells: Sequence[Well]) -> Iterable[WellProblem]:
    """Wells that are on a plate twice."""
    first: dict[tuple[str, str], Well] = {}
    for one in wells:
        other = first.setdefault((fold(one.plate), fold(one.well)), one)
        if other is not one:
            said = f"well {one.well} of plate {one.plate} is in row {other.row.cell.row} too"
            yield WellProblem(one.row, "aliquot", said, "State each well once.")


def _layout(wells: Sequence[Well], analysis: PotencyAnalysis) -> Iterable[WellProblem]:
    """What a whole run must have: reference, sample, each dose often enough, and one plate."""
    by: dict[tuple[str, str], list[Well]] = defaultdict(list)
    for one in wells:
        if one.kind != BLANK:
            whose = one.row.sample if one.kind == RAW else one.preparation
            by[one.kind, fold(whose)].append(one)
    kinds = {kind for kind, _ in by}
    for kind, what in ((STANDARD, f"the reference {analysis.reference}"), (RAW, "the sample")):
        if kind not in kinds:
            said = f"no well of {what} (result_type {kind})"
            yield WellProblem(None, "", said, "Upload the whole run in one file.")
    for (kind, _), own in sorted(by.items()):
        name = analysis.reference if kind == STANDARD else own[0].preparation or own[0].row.sample
        if analysis.is_relative or kind == STANDARD:
            yield from _doses(name, own, analysis)
        else:
            yield from _reading(name, own, analysis)
    plates = sorted({one.plate for one in wells})
    if len(plates) > 1 and analysis.model in {Model.FOUR, Model.FIVE, Model.STANDARD_CURVE}:
        said = f"plates {', '.join(plates)} in one run; a curve is fitted to one plate"
        yield WellProblem(None, "", said, "Give each plate a run of its own.")


def _doses(name: str, own: Sequence[Well], analysis: PotencyAnalysis) -> Iterable[WellProblem]:
    found = Counter(one.dose for one in own)
    for dose in analysis.doses:
        if found[dose] < analysis.replicates:
            said = f"{name} has {found[dose]} of {analysis.replicates} wells of dose {dose}"
            yield WellProblem(None, "", said, "Missing doses are measured, not left out.")
    for one in own:
        if one.dose not in analysis.doses:
            said = f"dose {one.dose} of {name} is none of the method"
            yield WellProblem(one.row, "aliquot", said, "Correct the dose, or the method.")


def _reading(name: str, own: Sequence[Well], analysis: PotencyAnalysis) -> Iterable[WellProblem]:
    """A sample is read from a standard curve at one dilution, of one culture."""
    if len(own) < analysis.replicates:
        said = f"{name} has {len(own)} of {analysis.replicates} wells"
        yield WellProblem(None, "", said, "Missing wells are measured, not left out.")
    for key in ("dilution", "cells", "volume", "hours"):
        if len({one.more.get(key) for one in own}) > 1:
            said = f"the wells of {name} differ in {key}"
            yield WellProblem(None, "", said, "Give each dilution and culture a run of its own.")
