"""Value and unit cells: what an acceptance criterion can read, and why it cannot read the rest.

Nothing is repaired and nothing is guessed: ``96,90`` may be a decimal comma or a slip, ``1,250``
may be 1250 or 1.250, ``ND`` may be "not done" or "not detected". A value that is read here is read
the same by the verdict, from the same text.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from batchqc.core.acceptance import ReportOnly, Words
from batchqc.core.assays import amount_of
from batchqc.core.criteria import Criterion
from batchqc.core.quantities import Amount, Interval
from batchqc.core.subjects import Measured
from batchqc.core.units import canonical_unit, unit_problem
from batchqc.core.vocabularies import Vocabulary
from batchqc.intake.problems import Wrong, shown

_LONGEST_VALUE: Final = 200

# Lists of what is met in files, lower case, one or more spaces read as one.
_NOTHING: Final = re.compile(
    r"nan|n/?a|n\.a\.?|null|none|nil|void|empty|blank|missing|pending|tbd|not available|to follow"
    r"|no result|no data|[?/\\]|[-–—−_.*]|[-–—−_.*=]{2,}"
)
_AMBIGUOUS: Final = re.compile(
    r"n[dqtr]|n/d|n\.[dqtr]\.?|neg\.?|negative|pos\.?|positive|trace|absent|present|pass|fail"
    r"|not (?:detected|determined|done|tested|reported|quantifiable)|none detected"
)
_NO_LIMIT: Final = re.compile(
    r"[<>≤≥]{1,2}=?\s?(?:[^\W\d_].*)?|b[dq]l|bl[dq]|bl?o[dq]|[lu]?lo[dq]|uloq|aloq|aql|tntc|range\?"
    r"|oor ?[<>]?|over|under|ovrflw|undrflw|overflow|underflow|out of range|too numerous to count"
    r"|(?:above|below|over|under|outside)\s\D*"
)
_SPREADSHEET_ERROR: Final = re.compile(
    r"#\S*[!?]|#N/?[ADV]|#DIV/0|#GETTING_DATA|#+|Err:[0-9]+", re.IGNORECASE
)
_OTHER_MARKS: Final = re.compile(
    r"[<>≤≥]{0,2}=?\s*[-+−]?(?P<digits>[0-9.,'’‘´`·٫٬_\s]*[0-9][0-9.,'’‘´`·٫٬_\s]*)"
    r"(?:[eE][-+−]?[0-9]+)?\s*%?"
)
_AMBIGUOUS_COMMA: Final = re.compile(r"[1-9][0-9]{0,2}[,.'’][0-9]{3}")
_HINT: Final = "Write digits with a decimal point, such as 96.90, 2.45E6 or <0.05."


def value_problems(text: str, *, criterion: Criterion, subject: Measured) -> Iterator[Wrong]:
    """What is wrong with a value that ``criterion`` shall judge, and warnings about it."""
    accept = criterion.accept
    if isinstance(accept, Words) and accept.vocabulary is not None:
        wrong = _word_problem(text, accept, accept.vocabulary)
    elif isinstance(accept, ReportOnly) and not subject.unit:
        wrong = _unused_problem(text) or (_nothing(text) if says_nothing(text) else None)
    else:
        amount = amount_of(text, subject.unit) if text == text.strip() else None
        wrong = _amount_problem(amount, subject) if amount else _not_an_amount(text, subject.unit)
    yield from _with_formula(text, wrong)


def unused_value_problems(text: str) -> Iterator[Wrong]:
    """What is wrong with a value that nobody judges: it may be any number or word."""
    yield from _with_formula(text, _unused_problem(text))


def unit_wrong(text: str, *, criterion: Criterion, subject: Measured) -> Wrong | None:
    """What is wrong with the unit of a value; the unit of a word is kept and not compared."""
    is_number = not isinstance(criterion.accept, Words) and bool(subject.unit)
    if not is_number or canonical_unit(text) == canonical_unit(subject.unit):
        return None
    expected = f'"{subject.unit}" was expected'
    hint = f"Report the result in {subject.unit}; units are never converted."
    if not text.strip():
        return Wrong("E208", f"the unit is blank; {expected}", hint)
    bare = unit_problem(text)
    said = bare or f'the unit is "{shown(text)}"'
    return Wrong("E208", f"{said}; {expected} for {subject.analyte}", hint)


def is_spreadsheet_error(text: str) -> bool:
    """Whether a spreadsheet wrote ``text`` where it could not compute: ``#DIV/0!``, ``Err:502``."""
    plain = text.strip()
    return plain[:1] in {"#", "E", "e"} and _SPREADSHEET_ERROR.fullmatch(plain) is not None


def says_nothing(text: str) -> bool:
    """Whether ``text`` is blank or a word for it (``NaN``, ``N/A``, ``-``), as far as is seen."""
    plain = _plain("".join(one for one in text if one.isprintable() or one.isspace()))
    return not plain or _NOTHING.fullmatch(plain) is not None


def formula_problems(text: str, *, column: str) -> Iterator[Wrong]:
    """What a spreadsheet would take for a formula when the cell is exported again."""
    is_formula = text[:1] in {"\t", "\r"} or text.lstrip()[:1] in {"=", "@", "＝", "＠"}
    is_signed = text[:1] in {"+", "-"} and column != "comment" and amount_of(text, "%") is None
    if is_formula or is_signed:
        message = f'{column} begins with "{shown(text[:1])}": a spreadsheet would run it'
        yield Wrong("E501", message, "Enter text that does not begin with = @ + - or TAB.")


