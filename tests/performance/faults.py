"""Hundreds of faults on both databases, power cuts, the clock, and defects that must be seen.

    python tests/performance/faults.py [faults] [--cuts N] [--done FILE ...]

Prints faults injected and losses found, and writes them into the guide. Exit status 1 where
anything was lost, or a planted defect was not seen. Runs that were done apart, as
`python -m tests.faults` prints them, are taken from their files.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from batchqc.clock import now  # noqa: E402 - the checkout first
from tests.faults.injections import CLOCK, FAULTS  # noqa: E402 - as above
from tests.faults.nursery import Nursery  # noqa: E402 - as above
from tests.faults.planted import DEFECTS  # noqa: E402 - as above
from tests.faults.postgres import reachable  # noqa: E402 - as above
from tests.faults.power import cut, worked, worked_on_postgresql  # noqa: E402 - as above
from tests.faults.run import Told, run  # noqa: E402 - as above
from tests.faults.system_calls import calls, recording  # noqa: E402 - as above

_LOSSES = re.compile(r"^losses found +(\d+)$", re.MULTILINE)
_OF_POWER = (
    "store without sync",
)  # killing alone does not show it: tests/faults/test_power_cut.py
_SEEN_BY = {"no sync": ("postgresql", "database killed")}


def main() -> None:
    """Both databases beside each other, then the power, the clock and each defect."""
    asked = argparse.ArgumentParser()
    asked.add_argument("faults", type=int, nargs="?", default=200)
    asked.add_argument("--cuts", type=int, default=100, help="of the power")
    asked.add_argument("--done", type=Path, action="append", default=[])
    args = asked.parse_args()
    count = args.faults
    lines, lost = [], 0
    for file in args.done:
        text = file.read_text()
        said = next(at for kind in FAULTS if (at := text.find(f"{kind}, seed")) >= 0)
        lines += text[said:].splitlines()
        lost += int(_LOSSES.findall(text)[-1])
    kinds = [kind for kind in FAULTS if not any(one.startswith(kind) for one in lines)]
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        runs = [pool.submit(run, kind, seed=1, faults=count, workers=2) for kind in kinds]
        told = [one.result() for one in runs]
    told.append(run("sqlite", seed=1, faults=6, workers=1, only=tuple(CLOCK)))
    planted = {name: _seen(name) for name in DEFECTS if name not in _OF_POWER}
    lines += [str(one) for one in told]
    powers = {"sqlite": _power(args.cuts), "postgresql": _power_of_postgresql(args.cuts // 2)}
    for kind, (said, found) in powers.items():
        lines += [f"{kind}, {said}, losses found {len(found)}", *found[:20]]
    lines += [
        f"planted: {name}: {len(one.losses)} losses reported, {_held(one)}"
        for name, one in planted.items()
    ]
    lost += sum(len(found) for _, found in powers.values()) + sum(len(one.losses) for one in told)
    lines.append(f"losses {lost}, limit 0: {'DOES NOT HOLD' if lost else 'holds'}")
    print("\n".join(lines))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    when = (
        f"Measured {now():%Y-%m-%d} at commit {commit}, {os.cpu_count()} cores, by"
        f" `python tests/performance/faults.py {count}`; what is injected and examined:"
        " [faults](../faults.md)."
    )
    (ROOT / "batchqc" / "guide" / "measured" / "faults.md").write_text(
        "\n".join(["# Faults injected, losses found", "", when, "", "```", *lines, "```", ""])
    )
    sys.exit(bool(lost) or not all(one.losses for one in planted.values()))


def _power(cuts: int) -> tuple[str, list[str]]:
    """Cut the power so often; how often and what had been done, and what was lost."""
    with tempfile.TemporaryDirectory(prefix="bq-power-") as name:
        folder = Path(name)
        nursery = Nursery({}, under=recording(folder / "calls"))
        try:
            what = worked(nursery, folder / "before", seed=1, lots=3)
        finally:
            nursery.close()
        found, acts = cut(what, calls(folder / "calls"), folder / "disk", cuts=cuts, seed=1)
    return f"power cuts {cuts}, acts acknowledged {acts}", [*what.ledger.wrong, *found]


def _power_of_postgresql(cuts: int) -> tuple[str, list[str]]:
    """The same of a server of PostgreSQL that no standby follows; it starts anew each time."""
    with reachable() as folder:
        what, record = worked_on_postgresql(folder, seed=1, lots=3)
        found, acts = cut(what, record, folder / "disk", cuts=cuts, seed=1)
    return f"power cuts {cuts}, acts acknowledged {acts}", [*what.ledger.wrong, *found]


def _held(seen: Told) -> str:
    return "holds" if seen.losses else "NOT SEEN"


def _seen(name: str) -> Told:
    """The first of some runs with a defect that reports a loss, else the last."""
    kind, fault = _SEEN_BY.get(name, ("sqlite", "server killed"))
    for seed in range(5):
        told = run(kind, seed=seed, faults=4, workers=2, every=1, only=(fault,), planted=name)
        if told.losses:
            break
    return told


if __name__ == "__main__":
    main()
