"""Layout files: what they say, and everything wrong with one; and the words of each language."""

import re
import string
import tomllib
from pathlib import Path
from typing import Any

import pytest

import batchqc
from batchqc.actions.certificate_trends import _LONG, _NO_SET, _NOT_IN_IT, _OTHER
from batchqc.core.acceptance import ReportOnly
from batchqc.core.certificate_layouts import Language, PaperSize
from batchqc.core.certificates import NOT_TESTED
from batchqc.core.criteria import Category
from batchqc.core.donors import ELIGIBLE, EXCEPTION, INELIGIBLE
from batchqc.core.lot_states import Disposition
from batchqc.core.permissions import Role
from batchqc.core.signatures import Meaning
from batchqc.core.specifications import Stage
from batchqc.core.verdicts import Outcome
from batchqc.documents.certificate_words import PAGE_WORDS
from batchqc.documents.layout_file import read_layout
from batchqc.documents.verifier.meaning import TITLES
from batchqc.settings import bundled
from tests.records.layouts import FOR_CLINIC, LAYOUT

WORDS = {
    one.stem: tomllib.loads(one.read_text("utf-8"))
    for one in (bundled("reports") / "words").glob("*.toml")
}
DOCUMENTS = Path(__file__).parents[2] / "batchqc" / "documents"


def problems(text: str) -> list[str]:
    reading = read_layout(text.encode(), file="l.toml")
    assert (reading.layout is None) == bool(reading.problems)
    return [str(one) for one in reading.problems]


def test_a_layout_says_what_its_file_says():
    layout = read_layout(LAYOUT, file="l.toml").layout
    assert layout
    assert (layout.reference, layout.language, layout.paper) == ("COA-DE v1", "de", "A4")
    assert (layout.order, layout.withhold) == (("viability", "sterility"), ())
    assert (layout.recipient, layout.product, layout.address) == ("", "", ())
    assert layout.contact == ("qc@lakeside.example",)
    assert layout.titles == (("viability", "Viabilität nach dem Auftauen"),)
    clinic = read_layout(FOR_CLINIC, file="l.toml").layout
    assert clinic
    assert (clinic.recipient, clinic.withhold) == ("Klinik am See, Hamburg", ("ido",))
    assert (clinic.product, clinic.paper) == ("UC-MSC", PaperSize.LETTER)


def test_every_problem_is_told_at_once_with_its_line():
    told = problems(
        'schema = "batchqc/layout/2"\nid = "x"\nversion = 0\ntitle = " "\nlanguage = "it"\n'
        'paper = "A5"\nproduct = "a b"\nlogo = "x.png"\norder = ["a", "a"]\nwithhold = ["ido"]\n'
        f'footnotes = ["a\\u0007"]\n[letterhead]\naddress = ["{"x" * 81}"]\ncontact = "me"\n'
        'phone = "1"\n[titles]\na = "Same"\nb = "same"\n'
    )
    assert [one.split(":")[0] + ":" + one.split(":")[1] for one in told] == [
        "l.toml, line 1: schema",
        "l.toml, line 2: id",
        "l.toml, line 3: version",
        "l.toml, line 4: title",
        "l.toml, line 5: language",
        "l.toml, line 6: paper",
        "l.toml, line 7: product",
        "l.toml, line 8: logo",
        "l.toml, line 9: order",
        "l.toml, line 10: withhold",
        "l.toml, line 11: footnotes",
        "l.toml, line 13: letterhead.address",
        "l.toml, line 14: letterhead.contact",
        "l.toml, line 15: letterhead.phone",
        "l.toml, line 16: titles",
    ]
    assert "known are: schema, id" in told[7]


@pytest.mark.parametrize("text", ["= nothing", "\x00", "titles = 3", "letterhead = []"])
def test_what_is_no_layout_is_refused(text: str):
    assert problems(text)
    assert read_layout(b"\xff", file="l.toml").layout is None


@pytest.mark.parametrize(
    "change",
    [
        ("version = 1", "version = true"),
        ("version = 1", 'version = "1"'),
        ('title = "Zertifikate auf Deutsch"', 'title = "a\\nb"'),
        ('viability = "Viab', 'viability = "\\u202eViab'),
    ],
)
def test_what_could_mislead_on_the_page_is_refused(change: tuple[str, str]):
    assert len(problems(LAYOUT.decode().replace(*change))) == 1


