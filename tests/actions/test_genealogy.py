"""Banks, lots of them, containers and traces: what is recorded, refused, and shown whole."""

# ruff: noqa: S608 - statements are made of our own ids: that is what is tampered with

import random
import time
from datetime import date

import networkx as nx
import pytest
from sqlalchemy import event, select

from batchqc.actions.cell_banks import (
    NewPassage,
    record_passage,
    set_bank_status,
)
from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.donations import pool_donations
from batchqc.actions.genealogy import Trace, trace
from batchqc.actions.joined import add_parents
from batchqc.actions.laboratory import set_rule
from batchqc.actions.lot_origins import name_origin
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.genealogy import Direction
from batchqc.core.genealogy_gate import NO_BANK
from batchqc.core.identifiers import fold
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound
from batchqc.records.cell_banks import CellBank, Derivation
from batchqc.records.registers import DonorRow, donor_by
from tests.actions.correcting import request
from tests.actions.state import counts, grown
from tests.records.genealogy import (
    BANKED_ON,
    GIVEN,
    MCB,
    OF_BANK,
    WCB,
    WORKING_ON,
    bank,
    donate,
    gift_of,
    line,
    lot_of,
    new_bank,
)
from tests.records.house import ANA, DON, DONOR, LOT, QA1, House, signing
from tests.records.tampering import tamper

OTHER_DONOR = "DNR-UC-02"


def traced(house: House, node: str, direction: Direction = Direction.BOTH) -> Trace:
    with house.reading() as session:
        return trace(session, node=node, direction=direction, now=house.now())


def keys(found: Trace) -> set[str]:
    return {one.key for one in found.nodes}


def gate(house: House, lot: str = OF_BANK) -> tuple[tuple[str, ...], tuple[str, ...]]:
    (found,) = (one for one in house.study(lot).gates if one.name == "Genealogy")
    return found.reasons, found.remarks


def damage(house: House, lot: str = OF_BANK) -> list[str]:
    (found,) = (one for one in house.study(lot).gates if one.name == "Records")
    return list(found.reasons)


@pytest.mark.requirement("8.12")
def test_a_lot_is_traced_back_to_its_donation_and_forward_to_its_vials(house: House):
    line(house)
    back = {f"lot:{OF_BANK}", f"cell_bank:{WCB}", f"cell_bank:{MCB}", f"donation:{GIVEN}",
            f"donor:{DONOR}"}  # fmt: skip
    own = {f"container:{OF_BANK}-V{number}" for number in (1, 2)}
    assert keys(traced(house, OF_BANK)) == back | own
    assert keys(traced(house, OF_BANK.lower(), Direction.BACK)) == back
    forward = traced(house, f"donation:{GIVEN}", Direction.FORWARD)
    vials = own | {f"container:{WCB}-V{number}" for number in (1, 2)}
    assert keys(forward) == back - {f"donor:{DONOR}"} | vials
    statuses = {one.key: one.status for one in forward.nodes}
    assert statuses[f"lot:{OF_BANK}"] == "quarantine"
    assert statuses[f"cell_bank:{WCB}"] == "available"
    assert statuses[f"container:{OF_BANK}-V1"] == "in storage, Tank 3"
    # the lot of the house names its donor only
    assert f"lot:{LOT}" in keys(traced(house, f"donor:{DONOR}", Direction.FORWARD))
    assert gate(house) == ((), ())
    assert damage(house) == []
    assert house.verify().problems == ()
    with pytest.raises(NotFound, match="no MSC-99-0001"):
        traced(house, "MSC-99-0001")


