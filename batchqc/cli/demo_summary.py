"""What the demonstration tells: its progress, its table, and ``summary.json``."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from batchqc import __version__
from batchqc.actions.evaluation import LotCase
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Chapter
from batchqc.core.verdicts import Outcome

Answer = TypeVar("Answer", "str", "Ending")
_COLOURS = {"PASS": "green", "FAIL": "red", "CANNOT_JUDGE": "yellow"}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a lot ended: its case, what blocked its release, and its certificate."""

    case: LotCase
    reasons: Sequence[str]
    number: str
    certificate: Path | None

    @property
    def verdict(self) -> Outcome:
        """The worst verdict of all criteria."""
        outcomes = {one.outcome for one in self.case.verdicts if not one.counted_in}
        return next(
            (one for one in (Outcome.FAIL, Outcome.CANNOT_JUDGE) if one in outcomes), Outcome.PASS
        )

    def __str__(self) -> str:
        """For the progress line."""
        certificate = f", certificate {self.number} verified" if self.number else ""
        return f"{self.case.disposition}{certificate}"


def progress(console: Console, what: str, do: Callable[[], Answer]) -> Answer:
    """Do a step, and say what it did and how long it took."""
    began = time.perf_counter()
    with console.status(what):
        answer = do()
    seconds = time.perf_counter() - began
    console.print(f"[green]ok[/] {what}: {answer} [dim]({seconds:.1f} s)[/]", soft_wrap=True)
    return answer


def write(path: Path, endings: Sequence[Ending], chapters: Sequence[Chapter]) -> None:
    """Write ``summary.json``."""
    version = endings[0].case.version
    summary = {
        "schema": "batchqc/demo-summary/1",
        "software": __version__,
        "specification": {
            "id": version.specification,
            "version": version.version,
            "sha256": version.sha256,
        },
        "specimen": cast.SPECIMEN,
        "statements": list(cast.STATEMENTS),
        "simulated": list(cast.SIMULATED),
        "lots": [_entry(ending) for ending in endings],
        **{chapter.name: chapter.facts for chapter in chapters},
    }
    path.write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def show(
    console: Console, folder: Path, endings: Sequence[Ending], chapters: Sequence[Chapter]
) -> None:
    """Print the table of lots, why some are blocked, what else happened, and what to do next."""
    table = Table(title="SPECIMEN: eight published lots against UC-MSC-REL v1")
    for column in ("Lot", "Verdict", "Disposition", "Certificate"):
        table.add_column(column, no_wrap=True)
    for ending in endings:
        colour = _COLOURS[ending.verdict.value]
        table.add_row(
            ending.case.lot.id,
            f"[{colour}]{ending.verdict.value}[/]",
            ending.case.disposition.value,
            ending.number or "none",
        )
    console.print()
    console.print(table)
    for ending in endings:
        for reason in ending.reasons:
            console.print(f"  {ending.case.lot.id}  {reason}", soft_wrap=True)
    for chapter in chapters:
        console.print(f"\n[bold]{chapter.title}[/]", highlight=False)
        for sentence in chapter.told:
            console.print(f"  {sentence}", soft_wrap=True, highlight=False, markup=False)
    console.print()
    for statement in (*cast.STATEMENTS, cast.SPECIMEN):
        console.print(statement, soft_wrap=True)
    first = next(ending.certificate for ending in endings if ending.certificate)
    count = len(list(first.parent.iterdir()))
    console.print(
        f"""
Where to look
  {first}   one of {count} certificates
  {folder}/summary.json   the table above, for programs
  {folder}/batchqc.db   every record, with its audit trail

What to type next ([bold]batchqc[/] is .venv/bin/batchqc; every password is {cast.PASSWORD})
  batchqc certificate verify {first} --root {folder}/trust/root.pem
  batchqc --home {folder} certificate show COA-2026-000007
  batchqc --home {folder} certificate data COA-2026-000009 --format text
  batchqc --home {folder} certificate search wharton
  batchqc --home {folder} lot readiness UCM-P1-T2
  batchqc --home {folder} lot results UCM-P2-T1
  batchqc --home {folder} investigation show OOS-2026-000001
  batchqc --home {folder} look-back show LB-2026-000001
  batchqc --home {folder} audit verify
  batchqc --home {folder} serve""",
        soft_wrap=True,
        highlight=False,
    )


def _entry(ending: Ending) -> dict[str, object]:
    path = ending.certificate
    return {
        "lot": ending.case.lot.id,
        "verdict": ending.verdict.value,
        "disposition": ending.case.disposition.value,
        "reasons": list(ending.reasons),
        "certificate": f"certificates/{path.name}" if path else None,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if path else None,
    }
