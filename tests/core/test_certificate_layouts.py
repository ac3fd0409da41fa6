"""Layouts order and word what is frozen; renditions leave out nothing that decides."""

from typing import TYPE_CHECKING, Any

import pytest

from batchqc.core.certificate_layouts import laid_out, part_of
from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.core.renditions import rendition_problems
from tests.documents.certificate_content import CORRECTION, certificate_content, line, moment
from tests.documents.laid_out import CLINIC, complete, for_clinic, layout, rendition

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONAL = frozenset({"ido", "mycoplasma"})


def criteria(content: CertificateContent) -> list[str]:
    return [one["criterion"] for one in content["lines"]]


def lined(*notes: tuple[str, str, list[int]], texts: list[str]) -> CertificateContent:
    """Content with lines of an id, a category and notes."""
    lines = [line(name, category=category, notes=numbers) for name, category, numbers in notes]
    return certificate_content(lines=lines, notes=texts)


def test_what_the_layout_names_comes_first_and_categories_stay_together():
    content = lined(
        ("b", "identity", []), ("a", "safety", []), ("c", "safety", []), ("d", "potency", []),
        texts=[],
    )  # fmt: skip
    assert criteria(laid_out(content, layout(order=("d", "c", "none")))) == ["d", "c", "a", "b"]
    assert criteria(laid_out(content, layout(order=()))) == ["b", "a", "c", "d"]
    assert criteria(content) == ["b", "a", "c", "d"]


def test_notes_are_numbered_as_they_are_met_and_each_line_keeps_its_own():
    content = lined(("a", "x", [1, 2]), ("b", "y", [2, 3]), texts=["one", "two", "three", "all"])
    turned = laid_out(content, layout(order=("b",)))
    assert turned["notes"] == ["two", "three", "one", "all"]
    assert [one["notes"] for one in turned["lines"]] == [[1, 2], [3, 1]]
    left = laid_out(content, layout(), without={"b"})
    assert left["notes"] == ["one", "two", "all"]


def test_nothing_but_order_numbers_and_the_part_of_the_layout_changes():
    content = complete()
    turned: Mapping[str, Any] = laid_out(content, layout())
    same = {name: turned[name] for name in content if name not in {"lines", "notes"}}
    assert same == {name: part for name, part in content.items() if name not in {"lines", "notes"}}
    by_name = {one["criterion"]: one for one in content["lines"]}
    assert all(one == by_name[one["criterion"]] for one in turned["lines"])
    assert len(turned["lines"]) == len(content["lines"])
    assert turned["layout"]["titles"] == dict(layout().titles)
    assert part_of(layout())["footnotes"] == ["For the clinical trial only."]
    assert layout().reference == "COA-DE-A4 v2"


def test_a_rendition_holds_nothing_of_what_it_leaves_out_but_how_many_of_which_category():
    content = complete()
    content["lines"][-1]["notes"] = [2]
    content["notes"].append("IDO activity, kynurenine after IFN-γ: read on day 5.")
    assert refused(content) == []
    found = rendition(content, for_clinic())
    assert found["rendition"] == {
        "of": "COA-2026-000017",
        "content_sha256": content_sha256(content),
        "recipient": CLINIC,
        "made": moment("2026-04-01", "10:00:00"),
        "withheld": [{"category": "potency", "lines": 1}],
    }
    assert "ido" not in criteria(found)
    for word in ("IDO", "kynurenine", "3.42", "Left out"):
        assert word in str([content, layout()])
        assert word not in str(found)
    assert rendition(content, for_clinic(withhold=()))["rendition"]["withheld"] == []


def test_a_rendition_takes_nothing_over_that_nobody_has_looked_at():
    earlier = {"number": "COA-2026-000001", "reason": "Late results", "changes": ["ido: 3.1"]}
    content: Any = {**complete(supersedes=earlier), "trends": [{"criterion": "ido"}]}
    found: Any = rendition(content, for_clinic())
    assert set(found) == {*complete(), "layout", "rendition"}
    assert found["supersedes"] == {"number": "COA-2026-000001", "reason": "Late results"}
    pending = [{"criterion": "sterility", "title": "Sterility", "due_on": "2026-04-01"}]
    assert rendition(complete(pending=pending), for_clinic())["pending"] == pending


def refused(content: CertificateContent, **changes: Any) -> list[str]:
    return rendition_problems(content, for_clinic(**changes), optional=OPTIONAL)


