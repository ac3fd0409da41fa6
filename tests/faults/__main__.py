"""Faults under load, and what is lost by them.

    python -m tests.faults --database sqlite --seed 1 --faults 200
    python -m tests.faults --database postgresql --planted "answer before commit"

Prints each fault as it is injected, then faults, acknowledged acts and losses. The same seed
injects the same faults after the same waits. Exit status 1 where anything was lost.
"""

import argparse
import sys

from tests.faults.injections import FAULTS
from tests.faults.run import run


def main() -> None:
    """Run what the command line asks for."""
    asked = argparse.ArgumentParser(prog="python -m tests.faults")
    asked.add_argument("--database", choices=FAULTS, default="sqlite")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--faults", type=int, default=20)
    asked.add_argument("--workers", type=int, default=3)
    asked.add_argument(
        "--only", action="append", default=[], help="no other faults than this; may be repeated"
    )
    asked.add_argument("--planted", default="", help="a defect of tests.faults.planted")
    args = asked.parse_args()
    told = run(
        args.database, seed=args.seed, faults=args.faults, workers=args.workers,
        only=tuple(args.only), planted=args.planted, say=print,
    )  # fmt: skip
    print(told)
    sys.exit(1 if told.losses else 0)


main()
