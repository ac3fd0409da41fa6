"""Lint, boundary and difference: what an author and an approver are told about a specification."""

import pytest

from batchqc.core.boundaries import boundaries
from batchqc.core.differences import Change, differences
from batchqc.core.findings import Finding, findings
from batchqc.documents.spec_file import read_specification
from batchqc.settings import bundled
from tests.documents.language import computed, group, specification, table

INFORMATION = "for information"
BANDS = '{ s = "< 29", p = "30 to 37", z = "> 91" }'
SHOWN = "s < 29, p 30 to 37, z > 91"


def found(text: str, *, but: str = "open-percentage") -> list[Finding]:
    return [one for one in findings(specification(text)) if one.code != but]


class TestLint:
    @pytest.mark.parametrize(
        ("text", "code", "said"),
        [
            (table("a", rounding='"usp"'), "dead-band", "90.5 and up"),
            (table("a", "< 2", category='"purity"', rounding='"usp"'), "dead-band", "below 1.5"),
            (table("a", alert='"> 85"'), "alert-outside", "inside the acceptance: above 90"),
            (table("a", alert='"> 90"'), "alert-outside", "inside the acceptance: above 90"),
            (table("a", action='"> 90"'), "action-outside", "inside the acceptance"),
            (table("a", alert='"> 92"', action='"> 95"'), "alert-outside", "the action limits"),
            (table("a", "<= 90", category='"identity"'), "operator-category", "no lower limit"),
            (table("a", "> 90", category='"purity"'), "operator-category", "no upper limit"),
            (table("endotoxin", "<= 5", "pg/mL"), "endotoxin-unit", 'stated in "pg/mL"'),
            (table("a", "> 90", resolution='"1"') + table("b"), "", ""),
            (table("a", "> 90.0", resolution='"1"'), "resolution", "steps of 0.1"),
            (table("a", "> 90", plausible='"91 to 100"'), "nothing-fails", "others refuse"),
            (table("a", "20 to 80", plausible='"20 to 80"'), "nothing-fails", "plausible value"),
            (table("a", "> 90", plausible='"90 to 100"'), "", ""),
            (table("a", ">= 90", plausible='"0 to 100"'), "", ""),
            (
                table("a", acknowledge='{ dead-band = "no reason" }'),
                "needless-acknowledgement", '"dead-band" is acknowledged',
            ),
            (
                table("a") + table("b")
                + group("g", 'any_of = ["a", "b"]') + group("h", 'any_of = ["a", "b"]'),
                "member-twice", "counted in 2 groups",
            ),
        ],
    )  # fmt: skip
    def test_what_is_doubtful_is_found(self, text: str, code: str, said: str):
        told = found(text)
        assert {one.code for one in told} == ({code} if code else set())
        assert all(said in one.why and one.suggestion for one in told)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (table("a"), "250 % would pass > 90 %"),
            (table("a", "<= 2"), "-5 % would pass <= 2 %"),
            (table("a", plausible='"0 to 100"'), ""),
            (table("a", plausible='"-100 to 100"'), ""),
            (table("a", "20 to 80"), ""),
            (table("a", "> 90", "mg/L"), ""),
            (table("a", "for information") + table("b", "20 to 80"), ""),
            (table("a", "> control", control='"PC"'), ""),
        ],
    )
    def test_a_percentage_that_cannot_be_and_passes_is_found(self, text: str, said: str):
        told = found(text, but="")
        assert [(one.code, one.why) for one in told] == (
            [("open-percentage", said)] if said else []
        )

    def test_a_word_that_passes_here_and_fails_there_is_found(self):
        text = '[vocabularies.marker]\nversion = 1\n"positive" = []\n"negative" = []\n'
        text += table("cd73", "positive", "", vocabulary='"marker"')
        text += table("sterility", "no growth", "", vocabulary='"growth"')
        told = [(one.criterion, one.why) for one in found(text)]
        assert told == [
            ("cd73", '"positive" passes here and fails sterility'),
            ("sterility", '"negative" passes here and fails cd73'),
        ]

    @pytest.mark.parametrize(
        ("limits", "members", "reachable"),
        [
            (("> 10", "< 10"), 'all_of = ["d0", "d1"]', 1),
            (("> 10", "<= 10"), 'any_of = ["d0", "d1"]', None),
            ((">= 10", "<= 10"), 'all_of = ["d0", "d1"]', None),
            (("<= 10", "1 to 2", "5 to 6"), 'all_of = ["d0", "d1", "d2"]', 2),
            (("<= 10", "< 5"), 'all_of = ["d0", "d1"]', None),
            (("> 10", "<= 11"), 'all_of = ["d0", "d1"]', None),
            (("> 10", "< 10", "< 5"), 'at_least = 3\nof = ["d0", "d1", "d2"]', 2),
            (("> 10", "< 10"), 'at_least = 3\nof = ["a", "d0", "d1"]', 2),
            (("> 10", "< 10"), 'at_least = 2\nof = ["a", "d0", "d1"]', None),
        ],
    )
    def test_a_group_that_can_never_pass_is_found(
        self, limits: tuple[str, ...], members: str, reachable: int | None
    ):
        text = table("a")
        for number, accept in enumerate(limits):
            text += computed(f"d{number}", "x", 'x = "a"', accept, "%")
        told = found(text + group("g", members))
        said = [one.why for one in told if one.code == "unreachable-group"]
        assert bool(said) is (reachable is not None)
        assert all(f"never more than {reachable} " in one for one in said)

    def test_a_finding_that_is_acknowledged_says_why(self):
        text = table("a", rounding='"usp"', acknowledge='{ dead-band = "as registered in 2019" }')
        (one,) = found(text)
        assert one.acknowledged == "as registered in 2019"

    def test_the_shipped_specifications_are_clean(self):
        files = sorted(bundled("specs").rglob("*.toml"))
        assert files
        for path in files:
            reading = read_specification(path.read_bytes(), file=path.name)
            assert reading.specification, reading.problems
            left = [one for one in findings(reading.specification) if not one.acknowledged]
            assert left == [], path.name