def test_what_is_for_information_or_passed_and_is_not_required_may_be_left_out():
    assert refused(complete()) == []
    assert refused(complete(), withhold=("ido", "mycoplasma"), product="UC-MSC") == []


@pytest.mark.parametrize("verdict", ["FAIL", "CANNOT_JUDGE", "PASSED", ""])
def test_what_does_not_pass_is_never_left_out(verdict: str):
    content = complete()
    content["lines"][-1]["verdict"] = verdict
    (why,) = refused(content)
    assert why == f"ido is {verdict}: what does not pass is never withheld"


def test_every_reason_is_told_at_once():
    content = complete(
        pending=[{"criterion": "sterility", "title": "Sterility", "due_on": "2026-04-01"}]
    )
    content["lines"][7]["verdict"] = "CANNOT_JUDGE"
    found = refused(content, withhold=("sterility", "cd73", "nothing"), product="OTHER")
    assert [one.split(":")[0] for one in found] == [
        "COA-DE-A4 v2 is for product OTHER, not for UC-MSC",
        "sterility is CANNOT_JUDGE",
        "sterility is pending",
        "sterility is required by UC-MSC-REL v3",
        "cd73 is required by UC-MSC-REL v3",
        "nothing is to be withheld, and the certificate has no such line",
    ]


def test_a_rendition_has_a_recipient_and_is_of_the_certificate_itself():
    (nobody,) = refused(complete(), recipient="", withhold=())
    assert "names no recipient" in nobody
    (again,) = refused(rendition(complete(), for_clinic()), withhold=())
    assert again.startswith("it is a rendition of COA-2026-000017")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("notes", 0), "note 1"),
        (("statements", 0), "statement 1"),
        (("lines", 2, "sentence"), "the sentence of cd73"),
        (("lines", 2, "aggregate"), "the sentence of cd73"),
        (("lines", 2, "title"), "the title of cd73"),
        (("lines", 2, "external"), "the title of cd73"),
        (("corrections", 0, "reason"), "a correction"),
        (("signatures", 0, "reason"), "the reason of signature S-2026-000041"),
        (("decision_rule",), "the decision rule"),
        (("conclusion",), "the conclusion"),
        (("supersedes", "reason"), "the reason for which it supersedes"),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "ratio of ido and cd73",
        "IDO activity, kynurenine after IFN-γ.",
        "low IDO_Activity",
        "Ido: 9.8",
    ],
)
def test_what_something_else_speaks_of_is_not_left_out(
    path: tuple[str | int, ...], told: str, text: str
):
    earlier = {"number": "COA-2026-000001", "reason": "Late results"}
    content: Any = complete(corrections=[dict(CORRECTION)], supersedes=earlier)
    assert refused(content) == []
    next(one for one in content["lines"] if one["criterion"] == "ido")["analyte"] = "ido_activity"
    *steps, last = path
    part = content
    for step in steps:
        part = part[step]
    part[last] = text
    (why,) = refused(content)
    assert why.startswith(f"ido cannot be withheld: {told} speaks of it")


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"titles": (("cd73", "CD73, and IDO"),)}, "the wording of cd73 speaks of it"),
        ({"contact": ("Ask us for IDO",)}, "the address of the layout speaks of it"),
    ],
)
def test_the_layout_itself_speaks_of_nothing_that_is_left_out(part: dict[str, Any], told: str):
    (why,) = refused(complete(), **part)
    assert told in why
    assert refused(complete(), titles=(("ido", "IDO activity"), ("none", "ido"))) == []


def test_what_is_measured_for_another_line_too_may_be_named():
    content = complete()
    content["lines"][2]["analyte"] = content["lines"][0]["analyte"] = "signal"
    content["lines"][2]["sentence"] = "PASS: signal"
    ido = next(one for one in content["lines"] if one["criterion"] == "ido")
    ido["analyte"] = "signal"
    assert refused(content) == []


def test_what_has_no_analyte_may_be_left_out_and_its_title_is_still_looked_for():
    content = certificate_content()
    (one,) = (each for each in content["lines"] if each["criterion"] == "ido")
    one["analyte"] = ""
    assert refused(content) == []
    content["statements"].append(f"{one['title']} was low.")
    (problem,) = refused(content)
    assert "speaks of it" in problem


def test_a_footnote_speaks_of_nothing_that_is_left_out():
    (why,) = refused(complete(), footnotes=("Without ido.",))
    assert "a footnote of the layout speaks of it" in why


def test_a_word_that_only_looks_like_it_speaks_of_nothing():
    assert refused(complete(statements=["An idol, pseudo-ido and ido-like activity."])) == []
