"""Evidence behind the last seal that leads a program which mends damaged files to another page.

The file's own table names no forged object, so who reads it as it is written sees the certificate.
What finds the file damaged looks for objects by itself, and would find the forged ones.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchqc.documents.certificate_check import check
from batchqc.documents.verifier.increments import is_head
from batchqc.documents.verifier.signatures import extract
from tests.documents.conftest import Site
from tests.documents.test_certificate_check import failures

SHOWN = b"BT /F1 40 Tf 100 400 Td (FORGED) Tj ET"
FONT = b"<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


@dataclass(frozen=True)
class Trick:
    """How evidence is written that is more than that; the reason for which it is refused."""

    name: str
    reason: str
    data: bytes = b"\x30\x00"
    length: bytes = b"2"
    keys: bytes = b""
    zero: bytes = b""
    size: bytes = b"{size}"
    end: bytes = b"\nstartxref\n{table}\n%%EOF\n"
    told: bytes = b""


def page(pdf: bytes, at: bytes = b"0 obj") -> bytes:
    """The first page, forged, as objects that stand in a stream."""
    file = extract(pdf).file
    pages = file.catalog["Pages"]
    first = file.array(file.dictionary(pages)["Kids"])[0]
    own = max(file.numbers) + 6
    return (
        b"\nendstream\nendobj\n%d %s\n<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]"
        b"/Resources<</Font%s>>/Contents %d 0 R>>\nendobj\n"
        b"%d %s\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n"
        % (first.number, at, pages.number, FONT, own, own, at, len(SHOWN), SHOWN)
    )  # fmt: skip


def with_evidence(pdf: bytes, trick: Trick) -> bytes:
    """The file with one stream of evidence behind it, written by hand."""
    file = extract(pdf).file
    root, new = file.trailer["Root"].number, max(file.numbers) + 1
    old = file._places[root]
    assert old is not None
    catalog = re.sub(
        rb">>\s*endobj\Z", b"/DSS %d 0 R\n>>\nendobj\n" % (new + 1),
        pdf[old[0] : file.object(root).end],
    )  # fmt: skip
    written = {
        0: trick.zero,
        new: b"%d 0 obj\n<</Length %s%s>>\nstream\n%s\nendstream\nendobj\n"
        % (new, trick.length, trick.keys, trick.data),
        new + 1: b"%d 0 obj\n<</Type/DSS%s/VRI<</X<</Cert[%d 0 R]>>>>>>\nendobj\n"
        % (new + 1, trick.told, new),
        root: catalog,
    }
    out, places = bytearray(pdf), {}
    for number, one in written.items():
        if one:
            places[number] = len(out)
            out += one
    table = len(out)
    out += b"xref\n"
    for number in sorted(places):
        out += b"%d 1\n%010d 00000 n \n" % (number, places[number])
    info, previous = file.trailer["Info"].number, re.findall(rb"startxref\n(\d+)", pdf)[-1]
    size = trick.size.replace(b"{size}", b"%d" % (new + 2))
    out += b"trailer\n<</Size %s/Root %d 0 R/Info %d 0 R/Prev %s" % (size, root, info, previous)
    identity = re.findall(rb"/ID\s*(\[[^\]]*\])", pdf)[-1]
    return bytes(out + b"/ID %s>>" % identity + trick.end.replace(b"{table}", b"%d" % table))


def again(pdf: bytes) -> bytes:
    """The same catalog once more, in a revision of its own."""
    file = extract(pdf).file
    root, trailer = file.trailer["Root"].number, pdf[pdf.rindex(b"trailer") :]
    begin = file._places[root]
    assert begin is not None
    out = pdf + pdf[begin[0] : file.object(root).end] + b"\n"
    previous = b"/Prev " + re.findall(rb"startxref\n(\d+)", pdf)[-1]
    trailer = re.sub(rb"/Prev \d+", previous, trailer)
    place = b"startxref\n%d\n" % len(out)
    table = b"xref\n%d 1\n%010d 00000 n \n" % (root, len(pdf))
    return out + table + re.sub(rb"startxref\n\d+\n", place, trailer)


SIZE = "the file's size is wrong"
HIDDEN = "another object is hidden in one"
END = "a revision does not end as one does"
TRICKS = [
    Trick("a size that is none", SIZE, size=b"(x)"),
    Trick("no size", SIZE, size=b"null"),
    Trick("a size below zero", SIZE, size=b"-1"),
    Trick("a size that is too large", SIZE, size=b"999999999999"),
    Trick("a size that is too small", SIZE, size=b"1"),
    Trick("a blank that is none in a PDF", END, end=b"\nstartxref\x0b{table}\n%%EOF\n"),
    Trick("more blanks than one", END, end=b"\nstartxref\n\n{table}\n%%EOF\n"),
    Trick("object 0", "a cross-reference table is damaged", zero=b"0 0 obj\n2\nendobj\n"),
    Trick("a stream of another file", "more than kept evidence", keys=b"/F(other.pdf)"),
    Trick("a stream that is a catalog", "more than kept evidence", keys=b"/Type/Catalog"),
    Trick("an end in a string", HIDDEN, told=b"/TU(\ntrailer <</Root 9 0 R>>)"),
    Trick("an object in a string", HIDDEN, told=b"/TU(\n9 0 obj 1)"),
]  # fmt: skip


def asked(pdf: bytes, site: Site) -> dict[str, str]:
    return failures(check(pdf, root_pem=site.root_pem, at=site.sealed_at))


@pytest.mark.requirement("5.10")
def test_evidence_that_is_evidence_is_accepted(sealed: bytes, site: Site):
    assert asked(with_evidence(sealed, Trick("none", "")), site) == {}


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("trick", TRICKS, ids=lambda one: one.name)
def test_evidence_that_damages_or_hides_is_refused(sealed: bytes, site: Site, trick: Trick):
    assert trick.reason in asked(with_evidence(sealed, trick), site)["coverage"]


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("at", [b"0 obj", b"0obj", b"0 %\nobj", b"%5%\n%6\n0%7 \r\n \xff\x80obj"])
def test_no_object_hides_in_a_stream(sealed: bytes, site: Site, at: bytes):
    data = page(sealed, at)
    trick = Trick("a page in a stream", HIDDEN, data=data, length=b"%d" % len(data))
    assert HIDDEN in asked(with_evidence(sealed, trick), site)["coverage"]


BLANKS = st.text("\0\t\n\f\r \x80\xff", min_size=1).map(lambda one: one.encode("latin-1"))
COMMENTS = st.binary(max_size=9).map(
    lambda one: b"%" + one.replace(b"\r", b"").replace(b"\n", b"") + b"\n"
)
GAPS = st.lists(st.one_of(BLANKS, COMMENTS), min_size=1).map(b"".join)
NUMBERS = st.integers(0, 99999).map(lambda one: b"%d" % one)


@given(st.binary(), NUMBERS, GAPS, NUMBERS, GAPS)
def test_two_numbers_however_they_are_parted_head_an_object(
    before: bytes, number: bytes, gap: bytes, generation: bytes, last: bytes
):
    data = before + number + gap + generation + last
    assert is_head(data + b"obj", len(data))


@given(st.binary(), st.sampled_from([b"x", b"<", b"/", b")", b"5 x", b"x5"]), st.binary(max_size=3))
def test_bytes_that_spell_it_by_chance_head_nothing(before: bytes, last: bytes, blanks: bytes):
    between = bytes(one for one in blanks if one in b"\0\t\f \x80\xff")
    data = before.replace(b"\n", b"").replace(b"\r", b"") + last + between
    assert not is_head(data + b"obj", len(data))


@pytest.mark.requirement("5.10")
def test_evidence_in_many_revisions_is_read_or_refused_at_once(sealed: bytes, site: Site):
    """Each revision is compared with the one before: what they keep is read again each time."""
    begun, new = process_time(), max(extract(sealed).file.numbers) + 1
    for many, reason in ((100, ""), (20_000, "too much evidence")):
        told = b"/Certs[" + b"%d 0 R " % new * many + b"]"
        pdf = with_evidence(sealed, Trick("many", "", told=told))
        for _ in range(0 if reason else 10):
            pdf = again(pdf)
        found = failures(check(pdf, root_pem=site.root_pem, at=site.sealed_at))
        assert reason in found.get("coverage", "")
        assert bool(reason) == ("coverage" in found)
    assert process_time() - begun < 5


@pytest.mark.requirement("5.10")
def test_what_another_program_shows_instead_is_refused(sealed: bytes, site: Site, tmp_path: Path):
    """The whole attack, without a key: mutool mends the file, and draws the forged page."""
    data = page(sealed)
    zero = b"0 0 obj\n%d\nendobj\n" % len(data)
    trick = Trick("all", "", data=data, length=b"0 0 R", zero=zero, size=b"-1")
    (tmp_path / "forged.pdf").write_bytes(pdf := with_evidence(sealed, trick))
    command = ["mutool", "draw", "-F", "txt", "forged.pdf", "1"]
    drawn = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert b"FORGED" in drawn.stdout
    assert "coverage" in asked(pdf, site)
