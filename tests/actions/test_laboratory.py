"""Keeping the registers: rules, rows that come after others, uses, and certificates."""

import json
from datetime import date

import pytest
from sqlalchemy import select

from batchqc.actions.certificate_statements import REGISTERED, UNBANKED, UNREGISTERED
from batchqc.actions.dispositions import Decision
from batchqc.actions.laboratory import (
    Use,
    keep_certificate,
    record_use,
    register_instrument,
    register_material,
    register_training,
    set_rule,
)
from batchqc.actions.recheck import recheck
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.decisions import Certificate
from batchqc.records.laboratory import Instrument, LaboratoryCertificate, rules_of
from tests.actions.state import counts, grown
from tests.records.house import ANA, DONOR, GOOD, LABORATORY, LOT, QA1, QA2, House, results
from tests.records.laboratory import adopt_method
from tests.records.tampering import tamper

CODES = sorted({tuple(one["method_id"].split(" v")) for one in GOOD.values()})
WHY = "As the certificate has it"
NO_PANEL = f"Donor: donor {DONOR} was not evaluated against a panel of tests."


def rule(house: House, register: Register, what: Rule) -> None:
    with house.acting(QA1, Permission.SET_REGISTER_RULE) as tx:
        set_rule(tx, register=register, rule=what, reason=WHY)


def instrument(house: House, since: str, due: str, reason: str = "") -> None:
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
        register_instrument(
            tx,
            instrument="PTS-001",
            kind="Endotoxin reader",
            calibrated_on=date.fromisoformat(since),
            due_on=date.fromisoformat(due),
            reason=reason,
        )


def training(house: House, person: str = ANA, until: str = "2026-01-01") -> None:
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
        register_training(
            tx,
            person=person,
            method="SOP-QC-040",
            trained_on=date(2025, 1, 1),
            expires_on=date.fromisoformat(until),
            reason="",
        )


def material(
    house: House, expires: str, reason: str = "", kind: str = "kit", lot: str = "L77"
) -> None:
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
        register_material(
            tx,
            material="LAL-1",
            kind=kind,
            lot=lot,
            expires_on=date.fromisoformat(expires),
            reason=reason,
        )


def only_endotoxin() -> bytes:
    names = ("CD73", "CD90", "CD105", "negative_panel", "viability", "inhibition", "kynurenine",
             "growth_14d", "mycoplasma")  # fmt: skip
    return results(**dict.fromkeys(names))


EXPIRED = (
    "LAL-1, used in run ENDO-250520-01 (ENDO) of U-2026-000002, expired on {};"
    " the run was measured on 2025-05-20"
)


def stops(house: House, lot: str = LOT) -> list[str]:
    """Why the gate of the registers is closed."""
    (gate,) = (gate for gate in house.study(lot).gates if gate.name == "Registers")
    return list(gate.reasons)


def use(house: House, number: str, run: str = "ENDO-250520-01", name: str = "lal-1") -> Use:
    with house.acting(ANA, Permission.RECORD_USE) as tx:
        return record_use(tx, upload=number, test="ENDO", run=run, material=name)


@pytest.mark.requirement("1.08")
def test_an_upload_is_held_against_the_registers_as_their_rules_say(house: House):
    rule(house, Register.INSTRUMENTS, Rule.REFUSE)
    rule(house, Register.TRAINING, Rule.FLAG)
    refused = house.upload(only_endotoxin())
    assert [one.code for one in refused.reading.problems] == ["E701", "W703"]
    instrument(house, "2025-01-01", "2025-05-19")
    late = house.upload(only_endotoxin())
    assert [one.code for one in late.reading.problems] == ["E702", "W703"]
    instrument(house, "2025-05-20", "2025-12-31", "Calibrated again")
    training(house)
    taken = house.upload(only_endotoxin())
    assert taken.accepted
    assert taken.reading.problems == ()
    assert house.verify().problems == ()


def test_a_rule_is_replaced_by_a_newer_one_and_both_stay(house: House):
    for what in (Rule.REFUSE, Rule.FLAG, Rule.OFF):
        rule(house, Register.INSTRUMENTS, what)
        with house.reading() as session:
            assert rules_of(session) == {Register.INSTRUMENTS: what}
    assert house.upload(only_endotoxin()).accepted


def test_what_was_accepted_is_read_again_whatever_the_rules_became(house: House):
    house.ready()
    house.release()
    for register in Register:
        rule(house, register, Rule.REFUSE)
    with house.reading() as session:
        found = recheck(session, house.archive)
    assert found.verdicts > 0
    assert found.differences == ()


def test_a_row_that_comes_after_another_says_why_and_none_is_changed(house: House):
    instrument(house, "2025-01-01", "2025-06-01")
    before = counts(house.engine)
    with pytest.raises(InvalidInput):
        instrument(house, "2025-01-01", "2025-07-01")
    assert grown(house.engine, before) == {}
    instrument(house, "2025-01-01", "2025-07-01", "The sticker was misread")
    with house.reading() as session:
        assert [one.due_on for one in session.scalars(select(Instrument))] == [
            "2025-06-01",
            "2025-07-01",
        ]


