"""Operation: eight published lots from their files to a decision, in the scratch installation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batchqc.actions.dispositions import reject_lot
from batchqc.actions.received import ReceivedFile
from batchqc.actions.uploads import preview_upload
from batchqc.cli import demo, demo_oos
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_decisions import release
from batchqc.cli.demo_files import FOLDER, upload
from batchqc.cli.demo_reviews import hand_to_qa, reviews
from batchqc.cli.demo_specification import adopt
from batchqc.cli.demo_story import Story, signing
from batchqc.cli.qualification.protocol import Doing, Finding, counted, data_of, failed, held
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Permission
from batchqc.core.verdicts import Outcome
from batchqc.errors import BatchqcError
from batchqc.records.transaction import reading
from batchqc.settings import bundled

COMPLIES, LACKS, FAILS, NEXT = "UCM-P1-T1", "UCM-P1-T2", "UCM-P4-T2", "UCM-P2-T1"
"""The lot that is released, one without a result, one that fails, and one that is left open."""


@dataclass(frozen=True, slots=True)
class Lots:
    """The lots of the scratch installation, in the order in which the checks need them."""

    story: Story

    def doings(self) -> dict[str, Doing]:
        """The checks of this section, by id."""
        vectors = data_of("vectors")
        return {
            "OQ-LO-01": lambda: self._judged(vectors["lots"]),
            "OQ-LO-02": self._released,
            "OQ-LO-03": self._lacking,
            "OQ-LO-04": self._retest,
            "OQ-LO-05": self._failing,
            "OQ-LO-06": lambda: self._files(vectors["files"]),
        }

    def _judged(self, table: Mapping[str, Any]) -> Finding:
        story = self.story
        demo.set_up(story)
        demo.people(story)
        adopt(story, bundled("specs") / cast.SPECIFICATION)
        demo.registers(story)
        for file in cast.FILES:
            upload(story, file)
        lines = []
        for lot, verdict in table["verdicts"].items():
            outcomes = {one.outcome for one in story.case(lot).verdicts if not one.counted_in}
            worst = (Outcome.FAIL, Outcome.CANNOT_JUDGE)
            got = next((one for one in worst if one in outcomes), Outcome.PASS)
            lines.append((lot, verdict, got.value))
        return counted(lines, source=table["source"])

    def _released(self) -> Finding:
        story = self.story
        story.clock.next_day()
        runs = reviews(story, [COMPLIES, LACKS, FAILS])
        handed = hand_to_qa(story, [COMPLIES])
        number = release(story, COMPLIES)
        now = story.case(COMPLIES).disposition
        told = f"{runs}; {handed}; {COMPLIES} is {now}, certificate {number} is reserved."
        return held(now is Disposition.RELEASED and bool(number), told, told)

    def _lacking(self) -> Finding:
        return self._refused(LACKS, code="BQC-REL-001", word="no result for IDO activity")

    def _retest(self) -> Finding:
        said = demo_oos.try_a_retest(self.story)  # raises where it was accepted
        return held("OOS-" in said, f"{said}.", said)

    def _failing(self) -> Finding:
        story = self.story
        concluded = demo_oos.investigate(story)
        before = self._refused(FAILS, code="BQC-REL-001", word="89 % does not meet > 90 %")
        why = signing(cast.RELEASER, "Out of specification: viability")
        story.do(
            cast.RELEASER,
            Permission.REJECT_LOT,
            lambda tx: reject_lot(tx, story.place.archive, lot=FAILS, credentials=why),
        )
        now = story.case(FAILS).disposition
        after = self._refused(FAILS, code="BQC-REL-001", word="the lot is rejected")
        told = f"{concluded}. {before.observed} Now: {now}. {after.observed}"
        good = before.outcome == after.outcome == "PASS" and now is Disposition.REJECTED
        return held(good, told, [before.evidence, now.value, after.evidence])

    def _refused(self, lot: str, *, code: str, word: str) -> Finding:
        """Whether a release is refused with a code, for a reason with these words."""
        try:
            number = release(self.story, lot)
        except BatchqcError as refusal:
            told = str(refusal)
            return held(refusal.code == code and word in told, " ".join(told.split()), told)
        return failed(f"{lot} was released with certificate {number}.")

    def _files(self, files: list[Mapping[str, str]]) -> Finding:
        data = (FOLDER / "viability.csv").read_text(encoding="utf-8")
        lines = []
        for one in files:
            changed = data.replace(one["replaces"], one["with"], 1)
            lines.append((one["wrong"], f"refused: {one['column']}", self._reading(changed, one)))
        with reading(self.story.place.engine) as session:
            again = preview_upload(
                session, self.story.place.archive, file=_received(data), now=self.story.clock.at
            )
        known = f"answered as {again.number}" if again.answered_before else "read anew"
        return counted([*lines, ("the same file again", "answered as U-2026-000001", known)])

    def _reading(self, text: str, wanted: Mapping[str, str]) -> str:
        with reading(self.story.place.engine) as session:
            archive, now = self.story.place.archive, self.story.clock.at
            report = preview_upload(session, archive, file=_received(text), now=now)
        if report.accepted:
            return "accepted"
        columns = [one.column for one in report.reading.problems if one.row]
        named = wanted["column"] in columns
        return f"refused: {wanted['column'] if named else ', '.join(columns) or 'no place'}"


def _received(text: str) -> ReceivedFile:
    data = text.encode()
    return ReceivedFile(name="oq.csv", size=len(data), data=data, client="batchqc validate")
