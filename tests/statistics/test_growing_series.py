"""One lot of a growing series is judged as in the whole series, whatever came in between."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from batchqc.actions.trend_signals import LOTS_FOR_A_SIGNAL, not_compared
from batchqc.core.assays import amount_of
from batchqc.core.criteria import Criterion
from batchqc.core.trend_phases import TrendLot, in_order, phases
from batchqc.core.trends import Observed
from batchqc.core.verdicts import Outcome
from batchqc.errors import NotEstimable
from batchqc.statistics.frozen_limits import Frozen, frozen, limit_content, limits_of_lots
from batchqc.statistics.growing_series import GrowingSeries
from batchqc.statistics.lot_series import Judged, Trend
from tests.statistics.test_lot_charts import OF, PLAIN, VIABILITY, canonical_bytes, trend_of

#: Near each other, far out, on the bound of the scale and beyond it, censored, missing, no number.
VALUES = ("95.1", "95.2", "95.0", "94.9", "95.1", "97.9", "91.0", "100.0", "101", ">98", "", "none")
ALL_RULES = tuple("12345678")
LOTS = st.lists(
    st.tuples(
        st.integers(1, 28),
        st.sampled_from(VALUES),
        st.sampled_from(("SOP-1 v1",) * 30 + ("SOP-1 v2",)),
        st.sampled_from(("COA",) * 30 + ("COB",)),
        st.sampled_from(("d1",) * 30 + ("d2",)),
    ),
    min_size=1,
    max_size=45,
)


def lot_of(number: int, told: tuple[int, str, str, str, str]) -> TrendLot:
    day, text, method, site, definition = told
    amount = amount_of(text, "%") if text and text != "none" else None
    seen = Observed(Outcome.PASS, text, amount, "", (method,) if text else ())
    name = f"L-{number:02d}"
    return TrendLot(
        name, f"2026-01-{day:02d}", site, "REL", "> 90", definition, "released", (), (), seen
    )


def sets_of(lots: list[TrendLot], criterion: Criterion, sizes: list[int]) -> list[Frozen]:
    """Limit sets of the beginning of the newest phase, as far as there are limits of it."""
    found: list[Frozen] = []
    phase = phases(in_order(lots), {})[-1]
    for number, size in enumerate(sizes, 1):
        chosen = phase.lots[:size]
        try:
            made = limits_of_lots(criterion, chosen, scale="identity", rules=ALL_RULES)
        except NotEstimable:
            continue
        left_out = {phase.lots[-1].lot: "known"} if size % 2 else {}
        content = limit_content(OF, phase, made, chosen=chosen, excluded=left_out)
        found.append(frozen(number, canonical_bytes(content)))
    return found


def compared_in_the_whole(trend: Trend, one: Judged) -> str:
    """What is said of a lot that is compared with none, from all lots of the series."""
    amount = one.lot.observed.amount
    if one.value is None or one.score is not None or amount is None or amount.is_censored:
        return ""
    phase = trend.phases[one.phase - 1]
    before = [
        each.value
        for each in trend.lots
        if each.phase == one.phase and each.lot.place < one.lot.place and each.value is not None
    ]
    if one.by or (len(before) >= LOTS_FOR_A_SIGNAL - 1 and set(before) != {one.value}):
        return "it, or what it would be compared with, has no place on the scale of its limits"
    if len(before) < LOTS_FOR_A_SIGNAL - 1 and phase.because:
        return f"phase {phase.number} begins with {phase.lots[0].lot} ({phase.because})"
    return ""


@given(
    LOTS, LOTS, st.sampled_from((VIABILITY, PLAIN)), st.lists(st.integers(8, 40), max_size=2),
    st.sets(st.integers(0, 44), max_size=1),
)  # fmt: skip
def test_each_lot_is_judged_as_in_the_whole_series_while_lots_come_and_change(
    first, then, criterion, sizes, begun
):
    known = {number: lot_of(number, told) for number, told in enumerate(first)}
    growing = GrowingSeries(known.values())
    starts = {f"L-{number:02d}": "a new incubator" for number in begun}
    sets = sets_of(list(known.values()), criterion, sizes)
    for number, told in [(-1, None), *enumerate(then)]:
        if told is not None:
            new = None if told[1] == "none" and len(known) > 1 else lot_of(number, told)
            growing.put(known.pop(number, None), new)
            if new is not None:
                known[number] = new
        if told is not None and number % 7:
            continue
        whole = trend_of(OF, criterion, list(known.values()), starts=starts, sets=sets)
        by_name = {one.lot: one for one in known.values()}
        named = [(one, by_name.get(one.first)) for one in sets]
        for lot in known.values():
            look = growing.look(lot, criterion, starts=starts, sets=named)
            one = whole.by_lot[lot.lot]
            told_of = (look.judged.by, look.judged.score, look.judged.signals, look.judged.phase)
            assert told_of == (one.by, one.score, one.signals, one.phase)
            assert (look.judged.lower, look.judged.excluded) == (one.lower, one.excluded)
            assert not_compared(look) == compared_in_the_whole(whole, one)


def test_patterns_of_many_lots_are_seen_to_their_beginning():
    noise = [f"{95 + (n * 7 % 11 - 5) / 5:.1f}" for n in range(12)]
    alternating = [f"{95 + (-1) ** n * 0.4:.1f}" for n in range(16)]
    above, rising = ["95.3"] * 10, [f"{94.4 + n / 10:.1f}" for n in range(8)]
    avoiding = [f"{95 + (-1) ** (n // 3) * 1.9:.1f}" for n in range(12)]
    texts = [*noise, *alternating, *["95.0"] * 17, *above, *rising, *avoiding]
    lots = [
        replace(lot_of(number, (1, text, "SOP-1 v1", "COA", "d1")), lot=f"L-{number:03d}")
        for number, text in enumerate(texts)
    ]
    sets = sets_of(lots, PLAIN, [12])
    whole = trend_of(OF, PLAIN, lots, starts={}, sets=sets)
    growing = GrowingSeries(lots)
    for one in lots:
        look = growing.look(one, PLAIN, starts={}, sets=[(sets[0], lots[0])])
        assert look.judged.signals == whole.by_lot[one.lot].signals
    told = {signal.rule for signal in whole.signals}
    assert {f"Nelson {n}" for n in (2, 3, 4, 7, 8)} <= told