def test_a_bank_that_cannot_be_is_refused_with_every_reason_and_nothing_changes(house: House):
    line(house)
    donate(house, "GIFT-UC-02", OTHER_DONOR)
    before = counts(house.engine)
    wrong = new_bank("SEP2", BankKind.WORKING, GIVEN, "GIFT-UC-02", made_on=date(2024, 1, 9),
                     expires_on=date(2024, 1, 8), basis="", max_doublings="many")  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        bank(house, wrong)
    said = "\n".join(refused.value.reasons)
    parts = (
        "not an id", "doublings above 0", "before it was made", "before donation:GIFT-UC-01",
        "is a donation; a bank of kind WCB", "not declared a pool", "(basis)",
    )  # fmt: skip
    assert [part for part in parts if part not in said] == []
    with pytest.raises(InvalidInput, match="lies in the future"):
        bank(house, new_bank("MCB-UC-09", BankKind.MASTER, GIVEN, made_on=date(2027, 1, 1)))
    with pytest.raises(InvalidInput, match="names itself"):
        bank(house, new_bank("MCB-UC-09", BankKind.MASTER, GIVEN, "mcb-uc-09"))
    with pytest.raises(InvalidInput, match="no bank, donation or pool"):
        bank(house, new_bank("MCB-UC-09", BankKind.MASTER, f"donor:{DONOR}"))
    with pytest.raises(NotFound):
        bank(house, new_bank("MCB-UC-09", BankKind.MASTER, "GIFT-UC-99"))
    with pytest.raises(Conflict, match="never reused"):
        bank(house, new_bank(MCB.lower(), BankKind.MASTER, GIVEN))
    assert grown(house.engine, before) == {}


@pytest.mark.requirement("8.10")
def test_donors_are_pooled_where_it_is_declared_and_a_circle_is_refused(house: House):
    donate(house)
    donate(house, "GIFT-UC-02", OTHER_DONOR)
    bank(house, new_bank(MCB, BankKind.MASTER, GIVEN))
    bank(house, new_bank("MCB-UC-02", BankKind.MASTER, GIVEN, "GIFT-UC-02", is_pool=True))
    bank(house, new_bank("MCB-UC-03", BankKind.MASTER, "MCB-UC-02", MCB, is_pool=True))
    back = keys(traced(house, "MCB-UC-03", Direction.BACK))
    assert {f"donor:{DONOR}", f"donor:{OTHER_DONOR}"} <= back
    before = counts(house.engine)
    with house.acting(ANA, Permission.KEEP_BANKS) as tx, pytest.raises(InvalidInput) as refused:
        add_parents(
            tx, house.archive, child=MCB, made_of=("MCB-UC-03", MCB), reason="Found in the record"
        )
    assert f"cell_bank:{MCB} cannot come from cell_bank:MCB-UC-03: that would be a circle" in (
        refused.value.reasons
    )
    assert grown(house.engine, before) == {}
    with house.acting(ANA, Permission.KEEP_BANKS) as tx:
        add_parents(
            tx, house.archive, child="MCB-UC-02", made_of=(MCB,), reason="Found in the record"
        )
    found = traced(house, "MCB-UC-02", Direction.BACK)
    assert f"cell_bank:{MCB}" in {edge.parent for edge in found.edges}


@pytest.mark.requirement("8.10", "8.12")
def test_a_pool_goes_on_in_banks_and_a_lot_that_are_made_of_it_alone(house: House):
    donate(house)
    donate(house, "GIFT-UC-02", OTHER_DONOR)
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        pool_donations(
            tx, kind="local", pool="POOL-24-1", donations=(GIVEN, "GIFT-UC-02"),
            pooled_on=date(2024, 1, 20), reason="One culture",
        )  # fmt: skip
    with pytest.raises(InvalidInput) as refused:
        bank(house, new_bank(MCB, BankKind.MASTER, "POOL-24-1"))
    assert "is not declared a pool" in refused.value.reasons[0]
    bank(house, new_bank(MCB, BankKind.MASTER, "POOL-24-1", is_pool=True))
    bank(house, new_bank(WCB, BankKind.WORKING, MCB, made_on=WORKING_ON, basis="", is_pool=True))
    lot_of(house, OF_BANK, WCB, donors=(DONOR, OTHER_DONOR))
    back = keys(traced(house, f"lot:{OF_BANK}", Direction.BACK))
    assert {f"donor:{DONOR}", f"donor:{OTHER_DONOR}", "donation_pool:POOL-24-1"} <= back
    assert gate(house, OF_BANK) == ((), ())


