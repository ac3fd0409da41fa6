"""What a file says of a lot that is decided: it stands beside the decision and its certificate.

- A result of a decided lot is taken with a warning, told at its first row.
- Another version of a run on which a final decision rests is refused, also where another lot has a
  part in the run: what was signed stays what it is. A further run, and a retest under the plan of
  an investigation, stand beside it.
- A large file is judged after it is stored; one that would hold a lot of which doses may be given
  is refused, and uploaded as an ordinary file, which holds the lot at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from batchqc.core.assays import Measurement
from batchqc.intake.problems import Place, Report, Wrong

if TYPE_CHECKING:
    from batchqc.intake.contract import Reading
    from batchqc.intake.register import RegisteredLot

_INSTEAD: Final = (
    "Upload a further run under a run id of its own. What was recorded wrongly is changed by a"
    " signed correction; else hold the lot and record a deviation."
)
_ALONE: Final = (
    "Upload the results of this lot in an ordinary file: that holds it at once and opens the"
    " investigation."
)


def stands_beside(lot: "RegisteredLot") -> Wrong:
    """What is told of the first result of a decided lot."""
    said = f"lot {lot.id} is {lot.decided}: its results stand beside the decision"
    return Wrong("W401", said, "Check the lot id. A failing one opens an OOS investigation.")


def rests_on(rows: Iterable[Measurement], lots: Sequence[str]) -> Wrong:
    """What is told of another version of a run, by its rows, on which final decisions rest."""
    one = next(iter(rows))
    said = f"the decision over lot {', '.join(lots)} rests on {one.run}: nothing supersedes it"
    return Wrong("E409", said, _INSTEAD)


def refused_late(reading: "Reading", failing: Iterable[tuple[Place, str, str]]) -> "Reading":
    """A reading of a large file with an error at each row of a failing run.

    Args:
        reading: of the file, without an error.
        failing: place, lot and the sentence of its verdict.
    """
    report = Report()
    for place, lot, sentence in failing:
        message = f"lot {lot} may be in use, and this fails: {sentence}"
        report.add(Wrong("E410", message, _ALONE), place=place, text=lot)
    problems = sorted([*reading.problems, *report.problems], key=lambda one: one.row)
    return replace(reading, problems=tuple(problems), counted=0)
