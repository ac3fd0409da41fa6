"""Files that are made to crash a reader, or to keep it busy: each is refused, and at once."""

import zlib
from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from batchqc.documents.certificate_check import check
from batchqc.documents.verifier.findings import Failed
from batchqc.documents.verifier.pdf_file import PdfFile, read_revisions
from batchqc.documents.verifier.pdf_objects import Name, Real, Reference, read_value, text_of
from tests.documents.conftest import Site
from tests.documents.tamper import updated
from tests.documents.test_certificate_check import fuzzed

SECONDS = 5


def bomb(writer: IncrementalPdfFileWriter) -> None:
    """Evidence that is a thousand times one stream, which is 200 MB when it is inflated."""
    stream = generic.StreamObject(
        {pdf_name("/Filter"): pdf_name("/FlateDecode")},
        encoded_data=zlib.compress(bytes(200_000_000), 9),
    )
    reference = writer.add_object(stream)
    store = {pdf_name("/Certs"): generic.ArrayObject([reference] * 1000)}
    writer.root["/DSS"] = writer.add_object(generic.DictionaryObject(store))
    writer.update_root()


def looped(pdf: bytes) -> bytes:
    """The last table says that it comes before itself."""
    place = pdf.rindex(b"startxref\n") + 10
    own = pdf[place : pdf.index(b"\n", place)]
    before, _, after = pdf.rpartition(b"/Prev ")
    return before + b"/Prev " + own + after[after.index(b"\n") :]


WAYS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("a bomb", lambda pdf: updated(pdf, bomb)),
    ("many signatures", lambda pdf: pdf + b"/ByteRange [0 9 99 9]" * 100_000),
    ("deep lists", lambda pdf: pdf.replace(b"/Fields [", b"/Fields " + b"[" * 100_000)),
    ("a loop of tables", looped),
    ("an endless string", lambda pdf: pdf[:-400] + b"(" * 1_000_000 + pdf[-400:]),
    ("a table without end", lambda pdf: pdf.replace(b"xref\n0 ", b"xref\n0 9999999999")),
    ("a long number", lambda pdf: pdf.replace(b"/Size ", b"/Size " + b"9" * 1_000_000)),
]


@pytest.mark.parametrize(("name", "change"), WAYS, ids=[name for name, _ in WAYS])
def test_a_hostile_file_is_refused_at_once(
    sealed: bytes, site: Site, name: str, change: Callable[[bytes], bytes]
):
    changed = change(sealed)
    assert changed != sealed
    begun = process_time()
    report = check(changed, root_pem=site.root_pem, at=site.sealed_at)
    assert not report.passed
    assert process_time() - begun < SECONDS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b" % a comment\n 12 ", 12),
        (b"-7/", -7),
        (b"+.5 ", Real("+.5")),
        (b"4. ", Real("4.")),
        (b"true]", True),
        (b"null ", None),
        (b"/A#20b ", Name("A b")),
        (b"3 0 R>>", Reference(3, 0)),
        (b"[1 2 /R (a)]", [1, 2, Name("R"), b"a"]),
        (b"<48 656C6>", b"Hel`"),
        (rb"(a\(b\)c(d)\n\101\\\x)", b"a(b)c(d)\nA\\x"),
        (b"(a\\\r\nb)", b"ab"),
        (b"<</A<</B[]>>/C()>>", {"A": {"B": []}, "C": b""}),
    ],
)
def test_objects_are_read_as_the_standard_writes_them(text: bytes, value: object):
    assert read_value(text, 0)[0] == value


@pytest.mark.parametrize(
    "text",
    [b"", b"(a", b"[1", b"<</A 1", b"<</A 1/A 2>>", b"<<(A) 1>>", b"<4x>", b"12a", b"nul", b">"],
)
def test_what_is_no_object_is_refused(text: bytes):
    with pytest.raises(Failed):
        read_value(text, 0)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"Lot \x84 \xb5", "Lot — µ"),
        (b"\xfe\xff\x1e\xa7", "ầ"),
        (b"\xef\xbb\xbf\xc2\xb5", "µ"),
        (b"\xfe\xff\xd8", "\ufffd"),
        (None, ""),
    ],
)
def test_texts_are_read_in_each_encoding(written: bytes | None, text: str):
    assert text_of(written) == text


@fuzzed
@given(data=st.data())
def test_whatever_the_bytes_they_are_read_or_refused(rendered: bytes, data: st.DataObject):
    """Nothing but ``Failed`` is raised by reading revisions and every object of them."""
    changed = bytearray(rendered)
    for _ in range(data.draw(st.integers(1, 3))):
        last = len(changed) - 1
        place = data.draw(st.integers(0, last) | st.integers(last - 9000, last))
        changed[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        file = PdfFile(bytes(changed), read_revisions(bytes(changed)))
    except Failed:
        return
    for number in sorted(file.numbers)[: data.draw(st.integers(0, 400))]:
        try:
            file.object(number)
        except Failed:
            continue
