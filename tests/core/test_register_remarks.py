"""What the registers say of a lot: nothing, a remark or a stop, as the rule of each says."""

from datetime import date, timedelta

import pytest

from batchqc.core.laboratory import Done, Laboratory, Register, Rule, Span
from batchqc.core.register_remarks import Found, RegistersSay, Reviewed, Used, against

DAY = date(2026, 3, 2)
KIT = Used("LAL-1", "run R-1 (ENDO) of U-1", DAY, DAY - timedelta(days=1))
EXPIRED = (
    "LAL-1, used in run R-1 (ENDO) of U-1, expired on 2026-03-01; the run was measured on"
    " 2026-03-02"
)
ABSENT = "no certificate of External over its results in U-1 is kept"
UNTRAINED = "rev was not trained for SOP-1 on 2026-03-02; rev signed for results"


def said(register: Register, rule: Rule, found: Found, **more: object) -> RegistersSay:
    return against(Laboratory({register: rule}, **more), found)  # type: ignore[arg-type]


@pytest.mark.requirement("1.08")
@pytest.mark.parametrize(
    ("register", "found", "words"),
    [
        (Register.MATERIALS, Found(used=(KIT,)), EXPIRED),
        (Register.LABORATORIES, Found(uncertified=frozenset({("External", "U-1")})), ABSENT),
    ],
)
def test_what_is_known_after_a_file_came_in_is_remarked_on_or_stops_the_lot(
    register: Register, found: Found, words: str
):
    assert said(register, Rule.OFF, found) == RegistersSay()
    assert said(register, Rule.FLAG, found) == RegistersSay(beside=(words,))
    assert said(register, Rule.REFUSE, found) == RegistersSay(stops=(words,))


def test_a_material_is_usable_on_its_last_day():
    usable = Used("LAL-1", "run", DAY, DAY)
    assert said(Register.MATERIALS, Rule.REFUSE, Found(used=(usable,))) == RegistersSay()


def test_an_invalid_run_that_nothing_rests_on_stops_nothing():
    void = Used(KIT.material, KIT.run, KIT.day, KIT.expires_on, counts=False)
    for rule in (Rule.FLAG, Rule.REFUSE):
        assert said(Register.MATERIALS, rule, Found(used=(void,))).remarks == (EXPIRED,)
    both = said(Register.MATERIALS, Rule.REFUSE, Found(used=(void, KIT)))
    assert both == RegistersSay(beside=(EXPIRED,), stops=(EXPIRED,))


@pytest.mark.requirement("1.09")
def test_who_signed_is_held_against_the_register_of_training():
    found = Found(reviewed=frozenset({Reviewed("rev", "SOP-1", DAY)}))
    assert said(Register.TRAINING, Rule.OFF, found) == RegistersSay()
    for rule in (Rule.FLAG, Rule.REFUSE):
        assert said(Register.TRAINING, rule, found) == RegistersSay(beside=(UNTRAINED,))
    expired = (
        "the training of rev for SOP-1 expired on 2026-02-01; the review is of 2026-03-02;"
        " rev signed for results"
    )
    for until, words in ((DAY, ()), (date(2026, 2, 1), (expired,))):
        training = {("rev", "SOP-1"): [Span(date(2025, 1, 1), until)]}
        assert said(Register.TRAINING, Rule.FLAG, found, training=training).beside == words


def test_what_is_said_of_measurements_stands_apart_and_once():
    done = [Done(name, "ana", "SOP-1", "1", DAY) for name in ("I-2", "I-1")]
    found = Found(done=frozenset(done), used=(KIT, KIT))
    rules = {Register.INSTRUMENTS: Rule.FLAG, Register.MATERIALS: Rule.FLAG}
    told = against(Laboratory(rules), found)
    assert told.measured == tuple(
        f"instrument {name} was not in the register on {DAY}" for name in ("I-1", "I-2")
    )
    assert told.beside == (EXPIRED,)
    assert told.remarks == (*told.measured, EXPIRED)