def test_rows_that_make_no_sense_are_refused_with_every_reason(house: House):
    with pytest.raises(InvalidInput) as refused:
        instrument(house, "2025-06-02", "2025-06-01")
    assert "before it begins" in refused.value.reasons[0]
    with pytest.raises(InvalidInput, match="material"):
        material(house, "2026-01-01", kind="thing")
    with pytest.raises(NotFound):
        training(house, "nobody")
    with pytest.raises(Conflict, match="its own people"):
        training(house, LABORATORY)


@pytest.mark.parametrize(
    ("what", "expires", "doubt"),
    [
        (Rule.OFF, "2025-05-19", ""),
        (
            Rule.FLAG,
            "2025-05-19",
            "LAL-1 expired on 2025-05-19; the run was measured on 2025-05-20",
        ),
        (Rule.FLAG, "2025-05-20", ""),
        (Rule.REFUSE, "2025-05-20", ""),
    ],
)
def test_a_use_is_recorded_and_an_expired_material_flagged(
    house: House, what: Rule, expires: str, doubt: str
):
    rule(house, Register.MATERIALS, what)
    material(house, expires)
    number = house.upload(only_endotoxin()).number
    assert use(house, number).doubt == doubt
    with pytest.raises(Conflict, match="recorded already"):
        use(house, number)


def test_an_expired_material_is_recorded_and_refuses_the_lots_of_its_run(house: House):
    rule(house, Register.MATERIALS, Rule.REFUSE)
    material(house, "2026-05-19")
    material(house, "2025-05-19", "The year was misread")
    refused = house.upload(b"no results").number
    before = counts(house.engine)
    with pytest.raises(NotFound, match="no run"):  # there is no use before there are results
        use(house, refused)
    assert grown(house.engine, before) == {}
    number = house.upload(only_endotoxin()).number
    with pytest.raises(NotFound, match="no material"):
        use(house, number, name="LAL-2")
    with pytest.raises(NotFound, match="no run"):
        use(house, number, run="R-9")
    assert use(house, number).doubt == (
        "LAL-1 expired on 2025-05-19; the run was measured on 2025-05-20;"
        f" lot {LOT} is not released upon this run"
    )
    assert stops(house) == [(EXPIRED.format("2025-05-19"))]


def test_the_certificate_of_a_contract_laboratory_is_kept_by_its_hash(house: House):
    number = house.upload(only_endotoxin()).number

    def keep(laboratory: str, data: bytes = b"their certificate") -> None:
        with house.acting(ANA, Permission.RECORD_USE) as tx:
            keep_certificate(
                tx, house.archive, laboratory=laboratory, upload=number, file="c.txt", data=data
            )

    keep(LABORATORY)
    with house.reading() as session:
        (kept,) = session.scalars(select(LaboratoryCertificate)).all()
        assert house.archive.get(kept.sha256) == b"their certificate"
    with pytest.raises(Conflict, match="kept already"):
        keep(LABORATORY)
    with pytest.raises(Conflict, match="not a contract laboratory"):
        keep(ANA)
    with pytest.raises(InvalidInput):
        keep(LABORATORY, b"")
    assert house.verify().problems == ()
    tamper(house.engine, "UPDATE laboratory_certificate SET file = 'other'")
    assert any("laboratory_certificate" in one for one in house.verify().problems)


def printed(house: House) -> list[str]:
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        (certificate,) = session.scalars(select(Certificate)).all()
        content = json.loads(house.archive.get(certificate.content_sha))
        return list(content["statements"])


def test_a_certificate_says_that_nothing_is_in_register_where_no_rule_looks(house: House):
    house.upload(results())
    assert printed(house) == [UNREGISTERED, NO_PANEL, UNBANKED]


def test_a_certificate_states_what_the_registers_say_against_the_lot(house: House):
    for register in (Register.INSTRUMENTS, Register.MATERIALS):
        rule(house, register, Rule.FLAG)
    material(house, "2025-05-19")
    number = house.upload(results()).number
    use(house, number)
    with house.acting(ANA, Permission.RECORD_USE) as tx:
        keep_certificate(
            tx, house.archive, laboratory=LABORATORY, upload=number, file="c.txt", data=b"theirs"
        )
    first, *others = printed(house)
    assert first == UNREGISTERED
    assert "Register: instrument PTS-001 was not in the register on 2025-05-20." in others
    assert any("LAL-1, used in run ENDO-250520-01 (ENDO)" in one for one in others)
    assert any(one.startswith("Certificate of External Laboratory over U-2026") for one in others)


def test_a_certificate_says_that_all_is_in_register_where_it_is(house: House):
    for number, one in enumerate(("VCB-001", "FAC-002", "PHS-001", "PTS-001", "BTA-001")):
        with house.acting(QA2, Permission.KEEP_REGISTERS) as tx:
            register_instrument(
                tx, instrument=one, kind=f"kind {number}", calibrated_on=date(2025, 1, 1),
                due_on=date(2025, 12, 31), reason="",
            )  # fmt: skip
    for code, version in CODES:
        text = f"""schema = "batchqc/method/1"
id = "{code}"
version = {version}
title = "A method without validity criteria"
effective = 2025-01-01
"""
        adopt_method(house, text.encode())
    for register in (Register.INSTRUMENTS, Register.METHODS):
        rule(house, register, Rule.REFUSE)
    report = house.upload(results())
    assert report.accepted, report.reading.problems
    assert printed(house) == [REGISTERED, NO_PANEL, UNBANKED]
