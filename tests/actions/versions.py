"""Versions of the shipped specification, and what people do with them."""

from datetime import date

import pytest

from batchqc.actions.approval import approve_specification
from batchqc.actions.impact import Impact, assess_impact
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.specifications import (
    state_of,
    submit_specification,
    the_version,
    withdraw_specification,
)
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.documents.spec_file import read_specification
from batchqc.errors import BatchqcError
from batchqc.settings import bundled
from tests.actions.state import counts, grown
from tests.cast import TAKEN_AT
from tests.records.full_house import POST_THAW, THAWED_FROM
from tests.records.house import (
    ANA,
    DONOR,
    EXPIRES_ON,
    MADE_ON,
    PRODUCT,
    QA1,
    SPEC,
    SPECIFICATION_FILE,
    House,
    signing,
)

NAME = "UC-MSC-REL"
SHIPPED = (bundled("specs") / SPECIFICATION_FILE).read_bytes()
TODAY = date(2026, 6, 1)


def version(number: int, effective: str, *changes: tuple[str, str]) -> bytes:
    text = SHIPPED.decode().replace("version   = 1", f"version   = {number}", 1)
    text = text.replace("effective = 2020-01-01", f"effective = {effective}", 1)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


LOOSER = ('accept   = "> 90"', 'accept   = "> 80"')
FOR_EU = ('product   = "UC-MSC"', 'product   = "UC-MSC"\nmarket = "EU"')
STAGED = POST_THAW.replace(b"UC-MSC-THAW", b"UC-MSC-STAGE")


def state(house: House, number: int, today: date = TODAY, name: str = NAME) -> str:
    with house.reading() as session:
        return state_of(session, the_version(session, name, number), today)


def approve(
    house: House, number: int, impact: str, *, by: str = QA1, specification: str = NAME
) -> None:
    with house.acting(by, Permission.APPROVE_SPECIFICATION) as tx:
        signed = approve_specification(
            tx, house.archive, specification=specification, version=number, impact=impact,
            credentials=signing(by),
        )  # fmt: skip
        assert not isinstance(signed, Refusal)


def withdraw(house: House, number: int, from_day: date, *, name: str = NAME) -> None:
    with house.acting(QA1, Permission.APPROVE_SPECIFICATION) as tx:
        signed = withdraw_specification(
            tx, specification=name, version=number, from_day=from_day, credentials=signing(QA1)
        )
        assert not isinstance(signed, Refusal)


def register(
    house: House, lot: str, made_on: date, market: str = "", *, product: str = PRODUCT
) -> str:
    sample = NewSample(f"{lot}-S01", "release", "cryovial", TAKEN_AT.isoformat())
    samples = (sample,) if made_on == MADE_ON else ()
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        new = NewLot(lot, product, made_on, EXPIRES_ON, (DONOR,), samples, market)
        return register_lot(tx, new).specification_version.reference


def impact_of(house: House, data: bytes, since: str = "", until: str = "") -> Impact:
    draft = read_specification(data, file="draft.toml").specification
    assert draft is not None
    with house.reading() as session:
        return assess_impact(session, house.archive, draft=draft, since=since, until=until)


def refused(code: str, house: House, action: str, number: int, **more: str) -> BatchqcError:
    """The refusal of an action, which changes nothing."""
    before = counts(house.engine)
    with pytest.raises(BatchqcError) as found:
        _act(house, action, number, more)
    assert found.value.code == code
    assert grown(house.engine, before) == {}
    return found.value


def _act(house: House, action: str, number: int, more: dict[str, str]) -> None:
    if action == "submit":
        with house.acting(SPEC, Permission.IMPORT_SPECIFICATION) as tx:
            submit_specification(tx, house.archive, specification=NAME, version=number)
    elif action == "approve":
        approve(house, number, **more)
    else:
        withdraw(house, number, date.fromisoformat(more["day"]))


def lot_of_stages(house: House, *stages: str, lot: str = "MSC-26-0042", market: str = "") -> None:
    samples = tuple(
        NewSample(f"{lot}-S0{n}", stage, "cryovial", TAKEN_AT.isoformat())
        for n, stage in enumerate(("release", *stages), start=1)
    )
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        new = NewLot(lot, PRODUCT, THAWED_FROM, EXPIRES_ON, (DONOR,), samples, market)
        register_lot(tx, new)