def test_a_circle_that_somebody_made_is_an_error_and_no_trace(house: House):
    line(house)
    tamper(
        house.engine,
        f"UPDATE derivation SET parent = 'cell_bank:{WCB}' WHERE child = 'cell_bank:{MCB}'",
    )
    with pytest.raises(IntegrityFailure) as refused:
        traced(house, WCB)
    said = "\n".join(refused.value.reasons)
    assert f"a circle: cell_bank:{MCB}, cell_bank:{WCB}" in said
    assert f"derivation:cell_bank:{MCB} from donation:{GIVEN} is missing" in said
    assert damage(house) != []


def test_a_donor_of_another_lot_is_refused_with_both_lists(house: House):
    line(house)
    donate(house, "GIFT-UC-02", OTHER_DONOR)
    before = counts(house.engine)
    with pytest.raises(Conflict) as refused:
        lot_of(house, "MSC-26-0051", WCB, donors=(OTHER_DONOR,))
    assert refused.value.reasons == (
        f"it names the donors {OTHER_DONOR}; its banks are of {DONOR}",
    )
    assert grown(house.engine, before) == {}


def test_the_banks_of_a_lot_are_named_later_once_and_before_it_is_decided(house: House):
    line(house)
    donate(house, "GIFT-UC-02", OTHER_DONOR)
    bank(house, new_bank("MCB-UC-02", BankKind.MASTER, "GIFT-UC-02"))

    def name(*made_of: str) -> None:
        with house.acting(ANA, Permission.REGISTER_LOT) as tx:
            name_origin(tx, lot=LOT, made_of=made_of, reason="From the batch record")

    for wrong, said in (("MCB-UC-02", f"its banks are of {OTHER_DONOR}"), ("", "at least one")):
        with pytest.raises(Conflict) as refused:
            name(*([wrong] if wrong else []))
        assert said in refused.value.reasons[0]
    name(WCB)
    assert gate(house, LOT) == ((), ())
    assert damage(house, LOT) == []
    with pytest.raises(Conflict, match="stays as it is"):
        name(MCB)
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert isinstance(
            reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Decision
        )
    with pytest.raises(Conflict) as refused:
        name(MCB)
    assert len(refused.value.reasons) == 2


def test_no_cells_are_taken_from_a_bank_that_is_not_available(house: House):
    line(house)
    with house.acting(ANA, Permission.KEEP_BANKS) as tx:
        set_bank_status(tx, bank=MCB, status=BankStatus.QUARANTINED, reason="Tank warmed up")
    assert gate(house)[0] == (f"cell_bank:{MCB} is quarantined",)
    with pytest.raises(InvalidInput, match="is quarantined"):
        bank(house, new_bank("WCB-UC-02", BankKind.WORKING, MCB))
    with house.acting(QA1, Permission.END_QUARANTINE) as tx:
        set_bank_status(tx, bank=MCB, status=BankStatus.AVAILABLE, reason="Viability is right")
    assert gate(house) == ((), ())
    for status, code in ((BankStatus.DESTROYED, ""), (BankStatus.QUARANTINED, "BQC-GEN-008")):
        with house.acting(ANA, Permission.KEEP_BANKS) as tx:
            if code:
                with pytest.raises(Conflict, match="does not become"):
                    set_bank_status(tx, bank=WCB, status=status, reason="Tank warmed up")
            else:
                set_bank_status(tx, bank=WCB, status=status, reason="Tank warmed up")
    with pytest.raises(Conflict, match="cannot be of these cells"):
        lot_of(house, "MSC-26-0051", WCB)
    tamper(house.engine, f"DELETE FROM cell_bank_event WHERE status = '{BankStatus.DESTROYED}'")
    assert damage(house) == [f"cell_bank_event:{WCB}/1 is missing; an audit entry speaks of it"]