class TestBoundary:
    @pytest.mark.requirement("4.01")
    @pytest.mark.parametrize(
        ("accept", "rounding", "resolution", "passing", "turns"),
        [
            ("> 90", "absolute", "0.1", "above 90, in %", [("90", "90.1")]),
            ("> 90", "usp", "0.1", "90.5 and up, in %", [("90.4", "90.5")]),
            ("> 90", "astm", "0.1", "above 90.5, in %", [("90.5", "90.6")]),
            (">= 95", "absolute", "0.1", "95 and up, in %", [("94.9", "95")]),
            (">= 95", "usp", "0.1", "94.5 and up, in %", [("94.4", "94.5")]),
            (">= 95.0", "usp", "0.01", "94.95 and up, in %", [("94.94", "94.95")]),
            (">= 95", "usp", None, "94.5 and up, in %", [("94", "95")]),
            ("<= 0.02", "usp", "0.001", "below 0.025, in %", [("0.025", "0.024")]),
            ("<= 0.02", "astm", "0.001", "up to 0.025, in %", [("0.026", "0.025")]),
            (">= 100", "ph-eur", "0.1", "99.95 and up, in %", [("99.9", "100")]),
            (
                "20 to 80", "absolute", "0.5", "20 (included) to 80 (included), in %",
                [("19.5", "20"), ("80.5", "80")],
            ),
            ("> 1.8E8", "absolute", None, "above 180000000, in %", [("180000000", "180000001")]),
        ],
    )  # fmt: skip
    def test_the_last_failing_and_the_first_passing_value(
        self, accept: str, rounding: str, resolution: str | None, passing: str,
        turns: list[tuple[str, str]],
    ):  # fmt: skip
        more = {"resolution": f'"{resolution}"'} if resolution else {}
        text = table("a", accept, rounding=f'"{rounding}"', **more)
        (one,) = boundaries(specification(text))
        assert one.passing == passing
        assert one.is_resolution_stated is bool(resolution)
        assert [(turn.last_failing, turn.first_passing) for turn in one.turns] == turns

    @pytest.mark.parametrize(
        ("accept", "more", "turns"),
        [
            ("> 90 and < 91", {}, [("90", "none"), ("91", "none")]),
            ("90.2 to 90.4", {"resolution": '"1"'}, [("90", "none"), ("91", "none")]),
            ("90.0 to 90.4", {"resolution": '"1"'}, [("89", "90"), ("91", "90")]),
        ],
    )
    def test_a_step_beyond_the_other_end_does_not_pass(
        self, accept: str, more: dict[str, str], turns: list[tuple[str, str]]
    ):
        text = table("a", accept, **more) + table("b")
        one = boundaries(specification(text))[0]
        assert [(turn.last_failing, turn.first_passing) for turn in one.turns] == turns
        nothing = any(each.code == "nothing-passes" for each in found(text))
        assert nothing is all(turn[1] == "none" for turn in turns)

    def test_what_is_not_numeric_is_told_in_words(self):
        text = table("a", "no growth", "", vocabulary='"growth"') + table("b", INFORMATION)
        text += table("c", "< control", "1", control='"PC"')
        text += table("e") + group("g", 'any_of = ["c", "e"]')
        told = {one.criterion: one for one in boundaries(specification(text))}
        assert [told[key].passing for key in "abcg"] == [
            "no growth", INFORMATION, "< control", "at least 1 of 2 pass",
        ]  # fmt: skip
        assert not told["c"].turns


