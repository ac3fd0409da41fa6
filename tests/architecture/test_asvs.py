"""The list of OWASP ASVS is whole, and what it names as evidence exists."""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
PAGE: Final = (ROOT / "batchqc" / "guide" / "asvs.md").read_text()
STATES: Final = ("holds", "partly", "does not hold", "by the site", "does not apply")
#: How many requirements version 5.0.0 has at each level.
LEVELS: Final = {"1": 70, "2": 183}


def rows() -> list[tuple[str, str, str, str]]:
    """Number, level, state and evidence of every requirement."""
    found = []
    for line in PAGE.splitlines():
        if re.match(r"\| \d", line):
            numbers, levels, _asked, state, where = (cell.strip() for cell in line[1:-1].split("|"))
            each = numbers.split(", ")
            of = levels.split(", ") if ", " in levels else [levels] * len(each)
            found += [(one, level, state, where) for one, level in zip(each, of, strict=True)]
    return found


@cache
def names_in(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r"^\s*def (test_\w+)", path.read_text(), re.MULTILINE))


def test_every_requirement_of_both_levels_stands_there_once():
    found = rows()
    assert max(Counter(number for number, *_ in found).values()) == 1
    assert Counter(level for _, level, *_ in found) == LEVELS


def test_every_state_is_one_of_those_and_they_are_counted_rightly():
    counted = Counter(state for _, _, state, _ in rows())
    assert set(counted) <= set(STATES)
    told = re.search(
        r"Of (\d+), \*\*(\d+) hold\*\*, (\d+) hold partly, (\d+) do not hold, (\d+) are by the site"
        r"\sthat runs batchqc, and (\d+) do not apply",
        PAGE,
    )
    assert told is not None
    assert [int(one) for one in told.groups()] == [
        counted.total(), *(counted[state] for state in STATES)
    ]  # fmt: skip


def test_what_is_named_as_evidence_exists_and_nothing_holds_without():
    missing = []
    for number, _, state, where in rows():
        if state == "holds" and not where:
            missing.append(f"{number} says nothing of how it holds")
        for path, name in re.findall(r"`((?:batchqc|tests)/[\w./-]+)(?:::(\w+))?`", where):
            file = ROOT / path
            if not file.exists() or (name and name not in names_in(file)):
                missing.append(f"{number}: {path} {name}")
    assert missing == []