@pytest.mark.requirement("6.09")
def test_doublings_above_the_maximum_of_a_bank_are_remarked_on_at_the_lot(house: House):
    donate(house)
    bank(house, new_bank(MCB, BankKind.MASTER, GIVEN, max_doublings="12"))
    lot_of(house, OF_BANK, MCB)

    def passage(node: str, number: int, harvested: str, reason: str = "") -> None:
        new = NewPassage(node, number, "1E6", harvested, BANKED_ON, reason)
        with house.acting(ANA, Permission.KEEP_BANKS) as tx:
            record_passage(tx, new)

    assert len(gate(house)[1]) == 2
    assert "not known" in gate(house)[1][0]
    passage(MCB, 0, "1024E6")
    passage(OF_BANK, 1, "16E6")
    said = (f"cumulative doublings of lot:{OF_BANK}: 14, above the declared maximum 12",)
    assert gate(house) == ((), said)
    with pytest.raises(InvalidInput, match="reason"):
        passage(f"lot:{OF_BANK}", 1, "4E6")
    passage(f"lot:{OF_BANK}", 1, "4E6", "A digit was misread")
    assert gate(house) == ((), ())
    with pytest.raises(InvalidInput) as refused:
        passage(f"cell_bank:{MCB}", 1, "<5")
    assert refused.value.reasons == (
        'cells harvested "<5" is not a number of cells above 0, such as 1.2E6',
    )
    assert damage(house) == []
    tamper(house.engine, "UPDATE passage SET harvested = '2E6' WHERE harvested = '1024E6'")
    assert damage(house) == [f"passage:cell_bank:{MCB}/0/1 is not as its audit entry says"]


def test_a_lot_without_a_bank_is_released_as_the_rule_of_the_register_says(house: House):
    assert gate(house, LOT) == ((), ())
    for rule, found in ((Rule.FLAG, ((), (NO_BANK,))), (Rule.REFUSE, ((NO_BANK,), ()))):
        with house.acting(QA1, Permission.SET_REGISTER_RULE) as tx:
            set_rule(tx, register=Register.GENEALOGY, rule=rule, reason="From the audit plan")
        assert gate(house, LOT) == found
    line(house)
    assert gate(house) == ((), ())


@pytest.mark.requirement("8.12")
@pytest.mark.parametrize(
    ("statement", "node", "said"),
    [
        (f"DELETE FROM derivation WHERE child = 'cell_bank:{WCB}'", f"donor:{DONOR}",
         f"derivation:cell_bank:{WCB} from cell_bank:{MCB} is missing"),
        (f"DELETE FROM derivation WHERE child = 'lot:{OF_BANK}'", OF_BANK,
         f"derivation:lot:{OF_BANK} from cell_bank:{WCB} is missing"),
        (f"UPDATE derivation SET parent = 'cell_bank:GONE-1' WHERE child = 'lot:{OF_BANK}'",
         OF_BANK, "cell_bank:GONE-1 is not on record"),
        (f"UPDATE container SET place = 'Tank 4' WHERE container = '{OF_BANK}-V2'",
         f"donor:{DONOR}", f"container:{OF_BANK}-V2 is not as its audit entry says"),
        (f"DELETE FROM container WHERE container = '{OF_BANK}-V2'", f"donor:{DONOR}",
         f"container:{OF_BANK}-V2 is missing"),
        (f"UPDATE cell_bank SET bank = 'GONE-1', folded = 'gone-1' WHERE bank = '{MCB}'",
         OF_BANK, f"cell_bank:{MCB} is not on record"),
    ],
)  # fmt: skip
def test_a_trace_from_which_somebody_took_something_is_an_error(
    house: House, statement: str, node: str, said: str
):
    line(house)
    traced(house, node)
    tamper(house.engine, statement)
    with pytest.raises(IntegrityFailure) as refused:
        traced(house, node)
    assert any(one.startswith(said) for one in refused.value.reasons), refused.value.reasons


def test_an_id_of_several_kinds_is_told_by_kind(house: House):
    line(house)
    bank(house, new_bank(OF_BANK, BankKind.MASTER, GIVEN))
    with pytest.raises(InvalidInput, match=f"cell_bank:{OF_BANK}, lot:{OF_BANK}"):
        traced(house, OF_BANK)
    assert traced(house, f"lot:{OF_BANK}").start == f"lot:{OF_BANK}"


