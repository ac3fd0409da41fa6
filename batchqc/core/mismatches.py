"""What two people typed differently: neither is used, and neither vanishes (2.01, 3.01).

Nobody can tell from the texts which of the two is the reading and which the slip. So each is looked
at as if it alone were on record.
"""

from collections.abc import Sequence
from dataclasses import replace

from batchqc.core.assays import Measurement
from batchqc.core.entries import SecondEntry


def either(found: Sequence[Measurement]) -> tuple[tuple[Measurement, ...], ...]:
    """Some measurements as the first person typed them and, where it differs, as the second did.

    What did not have to be typed twice, or matches, is as it is.
    """
    first = tuple(
        replace(one, second=SecondEntry.NOT_NEEDED, again=None) if is_mismatch(one) else one
        for one in found
    )
    second = tuple(_typed_again(one) for one in found)
    return tuple(dict.fromkeys((first, second)))


def is_mismatch(one: Measurement) -> bool:
    """Whether two people typed it, and not the same."""
    return one.second is SecondEntry.MISMATCH


def typed_texts(one: Measurement) -> str:
    """Its value as typed; of what does not match both values."""
    return one.shown.text if one.again is None else f"{one.shown.text} or {one.again[0]}"


def _typed_again(one: Measurement) -> Measurement:
    if not is_mismatch(one):
        return one
    value, unit = one.again or (one.text, one.unit)
    cell = replace(one.cell, text=value.strip(), original="")
    return replace(one, cell=cell, unit=unit, second=SecondEntry.NOT_NEEDED, again=None)
