"""Where the variation of a phase comes from, and which lot is odd for its donor."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from batchqc.core.quantities import Amount
from batchqc.errors import InvalidInput, NotEstimable
from batchqc.statistics.donor_limits import (
    donor_limits,
    lot_deviation,
    within_donor_limits,
)
from batchqc.statistics.figures import Figure
from batchqc.statistics.levels import Labels
from batchqc.statistics.nested_anova import nested_components
from batchqc.statistics.phase_values import Part, PhaseValues, carried_back
from batchqc.statistics.reml import fit_mixed
from batchqc.statistics.trend_limits import ALPHA
from batchqc.statistics.values import Floats, measurable

#: Above so many levels in all, REML and its profiles take too long for a page.
REML_LEVELS: Final = 60
#: So many of the latest lots are held against their donor, and so many donors are told.
_LATEST, _DONORS = 20, 40
#: Below so many donors their variation is not estimable, only that of lots within them.
_DONORS_FROM: Final = 5
_MOST_LOTS: Final = 600
_LOTS_FROM: Final = 3
_TRUE: Final = 1 - ALPHA


def components_part(values: PhaseValues) -> Part:
    """Variance components: donor or cell bank, lot, assay run and replicate, as far as recorded.

    REML with profile intervals up to 60 levels, nested ANOVA with MLS intervals above. What a
    design cannot tell apart is left out, and said.
    """
    part = Part("Variance components on the scale")
    if part.has_censored(values.censored) or not part.has(len(values.lots), least=_LOTS_FROM):
        return part
    try:
        on, factors = _readings(values)
    except InvalidInput as problem:
        part.said.append(problem.message)
        return part
    _fit(part, on, factors)
    return part


def donors_part(values: PhaseValues) -> Part:
    """Limits for the next lot of each donor, and the latest lots that are odd for theirs.

    A lot is held against limits from all other lots of the phase. The chance that the next lot of
    the same donor lies within is 99.73 %, as of other limits.
    """
    part = Part("Donors: is a lot odd for its donor?")
    origins = values.origins
    if part.has_censored(values.censored) or not part.has(len(origins), least=_LOTS_FROM):
        return part
    if not all(origins):
        known = sum(bool(one) for one in origins)
        part.said.append(f"donor or cell bank is known of {known} of {len(origins)} lots only")
        return part
    limits = part.try_for(lambda: _limits(values.on, origins))
    if limits is None:
        return part
    shown = {"", *list(dict.fromkeys(reversed(origins)))[:_DONORS]}
    part.figures += [
        carried_back(one, values.scale) for name, one in limits.items() if name in shown
    ]
    if len(set(origins)) > _DONORS:
        part.said.append(f"the {_DONORS} donors of the latest lots of {len(set(origins))} are told")
    if len(set(origins)) < _DONORS_FROM:
        part.said.append(
            f"{len(set(origins))} donors: below {_DONORS_FROM} their own variation is not"
            " estimable; each is compared with its own lots only"
        )
    part.said += _odd(values, origins)
    return part


def _limits(on: Floats, origins: Sequence[str]) -> dict[str, Figure]:
    count = len(set(origins))
    if not _DONORS_FROM <= count <= REML_LEVELS or on.size > _MOST_LOTS:
        return within_donor_limits(on, origins, conf=_TRUE)
    found = donor_limits(on, origins, conf=_TRUE)
    return {"": found.new, **found.known}


def _odd(values: PhaseValues, origins: Sequence[str]) -> list[str]:
    said, held = [], 0
    for at in range(len(origins))[-_LATEST:]:
        others = np.delete(values.on, at)
        names = [*origins[:at], *origins[at + 1 :]]
        try:
            limits = _limits(others, names).get(origins[at])
        except NotEstimable:
            continue
        if limits is None:
            continue
        held += 1
        if abs(lot_deviation(float(values.on[at]), limits)) > 1:
            lot, back = values.lots[at].lot, carried_back(limits, values.scale)
            said.append(
                f"lot {lot.lot} ({lot.observed.text}) is odd for {origins[at]}: its other lots"
                f" let expect {back.lower:.4g} to {back.upper:.4g}"
            )
    count = (
        f"{held} of the latest {min(len(origins), _LATEST)} lots were held against other lots of"
        f" their donor; {len(said)} are odd"
    )
    return [count, *said]


def _readings(values: PhaseValues) -> tuple[Floats, dict[str, Labels]]:
    """Replicates where lots have them, else one value of each lot; and what each belongs to."""
    origin = "donor" if any(one.lot.donors for one in values.lots) else "cell bank"
    known: dict[str, Labels] = {origin: values.origins} if all(values.origins) else {}
    rows = [
        (name, one.lot.lot, each.run, each.amount)
        for name, one in zip(values.origins, values.lots, strict=True)
        for each in one.lot.observed.readings
    ]
    if len(rows) <= len(values.lots) or {row[1] for row in rows} != {
        one.lot.lot for one in values.lots
    }:
        return values.on, known
    numbers = [_number(amount, lot) for _, lot, _, amount in rows]
    steps = [one.step for one in values.lots for _ in one.lot.observed.readings]
    on = values.scale.forward(numbers, resolution=steps).values
    measurable(on, "replicates")
    at: dict[str, Labels] = {"lot": [row[1] for row in rows], "run": [row[2] for row in rows]}
    return on, ({origin: [row[0] for row in rows]} if known else {}) | at


def _number(amount: Amount | None, lot: str) -> float:
    if amount is None or amount.is_censored:
        raise InvalidInput(
            "BQC-STA-003", f"a replicate of {lot} is no number: components need numbers"
        )
    return float(amount.number)


def _fit(part: Part, on: Floats, factors: Mapping[str, Labels]) -> None:
    """The components of the factors, leaving out what cannot be told apart."""
    kept = dict(factors)
    if not {"donor", "cell bank"}.intersection(kept):
        part.said.append("donor or cell bank is not known of every lot")
    for name in ("run", *factors):
        labels = kept.get(name)
        if labels is not None and len(set(labels)) < 2:
            del kept[name]
            part.said.append(f"one {name}: its variance cannot be estimated")
    while kept:
        try:
            part.figures += _components(on, kept)
        except (NotEstimable, InvalidInput) as problem:
            name = list(kept)[-1]
            del kept[name]
            part.said.append(f"without {name}: {problem.message}")
        else:
            inner = " and ".join(one for one in ("lot", "run", "replicate") if one not in kept)
            part.said.append(f"error is what {inner} make together")
            return


def _components(on: Floats, factors: Mapping[str, Labels]) -> list[Figure]:
    if sum(len(set(one)) for one in factors.values()) <= REML_LEVELS and on.size <= _MOST_LOTS:
        return list(fit_mixed(on, factors).components.values())
    nested = {name: labels for name, labels in factors.items() if name != "run"}
    return list(nested_components(on, nested).components)
