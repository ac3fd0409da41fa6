"""Donations held against a panel: a window's edges, whose blood, which word, which consent."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from batchqc.core.eligibility import (
    Consented,
    Donated,
    Interpretation,
    MarkerResult,
    Person,
    Scope,
    age_problem,
    consent_problems,
    evaluate,
    is_newborn,
    unfavourable,
)
from batchqc.core.panels import (
    MarkerRule,
    Needed,
    Panel,
    Reactive,
    Repeat,
    Source,
    Status,
    TissueRule,
    Window,
)

DAY = date(2026, 3, 10)
TODAY = date(2026, 12, 1)
READ, REMEMBERED = Source("read", Status.VERIFIED), Source("remembered", Status.RECALLED)
CONSENT = Consented("2.0", frozenset({Scope.CLINICAL}), DAY)
PANEL = Panel(
    id="US-1271",
    version=1,
    title="Tests",
    jurisdiction="US",
    markets=("US",),
    effective=date(2026, 1, 1),
    window=Window(7, 7, REMEMBERED),
    windows={"bone marrow": Window(30, 7, REMEMBERED)},
    markers=(
        MarkerRule("HBsAg", Needed.ALWAYS, Reactive.INELIGIBLE, READ),
        MarkerRule("CMV Ab", Needed.LEUKOCYTE_RICH, Reactive.NOTED, REMEMBERED),
    ),
    tissues={
        "bone marrow": TissueRule(is_leukocyte_rich=True, tests_mother=False, source=READ),
        "Wharton's jelly": TissueRule(is_leukocyte_rich=False, tests_mother=True, source=READ),
        "adipose tissue": TissueRule(is_leukocyte_rich=False, tests_mother=False, source=READ),
    },
)
REPEATED = replace(PANEL, repeat=Repeat(180, ("HBsAg",), ("HIV-1 NAT", "HBV NAT"), REMEMBERED))


def of(
    marker: str = "HBsAg",
    result: Interpretation = Interpretation.NONREACTIVE,
    *,
    days: int = 0,
    person: Person = Person.DONOR,
) -> MarkerResult:
    return MarkerResult("result 1", marker, result, person, DAY + timedelta(days=days))


def problems(
    *tests: MarkerResult, panel: Panel = PANEL, tissue: str = "adipose tissue", **more: object
) -> tuple[str, ...]:
    facts = {"tested_person": Person.DONOR} | more
    donation = Donated("DIN-1", tissue, DAY, tests=tests, **facts)  # type: ignore[arg-type]
    return evaluate(panel, [donation], CONSENT, today=TODAY).problems


def test_a_donor_with_every_test_in_time_has_no_problem():
    assert problems(of()) == ()


@pytest.mark.requirement("8.02")
def test_what_is_not_tested_is_missing_whatever_stands_in_the_result():
    missing = ("DIN-1: no result of HBsAg is on record",)
    assert problems() == missing
    assert problems(of(result=Interpretation.NOT_DONE)) == missing
    assert problems(of("HCV Ab")) == missing


@pytest.mark.requirement("8.03")
@pytest.mark.parametrize(
    ("tissue", "days", "beyond"),
    [
        ("adipose tissue", -7, 0),
        ("adipose tissue", -8, 1),
        ("adipose tissue", 7, 0),
        ("adipose tissue", 9, 2),
        ("bone marrow", -30, 0),
        ("bone marrow", -31, 1),
        ("bone marrow", 8, 1),
    ],
)
def test_a_specimen_out_of_its_window_is_told_with_its_days(tissue: str, days: int, beyond: int):
    said = problems(of(days=days), of("CMV Ab"), tissue=tissue)
    assert len(said) == (beyond > 0)
    assert all(f"{abs(days)} days" in one and f"{beyond} too many" in one for one in said)


def test_one_specimen_in_the_window_is_enough():
    assert problems(of(days=30), of(days=3)) == ()


@pytest.mark.parametrize("result", [Interpretation.REACTIVE, Interpretation.INDETERMINATE])
@pytest.mark.parametrize("marker", ["HBsAg", "Zika NAT"])
def test_a_result_that_is_not_nonreactive_speaks_against_the_donor(
    result: Interpretation, marker: str
):
    said = problems(of(), of(marker, result))
    assert said == (f"DIN-1: {marker} is {result} (result 1)",)
    donation = Donated("DIN-1", "skin", DAY, Person.DONOR, tests=(of(marker, result),))
    assert unfavourable([donation]) == said


@pytest.mark.requirement("8.02")
def test_a_tissue_rich_in_leukocytes_is_tested_for_more():
    said = problems(of(), tissue="bone marrow")
    assert said == ("DIN-1: no result of CMV Ab is on record",)


def test_a_tissue_of_which_the_panel_says_nothing_is_asked_for_everything():
    said = problems(of(), tissue="skin")
    assert len(said) == 2
    assert "does not say whether skin" in said[0]
    assert "CMV Ab" in said[1]


def test_what_the_panel_only_notes_is_remarked_on_and_an_indeterminate_one_is_not():
    noted = of("CMV Ab", Interpretation.REACTIVE)
    donation = Donated("DIN-1", "bone marrow", DAY, Person.DONOR, tests=(of(), noted))
    found = evaluate(PANEL, [donation], CONSENT, today=TODAY)
    assert found.problems == ()
    assert found.remarks == ("DIN-1: CMV Ab is reactive (result 1)",)
    unclear = of("CMV Ab", Interpretation.INDETERMINATE)
    assert problems(of(), unclear, tissue="bone marrow")


@pytest.mark.requirement("8.03")
def test_of_a_newborn_the_birth_mother_is_tested():
    mother = of(person=Person.MOTHER)
    jelly = "Wharton's jelly"
    assert problems(mother, tissue=jelly, tested_person=Person.MOTHER) == ()
    assert problems(mother, age="3 days", tested_person=Person.MOTHER) == ()
    of_child = problems(of(), tissue=jelly, tested_person=Person.MOTHER)
    assert of_child == ("DIN-1: HBsAg was tested of the donor, and not of the birth mother",)
    assert "the birth mother is to be tested" in problems(mother, tissue=jelly)[0]
    assert "the birth mother is to be tested" in problems(mother, age="1 month")[0]
    assert problems(of(), age="34 years") == ()
    assert problems(mother)


@pytest.mark.requirement("8.03")
@pytest.mark.parametrize("age", ["34 years", "2 months", ""])
def test_tests_of_a_birth_mother_say_nothing_of_an_adult_donor(age: str):
    mother = of(person=Person.MOTHER)
    (said,) = problems(mother, age=age, tested_person=Person.MOTHER)
    assert "the donor is to be tested" in said
    assert age in said
    of_donor = problems(of(), age=age, tested_person=Person.MOTHER)
    assert said in of_donor


@pytest.mark.parametrize(
    ("age", "newborn"),
    [
        ("0 days", True), ("31 days", True), ("32 days", False), ("4 weeks", True),
        ("5 weeks", False), ("1 month", True), ("2 months", False), ("0 years", True),
        ("1 year", False), ("", False), ("young", False),
    ],
)  # fmt: skip
def test_one_month_is_as_long_as_the_stated_age_can_be(age: str, newborn: bool):
    assert is_newborn(age) is newborn


def test_an_age_is_a_number_with_a_unit_and_no_date():
    assert age_problem("") is None
    assert age_problem("34 years") is None
    assert age_problem("1990-04-01") is not None


@pytest.mark.requirement("8.03")
def test_tests_are_repeated_unless_every_nat_was_done():
    first = of()
    nat = [of("HIV-1 NAT"), of("HBV NAT")]
    assert problems(first, *nat, panel=REPEATED) == ()
    assert problems(first, of(days=180), panel=REPEATED) == ()
    for others in ([], [of(days=179)], nat[:1]):
        (said,) = problems(first, *others, panel=REPEATED)
        assert "HBsAg is to be tested again 180 days" in said
    late = of("HBV NAT", days=8)
    assert problems(first, nat[0], late, panel=REPEATED)


def test_a_panel_that_does_not_apply_yet_and_no_donation_at_all_are_problems():
    early = replace(PANEL, effective=date(2027, 1, 1))
    found = evaluate(early, [], None, today=TODAY)
    assert found.problems == (
        "no consent is on record",
        "no donation is registered",
        "US-1271 v1 applies only from 2027-01-01",
    )


@pytest.mark.requirement("8.07")
def test_consent_covers_what_is_needed_until_it_is_withdrawn():
    assert list(consent_problems(CONSENT, Scope.CLINICAL)) == []
    assert list(consent_problems(CONSENT, Scope.GENETIC)) == [
        "consent 2.0 does not cover genetic use"
    ]
    gone = replace(CONSENT, withdrawn_on=TODAY)
    assert list(consent_problems(gone)) == ["consent 2.0 was withdrawn on 2026-12-01"]


@pytest.mark.requirement("8.07")
def test_after_a_withdrawal_only_a_consent_to_clinical_use_takes_it_back():
    again = replace(CONSENT, name="4.0", after=("1.0", "2.0"))
    assert list(consent_problems(again)) == []
    research = replace(again, scopes=frozenset({Scope.RESEARCH}))
    said = "consent 4.0 does not cover clinical use, and consent 2.0 was withdrawn"
    assert list(consent_problems(research)) == [said]
    assert list(consent_problems(research, Scope.RESEARCH, Scope.CLINICAL)) == [said]
    never = replace(research, after=())
    assert list(consent_problems(never)) == []


def test_a_panel_says_which_of_its_rules_nobody_has_read():
    assert PANEL.recalled == (
        "window: remembered", "window of bone marrow: remembered", "CMV Ab: remembered",
    )  # fmt: skip
    assert REPEATED.recalled[-1] == "repeat: remembered"
