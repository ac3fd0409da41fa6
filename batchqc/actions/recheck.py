"""Every verdict that was ever recorded, computed anew from raw bytes, under the version it names.

The files as uploaded are read again, the specification is read again from the bytes that the signed
decision names, and each verdict is compared with the one in the decision and on the certificate.
Nothing may differ; whatever does is named.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.deciding import validity_content
from batchqc.actions.known import Known
from batchqc.actions.large_again import ReadAnew
from batchqc.actions.methods import stored_method
from batchqc.actions.potency_refits import refit_declaration
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.donors import Donor
from batchqc.core.investigations import Investigation
from batchqc.core.runs import RunValidity, assess_runs
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.documents.spec_file import read_specification
from batchqc.errors import BatchqcError, IntegrityFailure
from batchqc.records.bindings import binding_of
from batchqc.records.corrections import corrections_of
from batchqc.records.entries import how_entered, typed_again, verifications_of
from batchqc.records.investigations import folded, investigations_of
from batchqc.records.methods import method_approvals, with_siblings
from batchqc.records.potency import all_declarations, wells_declared
from batchqc.records.signed_decisions import SignedDecision, signed_decisions
from batchqc.records.uploads import AssayRun, runs_of, supersedings_of

_SPOOL = 1_000_000  # bytes that stay in memory: those of small uploads all do

#: Verdict, texts of cells, and the sentence.
Recorded = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A recorded verdict that is not what its raw data give, or cannot be computed any more."""

    record: str
    lot: str
    criterion: str
    said: str


@dataclass(frozen=True, slots=True)
class Recheck:
    """How many decisions and verdicts were computed anew, and every difference."""

    decisions: int
    verdicts: int
    differences: tuple[Difference, ...]


def recheck(session: Session, archive: Archive) -> Recheck:
    """Compute every recorded verdict and every declared fit anew; nothing is changed."""
    with ExitStack() as spools:
        work = _Recheck(session, archive, spools)
        decisions = list(signed_decisions(session))
        differences = [found for decision in decisions for found in work.of_decision(decision)]
    differences += [
        Difference(one.key, one.lot.lot, "", said)
        for one in all_declarations(session)
        for said in refit_declaration(session, archive, one)
    ]
    return Recheck(len(decisions), work.verdicts, tuple(differences))


