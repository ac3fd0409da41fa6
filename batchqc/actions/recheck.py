"""Every verdict that was ever recorded, computed anew from raw bytes, under the version it names.

The files as uploaded are read again, the specification is read again from the bytes that the signed
decision names, and each verdict is compared with the one in the decision and on the certificate.
Nothing may differ; whatever does is named.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.uploads import read_again
from batchqc.core.assays import Measurement
from batchqc.core.donors import Donor
from batchqc.core.judging import judge
from batchqc.core.specifications import Specification
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import FolderArchive
from batchqc.documents.spec_file import read_specification
from batchqc.errors import BatchqcError
from batchqc.records.decisions import Certificate, DispositionRow
from batchqc.records.uploads import AssayRun, runs_of


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


def recheck(session: Session, archive: FolderArchive) -> Recheck:
    """Compute every recorded verdict anew; nothing is changed."""
    work = _Recheck(session, archive)
    decisions = session.scalars(select(DispositionRow).order_by(DispositionRow.id)).all()
    differences = [found for decision in decisions for found in work.of_decision(decision)]
    return Recheck(len(decisions), work.verdicts, tuple(differences))


class _Recheck:
    """Reads each upload and each specification once."""

    def __init__(self, session: Session, archive: FolderArchive) -> None:
        self.session, self.archive = session, archive
        self.verdicts = 0
        self._uploads: dict[str, tuple[Measurement, ...]] = {}

    def of_decision(self, decision: DispositionRow) -> Iterator[Difference]:
        lot = decision.lot.lot
        try:
            content = json.loads(self.archive.get(decision.content_sha))
            found = self._judged(decision, content)
        except BatchqcError as error:
            yield Difference(decision.key, lot, "", f"cannot be computed anew: {error.message}")
            return
        yield from self._compared(decision.key, lot, found, _decided(content))
        query = select(Certificate).where(Certificate.disposition_id == decision.id)
        for certificate in self.session.scalars(query):
            try:
                printed = json.loads(self.archive.get(certificate.content_sha))
            except BatchqcError as error:
                yield Difference(certificate.key, lot, "", f"cannot be read: {error.message}")
                continue
            yield from self._compared(certificate.key, lot, found, _printed(printed))

    def _judged(
        self, decision: DispositionRow, content: Mapping[str, Any]
    ) -> dict[str, tuple[str, str]]:
        """Verdict and result of each criterion, from raw bytes."""
        specification = self._specification(content["specification"]["sha256"])
        used = {key for key, _ in content["runs"]}
        runs = [run for run in runs_of(self.session, decision.lot) if run.key in used]
        measurements = [one for run in runs for one in self._measurements(run)]
        donors = [Donor(*facts) for facts in content["donors"]]
        verdicts = judge(specification, measurements, donors)
        self.verdicts += len(verdicts)
        return {one.criterion.id: (_word(one), _cells(one)) for one in verdicts}

    def _measurements(self, run: AssayRun) -> Iterator[Measurement]:
        number = run.upload.natural_key
        if number not in self._uploads:
            self._uploads[number] = read_again(self.session, self.archive, run.upload)
        key = (run.lot.lot, run.test, run.run)
        return (one for one in self._uploads[number] if (one.lot, one.run.test, one.run.run) == key)

    def _specification(self, sha256: str) -> Specification:
        found = read_specification(self.archive.get(sha256), file=sha256).specification
        if found is None:
            raise ValueError(f"{sha256} was approved and is no specification")
        return found

    def _compared(
        self,
        record: str,
        lot: str,
        found: Mapping[str, tuple[str, str]],
        recorded: Mapping[str, tuple[str, str]],
    ) -> Iterator[Difference]:
        for criterion in dict.fromkeys((*recorded, *found)):
            was = recorded.get(criterion, ("no verdict", ""))
            now = found.get(criterion, ("no verdict", ""))
            if was != now:
                said = f"recorded {_told(was)}, computed {_told(now)}"
                yield Difference(record, lot, criterion, said)


def _decided(content: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {
        one["criterion"]: (
            one["verdict"] or "for information",
            "; ".join(text for _, _, text in one["cells"]),
        )
        for one in content["verdicts"]
    }


def _printed(content: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {
        one["criterion"]: (
            one["verdict"] or "for information",
            "; ".join(cell["text"] for cell in one["provenance"]),
        )
        for one in content["lines"]
    }


def _word(verdict: Verdict) -> str:
    return verdict.outcome.value if verdict.outcome else "for information"


def _cells(verdict: Verdict) -> str:
    return "; ".join(one.text for one in (*verdict.measurements, *verdict.controls))


def _told(pair: tuple[str, str]) -> str:
    verdict, cells = pair
    return f"{verdict} of {cells}" if cells else verdict
