"""Hundreds of faults on both databases, the clock, and defects that must be seen.

    python tests/performance/faults.py [faults]

Prints faults injected and losses found, and writes them into the guide. Exit status 1 where
anything was lost, or a planted defect was not seen.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from batchqc.clock import now  # noqa: E402 - the checkout first
from tests.faults.injections import CLOCK, FAULTS  # noqa: E402 - as above
from tests.faults.planted import DEFECTS  # noqa: E402 - as above
from tests.faults.run import Told, run  # noqa: E402 - as above

_SEEN_BY = {"no sync": ("postgresql", "database killed")}


def main() -> None:
    """Both databases beside each other, then the clock and each defect."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with ThreadPoolExecutor(len(FAULTS)) as pool:
        runs = [pool.submit(run, kind, seed=1, faults=count, workers=2) for kind in FAULTS]
        told = [one.result() for one in runs]
    told.append(run("sqlite", seed=1, faults=6, workers=1, only=tuple(CLOCK)))
    planted = {name: _seen(name) for name in DEFECTS}
    lines = [str(one) for one in told]
    lines += [
        f"planted: {name}: {len(one.losses)} losses reported, {_held(one)}"
        for name, one in planted.items()
    ]
    lost = sum(len(one.losses) for one in told)
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