class _Recheck:
    """Reads each upload and each specification once."""

    def __init__(self, session: Session, archive: Archive, spools: ExitStack) -> None:
        self.session, self.archive, self._spools = session, archive, spools
        self.verdicts = 0
        self._uploads: dict[str, ReadAnew] = {}

    def of_decision(self, decision: SignedDecision) -> Iterator[Difference]:
        lot = decision.lot.lot
        try:
            content = json.loads(self.archive.get(decision.content_sha))
            found, beside = self._judged(decision, content)
            decided = _decided(content["verdicts"])
            for other in content.get("beside", []):
                name = other["specification"]
                own = _decided(other["verdicts"])
                decided |= {f"{name}, {criterion}": one for criterion, one in own.items()}
        except (BatchqcError, ValueError, KeyError, TypeError) as error:
            yield Difference(decision.key, lot, "", f"cannot be computed anew: {error}")
            return
        for said in self._contradictions(decision, content):
            yield Difference(decision.key, lot, "", said)
        yield from self._compared(decision.key, lot, found | beside, decided)
        for certificate in decision.certificates:
            try:
                printed = json.loads(self.archive.get(certificate.content_sha))
                recorded = _printed(printed)
                named = printed["specification"]["sha256"]
            except (BatchqcError, ValueError, KeyError, TypeError) as error:
                yield Difference(certificate.key, lot, "", f"cannot be read: {error}")
                continue
            if named != content["specification"]["sha256"]:
                yield Difference(certificate.key, lot, "", "it names another specification")
            yield from self._compared(certificate.key, lot, found, recorded)

    def _contradictions(
        self, decision: SignedDecision, content: Mapping[str, Any]
    ) -> Iterator[str]:
        """What the signed content says otherwise than the records."""
        if decision.signature.record_sha256 != decision.content_sha:
            yield "its signature binds other content"
        binding = binding_of(
            self.session, decision.lot, corrections_of(self.session, [decision.lot.key])
        )
        named = [one["sha256"] for one in (content["specification"], *content.get("beside", []))]
        if sorted(named) != sorted(version.sha256 for version in binding.versions):
            yield "it names other specifications than the lot"
        runs = runs_of(self.session, decision.lot)
        versions = sorted(list(one) for one in self._versions(decision, runs))
        if versions != content.get("superseded", []):
            yield "it names other versions of runs than are on record"
        if self._investigated(decision) != content.get("investigations", []):
            yield "it names other investigations than are on record"

    def _investigated(self, decision: SignedDecision) -> list[list[str]]:
        """Every investigation and step at a decision by its key and hash."""
        at = decision.decided_at
        taken = investigations_of(self.session, [decision.lot.id])
        rows = [row for row, _ in taken if row.opened_at <= at]
        steps = [one for _, own in taken for one in own if one.taken_at <= at]
        return [[one.key, one.content_sha256] for one in (*rows, *steps)]

    def _judged(
        self, decision: SignedDecision, content: Mapping[str, Any]
    ) -> tuple[dict[str, Recorded], dict[str, Recorded]]:
        """What each criterion says, from raw bytes: of the deciding version, of other stages."""
        specification = self._specification(content["specification"]["sha256"])
        used = {key for key, _ in content["runs"]}
        runs = [run for run in runs_of(self.session, decision.lot) if run.key in used]
        measurements = self._as_decided(decision, runs)
        validity = self._validity(decision, content, runs)
        donors = [Donor(*facts) for facts in content["donors"]]
        known = Known(tuple(measurements), tuple(donors), validity, self._investigations(decision))
        found = _computed(known.judged_by(specification))
        beside: dict[str, Recorded] = {}
        for other in content.get("beside", []):
            stage = self._specification(other["sha256"])
            own = _computed(known.judged_by(stage))
            beside |= {f"{stage.reference}, {name}": one for name, one in own.items()}
        self.verdicts += len(found) + len(beside)
        return found, beside

    def _investigations(self, decision: SignedDecision) -> tuple[Investigation, ...]:
        """The investigations of a lot as they stood at a decision."""
        at = decision.decided_at
        return tuple(
            folded(row, steps, at=at)
            for row, steps in investigations_of(self.session, [decision.lot.id])
            if row.opened_at <= at
        )

    def _versions(
        self, decision: SignedDecision, runs: Sequence[AssayRun]
    ) -> list[tuple[str, str]]:
        """Each of some runs that was superseded at a decision, and its next version."""
        return [
            one.versions
            for one in supersedings_of(self.session, runs)
            if one.superseded_at <= decision.decided_at
        ]

    def _as_decided(self, decision: SignedDecision, runs: Sequence[AssayRun]) -> list[Measurement]:
        """The measurements of some runs from raw bytes, as they stood at a decision."""
        newer, at = dict(self._versions(decision, runs)), decision.signature.at
        return [
            replace(one, superseded_by=newer.get(run.key, ""))
            for run in runs
            for one in self._measurements(run, at)
        ]

    def _validity(
        self, decision: SignedDecision, content: Mapping[str, Any], runs: Sequence[AssayRun]
    ) -> dict[RunKey, RunValidity]:
        """The validity of each run, from raw bytes, by the method versions that are named.

        A decision from before there were methods names none.
        """
        named = content.get("methods", [])
        methods = [stored_method(self.archive, sha, reference=name) for name, sha in named]
        whole = with_siblings(self.session, runs) if methods else ()
        rows = self._as_decided(decision, whole)
        found = assess_runs(rows, methods, ZoneInfo(decision.lot.site.time_zone))
        if validity_content(found.values()) != content.get("validity", []):
            raise IntegrityFailure("BQC-MET-006", "a run is not as valid as the decision says")
        approved = {one.method_version.sha256 for one in method_approvals(self.session)}
        if not {one.sha256 for one in methods} <= approved:
            raise IntegrityFailure("BQC-MET-007", "a method version is named that nobody approved")
        return found

    def _measurements(self, run: AssayRun, at: datetime) -> Iterator[Measurement]:
        """The measurements of a run, those that were typed as they stood at a moment."""
        number = run.upload.natural_key
        if number not in self._uploads:
            spool = self._spools.enter_context(SpooledTemporaryFile(_SPOOL))  # noqa: SIM115 - it lasts as long as the others
            self._uploads[number] = ReadAnew(self.session, self.archive, run.upload, spool)
        key = (run.test, run.run)
        verified = verifications_of(self.session, [run.upload_id]).get(run.upload_id)
        second = how_entered(run.upload, verified, at=at)
        again = iter(typed_again(verified, at=at))
        wells = wells_declared(self.session, [run.upload]).get(run.upload_id, ())
        retest = run.upload.retest
        return (
            replace(one, second=second, retest_of=retest, again=next(again, None), wells=wells)
            for one in self._uploads[number].of_lot(run.lot.lot)
            if (one.run.test, one.run.run) == key
        )

    def _specification(self, sha256: str) -> Specification:
        data = self.archive.get(sha256)
        found = read_specification(data, file=sha256, is_stored=True).specification
        if found is None:
            raise IntegrityFailure("BQC-SPC-008", f"the stored bytes {sha256} are no specification")
        return found

    def _compared(
        self,
        record: str,
        lot: str,
        found: Mapping[str, Recorded],
        recorded: Mapping[str, Recorded],
    ) -> Iterator[Difference]:
        for criterion in dict.fromkeys((*recorded, *found)):
            was = recorded.get(criterion, ("no verdict", "", ""))
            now = found.get(criterion, ("no verdict", "", ""))
            if was != now:
                alike = was[:2] == now[:2]
                said = (
                    f"recorded {_told(was, with_sentence=alike)},"
                    f" computed {_told(now, with_sentence=alike)}"
                )
                yield Difference(record, lot, criterion, said)


def _computed(verdicts: Iterable[Verdict]) -> dict[str, Recorded]:
    return {one.criterion.id: (_word(one), _cells(one), one.sentence) for one in verdicts}


def _decided(verdicts: list[dict[str, Any]]) -> dict[str, Recorded]:
    return {
        one["criterion"]: (
            one["verdict"] or "for information",
            "; ".join(text for _, _, text in one["cells"]),
            one["sentence"],
        )
        for one in verdicts
    }


def _printed(content: Mapping[str, Any]) -> dict[str, Recorded]:
    return {
        one["criterion"]: (
            one["verdict"] or "for information",
            "; ".join(cell["text"] for cell in one["provenance"]),
            one["sentence"],
        )
        for one in content["lines"]
    }


def _word(verdict: Verdict) -> str:
    return verdict.outcome.value if verdict.outcome else "for information"


def _cells(verdict: Verdict) -> str:
    return "; ".join(one.text for one in (*verdict.measurements, *verdict.controls))


def _told(recorded: Recorded, *, with_sentence: bool) -> str:
    verdict, cells, sentence = recorded
    told = f"{verdict} of {cells}" if cells else verdict
    return f'{told} ("{sentence}")' if with_sentence else told
