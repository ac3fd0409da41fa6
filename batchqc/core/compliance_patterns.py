"""Patterns of testing into compliance, over history: told to people, and never deciding anything.

- Retest until pass: a run fails, and another passes later without a plan, or beyond it.
- Edited after failing: the same run came again with other content, and passes then; so do typed
  results that did not match and were typed anew.
- Invalid when failing: of one test, method and analyst, runs are invalid more often where their
  results fail than where they pass. Counts are told; no probability is.
- Failed without being reported: a run holds values as investigational or raw that would fail, and
  another run that is reported passes then, planned or not.
- Changed after refusal: a file was refused, and the same cells came later with other values.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from batchqc.core.assays import REPORTABLE, RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.investigations import Attribute
from batchqc.core.runs import Validity
from batchqc.core.superseding import same_run
from batchqc.core.verdicts import Outcome

LEAST_INVALID: Final = 2  # invalid runs with failing results, before a share is told


class Kind(StrEnum):
    """What a pattern is."""

    RETEST = "retest until pass"
    EDITED = "edited after failing"
    INVALID = "invalid when failing"
    CHANGED = "changed after refusal"
    UNREPORTED = "failed without being reported"


@dataclass(frozen=True, slots=True)
class ResultAlone:
    """One attribute of one lot in one run, judged alone; ``outcome`` says how.

    What is not of the type ``reportable`` is judged as if it were. ``people`` are who measured and
    who uploaded it; ``texts`` are the values.
    """

    lot: str
    attribute: Attribute
    run: RunKey
    texts: tuple[str, ...]
    outcome: Outcome | None
    method: str
    analyst: str
    people: frozenset[str]
    at: datetime
    retest_of: str = ""
    validity: Validity | None = None
    second: SecondEntry = SecondEntry.NOT_NEEDED
    result_type: str = REPORTABLE


#: Lot, sample, aliquot, test, analyte, run and replicate, folded.
Key = tuple[str, str, str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a file said in its cells, whether it was accepted or refused."""

    upload: str
    by: str
    at: datetime
    cells: Mapping[Key, str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern with everything to look at: lots, runs, people, times, and the uploads."""

    kind: Kind
    said: str
    lots: tuple[str, ...]
    runs: tuple[str, ...]
    people: tuple[str, ...]
    times: tuple[datetime, ...]
    uploads: tuple[str, ...]


def patterns(
    tested: Iterable[ResultAlone],
    planned: Mapping[str, int],
    refused: Sequence[Sent] = (),
    accepted: Sequence[Sent] = (),
) -> tuple[Pattern, ...]:
    """Every pattern, by kind.

    Args:
        tested: every run of every lot.
        planned: how many retests the plan of each investigation asks for.
        refused: what refused files said.
        accepted: what accepted files said.
    """
    every = [one for one in tested if one.second is not SecondEntry.WAITS]
    known = [one for one in every if one.result_type == REPORTABLE]
    own: dict[tuple[str, Attribute], list[ResultAlone]] = defaultdict(list)
    for one in sorted(known, key=lambda one: (one.at, str(one.run))):
        own[one.lot, one.attribute].append(one)
    return (
        *(found for rows in own.values() for found in _retests(rows, planned)),
        *(found for rows in own.values() for found in _edited(rows)),
        *_unreported(every),
        *_invalid(known),
        *_changed(refused, accepted),
    )


def _retests(rows: Sequence[ResultAlone], planned: Mapping[str, int]) -> Iterator[Pattern]:
    """A failing run, and what passed after it as another run."""
    counted = [
        one
        for one in rows
        if one.validity is not Validity.INVALID and one.second is not SecondEntry.MISMATCH
    ]
    failed = next((one for one in counted if one.outcome is Outcome.FAIL), None)
    if failed is None:
        return
    after = [
        one for one in counted if one.at > failed.at and same_run(one.run) != same_run(failed.run)
    ]
    used: dict[str, int] = defaultdict(int)
    beyond = []
    for one in after:
        used[one.retest_of] += 1
        if not one.retest_of or used[one.retest_of] > planned.get(one.retest_of, 0):
            beyond.append(one)
    if any(one.outcome is Outcome.PASS for one in beyond):
        yield _pattern(Kind.RETEST, "passes without or beyond an approved plan", [failed, *beyond])


def _edited(rows: Sequence[ResultAlone]) -> Iterator[Pattern]:
    """Contents of one run, of which an earlier one fails and a later one passes."""
    contents: dict[object, list[ResultAlone]] = defaultdict(list)
    for one in rows:
        redone = one.second in {SecondEntry.MISMATCH, SecondEntry.VERIFIED}
        contents["typed" if redone else same_run(one.run)].append(one)
    for name, versions in contents.items():
        failed = [one for one in versions if one.outcome is Outcome.FAIL]
        if name == "typed":
            failed = [one for one in failed if one.second is SecondEntry.MISMATCH]
        later = [
            one
            for one in (rows if name == "typed" else versions)  # typed anew, or sent as a file
            if failed and one.at > failed[0].at and one.outcome is Outcome.PASS
            if name != "typed" or not one.retest_of
        ]
        if later:
            said = "came again with other content, and passes then"
            yield _pattern(Kind.EDITED, said, [failed[0], *later])


def _unreported(rows: Iterable[ResultAlone]) -> Iterator[Pattern]:
    """What would fail and was not reported, and the reported runs that pass from then on."""
    own: dict[tuple[str, Attribute], list[ResultAlone]] = defaultdict(list)
    for one in sorted(rows, key=lambda one: (one.at, one.result_type == REPORTABLE, str(one.run))):
        if one.validity is not Validity.INVALID:
            own[one.lot, one.attribute].append(one)
    for each in own.values():
        failed = [
            one for one in each if one.result_type != REPORTABLE and one.outcome is Outcome.FAIL
        ]
        passing = [
            one
            for one in each
            if failed
            and one.result_type == REPORTABLE
            and one.outcome is Outcome.PASS
            and one.at >= failed[0].at
        ]
        if passing:
            said = "fails where it is not reported, and passes where it is"
            yield _pattern(Kind.UNREPORTED, said, [*failed, *passing])


def _invalid(rows: Iterable[ResultAlone]) -> Iterator[Pattern]:
    """Tests, methods and analysts whose runs are invalid rather where they fail."""
    groups: dict[tuple[str, str, str], list[ResultAlone]] = defaultdict(list)
    for one in rows:
        if one.validity in {Validity.VALID, Validity.INVALID}:
            groups[one.attribute[1], one.method, one.analyst].append(one)
    for (test, method, analyst), own in sorted(groups.items()):
        failing = [one for one in own if one.outcome is Outcome.FAIL]
        passing = [one for one in own if one.outcome is Outcome.PASS]
        void = [one for one in failing if one.validity is Validity.INVALID]
        others = sum(one.validity is Validity.INVALID for one in passing)
        is_more = len(void) * len(passing) > others * len(failing) or not passing
        if len(void) >= LEAST_INVALID and is_more:
            said = (
                f"{test} by {method}, {analyst}: {len(void)} of {len(failing)} failing and {others}"
                f" of {len(passing)} passing results are of invalid runs"
            )
            yield _pattern(Kind.INVALID, said, void)


def _changed(refused: Sequence[Sent], accepted: Sequence[Sent]) -> Iterator[Pattern]:
    """Cells of a refused file that a later file fills otherwise."""
    where: dict[Key, list[Sent]] = defaultdict(list)
    for one in sorted(accepted, key=lambda one: (one.at, one.upload)):
        for key in one.cells:
            where[key].append(one)
    for first in sorted(refused, key=lambda one: (one.at, one.upload)):
        differing: dict[str, list[Key]] = defaultdict(list)
        later: dict[str, Sent] = {}
        for key, text in first.cells.items():
            for one in where.get(key, ()):
                if one.at > first.at and one.cells[key] != text:
                    differing[one.upload].append(key)
                    later[one.upload] = one
        for upload, keys in differing.items():
            cells = ", ".join(f"{key[4]} of {key[0]} ({key[5]})" for key in keys)
            then = later[upload]
            yield Pattern(
                Kind.CHANGED,
                f"{first.upload} was refused; {upload} has other values in {cells}",
                tuple(dict.fromkeys(key[0] for key in keys)),
                tuple(dict.fromkeys(key[5] for key in keys)),
                tuple(sorted({first.by, then.by})),
                (first.at, then.at),
                (first.upload, upload),
            )


def _pattern(kind: Kind, said: str, rows: Sequence[ResultAlone]) -> Pattern:
    """What is told of some runs, in their order."""
    each = "; ".join(f"{', '.join(one.texts)} ({_said(one)}) in {one.run}" for one in rows)
    first = rows[0]
    subject = "" if kind is Kind.INVALID else f"{first.attribute[2]} of {first.lot} "
    return Pattern(
        kind,
        f"{subject}{said}: {each}",
        tuple(dict.fromkeys(one.lot for one in rows)),
        tuple(dict.fromkeys(str(one.run) for one in rows)),
        tuple(sorted({person for one in rows for person in one.people})),
        tuple(one.at for one in rows),
        tuple(dict.fromkeys(one.run.upload for one in rows)),
    )


def _said(one: ResultAlone) -> str:
    word = "not judged" if one.outcome is None else one.outcome.value.replace("_", " ")
    return word if one.result_type == REPORTABLE else f"{word}, {one.result_type}"
