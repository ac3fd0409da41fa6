"""``batchqc stats``: whether the statistics compute what certified and published answers say."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from batchqc.statistics.cases.check import Line

app = typer.Typer(help="Statistics: checked against certified and published answers.")


@app.callback()
def _group() -> None:
    """Keep ``check`` a command of its own."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="A folder of cases (*.json).")],
    *,
    failing: Annotated[bool, typer.Option(help="Tell only the values that do not hold.")] = False,
) -> None:
    """Compute every case of a folder: computed, expected and difference of each value."""
    from batchqc.statistics.cases.case import cases_in  # noqa: PLC0415 - others start faster
    from batchqc.statistics.cases.check import check as check_case  # noqa: PLC0415 - others start faster
    from batchqc.statistics.cases.methods import METHODS  # noqa: PLC0415 - others start faster

    out = Console(highlight=False, markup=False, soft_wrap=True)
    held = total = values = 0
    for case in cases_in(folder):
        lines = check_case(case, METHODS)
        good = all(line.holds for line in lines)
        out.print(f"{'holds' if good else 'FAILS'}  {case.id}: {case.method}")
        for line in lines:
            if not (failing and line.holds):
                out.print(_told(line))
        held, total, values = held + good, total + 1, values + len(lines)
    out.print(f"{held} of {total} cases hold ({values} values).")
    raise typer.Exit(0 if held == total else 1)


def _told(line: "Line") -> str:
    gap = "" if line.difference is None else f"  difference {line.difference:.3g}"
    mark = "" if line.holds else "  DOES NOT HOLD"
    return f"    {line.path}: computed {line.computed}, expected {line.expected}{gap}{mark}"
