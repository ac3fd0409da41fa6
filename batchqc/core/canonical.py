"""Canonical bytes: the one form in which batchqc hashes anything.

RFC 8785 JSON of strings, integers below 2**53, booleans, null, lists and objects. Strings are
brought to Unicode NFC. Floats, decimals, times and everything else are refused: whoever hashes
them decides on their text first. An object names its type and version first in ``type``.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

import rfc8785

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"
_Plain: TypeAlias = "str | int | bool | list[_Plain] | dict[str, _Plain] | None"

LARGEST_INTEGER = 2**53 - 1
_ASTRAL: Final = "\U00010000"  # only from here on do UTF-16 and code points order keys differently
_FAST: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical_bytes(value: Json) -> bytes:
    """RFC 8785 bytes of ``value``.

    Raises:
        TypeError: for a float or any other type that has no canonical form.
        ValueError: for an integer of 2**53 or more, or two keys that are equal in NFC.
    """
    plain = _normal(value)
    text = _FAST.encode(plain)
    if text.isascii() or max(text) < _ASTRAL:
        return text.encode()
    return rfc8785.dumps(plain)


def sha256_of(value: Json) -> str:
    """SHA-256 of the canonical bytes of ``value``, as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def utc_text(moment: datetime) -> str:
    """RFC 3339 text in UTC with six digits and ``Z``.

    Raises:
        ValueError: where ``moment`` carries no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone has no canonical form")
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{text.removesuffix('+00:00')}Z"


def _normal(value: Json) -> _Plain:
    match value:
        case str():
            return _text(value)
        case None | bool():
            return value
        case int():
            if abs(value) > LARGEST_INTEGER:
                raise ValueError(f"{value} is beyond 2**53; write it as text")
            return value
        case list() | tuple():
            return [_text(item) if type(item) is str else _normal(item) for item in value]
        case Mapping():
            pairs = {
                _text(key): _text(item) if type(item) is str else _normal(item)
                for key, item in value.items()
            }
            if len(pairs) != len(value):
                raise ValueError("two keys are equal in Unicode NFC")
            return pairs
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")


def _text(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)
