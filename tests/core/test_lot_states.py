"""Where a decision may lead, against a table written by hand from the requirements."""

from itertools import product

import pytest

from batchqc.core.lot_states import DECISIONS, Disposition, may_decide

# requirements 2.3; every pair that does not stand here is forbidden
ALLOWED = {
    ("quarantine", "released"),
    ("quarantine", "conditionally released"),
    ("quarantine", "rejected"),
    ("conditionally released", "released"),
    ("conditionally released", "rejected"),
    ("conditionally released", "recalled"),
    ("released", "recalled"),
    ("released", "destroyed"),
    ("rejected", "supplied by exception"),
    ("rejected", "destroyed"),
    ("rejected", "recalled"),  # doses of a conditional release are called back
    ("supplied by exception", "recalled"),
    ("supplied by exception", "destroyed"),
    ("recalled", "destroyed"),
}
PAIRS = list(product(Disposition, repeat=2))


@pytest.mark.requirement("1.06", "2.3")
@pytest.mark.parametrize(("current", "wanted"), PAIRS)
def test_every_pair_is_allowed_or_forbidden_as_the_table_says(
    current: Disposition, wanted: Disposition
):
    assert may_decide(current, wanted) == ((current.value, wanted.value) in ALLOWED)


@pytest.mark.requirement("2.3")
def test_nothing_leads_from_rejected_to_released_on_any_way():
    seen, left = set(), [Disposition.REJECTED]
    while left:
        one = left.pop()
        seen.add(one)
        left += [after for after in DECISIONS[one] if after not in seen]
    assert seen.isdisjoint({Disposition.RELEASED, Disposition.CONDITIONAL, Disposition.QUARANTINE})