@pytest.mark.long
@pytest.mark.requirement("8.12")
def test_ten_thousand_nodes_are_traced_as_networkx_closes_them_in_few_statements(house: House):
    """Donations of one donor, pooled at random into banks of banks, deep and wide."""
    size, gifts = 10_000, 100
    draw = random.Random(5)  # noqa: S311 - a graph, no secret
    names = [f"GIFT-{one:05}" if one < gifts else f"BANK-{one:05}" for one in range(size)]
    nodes = [f"{'donation' if one < gifts else 'cell_bank'}:{names[one]}" for one in range(size)]
    parents = {
        child: draw.sample(range(max(0, child - 400), child), k=draw.choice((1, 1, 1, 2, 3)))
        for child in range(gifts, size)
    }
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        donor = tx.session.scalars(select(DonorRow)).one()
        for one in range(gifts):
            gift_of(tx, donor, names[one], one + 1)
        template = new_bank("", BankKind.INTERMEDIATE)
        banks = [
            CellBank(
                bank=names[one], folded=fold(names[one]), kind=template.kind.value, is_pool=1,
                made_on=BANKED_ON.isoformat(), expires_on=template.expires_on.isoformat(),
                place=template.place, containers=1, passage=2, basis="", max_doublings="",
                registered_by=ANA, registered_at=tx.now,
            )
            for one in range(gifts, size)
        ]  # fmt: skip
        edges = [
            Derivation(child=nodes[child], parent=nodes[one], kind="made of")
            for child, own in parents.items()
            for one in own
        ]
        tx.add(*banks, *edges)
        tx.audit("cell bank registered", rows=[*banks, *edges])
    graph = nx.DiGraph((nodes[one], nodes[child]) for child, own in parents.items() for one in own)
    graph.add_edges_from((f"donor:{DONOR}", nodes[one]) for one in range(gifts))
    graph.add_edge(f"donor:{DONOR}", f"lot:{LOT}")
    statements: list[str] = []
    event.listen(house.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    whole, deep = nx.descendants, nx.ancestors
    for start, direction, closure in (
        (f"donor:{DONOR}", Direction.FORWARD, whole), (nodes[gifts + 50], Direction.FORWARD, whole),
        (nodes[size // 2], Direction.BACK, deep), (nodes[-1], Direction.BACK, deep),
    ):  # fmt: skip
        statements.clear()
        began = time.perf_counter()
        found = traced(house, start, direction)
        taken = time.perf_counter() - began
        assert keys(found) - {start} == closure(graph, start)
        print(f"{start} {direction}: {len(found.nodes)} nodes, {len(found.edges)} edges,"
              f" {len(statements)} statements, {taken:.2f} s")  # fmt: skip
        assert len(statements) < 300


@pytest.mark.requirement("8.10", "8.12")
def test_no_correction_dates_a_donation_after_what_was_made_of_it(house: House):
    line(house)
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        donor = donor_by(tx.session, DONOR)
        assert donor is not None
        gift_of(tx, donor, "GIFT-UC-02", 2)
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        pool_donations(
            tx, kind="local", pool="POOL-24-1", donations=(GIVEN, "GIFT-UC-02"),
            pooled_on=date(2024, 1, 20), reason="One culture",
        )  # fmt: skip
    lot_of(house, "MSC-26-0077", "GIFT-UC-02")
    wrong = {
        (GIVEN, "2024-02-11"): "donation_pool:POOL-24-1 was made of it on 2024-01-20;"
        f" cell_bank:{MCB} was made of it on 2024-02-10",
        ("GIFT-UC-02", "2025-05-20"): "lot:MSC-26-0077 was made of it on 2025-05-19",
    }
    for (donation, after), said in wrong.items():
        with pytest.raises(InvalidInput, match=said):
            request(house, f"donation:{donation}", "donated_on", after)
    request(house, f"donation:{GIVEN}", "donated_on", "2024-01-20")
