"""What is lowered, by whom, within the life of a lot."""

from datetime import date, timedelta

import pytest

from batchqc.core.laboratory import Register, Rule
from batchqc.core.lowering import Setting, lowered
from batchqc.core.policies import NO_ADDRESS, OFF, ON, VALUES, Certifies, CodeAtSignIn, Policy

SINCE = date(2026, 1, 5)
DONORS, QP, SUPPLY = Register.DONORS, Policy.QP_CERTIFIES, Policy.SUPPLY_BY_EXCEPTION


def by(*settings: tuple[Policy | Register, str, str], on: date = SINCE) -> list[str]:
    """Who lowered something, by what was set in that order, by whom."""
    return [one.by for one in lowered([Setting(*one, on) for one in settings], since=SINCE)]


@pytest.mark.requirement("2.06")
@pytest.mark.parametrize("of", [QP, SUPPLY, *Register])
def test_each_step_down_is_a_lowering_and_no_step_up(of: Policy | Register):
    strictest = {
        QP: [Certifies.EVERY_LOT, Certifies.EU_MARKET, Certifies.NO_LOT], SUPPLY: [OFF, ON],
    }  # fmt: skip
    ladder = strictest.get(of, [Rule.REFUSE, Rule.FLAG, Rule.OFF])
    assert set(ladder) == set(VALUES[of] if isinstance(of, Policy) else Rule)
    for at, high in enumerate(ladder):
        for low in ladder[at + 1 :]:
            assert by((of, high, "qa1"), (of, low, "qa2"))[-1:] == ["qa2"]
            assert "qa1" not in by((of, low, "qa2"), (of, high, "qa1"))


def test_neither_a_public_address_nor_a_code_at_sign_in_opens_a_gate():
    assert set(Policy) == {QP, SUPPLY, Policy.PUBLIC_ADDRESS, Policy.CODE_AT_SIGN_IN}
    address, code = Policy.PUBLIC_ADDRESS, Policy.CODE_AT_SIGN_IN
    assert by((address, "https://a.example", "qa1"), (address, NO_ADDRESS, "qa2")) == []
    assert by((code, CodeAtSignIn.EVERYBODY, "qa1"), (code, CodeAtSignIn.WHO_HAS_ONE, "qa2")) == []


def test_what_nobody_set_is_as_at_first():
    assert by((QP, Certifies.NO_LOT, "qa1")) == ["qa1"]
    assert by((QP, Certifies.EVERY_LOT, "qa1")) == []
    assert by((SUPPLY, ON, "qa1")) == ["qa1"]
    assert by((DONORS, Rule.FLAG, "qa1")) == by((DONORS, Rule.OFF, "qa1")) == []


def test_what_was_raised_again_was_lowered_all_the_same():
    assert by(
        (DONORS, Rule.REFUSE, "qa1"), (DONORS, Rule.OFF, "qa2"), (DONORS, Rule.REFUSE, "qa2")
    ) == ["qa2"]
    assert by((DONORS, Rule.REFUSE, "qa1"), (Register.GENEALOGY, Rule.OFF, "qa2")) == []


def test_what_was_lowered_before_the_first_day_of_the_lot_is_no_work_on_it():
    steps = ((DONORS, Rule.REFUSE, "qa1"), (DONORS, Rule.FLAG, "qa2"))
    assert by(*steps, on=SINCE - timedelta(days=1)) == []
    (one,) = lowered([Setting(*step, SINCE) for step in steps], since=SINCE)
    assert one.what == 'the rule of the register "donors" from refuse to flag on 2026-01-05'
