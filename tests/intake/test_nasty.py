"""Files that must come out in one way only, written here and as they lie in the corpus."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from batchqc.intake.contract import Reading
from tests.intake.files import found, read
from tests.intake.nasty import NASTY, Nasty

CORPUS = Path(__file__).parents[3] / "shared/data/nasty"


def corpus() -> list[dict[str, str]]:
    """The long files of the corpus with what its manifest says; none where it is not at hand."""
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest))
    return [row for row in rows if row["profile"] == "batchqc long v1"]


def cases() -> list[Nasty]:
    """The files written here, and the same files of the corpus where it is at hand."""
    files = [(one, CORPUS / f"{one.name}.csv") for one in NASTY]
    there = [
        replace(one, name=f"corpus {one.name}", data=file.read_bytes())
        for one, file in files
        if file.is_file()
    ]
    return [*NASTY, *there]


def decision(reading: Reading) -> str:
    if not reading.accepted:
        return "reject"
    return "accept_with_warning" if reading.problems else "accept"


@pytest.mark.parametrize("nasty", cases(), ids=lambda nasty: nasty.name)
def test_a_nasty_file_comes_out_as_written(nasty):
    reading = read(nasty.data)
    assert decision(reading) == nasty.decision
    assert tuple(one.text for one in reading.measurements) == nasty.values
    assert tuple(found(reading.problems)) == nasty.problems


def test_the_files_written_here_are_those_of_the_corpus():
    corpus_files = {one.name: one.data for one in cases() if one.name.startswith("corpus ")}
    written = {f"corpus {one.name}": one.data for one in NASTY}
    assert corpus_files == {name: written[name] for name in corpus_files}


def test_the_corpus_comes_out_as_its_manifest_says():
    for row in corpus():
        reading = read((CORPUS / row["file"]).read_bytes())
        wanted = "reject" if row["decision"] == "needs_profile" else row["decision"]
        assert decision(reading) == wanted, row["file"]
        assert bool(reading.measurements) == reading.accepted, row["file"]
        codes = {one.code for one in reading.problems}
        assert set(re.findall(r"\b[EW]\d{3}\b", row["message"])) <= codes, row["file"]
        rows = {(one.code, one.row) for one in reading.problems}
        for code, number in re.findall(r"\b([EW]\d{3}) row (\d+)", row["message"]):
            assert (code, int(number)) in rows, row["file"]


def test_a_word_is_kept_and_its_meaning_is_shown():
    reading = read(next(one.data for one in NASTY if one.name.startswith("08")))
    assert [one.unit for one in reading.measurements] == ["", "CFU"]
    assert '"TNTC" is read as "growth"' in reading.problems[0].message


def test_a_quoted_comment_is_kept_with_its_line_end():
    reading = read(next(one.data for one in NASTY if one.name.startswith("19")))
    assert reading.measurements[0].comment == 'bubble seen,\r\n"re-read" ok'


def test_digits_and_qualifiers_are_kept_exactly():
    texts = {}
    for name in ("07", "26", "30"):
        reading = read(next(one.data for one in NASTY if one.name.startswith(name)))
        texts |= {one.text: one.amount for one in reading.measurements}
    assert {text: str(amount.number) for text, amount in texts.items() if amount} == {
        "<0.05": "0.05",
        ">95": "95",
        "<=2.0": "2.0",
        "2.45E6": "2.45E+6",
        "2.45e+06": "2.45E+6",
        "95.0": "95.0",
        "95.00": "95.00",
        "94.95": "94.95",
        "0.30000000000000004": "0.30000000000000004",
    }
    assert [texts[text].qualifier for text in ("<0.05", ">95", "<=2.0")] == ["<", ">", "<="]
