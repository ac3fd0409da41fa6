"""Objects of a PDF (ISO 32000-1, 7.3) from its bytes; strict, and bounded for hostile ones.

Names are ``Name``, strings are bytes, real numbers are kept as their text. Nothing is evaluated.
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from batchqc.documents.verifier.findings import Failed, demand

_DEEPEST: Final = 40
_LARGEST_VALUE: Final = 4_000_000  # bytes; a value takes up to sixty times as many in memory
# Possessive: else each place is kept in memory, to be tried again.
_SPACE: Final = re.compile(rb"(?:[\0\t\n\f\r ]++|%[^\r\n]*+)*+")
_AHEAD: Final = rb"(?=[\0\t\n\f\r ()<>\[\]{}/%]|\Z)"
_REFERENCE: Final = re.compile(rb"(\d{1,10})[\t\n\r ]+(\d{1,5})[\t\n\r ]+R" + _AHEAD)
_INTEGER: Final = re.compile(rb"[+-]?\d{1,18}" + _AHEAD)
_REAL: Final = re.compile(rb"[+-]?(?:\d{1,18}\.\d{0,18}|\.\d{1,18})" + _AHEAD)
_IN_NAME: Final = rb"[!-$&'*-.0-;=?-Z\\^-z|~]"
_NAME: Final = re.compile(rb"/%s{0,1000}+(?!%s)" % (_IN_NAME, _IN_NAME))
_HEX_STRING: Final = re.compile(rb"<([0-9A-Fa-f\t\n\r ]*)>")
_WORD: Final = re.compile(rb"(true|false|null)" + _AHEAD)
_ESCAPED: Final = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_PLAIN: Final = re.compile(rb"[^()\\]*")
_WORDS: Final = {b"true": True, b"false": False, b"null": None}
_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_UPPER: Final = dict(
    zip(range(0x18, 0x20), "˘ˇˆ˙˝˛˚˜", strict=True),
) | dict(zip(range(0x80, 0xA1), "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž\ufffd€", strict=True))


class Name(str):
    """A name, without its slash."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Real:
    """A real number, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an object of the file."""

    number: int
    generation: int


PdfDictionary: TypeAlias = "dict[str, PdfValue]"
PdfValue: TypeAlias = (
    "bool | int | Real | Name | bytes | Reference | list[PdfValue] | PdfDictionary | None"
)


@dataclass(slots=True)
class Spent:
    """How many bytes of values were read of a file: all of them are kept."""

    size: int = 0

    def read(self, size: int) -> None:
        """Some more.

        Raises:
            Failed: they are too many.
        """
        self.size += size
        demand(self.size <= _LARGEST_VALUE, "the objects of the file are too large")


def skip_space(data: bytes, at: int) -> int:
    """Where the next thing begins: behind white space and comments."""
    found = _SPACE.match(data, at)
    return found.end() if found else at


def read_value(data: bytes, at: int, depth: int = 0) -> tuple[PdfValue, int]:
    """The value that begins at or behind a place, and where it ends.

    Raises:
        Failed: there is none, or one that is nested too deeply.
    """
    demand(depth < _DEEPEST, "an object is nested too deeply")
    at = skip_space(data, at)
    if data.startswith(b"<<", at):
        return _dictionary(data, at + 2, depth)
    if data.startswith(b"[", at):
        return _list(data, at + 1, depth)
    if data.startswith(b"(", at):
        return _string(data, at)
    return _scalar(data, at)


def _dictionary(data: bytes, at: int, depth: int) -> tuple[PdfDictionary, int]:
    found: PdfDictionary = {}
    begin, at = at, skip_space(data, at)
    while not data.startswith(b">>", at):
        demand(at - begin <= _LARGEST_VALUE, "an object is too large")
        key, at = read_value(data, at, depth + 1)
        demand(isinstance(key, Name), "a dictionary has a key that is no name")
        value, at = read_value(data, at, depth + 1)
        demand(str(key) not in found, f"a dictionary has the key {key!r} twice")
        found[str(key)] = value
        at = skip_space(data, at)
    return found, at + 2


def _list(data: bytes, at: int, depth: int) -> tuple[list[PdfValue], int]:
    found: list[PdfValue] = []
    begin, at = at, skip_space(data, at)
    while not data.startswith(b"]", at):
        demand(at - begin <= _LARGEST_VALUE, "an object is too large")
        value, at = read_value(data, at, depth + 1)
        found.append(value)
        at = skip_space(data, at)
    return found, at + 1


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    begin, open_ones = at + 1, 0
    while True:
        plain = _PLAIN.match(data, at)
        at = plain.end() if plain else at
        mark = data[at : at + 1]
        demand(mark != b"", "a string does not end")
        demand(at - begin <= _LARGEST_VALUE, "an object is too large")
        at += 2 if mark == b"\\" else 1
        open_ones += {b"(": 1, b")": -1}.get(mark, 0)
        if not open_ones:
            return _ESCAPED.sub(_unescaped, data[begin : at - 1]), at


def _unescaped(found: re.Match[bytes]) -> bytes:
    said = found[1]
    if said[:1].isdigit() and said[0] < 0x38:
        return bytes([int(said, 8) & 0xFF])
    return b"" if said in {b"\n", b"\r", b"\r\n"} else _ESCAPES.get(said, said)


def _scalar(data: bytes, at: int) -> tuple[PdfValue, int]:
    if found := _REFERENCE.match(data, at):
        return Reference(int(found[1]), int(found[2])), found.end()
    if found := _INTEGER.match(data, at):
        return int(found[0]), found.end()
    if found := _NAME.match(data, at):
        return _name(found[0][1:]), found.end()
    if found := _HEX_STRING.match(data, at):
        digits = b"".join(found[1].split())
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()), found.end()
    if found := _REAL.match(data, at):
        return Real(found[0].decode()), found.end()
    if found := _WORD.match(data, at):
        return _WORDS[found[1]], found.end()
    raise Failed(f"there is no PDF object at byte {at}")


def _name(written: bytes) -> Name:
    parts = written.split(b"#")
    whole = parts[0] + b"".join(bytes([int(one[:2], 16)]) + one[2:] for one in parts[1:])
    return Name(whole.decode("utf-8", "surrogateescape"))


def text_of(value: PdfValue) -> str:
    """A text string (7.9.2.2): UTF-16, UTF-8 or PDFDocEncoding; "" where it is none."""
    if not isinstance(value, bytes):
        return ""
    if value.startswith(b"\xfe\xff"):
        return value[2:].decode("utf-16-be", "replace")
    if value.startswith(b"\xef\xbb\xbf"):
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1").translate(_UPPER)
