"""How donations are identified: DIN, Single European Code, or an id of the site (8.08 to 8.10).

- A DIN has 13 characters: facility 5, year 2, serial number 6. Its check character (ISO 7064
  mod 37-2) may follow; the two flag characters of a label are no part of it.
- A Single European Code has 40 characters: the donation part (21) names the donation, the product
  part (19) says what was made of it and until when it can be used.
- A wrong character is refused with its place. What would have been right is never told: a code is
  read from its label again, not guessed.

ISBT 128 is licensed by ICCBBA. Only its syntax stands here; none of its tables is shipped.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from batchqc.core.identifiers import fold, id_problem, strange_character

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
_DIN_LENGTH: Final = 13
DIS_LENGTH: Final = 21
_SEC_LENGTH: Final = 40
_NO_EXPIRY: Final = "00000000"
_UPPER: Final = "A-Z"
_DIGITS: Final = "0-9"
_BOTH: Final = "A-Z0-9"
_DIN_PARTS: Final = (
    ("the facility", 0, 5, _BOTH),
    ("the year", 5, 7, _DIGITS),
    ("the serial number", 7, 13, _DIGITS),
)
_SEC_PARTS: Final = (
    ("the country", 0, 2, _UPPER),
    ("the tissue establishment", 2, 8, _BOTH),
    ("the unique donation number", 8, 21, _BOTH),
    ("the coding system", 21, 22, _UPPER),
    ("the product", 22, 29, _BOTH),
    ("the split number", 29, 32, _BOTH),
    ("the expiry date", 32, 40, _DIGITS),
)


class IdKind(StrEnum):
    """What identifies a donation."""

    DIN = "DIN"
    SEC = "SEC"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class DonationId:
    """An identification as it is kept, and the part by which a donation is known again."""

    kind: IdKind
    text: str

    @property
    def folded(self) -> str:
        """The part that names the donation, as it is compared: of a SEC the first 21 characters."""
        return fold(self.text[:DIS_LENGTH] if self.kind is IdKind.SEC else self.text)


@dataclass(frozen=True, slots=True)
class EuropeanCode:
    """The parts of a Single European Code; ``expires_on`` is ``None`` where it states no expiry."""

    country: str
    establishment: str
    donation: str
    system: str
    product: str
    split: str
    expires_on: date | None


def check_character(din: str) -> str:
    """The check character of 13 characters by ISO 7064 mod 37-2 (requirement 8.08)."""
    return _ALPHABET[(38 - _sum(din + "0") % 37) % 37]


def is_checked(text: str) -> bool:
    """Whether a DIN fits the check character that follows it."""
    return _sum(text) % 37 == 1


def donation_id(kind: IdKind, text: str) -> DonationId | tuple[str, ...]:
    """An identification as it is kept, or everything that is wrong with ``text``.

    Args:
        kind: what it is said to be.
        text: as typed; spaces between the parts of a DIN or a SEC are not kept, nor is case.
    """
    if kind is IdKind.LOCAL:
        problem = id_problem(text.strip())
        return (problem,) if problem else DonationId(kind, text.strip())
    plain = "".join(text.split(" ")).upper()
    strange = strange_character("".join(text.split(" ")))
    if strange:
        return (f"a {kind} is plain letters and digits; this one holds {strange}",)
    problems = _din_problems(plain) if kind is IdKind.DIN else _sec_problems(plain)
    kept = plain[:_DIN_LENGTH] if kind is IdKind.DIN else plain
    return tuple(problems) or DonationId(kind, kept)


def known_by(text: str) -> str:
    """What a donation is looked up by, from any of the forms in which its id is written."""
    plain = "".join(text.split(" "))
    if re.fullmatch(rf"[{_BOTH}]{{{_SEC_LENGTH}}}", plain.upper()):
        return fold(plain[:DIS_LENGTH])
    if not _din_problems(plain.upper()):
        return fold(plain[:_DIN_LENGTH])
    return fold(text)


def european_code(text: str) -> EuropeanCode:
    """The parts of a Single European Code that has no problem.

    Raises:
        ValueError: for any other text.
    """
    if _sec_problems(text):
        raise ValueError(f'"{text}" is no Single European Code')
    parts = [text[since:until] for _, since, until, _ in _SEC_PARTS]
    expiry = None if parts[6] == _NO_EXPIRY else date.fromisoformat(parts[6])
    country, establishment, donation, system, product, split, _ = parts
    return EuropeanCode(country, establishment, donation, system, product, split, expiry)


def _sum(text: str) -> int:
    """The weighted sum of a text whose last character is the check character."""
    return sum(_ALPHABET.index(one) << place for place, one in enumerate(reversed(text)))


def _din_problems(plain: str) -> list[str]:
    if len(plain) not in {_DIN_LENGTH, _DIN_LENGTH + 1}:
        said = "a DIN has 13 characters (facility 5, year 2, serial number 6), and 14 with its"
        return [f"{said} check character, without flag characters; this one has {len(plain)}"]
    problems = _misfits(plain, _DIN_PARTS)
    check = plain[_DIN_LENGTH:]
    if check and check not in _ALPHABET:
        problems.append(f'character 14 is "{check}"; the check character is one of A-Z 0-9 *')
    if not problems and check and not is_checked(plain):
        problems.append(
            "the check character (character 14) does not fit the 13 before it: one of the 14 is"
            " wrong; read the label again"
        )
    return problems


def _sec_problems(plain: str) -> list[str]:
    if len(plain) != _SEC_LENGTH:
        said = "a Single European Code has 40 characters, the tissue establishment filled up with"
        return [f"{said} zeros on its left; this one has {len(plain)}"]
    problems = _misfits(plain, _SEC_PARTS)
    expiry = plain[_SEC_PARTS[6][1] :]
    if re.fullmatch("[0-9]{8}", expiry) and expiry != _NO_EXPIRY:
        try:
            date.fromisoformat(expiry)
        except ValueError:
            problems.append(f"characters 33 to 40 are no date YYYYMMDD: {expiry}")
    return problems


def _misfits(plain: str, parts: tuple[tuple[str, int, int, str], ...]) -> list[str]:
    """Every character that cannot stand where it does, by its place from 1."""
    return [
        f'character {place + 1} is "{plain[place]}"; {name} (characters {since + 1} to {until})'
        f" is of {allowed}"
        for name, since, until, allowed in parts
        for place in range(since, until)
        if re.fullmatch(f"[{allowed}]", plain[place]) is None
    ]