@pytest.mark.parametrize("file", sorted((bundled("reports") / "layouts").glob("*.toml")))
def test_a_shipped_layout_is_sound(file: Path):
    reading = read_layout(file.read_bytes(), file=file.name)
    assert reading.problems == ()
    assert reading.layout
    assert reading.layout.id == (
        file.stem.upper() if file.stem.startswith("coa") else "COA-RECIPIENT-DE"
    )


def test_the_example_of_the_guide_is_a_layout():
    guide = (Path(batchqc.__file__).parent / "guide" / "layouts.md").read_text("utf-8")
    (block,) = re.findall(r"(?ms)^```toml\n(.*?)^```$", guide)
    reading = read_layout(block.encode(), file="guide")
    assert reading.problems == ()
    assert reading.layout
    assert all(
        (
            reading.layout.recipient, reading.layout.product, reading.layout.address,
            reading.layout.contact, reading.layout.order, reading.layout.titles,
            reading.layout.withhold, reading.layout.footnotes,
        )
    )  # fmt: skip


def braces(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", [one.value for one in Language])
def test_the_words_of_a_language_are_complete(language: str):
    english, own = WORDS["en"], WORDS[language]
    assert list(own) == ["tag", "words", "terms"]
    assert list(own["words"]) == list(english["words"])
    for key, text in own["words"].items():
        assert braces(text) == braces(english["words"][key]), key
        assert text.strip()
    kinds: dict[str, Any] = {
        "verdict": Outcome, "category": Category, "stage": Stage, "disposition": Disposition,
        "meaning": Meaning, "role": Role,
    }  # fmt: skip
    assert set(own["terms"]) == {*kinds, "fixed", "trend"}
    for kind, known in kinds.items():
        assert set(own["terms"][kind]) == {one.value for one in known}, kind
    assert set(own["terms"]["fixed"]) == set(english["terms"]["fixed"])
    assert {ReportOnly().text, NOT_TESTED, ELIGIBLE, INELIGIBLE, EXCEPTION} <= set(
        own["terms"]["fixed"]
    )
    assert set(own["terms"]["trend"]) == {_NO_SET, _NOT_IN_IT, _OTHER, _LONG}
    assert all(text.strip() for kind in own["terms"].values() for text in kind.values())


def test_english_says_the_words_of_the_record():
    for kind, terms in WORDS["en"]["terms"].items():
        if kind != "verdict":
            assert all(word == said for word, said in terms.items()), kind
    assert set(WORDS) == {one.value for one in Language}


def test_every_word_is_used_and_every_word_used_is_there():
    actions = DOCUMENTS.parent / "actions"
    files = [*DOCUMENTS.glob("coa_*.py"), *actions.glob("certificate_*.py")]
    source = "".join(one.read_text() for one in files)
    used = set(re.findall(r'words\(\s*"(\w+)"', source))
    quoted = set(re.findall(r'"(\w+)"', source))
    known = set(WORDS["en"]["words"])
    assert used <= known
    assert known <= quoted


@pytest.mark.parametrize("language", [one.value for one in Language])
def test_the_checker_knows_the_words_of_the_pages_by_itself(language: str):
    words, known = WORDS[language]["words"], PAGE_WORDS[language]
    plain = {key: re.sub(r"\{\w+\}", "{}", text) for key, text in words.items()}
    title = f"{words['title']} "
    assert plain["title_of"] == title + "{}"
    assert TITLES[title] == language
    assert plain["identity"].replace("  ·  ", " · ") == known.identity
    assert (plain["page"], plain["content"]) == (known.page, known.content)
    assert plain["rendition"].startswith(known.rendition)
    assert plain["rendition_foot"].replace("\u00a0", " ").endswith(known.withheld)


@pytest.mark.parametrize("language", [one.value for one in Language])
def test_no_line_of_a_verdict_that_fails_can_be_read_as_one_that_passes(language: str):
    """A verdict may break between its words: the first of a failing one says that it fails."""
    verdicts = WORDS[language]["terms"]["verdict"]
    first = {name: text.split()[0] for name, text in verdicts.items()}
    assert first["PASS"] not in {first["FAIL"], first["CANNOT_JUDGE"]}
    assert len(set(verdicts.values())) == 3
    assert set(PAGE_WORDS) == {one.value for one in Language} == set(TITLES.values())
