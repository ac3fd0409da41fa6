"""One ``[criteria.name]`` table of a specification file, and every problem in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from batchqc.core.acceptance import Acceptance, Bands, Limits, Relative
from batchqc.core.criteria import Category, Criterion
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding
from batchqc.core.subjects import Aggregate, DonorFact, Measured, Subject
from batchqc.core.vocabularies import Vocabulary
from batchqc.documents.spec_accept import (
    read_donor_words,
    read_limits,
    read_numbers,
    read_words,
)
from batchqc.documents.spec_keys import CriterionKeys, Keys
from batchqc.documents.spec_subject import (
    DERIVED_KEYS,
    GROUP_KEYS,
    MEASURED_KEYS,
    read_derived,
    read_group,
    read_measured,
)

_COMMON: Final = (
    "title", "category", "accept", "rounding", "required", "note", "guard", "alert", "action",
    "resolution", "interim", "acknowledge",
)  # fmt: skip
_KEYS: Final = tuple(dict.fromkeys((*_COMMON, "donor", *MEASURED_KEYS, *DERIVED_KEYS, *GROUP_KEYS)))
_NUMBERS_ONLY: Final = ("guard", "alert", "action")


@dataclass(frozen=True, slots=True)
class _Said:
    """Subject and acceptance, as far as they could be read."""

    subject: Subject
    accept: Acceptance
    basis: str = ""


def read_criterion(
    keys: Keys,
    name: str,
    table: Mapping[str, Any],
    vocabularies: Mapping[str, Vocabulary],
    rounding: Rounding,
) -> Criterion:
    """The criterion; where a problem was remembered it is not to be used."""
    own = CriterionKeys(keys, name, table)
    keys.refuse_unknown(own.path, table, _KEYS)
    if "rounding" in table:
        rounding = keys.choice(own.path, table, "rounding", Rounding) or rounding
    if "per_dose" in table:
        if rounding is not Rounding.ABSOLUTE and "rounding" in table:
            own.problem("rounding", 'a limit per dose is compared as reported: "absolute"')
        rounding = Rounding.ABSOLUTE
    said = _said(own, vocabularies, rounding)
    criterion = Criterion(
        id=name,
        title=own.text("title"),
        category=keys.choice(own.path, table, "category", Category) or Category.SAFETY,
        subject=said.subject,
        accept=said.accept,
        rounding=rounding,
        required=own.flag("required", default=True),
        note=own.text("note", default=""),
        guard=own.positive("guard"),
        alert=read_limits(own, "alert", rounding),
        action=read_limits(own, "action", rounding),
        resolution=own.positive("resolution"),
        interim=keys.texts(own.path, table, "interim"),
        basis=said.basis,
        acknowledged=_acknowledged(own),
    )
    if not isinstance(criterion.accept, Limits):
        _refuse(own, _NUMBERS_ONLY, "belongs to numeric limits: remove this key")
    if not isinstance(criterion.accept, Limits | Bands):
        _refuse(own, ("rounding",), "nothing is rounded here: remove this key")
    passing = criterion.passing
    if isinstance(passing, Interval) and passing.is_empty:
        own.problem("accept", f'"{criterion.acceptance}" is impossible: no value can pass')
    return criterion


def _said(keys: CriterionKeys, vocabularies: Mapping[str, Vocabulary], rounding: Rounding) -> _Said:
    if "donor" in keys.table:
        _refuse(
            keys,
            (*MEASURED_KEYS, *DERIVED_KEYS, *GROUP_KEYS, "resolution"),
            "a donor criterion is not measured: remove this key",
        )
        fact = keys.keys.choice(keys.path, keys.table, "donor", DonorFact)
        fact = fact or DonorFact.TISSUE_SOURCE
        return _Said(fact, read_donor_words(keys, fact))
    if any(key in keys.table for key in ("any_of", "all_of", "at_least")):
        _refuse(
            keys,
            ("accept", "rounding", "resolution", *MEASURED_KEYS, *DERIVED_KEYS),
            "a group is not measured: remove this key",
        )
        return _Said(*read_group(keys))
    if "formula" in keys.table:
        others = tuple(key for key in (*MEASURED_KEYS, *GROUP_KEYS) if key not in DERIVED_KEYS)
        _refuse(keys, others, "a derived result is not measured: remove this key")
        derived = read_derived(keys)
        if not derived.unit:
            keys.problem("unit", "a derived result has a unit, 1 where there is none")
        accept, basis = read_numbers(keys, derived.unit, rounding=rounding)
        if isinstance(accept, Relative):
            keys.problem("accept", "a derived result has no control: put it into the formula")
        return _Said(derived, accept, basis)
    _refuse(keys, ("inputs", "of"), 'belongs to "formula" or to a group: remove this key')
    return _measured(keys, vocabularies, rounding)


def _measured(
    keys: CriterionKeys, vocabularies: Mapping[str, Vocabulary], rounding: Rounding
) -> _Said:
    measured = read_measured(keys)
    if "vocabulary" in keys.table:
        others = ("plausible", "bands", "per_dose", "control", "resolution")
        _refuse(keys, others, "belongs to numbers: remove this key")
        return _Said(measured, read_words(keys, vocabularies))
    accept, basis = read_numbers(keys, measured.unit, rounding=rounding)
    if isinstance(accept, Relative) != bool(measured.control):
        keys.problem(
            "control",
            'a comparison with a control needs both accept = "< control" and control = the'
            ' aliquot of the control rows, such as "PC"',
        )
    if measured.replicates.individual is not None and not isinstance(accept, Limits):
        keys.problem("replicates", "individual stands beside numeric limits: remove it")
    _check_ranges(keys, measured, accept, rounding)
    if isinstance(accept, Relative) and _each(measured):
        keys.problem("replicates", "a control is compared with one result: use a mean or median")
    return _Said(measured, accept, basis)


def _check_ranges(
    keys: CriterionKeys, measured: Measured, accept: Acceptance, rounding: Rounding
) -> None:
    """What can never be met together."""
    plausible = measured.plausible
    passing = accept.passing(rounding) if isinstance(accept, Limits) else None
    if plausible and passing and plausible.intersection(passing).is_empty:
        keys.problem("plausible", "no plausible value can pass")
    days, window = measured.planned_days, measured.window
    if days is not None and window is not None and window < timedelta(days=days):
        keys.problem("window", f"it ends before the {days} planned days")


def _each(measured: Measured) -> bool:
    return measured.replicates.aggregate is Aggregate.EACH


def _acknowledged(keys: CriterionKeys) -> tuple[tuple[str, str], ...]:
    """Findings of the linter that the author accepts, each with the reason."""
    found = keys.subtable("acknowledge")
    for finding, reason in found.items():
        if not isinstance(reason, str) or len(reason.split()) < 2:
            keys.problem("acknowledge", f"{finding}: expected a reason in words")
    return tuple((finding, str(reason)) for finding, reason in found.items())


def _refuse(keys: CriterionKeys, refused: tuple[str, ...], message: str) -> None:
    for key in dict.fromkeys(refused):
        if key in keys.table:
            keys.problem(key, message)
