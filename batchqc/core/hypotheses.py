"""What was measured and not reported: it counts nowhere, and is told everywhere (3.07, 2.06).

- A result is ``investigational`` only while an open OOS investigation of its attribute looks for a
  cause. From the approval of a plan on, what is measured again is a retest, and nothing else.
- *Not reported* is what is investigational, a row of a run that reports nothing, and a row of a
  judged attribute that its run does not report. What stands beside a reported result of its run
  (wells, counts, controls) is ordinary.
- What is not reported is judged as if it were, for people to see; no verdict of the lot knows it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from batchqc.core.assays import CONTROL, INVESTIGATIONAL, REPORTABLE, Measurement, RunKey
from batchqc.core.identifiers import fold
from batchqc.core.investigations import Attribute, Investigation, attribute_of
from batchqc.core.judging import judge
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.core.verdicts import Outcome, Verdict

_REPORT: Final = (
    "Send it as reportable; what an open investigation measures to find a cause is investigational."
)
_RETEST: Final = (
    "Send it as a retest, as the plan says. File what was measured before the plan as a document of"
    " the investigation."
)


class Unreported(NamedTuple):
    """The rows of one attribute in one run that are not reported, of one ``result_type``.

    ``verdict`` is that over them as if they were reported; ``None`` where no criterion is theirs.
    """

    run: RunKey
    attribute: Attribute
    rows: tuple[Measurement, ...]
    verdict: Verdict | None

    @property
    def result_type(self) -> str:
        """What the file says that they are."""
        return self.rows[0].result_type

    @property
    def outcome(self) -> Outcome | None:
        """How they were judged; ``None`` where they were not."""
        return None if self.verdict is None else self.verdict.outcome

    @property
    def sentence(self) -> str:
        """The values and how they would be judged, in words."""
        values = ", ".join(f"{one.shown.text} {one.shown.unit}".strip() for one in self.rows)
        said = f"{self.attribute[2]} {values} ({self.result_type}) in {self.run} is not reported"
        if self.verdict is None:
            return f"{said}; no criterion is for it"
        return f"{said}; as if it were: {self.verdict.sentence}"


def hypothesis_problem(
    one: Measurement, investigations: Iterable[Investigation]
) -> tuple[str, str] | None:
    """Why a result is not taken as investigational, and what to do; ``None`` where it is.

    Args:
        one: any measurement.
        investigations: of its lot, as they stand.
    """
    if one.result_type != INVESTIGATIONAL:
        return None
    what = f"{one.run.test} {one.analyte} of lot {one.lot}"
    attribute = attribute_of(one)
    still_open = [
        each
        for each in investigations
        if each.runs and each.conclusion is None and attribute in each.attributes
    ]
    if not still_open:
        return (
            f"no OOS investigation of {what} at stage {one.stage} is open",
            _REPORT,
        )
    for each in still_open:
        if each.plan is not None and each.plan.test == one.run.test:
            return (
                f"the plan of {each.number} is approved: what is measured of {what} is a retest",
                _RETEST,
            )
    return None


def unreported(
    measurements: Sequence[Measurement], specifications: Iterable[Specification]
) -> tuple[Unreported, ...]:
    """What of a lot is not reported, run by run.

    Args:
        measurements: all of the lot.
        specifications: that judge it, one for each stage.
    """
    judged = {
        (one.stage.value, criterion.subject.test, criterion.subject.analyte): (
            one,
            criterion,
            criterion.subject,
        )
        for one in specifications
        for criterion in one.criteria
        if isinstance(criterion.subject, Measured)
    }
    controls: dict[RunKey, list[Measurement]] = {}
    for one in measurements:
        if one.result_type == CONTROL:
            controls.setdefault(one.run, []).append(one)
    found = []
    for (run, attribute, _), rows in _groups(measurements, judged).items():
        verdict = None
        if attribute in judged:
            whole, criterion, subject = judged[attribute]
            alone = replace(whole, criteria=(criterion,))
            verdict = _as_if_reported(alone, subject, rows, controls.get(run, ()))
        found.append(Unreported(run, attribute, tuple(rows), verdict))
    return tuple(found)


def _groups(
    measurements: Sequence[Measurement], judged: Collection[Attribute]
) -> dict[tuple[RunKey, Attribute, str], list[Measurement]]:
    """What is not reported, by run, attribute and type; a judged attribute has the plan's name."""
    known = {_folded(each): each for each in judged}
    reported: dict[RunKey, set[Attribute]] = {}
    for one in measurements:
        if one.result_type == REPORTABLE:
            reported.setdefault(one.run, set()).add(attribute_of(one))
    groups: dict[tuple[RunKey, Attribute, str], list[Measurement]] = {}
    for one in measurements:
        attribute = attribute_of(one)
        if attribute not in judged:
            attribute = known.get(_folded(attribute), attribute)
        if _is_unreported(one, attribute, reported.get(one.run, ()), judged):
            groups.setdefault((one.run, attribute, one.result_type), []).append(one)
    return groups


def _folded(attribute: Attribute) -> Attribute:
    """An attribute as whoever sends what does not count may write its analyte: in any case."""
    stage, test, analyte = attribute
    return stage, test, fold(analyte)


def _is_unreported(
    one: Measurement,
    attribute: Attribute,
    reported: Collection[Attribute],
    judged: Collection[Attribute],
) -> bool:
    if one.result_type in {REPORTABLE, INVESTIGATIONAL}:
        return one.result_type == INVESTIGATIONAL
    return not reported or (attribute in judged and attribute not in reported)


def _as_if_reported(
    alone: Specification,
    subject: Measured,
    rows: Sequence[Measurement],
    controls: Sequence[Measurement],
) -> Verdict:
    """The verdict over all of them; where there is none, a value that fails the limits alone.

    Each value is then looked at whatever its method, its time and its number. A blank unit is that
    of the criterion.
    """
    own = [
        replace(
            one,
            result_type=REPORTABLE,
            analyte=subject.analyte,
            unit=one.unit or subject.unit,
            superseded_by="",
            retest_of="",
        )
        for one in rows
    ]
    beside = [replace(one, superseded_by="") for one in controls if one not in rows]
    (together,) = judge(alone, [*own, *beside], ())
    if together.outcome is not Outcome.CANNOT_JUDGE:
        return together
    for one in own:
        bare = Measured(subject.test, subject.analyte, one.method, subject.unit)
        (criterion,) = alone.criteria
        (verdict,) = judge(replace(alone, criteria=(replace(criterion, subject=bare),)), [one], ())
        if verdict.outcome is Outcome.FAIL:
            return verdict
    return together
