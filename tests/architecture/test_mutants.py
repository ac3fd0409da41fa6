"""Mutants follow the code: `make long` tries them, and none may have lost what it changes."""

import ast
from pathlib import Path

from tests.mutants.of_records import OF_RECORDS
from tests.mutants.of_release import OF_RELEASE
from tests.mutants.of_rules import OF_RULES

ROOT = Path(__file__).parents[2]
MUTANTS = (*OF_RULES, *OF_RELEASE, *OF_RECORDS)


def test_each_mutant_finds_what_it_changes_and_comes_out_as_python():
    sources = {path: path.read_text() for path in {one.path(ROOT) for one in MUTANTS}}
    for one in MUTANTS:
        source = sources[one.path(ROOT)]
        assert one.old in source, one
        assert one.made_of(source) != source, one
        ast.parse(one.made_of(source))


def test_no_mutant_is_tried_twice():
    assert len({one[:3] for one in MUTANTS}) == len(MUTANTS)


def test_the_tests_that_must_notice_are_there():
    named = {test for one in MUTANTS for test in one.tests}
    assert not {one for one in named if not (ROOT / "tests" / one).is_file()}
