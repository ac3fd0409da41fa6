"""What of a lot may be typed: every result that the plans of its samples measure, by run.

A run is one test of one sample by one method; its analytes are typed as one entry. What has a
result already is named, and not offered: a second result is a retest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.lots import the_lot
from batchqc.actions.registered import core_sample
from batchqc.actions.specifications import content_of
from batchqc.core.acceptance import Words
from batchqc.core.criteria import Criterion
from batchqc.core.lots import Sample
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.documents.archive import Archive
from batchqc.errors import InvalidInput, NotFound
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrections_of
from batchqc.records.registers import LotRow, samples_of
from batchqc.records.typed_lines import results_of_use
from batchqc.web.wording import _

#: Fields of a run beside its values, and fields that one form holds.
_OF_RUN: Final = 8
_MOST_FIELDS: Final = 90


@dataclass(frozen=True, slots=True)
class Planned:
    """One analyte that a sample's plan measures; ``words`` are those that it may be, or none."""

    sample: Sample
    subject: Measured
    title: str
    words: tuple[str, ...]
    is_on_record: bool

    @property
    def key(self) -> str:
        """How a form names it."""
        return f"{self.sample.id}:{self.subject.test}:{self.subject.analyte}"

    @property
    def run(self) -> tuple[str, str, str]:
        """Sample, test and method: what one run measures."""
        return self.sample.id, self.subject.test, self.subject.method

    @property
    def why_not(self) -> str:
        """Why it cannot be typed; "" where it can."""
        if self.subject.control:
            return _("It is compared with a control of its run: upload the run as a file.")
        return ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a lot is tested for, in the order of its samples and specifications."""

    lot: LotRow
    planned: tuple[Planned, ...]
    samples: int

    @property
    def offered(self) -> list[Planned]:
        """What has no result yet and may be typed."""
        return [one for one in self.planned if not one.is_on_record and not one.why_not]

    @property
    def not_typed(self) -> list[Planned]:
        """What has no result yet and comes in a file."""
        return [one for one in self.planned if not one.is_on_record and one.why_not]

    @property
    def on_record(self) -> list[Planned]:
        """What has a result."""
        return [one for one in self.planned if one.is_on_record]

    def runs(self, keys: Sequence[str]) -> list[list[Planned]]:
        """What was chosen, by run; what has a result is kept, so that a form can be sent again.

        Raises:
            NotFound: BQC-WEB-090 the plan has no such result.
            InvalidInput: BQC-WEB-091 there is more than a form holds, or it comes in a file.
        """
        known = {one.key: one for one in self.planned}
        if unknown := [key for key in keys if key not in known]:
            raise NotFound(
                "BQC-WEB-090",
                _('the plan of lot %(lot)s has no result "%(key)s"')
                % {"lot": self.lot.lot, "key": unknown[0]},
                hint=_("Choose it from the list of its open results."),
            )
        chosen = [one for one in self.planned if one.key in set(keys)]
        against = [f"{one.title}: {one.why_not}" for one in chosen if one.why_not]
        found = [list(group) for _run, group in groupby(_by_run(chosen), lambda one: one.run)]
        fields = sum(_OF_RUN + sum(1 + one.subject.replicates.n for one in run) for run in found)
        if fields > _MOST_FIELDS:
            against.append(_("They are too many for one form."))
        if against:
            raise InvalidInput(
                "BQC-WEB-091",
                _("these results cannot be typed together"),
                reasons=against,
                hint=_("Type fewer at once; upload a file of what cannot be typed."),
            )
        return found


def plan_of(session: Session, archive: Archive, lot: str) -> Plan:
    """What a lot is tested for, by the versions that are bound to it.

    Raises:
        NotFound: there is no such lot.
    """
    row = the_lot(session, lot)
    versions = binding_of(session, row, corrections_of(session, [row.key])).versions
    plans: dict[str, Specification] = {}
    for version in versions:
        content = content_of(archive, version)
        plans.setdefault(content.stage, content)
    samples = [core_sample(one) for one in samples_of(session, [row])]
    known = results_of_use(session, [row])
    planned = [
        Planned(sample, subject, criterion.title, _words(criterion), is_on_record)
        for sample in samples
        for criterion, subject in _measured(plans.get(sample.stage))
        for is_on_record in [(sample.id, subject.test, subject.analyte) in known]
    ]
    return Plan(row, tuple(planned), len(samples))


def _measured(plan: Specification | None) -> Iterator[tuple[Criterion, Measured]]:
    for criterion in plan.criteria if plan else ():
        if isinstance(criterion.subject, Measured):
            yield criterion, criterion.subject


def _words(criterion: Criterion) -> tuple[str, ...]:
    accept = criterion.accept
    if isinstance(accept, Words) and accept.vocabulary is not None:
        return tuple(one.name for one in accept.vocabulary.terms)
    return ()


def _by_run(chosen: Sequence[Planned]) -> list[Planned]:
    """In the order in which the first analyte of each run stands."""
    places = {run: place for place, run in reversed([*enumerate(one.run for one in chosen)])}
    return sorted(chosen, key=lambda one: places[one.run])
