"""Files that strangers make to keep a verifier busy: nobody needs a key or an account for them."""

import tracemalloc
from contextlib import suppress
from time import process_time

import pytest

from batchqc.documents.verifier.findings import Failed
from batchqc.documents.verifier.pdf_objects import read_value
from batchqc.documents.verifier.signatures import _HEX, extract

SECONDS = 10
MANY = 190  # revisions
FREE = b"0000000000 65535 f \n"
NOTHING = b"<<>>"
Objects = dict[int, bytes]


def table(pdf: bytes, places: dict[int, int], trailer: bytes) -> bytes:
    """A table behind a file, and its end."""
    rows = b"".join(b"%d 1\n%010d 00000 n \n" % one for one in sorted(places.items()))
    return (
        b"xref\n0 1\n%s%strailer\n<</Size 9001/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n"
        % (FREE, rows, trailer, len(pdf))
    )  # fmt: skip


def last_table(pdf: bytes) -> int:
    return pdf.rindex(b"xref\n0 1\n")


def document(objects: Objects, *, before: bytes = b"") -> bytes:
    """A document of some objects, and behind it what only looks like a seal."""
    pdf, places = b"%PDF-1.7\n" + before, dict[int, int]()
    for number, one in objects.items():
        places[number] = len(pdf)
        pdf += b"%d 0 obj" % number + one
    return signed(pdf + table(pdf, places, b""), 9000)


def signed(pdf: bytes, number: int, kind: bytes = b"ETSI.CAdES.detached") -> bytes:
    """The file with a signature behind it, whose container is empty."""
    head = b"%d 0 obj\n<</SubFilter/%s/Contents " % (number, kind)
    gap, digits = len(pdf) + len(head), b"<3082000400000000>"
    rest = 100
    while True:
        own = b"/ByteRange [0 %d %d %d]>>\nendobj\n" % (gap, gap + len(digits), rest)
        whole = pdf + head + digits + own
        end = table(whole, {number: len(pdf)}, b"/Prev %d" % last_table(pdf))
        if len(own + end) == rest:
            return whole + end
        rest = len(own + end)


def revised(pdf: bytes) -> bytes:
    """The file with revisions behind it that change nothing."""
    for _ in range(MANY):
        previous = last_table(pdf)
        pdf += b"\n"
        pdf += table(pdf, {}, b"/Prev %d" % previous)
    return pdf


def plain(one: bytes) -> bytes:
    return b"\n%s\nendobj\n" % one


def catalog(keys: bytes) -> Objects:
    return {1: plain(b"<</Pages 2 0 R%s>>" % keys), 2: plain(NOTHING)}


def nested() -> Objects:
    """A thousand objects, each in a comment of the one before, all with one long value."""
    kept = b"/DSS<</Certs[%s]>>" % b" ".join(b"%d 0 R" % one for one in range(10, 1010))
    value = b"\n<</Length 1/Filter[%s]>>\nstream\nx\nendstream\nendobj\n" % (b"1 " * 200_000)
    return catalog(kept) | dict.fromkeys(range(10, 1009), b" %") | {1009: value}


WAYS: list[tuple[str, bytes, str]] = [
    ("a long catalog", revised(document(catalog(b"/X[%s]" % (b"1 " * 200_000)))), ""),
    ("long extensions", revised(document(catalog(b"/Extensions<<%s>>" % b"".join(
        b"/%d 1" % one for one in range(50_000)
    )))), ""),
    ("objects in objects", revised(document(nested())), "objects lie in each other"),
]  # fmt: skip


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize(("pdf", "reason"), [one[1:] for one in WAYS], ids=[one[0] for one in WAYS])
def test_what_is_long_is_read_once_and_not_by_every_revision(pdf: bytes, reason: str):
    begun = process_time()
    if reason:
        with pytest.raises(Failed, match=reason):
            extract(pdf)
    else:
        assert len(extract(pdf).ends) == MANY + 1
    assert process_time() - begun < SECONDS


@pytest.mark.requirement("5.10")
def test_a_hundred_signatures_hold_the_file_once():
    pdf = document(catalog(b""), before=b"%" + b"x" * 2_000_000 + b"\n")
    for number in range(9001, 9080):
        pdf = signed(pdf, number, b"ETSI.RFC3161")
    tracemalloc.start()
    with pytest.raises(Failed):
        extract(pdf)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10 * len(pdf)


MEGABYTES = 3
SIZE = MEGABYTES * 1_000_000
LONG = {
    "blanks": b"\n" * SIZE,
    "comments": b"%\n" * (SIZE // 2),
    "a name": b"/" + b"#41" * (SIZE // 3),
    "hexadecimal digits": b"<" + b"41" * (SIZE // 2) + b">",
}


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("data", LONG.values(), ids=LONG)
def test_what_is_long_takes_no_more_memory_than_some_of_it(data: bytes):
    tracemalloc.start()
    with suppress(Failed):
        read_value(data, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * SIZE


def test_the_digits_of_a_long_signature_take_no_memory():
    digits = b"41" * (SIZE // 2)
    tracemalloc.start()
    assert _HEX.fullmatch(digits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < SIZE


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("where", ["one object", "many"])
def test_what_is_kept_of_the_objects_is_bounded(where: str):
    """All of them are kept, and a name of two bytes takes sixty times as many in memory."""
    parts = 1 if where == "one object" else 30
    value = b"\n<</Length 1/Filter[%s]>>\nstream\nx\nendstream\nendobj\n"
    objects = catalog(
        b"/DSS<</Certs[%s]>>" % b" ".join(b"%d 0 R" % (one + 10) for one in range(parts))
    )
    for one in range(parts):
        objects[one + 10] = value % (b"(%s)" % (b"a" * (4_400_000 // parts)))
    pdf = revised(document(objects))
    with pytest.raises(Failed, match="too large"):
        extract(pdf)