class TestDifferences:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (table("a", "> 80"), table("a"), ["a: > 80 % became > 90 % (stricter)"]),
            (table("a"), table("a", "> 80"), ["a: > 90 % became > 80 % (looser)"]),
            (table("a"), table("a", ">= 90"), ["a: > 90 % became >= 90 % (looser)"]),
            (table("a"), table("a", "< 90"), ["a: > 90 % became < 90 % (other)"]),
            (
                table("a"), table("a", rounding='"usp"'),
                ["a: > 90 % became > 90 %, USP (stricter)"],
            ),
            (
                table("a"), table("a", guard='"1"'),
                [
                    ("decision rule: simple acceptance: measurement uncertainty is not considered"
                     " became guard bands: a result within the stated band of a limit is not"
                     " accepted; where none is stated, simple acceptance (other)"),
                    "a: > 90 % became > 90 % (guard band 1 %) (stricter)",
                ],
            ),
            (
                table("a") + table("z"), table("a", INFORMATION) + table("z"),
                ["a: > 90 % became for information (looser)"],
            ),
            (
                table("a", INFORMATION) + table("z"), table("a") + table("z"),
                ["a: for information became > 90 % (stricter)"],
            ),
            (
                table("a"), table("a", unit="1"),
                ["a: > 90 % became > 90 1 (other)", "a: unit % became 1 (other)"],
            ),
            (
                table("a"), table("a", required="false") + table("b"),
                ["a: became optional: a missing result blocks no more (looser)",
                 "b: > 90 % was added (stricter)"],
            ),
            (
                table("a") + table("b", INFORMATION), table("a", method='"SOP-2"'),
                ["a: method SOP-1 became SOP-2 (other)", "b: for information was removed (other)"],
            ),
            (table("a") + table("b"), table("a"), ["b: > 90 % was removed (looser)"]),
            (
                table("a"), table("a") + table("b", INFORMATION),
                ["b: for information was added (other)"],
            ),
            (
                table("a"),
                table("a", replicates='{ n = 3, aggregate = "mean", individual = "> 85" }'),
                ["a: replicates 1 (single) became 3 (mean), each > 85 (other)"],
            ),
            (
                table("a"),
                table(
                    "a", replicates='{ n = 2, aggregate = "mean", max_cv = "9", max_range = "5" }'
                ),
                ["a: replicates 1 (single) became 2 (mean), %CV up to 9, range up to 5 (other)"],
            ),
            (
                table("a", "< control", control='"PC"'),
                table("a", "< 2 * control", control='"PC"'),
                ["a: < control became < 2 * control (other)"],
            ),
            (
                table("a", "< control", control='"PC"'), table("a", "<= control", control='"PC"'),
                ["a: < control became <= control (looser)"],
            ),
            (
                table("a", "no growth", "", vocabulary='"growth"'), table("a", unit="1"),
                ["a: no growth became > 90 1 (other)", "a: unit none became 1 (other)",
                 "a: vocabulary growth v1 became none (other)"],
            ),
        ],
    )  # fmt: skip
    def test_each_change_is_told_in_words(self, old: str, new: str, said: list[str]):
        told = differences(specification(old), specification(new))
        assert [shown(one) for one in told] == said
        assert differences(specification(new), specification(new)) == ()

    def test_groups_formulas_and_words_are_told(self):
        old = table("a") + table("b") + computed("d", "x / 2", 'x = "a"', "> 1", "%")
        old += group("g", 'at_least = 1\nof = ["a", "b"]')
        new = old.replace("x / 2", "x / y").replace('x = "a"', 'x = "a", y = "2 1"')
        new = new.replace("at_least = 1", "at_least = 2")
        told = [shown(one) for one in differences(specification(old), specification(new))]
        assert told == [
            "d: formula x / 2 became x / y (other)",
            "d: inputs x = a became x = a, y = 2 1 (other)",
            "g: at least 1 of 2 pass became all 2 pass (stricter)",
        ]
        other = old.replace('of = ["a", "b"]', 'of = ["b", "a"]')
        told = [shown(one) for one in differences(specification(new), specification(other))]
        assert "g: all 2 pass became at least 1 of 2 pass (other)" in told
        words = '[vocabularies.w]\nversion = 1\n"yes" = []\n"so-so" = []\n"no" = []\n'
        strict = words + table("w", "yes", "", vocabulary='"w"')
        loose = strict.replace('accept = "yes"', 'accept = ["yes", "so-so"]')
        told = [shown(one) for one in differences(specification(strict), specification(loose))]
        assert told == ["w: yes became yes or so-so (looser)"]

    def test_a_criterion_that_counts_in_a_group_from_now_on_is_looser(self):
        old = table("a") + table("b")
        new = old + group("g", 'any_of = ["a", "b"]')
        told = [shown(one) for one in differences(specification(old), specification(new))]
        assert told == [
            "a: counts in g only: its failure alone does not block any more (looser)",
            "b: counts in g only: its failure alone does not block any more (looser)",
            "g: at least 1 of 2 pass was added (stricter)",
        ]
        back = [shown(one) for one in differences(specification(new), specification(old))]
        assert "a: counts by itself, no longer in g (stricter)" in back
        other = new.replace("criteria.g]", "criteria.h]").replace('title = "g"', 'title = "h"')
        moved = [shown(one) for one in differences(specification(new), specification(other))]
        assert "a: counts in h, no longer in g (other)" in moved

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (
                table("a", "no growth", "", vocabulary='"growth"'),
                table("a", "no growth", "", vocabulary='"lax"'),
                ["a: vocabulary growth v1 became lax v1 (other)"],
            ),
            (
                table("a", unit="Ct", bands=BANDS).replace('"> 90"', '["s"]'),
                table("a", unit="Ct", bands=BANDS, rounding='"usp"').replace('"> 90"', '["s"]'),
                [f"a: s ({SHOWN}) became s ({SHOWN}), USP (other)"],
            ),
            (
                table("a", unit="Ct", bands=BANDS).replace('"> 90"', '["s", "p"]'),
                table("a", unit="Ct", bands=BANDS).replace('"> 90"', '["s"]'),
                [f"a: s or p ({SHOWN}) became s ({SHOWN}) (stricter)"],
            ),
            (
                table("a", unit="Ct", bands=BANDS).replace('"> 90"', '["s", "p"]'),
                table("a", unit="Ct", bands='{ s = "< 50", p = "60 to 70", z = "> 91" }').replace(
                    '"> 90"', '["s"]'
                ),
                [f"a: s or p ({SHOWN}) became s (s < 50, p 60 to 70, z > 91) (other)"],
            ),
        ],
    )
    def test_classes_and_words_are_compared_only_where_they_mean_the_same(
        self, old: str, new: str, said: list[str]
    ):
        lax = '[vocabularies.lax]\nversion = 1\n"no growth" = ["TNTC"]\n"growth" = []\n'
        told = differences(specification(lax + old), specification(lax + new))
        assert [shown(one) for one in told] == said

    def test_a_change_of_a_fact_about_the_donor_is_told(self):
        old = table("a") + '[criteria.d]\ntitle = "d"\ncategory = "donor"\n'
        old += 'donor = "eligibility"\naccept = "eligible"\n'
        new = old.replace('"eligibility"', '"tissue source"').replace('"eligible"', '"skin"')
        told = [shown(one) for one in differences(specification(old), specification(new))]
        assert told == [
            "d: eligible became skin (other)",
            "d: donor eligibility became tissue source (other)",
        ]

    def test_a_change_of_the_whole_is_told(self):
        old, new = specification(table("a")), specification(table("a"))
        text = differences(
            old,
            type(new)(**{**new.__dict__, "title": "Other", "vocabularies": ()}),
        )
        assert [one.words for one in text] == [
            "title: X: release became Other",
            "vocabularies: growth v1 (no growth, negative, growth, positive) became none",
        ]


def shown(change: Change) -> str:
    return f"{change.words} ({change.direction})"
