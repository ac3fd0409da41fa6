"""What a file was seen to say, ready to be shown: before it is recorded, and after."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from batchqc.actions.outlook import Outlook
from batchqc.actions.received import ReceivedFile
from batchqc.actions.uploads import UploadReport
from batchqc.core.profiles import Profile
from batchqc.intake.contract import Reading
from batchqc.intake.table import DELIMITERS
from batchqc.web.lot_results import Line, Sign, lines_of
from batchqc.web.upload_sheet import sheet

_WORST_FIRST: Final = (Sign.BAD, Sign.OPEN, Sign.TREND, Sign.OK, Sign.INFO)
_VERDICTS: Final = 100


class View(BaseModel):
    """Which rows of a file are shown: those with problems or every one, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    rows: Literal["problems", "every", ""] = ""
    page: int = Field(default=1, ge=1, le=1_000_000)
    did: str = Field(default="", max_length=20)

    def only_problems(self, found: bool) -> bool:  # noqa: FBT001 - the one thing that it asks
        """Whether only rows with problems are shown; where nothing is said, if there are any."""
        return self.rows == "problems" or (not self.rows and found)


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict that a file touches."""

    lot: str
    specification: str
    line: Line


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read: lots, tests with how many values each, units, and how the file is written."""

    lots: tuple[str, ...]
    tests: tuple[tuple[str, int], ...]
    units: tuple[str, ...]
    runs: int
    encoding: str
    delimiter: str
    line_end: str
    decimal: str
    thousands: str


def seen(reading: Reading, profile: Profile | None) -> Seen:
    """Of every row that can be read, in a refused file too."""
    parsed, dialect = reading.parsed, reading.dialect
    return Seen(
        lots=tuple(sorted({one.lot for one in parsed})),
        tests=tuple(sorted(Counter(one.run.test for one in parsed).items())),
        units=tuple(sorted({one.unit for one in parsed if one.unit})),
        runs=len({(one.lot, one.run) for one in parsed}),
        encoding=dialect.encoding if dialect else "",
        delimiter=DELIMITERS.get(dialect.delimiter, "") if dialect else "",
        line_end=dialect.line_end if dialect else "",
        decimal=profile.marks.decimal if profile else ".",
        thousands=profile.marks.thousands if profile else "",
    )


def judged(outlook: Sequence[Outlook]) -> list[Judged]:
    """The verdicts that a file touches, what does not conform first."""
    lines = lines_of([one.verdict for one in outlook])
    found = [
        Judged(one.lot, one.specification, line) for one, line in zip(outlook, lines, strict=True)
    ]
    return sorted(found, key=lambda one: _WORST_FIRST.index(one.line.sign))


def preview_content(
    file: ReceivedFile, report: UploadReport, profile: Profile | None, view: View
) -> dict[str, Any]:
    """What the page of a preview shows."""
    verdicts = judged(report.outlook)
    problems = report.reading.problems
    return {
        "file": file,
        "report": report,
        "reading": report.reading,
        "seen": seen(report.reading, profile),
        "verdicts": verdicts[:_VERDICTS],
        "verdicts_more": max(0, len(verdicts) - _VERDICTS),
        "tally": Counter(one.line.sign.value for one in verdicts),
        "sheet": sheet(
            file.data, problems, profile,
            only_problems=view.only_problems(bool(problems)), page=view.page,
        ),
    }  # fmt: skip