def _with_formula(text: str, wrong: Wrong | None) -> Iterator[Wrong]:
    """A problem of a value, and where no better name is known for it, that it is a formula."""
    if wrong is not None:
        yield wrong
    if len(text.strip()) > 1 and (wrong is None or wrong.code in {"E203", "E206"}):
        yield from formula_problems(text, column="value")


def _unused_problem(text: str) -> Wrong | None:
    if is_spreadsheet_error(text):
        return spreadsheet_error(text)
    is_seen = any(one.isprintable() and not one.isspace() for one in text)
    return None if is_seen else _nothing(text)


def _word_problem(text: str, accept: Words, vocabulary: Vocabulary) -> Wrong | None:
    term = vocabulary.read(text)
    if term is None:
        if is_spreadsheet_error(text):
            return spreadsheet_error(text)
        if says_nothing(text):
            return _nothing(text)
        message = f'"{shown(text)}" is not a word of "{vocabulary.id}": {vocabulary.words}'
        return Wrong("E206", message, "Write one of these words; another must be approved first.")
    said = " ".join(text.split())
    if term in accept.terms or said.casefold() == term.casefold():
        return None
    message = f'"{shown(said)}" is read as "{term}", which does not meet "{accept.text}"'
    return Wrong("W601", message, "Nothing needs to be done if this is what was found.")


def _amount_problem(amount: Amount, subject: Measured) -> Wrong | None:
    if amount.is_negative_zero:
        message = f'"{amount.text}" is a negative zero, which instruments write for "unknown"'
        return Wrong("E203", message, "Check the raw data; write 0 if zero was measured.")
    plausible = subject.plausible
    if plausible is None or not amount.possible.is_outside(plausible):
        return None
    said = f"{subject.analyte} {amount.text} {subject.unit} is outside the plausible {plausible}"
    if subject.unit == "%" and _times_100(amount.possible).is_inside(plausible):
        hint = "Write percent: 97.5 and not 0.975."
        return Wrong("E207", f"{said}, and 100 times it is inside: fraction or percent?", hint)
    return Wrong("E209", said, "Check the columns and the unit; correct the row or measure again.")


def _times_100(possible: Interval) -> Interval:
    low, high = (
        None if end is None else end * Fraction(100) for end in (possible.low, possible.high)
    )
    return Interval(low, high, low_closed=possible.low_closed, high_closed=possible.high_closed)


def _not_an_amount(text: str, unit: str) -> Wrong:
    plain, quoted = _plain(text), f'"{shown(text)}"'
    if len(plain) > _LONGEST_VALUE:
        return Wrong("E203", f"{quoted} is not a number in the form that is read", _HINT)
    if is_spreadsheet_error(text):
        return spreadsheet_error(text)
    if says_nothing(text):
        return _nothing(text)
    if _NO_LIMIT.fullmatch(plain):
        message = f"{quoted} is beyond a limit that it does not state"
        return Wrong("E204", message, "Write the limit as a number, such as <0.05.")
    if _AMBIGUOUS.fullmatch(plain):
        message = f"{quoted} is ambiguous, and a number was expected: not done? not detected?"
        return Wrong("E206", message, "Write the limit of the method (<0.05), or remove the row.")
    return _other_marks(text.strip()) or Wrong("E203", f"{quoted} {_why_not(text, unit)}", _HINT)


def _other_marks(plain: str) -> Wrong | None:
    found = _OTHER_MARKS.fullmatch(plain)
    digits = found["digits"].strip() if found else ""
    marks = re.sub(r"[0-9]", "", digits)
    if marks in {"", "."}:
        return None
    quoted = f'"{shown(plain)}"'
    if not digits[0].isdigit() and marks[0] in "'’‘´`":
        message = f"{quoted} has an apostrophe before the number: a spreadsheet took it for text"
        return Wrong("E203", message, "Take the apostrophe out.")
    if _AMBIGUOUS_COMMA.fullmatch(digits):
        whole, part = re.split(r"[,.'’]", digits)
        message = f"{quoted} is ambiguous ({whole}{part} or {whole}.{part})"
    elif marks in {",", "·", "٫"}:
        message = f'{quoted} has a decimal "{marks}"; a decimal point was expected'
    else:
        message = f"{quoted} has thousands separators, which are not allowed"
    return Wrong("E205", message, f"{_HINT} Of a file, set it in the export.")


def _why_not(text: str, unit: str) -> str:
    if amount_of(text.strip(), unit) is not None:
        return "has a space before or after the number"
    if text.strip().endswith("%") and unit != "%":
        return f'ends in "%", but the unit is "{unit}"'
    return "is not a number in the form that is read"


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _nothing(text: str) -> Wrong:
    said = f'the value is "{shown(text.strip())}"' if text.strip() else "the value is blank"
    hint = "Enter the value, or remove the row; nothing is never read as a result."
    return Wrong("E202", f"{said}; a result was expected", hint)


def spreadsheet_error(text: str) -> Wrong:
    """The problem of a cell that a spreadsheet could not compute."""
    message = f"spreadsheet error {shown(text.strip())}"
    return Wrong("E201", message, "Correct the formula in its source and export again.")
