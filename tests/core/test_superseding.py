"""Versions of a run: the newest counts where nothing stands against it, and never hides a FAIL."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.assays import Measurement, RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.superseding import (
    MOST_WORLDS,
    dropped,
    is_named,
    run_name,
    same_run,
    unnamed,
    worlds,
)
from batchqc.core.verdicts import Outcome, Verdict
from tests.core.world import MEAN_OF_3, criterion, measured, verdict_of

FIRST, SECOND, THIRD = "U-2026-000001", "U-2026-000002", "U-2026-000003"


def versions(*texts: str, **more: object) -> list[Measurement]:
    """One result in several versions of a run, oldest first."""
    numbers = [f"U-2026-{number:06d}" for number in range(1, len(texts) + 1)]
    return [
        measured(text, upload=number, superseded_by=newer, **more)
        for text, number, newer in zip(texts, numbers, [*numbers[1:], ""], strict=True)
    ]


def verdict(*texts: str) -> Verdict:
    return verdict_of(criterion("> 90"), *versions(*texts))


@pytest.mark.requirement("3.06")
@pytest.mark.parametrize(
    ("texts", "outcome"),
    [
        (("93", "94"), "PASS"),
        (("93", "89"), "CANNOT_JUDGE"),
        (("89", "93"), "CANNOT_JUDGE"),
        (("89", "93", "94"), "CANNOT_JUDGE"),
        (("93", "89", "94"), "CANNOT_JUDGE"),
        (("89", "88", "93"), "CANNOT_JUDGE"),
        (("89", "89"), "CANNOT_JUDGE"),
        (("much", "93"), "PASS"),
        (("93", "much"), "CANNOT_JUDGE"),
        ((">80", "93"), "PASS"),
        (("89", ">80"), "CANNOT_JUDGE"),
    ],
)
def test_the_newest_version_counts_unless_one_fails(texts: tuple[str, ...], outcome: str):
    assert verdict(*texts).outcome == outcome


def test_what_counts_hangs_on_the_newest_version_only():
    found = verdict("92", "93")
    assert [one.run.upload for one in found.measurements] == [SECOND]
    assert found.derivation.result == "93"


def test_what_does_not_count_tells_every_version_and_why():
    found = verdict("89", "93")
    assert [one.text for one in found.measurements] == ["89", "93"]
    assert found.sentence == (
        "CANNOT JUDGE: a version of the run does not meet > 90 %; no signed conclusion says which"
        f" counts: 89 in run R-1 (VIAB) of {FIRST}; 93 in run R-1 (VIAB) of {SECOND};"
        " REL v1, viability"
    )
    assert found.blocks


@given(
    texts=st.lists(st.integers(850, 950), min_size=2, max_size=5).map(
        lambda numbers: [f"{number / 10:.1f}" for number in numbers]
    )
)
def test_a_version_that_fails_never_passes_whatever_comes_after(texts: list[str]):
    fails = any(text <= "90.0" for text in texts)
    assert (verdict(*texts).outcome is Outcome.PASS) is not fails


@pytest.mark.parametrize("required", [True, False])
def test_a_result_that_only_an_older_version_has_is_never_silently_gone(required: bool):
    old, new = versions("93", "94")
    gone = verdict_of(criterion(required=required), old, replace(new, analyte="another"))
    assert (gone.outcome, gone.missing, gone.blocks) == (Outcome.CANNOT_JUDGE, False, True)
    assert f"are not in the newest version (93 in run R-1 (VIAB) of {FIRST})" in gone.sentence


@pytest.mark.parametrize(
    "change",
    [{"result_type": "raw"}, {"sample": "MSC-1-S02"}, {"aliquot": "A2"}, {"replicate": 2},
     {"stage": "post-thaw"}],
)  # fmt: skip
def test_a_result_that_became_another_is_gone(change: dict[str, object]):
    old, new = versions("93", "94")
    assert verdict_of(criterion(), old, replace(new, **change)).outcome is Outcome.CANNOT_JUDGE  # type: ignore[arg-type]


@pytest.mark.requirement("1.31")
def test_a_version_that_waits_for_its_second_entry_stands_and_is_not_told():
    old, new = versions("81.77", "95")
    found = verdict_of(criterion("> 90"), replace(old, second=SecondEntry.WAITS), new)
    assert (found.outcome, found.blocks) == (Outcome.CANNOT_JUDGE, True)
    assert "not verified by a second person" in found.sentence
    assert "81.77" not in found.sentence


def test_half_of_the_rows_supersede_nothing():
    old = [
        measured(text, number, upload=FIRST, superseded_by=SECOND)
        for number, text in enumerate(("50", "95", "96", "97"), 1)
    ]
    new = [
        measured(text, number, upload=SECOND) for number, text in ((2, "95"), (3, "96"), (4, "97"))
    ]
    found = verdict_of(criterion(plan=MEAN_OF_3), *old, *new)
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "50 in run R-1" in found.sentence


def test_another_run_beside_the_versions_of_one_is_two_results():
    found = verdict_of(criterion(), *versions("93", "94"), measured("95", upload=THIRD, run="R-2"))
    assert "two results, no authorised retest" in found.sentence


def test_versions_of_a_run_that_nothing_superseded_are_two_results():
    rows = (measured("93", upload=FIRST), measured("94", upload=SECOND, run="r-1"))
    assert "two results, no authorised retest" in verdict_of(criterion(), *rows).sentence


def test_other_samples_and_cases_of_ids_name_the_same_run():
    old, new = versions("93", "94")
    renamed = replace(new, run=replace(new.run, run="r-1"), sample=new.sample.lower())
    assert verdict_of(criterion(), old, renamed).outcome is Outcome.PASS


def test_too_many_versions_to_look_at_each_are_not_judged():
    rows = []
    for run in "abcdefghijk":
        rows += [replace(one, run=replace(one.run, run=run)) for one in versions("93", "94")]
    assert MOST_WORLDS < 2**11
    assert worlds(rows) is None
    found = verdict_of(criterion(), *rows)
    assert found.outcome is Outcome.CANNOT_JUDGE
    assert "too many versions" in found.sentence


def test_every_choice_of_versions_is_looked_at_once():
    rows = [
        *versions("1", "2", "3"),
        *(replace(one, run=replace(one.run, run="R-2")) for one in versions("4", "5")),
        measured("6", run="R-3"),
    ]
    chosen = worlds(rows)
    assert chosen is not None
    told = sorted(tuple(one.text for one in world) for world in chosen)
    assert told == [
        ("1", "4", "6"), ("1", "5", "6"), ("2", "4", "6"), ("2", "5", "6"), ("3", "4", "6"),
    ]  # fmt: skip


def test_rows_without_a_run_id_are_no_version_of_anything():
    assert not is_named("VIAB", "viab (NO run_id)")
    assert is_named("VIAB", "VCD (no run_id)")
    assert run_name("VIAB", "R-1") == run_name("VIAB", "r-1") != run_name("VCD", "R-1")
    first, second = (RunKey(upload, "VIAB", unnamed("VIAB")) for upload in ("U-1", "U-2"))
    assert same_run(first) != same_run(second)
    assert same_run(RunKey("U-1", "VIAB", "R-1")) == same_run(RunKey("U-2", "VIAB", "r-1"))


def test_only_rows_of_superseded_versions_can_be_gone():
    old, new = versions("93", "94")
    assert dropped([old, new]) == ()
    assert dropped([old]) == (old,)
    assert dropped([new]) == ()
