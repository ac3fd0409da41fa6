"""Every word that a page says of itself is in the catalogue, and the catalogue is complete."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from batchqc.web.wording import CATALOGUE, PACKAGE, catalogue

TEMPLATES = sorted((PACKAGE / "templates").glob("*.html"))
_TAKEN = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_TOLD = re.compile(r"(?:title|alt|placeholder|aria-label|aria-description)=\"([^\"]*)\"")
#: Names, and keys as they are printed on a keyboard.
_NAMES = {"batchqc", "j", "k", "n", "r", "g", "Ctrl", "K", "Enter"}


def said(text: str) -> list[str]:
    """What a template says that no mark surrounds: between its elements, and in attributes."""
    plain = _TAKEN.sub(" ", text)
    words = [*re.sub(r"<[^>]*>", "\n", plain).split("\n"), *_TOLD.findall(plain)]
    return [one.strip() for one in words if re.search(r"[A-Za-z]", one)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_word_of_a_template_is_marked(path: Path):
    assert [one for one in said(path.read_text()) if one.strip("·: ") not in _NAMES] == []


def test_a_word_that_is_not_marked_is_found():
    assert said('<p>Hello {{ _("there") }}</p><i title="You"></i>') == ["Hello", "You"]


def test_the_english_catalogue_says_all_that_the_pages_say():
    with CATALOGUE.open("rb") as file:
        kept = read_po(file)
    now = catalogue()
    missing = "type: python -m batchqc.web.wording"
    assert {one.id for one in kept if one.id} == {one.id for one in now if one.id}, missing
    assert all(one.string and all(one.string) for one in kept if one.id)
