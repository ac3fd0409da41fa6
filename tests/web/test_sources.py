"""Donors, banks, look-backs and new lots as their people work with them at a browser."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO

import pytest
from playwright.sync_api import expect

from batchqc.actions.consents import withdraw_consent
from batchqc.actions.registers import register_donor
from batchqc.core.cell_banks import BankKind, BankStatus
from batchqc.core.look_backs import LookBackCause
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.bank_lines import (
    BankOrder,
    BanksWanted,
    LookBacksWanted,
    bank_rows,
    look_back_rows,
)
from batchqc.records.cell_banks import bank_by, bank_statuses
from batchqc.records.donations import Consent, Donation, DonorTest
from batchqc.records.donor_lines import (
    Consenting,
    DonorOrder,
    DonorsSought,
    DonorsWanted,
    count_donors,
    donor_rows,
)
from batchqc.records.donors import eligibility_of
from batchqc.records.holds import open_holds
from batchqc.records.look_backs import open_look_backs
from batchqc.records.registers import donor_by, lot_by, product_by, sample_by
from batchqc.records.transaction import reading
from tests.actions.correcting import decide, request
from tests.actions.test_look_backs import close, look_back
from tests.records.donors import (
    DIN,
    DOCUMENT,
    DONATED_ON,
    adopt_panel,
    consent,
    determine,
    donate,
)
from tests.records.genealogy import GIVEN, MCB, OF_BANK, WCB, line
from tests.records.house import ANA, AUD, DON, DONOR, LOT, PASSWORD, QA1, House
from tests.records.tampering import tamper
from tests.web.browsing import Visitor
from tests.web.conftest import Served

NEW = "DNR-UC-77"
GIFT = "GIFT-UC-77"


def count(house: House, table: type[Donation | DonorTest | Consent]) -> int:
    with reading(house.engine) as session:
        return session.query(table).count()


def fill(visitor: Visitor, **typed: str) -> None:
    """Type into fields by how their labels begin; a ``_`` stands for a space."""
    main = visitor.page.get_by_role("main")
    for label, text in typed.items():
        found = main.get_by_label(re.compile(f"^{label.replace('_', ' ')}")).first
        if found.evaluate("one => one.tagName") == "SELECT":
            found.select_option(text)
        else:
            found.fill(text)


def sign(visitor: Visitor, reason: str, button: str, password: str = PASSWORD) -> None:
    visitor.page.get_by_label("Reason").fill(reason)
    visitor.page.get_by_label("Password", exact=True).fill(password)
    visitor.press(button)


def test_a_donor_officer_takes_a_donor_from_the_code_to_the_signed_determination(site: Served):  # noqa: PLR0915 - one step after another
    adopt_panel(site.house)
    with site.visitor(DON) as don:
        don.page.keyboard.press("g")
        don.page.keyboard.press("d")
        don.link("New donor").click()
        expect(don.page.get_by_label("Code")).to_be_focused()
        fill(don, Code="Maria")
        don.press("Register the donor")
        expect(don.page.get_by_role("alert")).to_contain_text('"Maria" is not an id')
        fill(don, Code=NEW)
        don.press("Register the donor")
        expect(don.heading(NEW)).to_be_visible()
        expect(don.page.get_by_text("Nobody has determined the eligibility")).to_be_visible()

        don.link("Register a donation").click()
        don.press("Register the donation")
        expect(don.page.get_by_text("This is needed.").first).to_be_visible()
        fill(don, Kind_of="DIN", Identification="G1234 98 654321 A", Donated_on="2026-04-01",
             Age="0 days", Establishment="Lakeside Maternity", Its_address="2 Pier")  # fmt: skip
        don.press("Register the donation")
        expect(don.page.get_by_role("alert")).to_contain_text("check character")
        assert count(site.house, Donation) == 0
        fill(don, Kind_of="local", Identification=GIFT)
        don.press("Register the donation")
        expect(don.page.get_by_text("The donation is registered.")).to_be_visible()

        don.link("Record results").click()
        don.press("Record the results")
        expect(don.page.get_by_text("Say the result of one marker at least.").first).to_be_visible()
        fill(don, Specimen="SP-1", Taken_at="2026-04-02T09:00-05:00", Laboratory="Blood Center",
             Its_certification="CLIA 14D0000000", Kit="Licensed kit", SHA="not a hash")  # fmt: skip
        fill(don, HBsAg="nonreactive")
        don.press("Record the results")
        expect(don.page.get_by_role("alert")).to_contain_text("64 lower-case hexadecimal")
        expect(don.page.get_by_label("HBsAg")).to_have_value("nonreactive")
        assert count(site.house, DonorTest) == 0
        fill(don, SHA=DOCUMENT)
        don.press("Record the results")
        expect(don.page.get_by_role("row").filter(has_text="HBsAg")).to_contain_text("Nonreactive")

        don.link("Record a consent").click()
        fill(don, Version="2.0", Given_on="2026-04-01", SHA=DOCUMENT)
        don.press("Record the consent")
        expect(don.page.get_by_text("Say what the donor consents to.").first).to_be_visible()
        don.page.get_by_label("clinical").check()
        don.press("Record the consent")
        expect(don.page.get_by_text("Clinical", exact=True).first).to_be_visible()

        don.link("Determine eligibility").click()
        don.page.get_by_label("Hold the records against").select_option("US-1271")
        don.press("Look")
        against = "no result of HCV NAT is on record"
        expect(don.page.get_by_text(against)).to_be_visible()
        fill(don, The_donor_is="eligible", It_rests_on="Screening and testing of the mother")
        sign(don, "Looked at every record", "Sign the determination")
        expect(don.page.get_by_role("alert")).to_contain_text("cannot be determined to be eligible")
        expect(don.page.get_by_label("It rests on")).to_have_value(
            "Screening and testing of the mother"
        )
        expect(don.page.get_by_label("Password", exact=True)).to_have_value("")
        don.page.get_by_label("Hold the records against").select_option("")
        don.press("Look")
        fill(don, The_donor_is="eligible", It_rests_on="Screening and testing of the mother")
        sign(don, "Looked at every record", "Sign the determination", "wrong one")
        expect(don.page.get_by_text("password is wrong").last).to_be_visible()
        sign(don, "Looked at every record", "Sign the determination")
        expect(don.page.get_by_text("Signed: the determination stands.")).to_be_visible()
        assert don.violations() == []
    with site.house.reading() as session:
        row = donor_by(session, NEW)
        assert row is not None
        (made,) = eligibility_of(session, [row])
        assert (made.eligibility, made.signature.person.user_id) == ("eligible", DON)


def test_what_came_after_a_determination_is_told_and_it_is_not_signed_over_unseen(site: Served):
    house = site.house
    donate(house)
    with site.visitor(DON) as don:
        don.go(f"/donors/{DONOR}")
        expect(don.page.get_by_text("Records came later").first).to_be_visible()
        expect(don.page.get_by_text("It does not count any more")).to_be_visible()
        don.link("Determine eligibility").click()
        assert not isinstance(determine(house), Refusal)
        fill(don, The_donor_is="eligible", It_rests_on="Screening of the mother")
        sign(don, "Looked at every record", "Sign the determination")
        expect(don.page.get_by_role("alert")).to_contain_text("not any more as you saw it")
        don.link("Open it again").click()
        fill(don, The_donor_is="ineligible", It_rests_on="A late result of the mother")
        sign(don, "Looked at every record", "Sign the determination")
        expect(don.page.get_by_text("Under look-back").first).to_be_visible()


def test_a_look_back_is_shown_before_it_is_signed_done_once_and_closed_by_qa(site: Served):  # noqa: PLR0915 - one step after another
    house = site.house
    line(house)
    with site.visitor(DON, java_script_enabled=False) as don:
        don.go(f"/donors/{DONOR}")
        don.link("Start a look-back").click()
        for told in (f"2: {LOT}, {OF_BANK}", f"2: {MCB}, {WCB}"):
            expect(don.page.get_by_text(told)).to_be_visible()
        sign(don, "A late call of the clinic", "Sign and start the look-back")
        expect(don.page.get_by_text("Say what came into doubt.").first).to_be_visible()
        fill(don, What_came="contamination found")
        sign(don, "A late call of the clinic", "Sign and start the look-back", "wrong one")
        expect(don.page.get_by_text("password is wrong").last).to_be_visible()
        with house.reading() as session:
            assert open_look_backs(session) == []
        form = {
            name: don.page.locator(f"form[method=post] [name={name}]").first.input_value()
            for name in ("token", "key", "source", "cause", "reason")
        } | {"password": PASSWORD}
        for _ in range(2):
            answer = don.context.request.post(
                f"{don.address}/look-backs/new", form=form, headers={"Origin": don.address},
                max_redirects=0,
            )  # fmt: skip
            assert answer.headers["location"] == "/look-backs/LB-2026-000001?did=started"
        don.go("/look-backs/LB-2026-000001")
        expect(don.page.get_by_role("row").filter(has_text=f"{OF_BANK}-V1")).to_be_visible()
        expect(don.page.get_by_text("Closing is for: QA")).to_be_visible()
        expect(don.link("Close the look-back")).to_have_count(0)
    with house.reading() as session:
        (started,) = open_look_backs(session)
        lots = [lot_by(session, one) for one in (LOT, OF_BANK)]
        assert all(open_holds(session, [one.id]) for one in lots if one)
    with site.visitor(QA1) as qa:
        qa.go("/look-backs?state=open")
        qa.link(started.natural_key).click()
        rows = qa.context.request.get(f"{qa.address}/look-backs/{started.natural_key}/doses.csv")
        listed = list(csv.DictReader(StringIO(rows.body().decode("utf-8-sig"))))
        assert {one["container"] for one in listed} >= {f"{OF_BANK}-V1", "WCB-UC-01-V1"}
        qa.link("Close the look-back").click()
        sign(qa, "Read every record of it", "Sign and close")
        expect(qa.page.get_by_text("Say what was concluded.").first).to_be_visible()
        fill(qa, Conclusion="It was another donor")
        sign(qa, "Read every record of it", "Sign and close")
        expect(qa.page.get_by_text("Concluded: It was another donor")).to_be_visible()
    with house.reading() as session:
        assert open_look_backs(session) == []
        assert all(open_holds(session, [one.id]) for one in lots if one)


def test_a_cause_that_somebody_changed_is_told_and_the_list_still_opens(site: Served):
    line(site.house)
    number = look_back(site.house)
    tamper(site.house.engine, "UPDATE look_back SET cause = 'none'")
    with site.visitor(QA1) as qa:
        qa.go("/look-backs")
        expect(qa.link(number)).to_be_visible()
        answer = qa.context.request.get(f"{qa.address}/look-backs/{number}")
        assert (answer.status, "BQC-GEN-027" in answer.text()) == (500, True)
        assert "Run `batchqc audit verify`" in answer.text()


def test_a_bank_is_registered_quarantined_and_let_out_by_who_may(site: Served):  # noqa: PLR0915 - one step after another
    house = site.house
    line(house)
    with site.visitor(ANA) as ana:
        ana.go("/banks/new")
        fill(ana, Id="WCB-UC-02", Kind="WCB", Made_of=f"{MCB}\nNONE-1", Made_on="2024-06-10",
             Last_usable="2034-02-10", Place="Tank 1", Containers="20", Frozen="3")  # fmt: skip
        ana.press("Register the bank")
        expect(ana.page.get_by_role("alert")).to_contain_text("NONE-1")
        fill(ana, Made_of=MCB)
        ana.press("Register the bank")
        expect(ana.heading("WCB-UC-02")).to_be_visible()
        ana.link("Record a passage").click()
        fill(
            ana, Passage="3", Cells_seeded="many", Cells_harvested="8E6", Harvested_on="2024-06-09"
        )
        ana.press("Record the passage")
        expect(ana.page.get_by_role("alert")).to_contain_text("cells seeded")
        fill(ana, Cells_seeded="1E6")
        ana.press("Record the passage")
        expect(ana.page.get_by_role("row").filter(has_text="8E6")).to_be_visible()
        ana.link("Put in quarantine").click()
        ana.press("Record it")
        expect(ana.page.get_by_text("Write why.").first).to_be_visible()
        fill(ana, Reason="The tank was warm")
        ana.press("Record it")
        expect(ana.page.get_by_text("Letting it out is for: QA")).to_be_visible()
        expect(ana.link("Let out of quarantine")).to_have_count(0)
        ana.go("/banks/WCB-UC-02/status?to=available")
        expect(ana.page.get_by_text("You may not do this.")).to_be_visible()
    with site.visitor(QA1) as qa:
        qa.go("/banks?status=quarantined")
        qa.link("WCB-UC-02").click()
        qa.link("Let out of quarantine").click()
        fill(qa, Reason="The record of the tank was wrong")
        qa.press("Record it")
        expect(qa.page.get_by_text("Cells may be taken from it.")).to_be_visible()
    with house.reading() as session:
        row = bank_by(session, "WCB-UC-02")
        assert row is not None
        assert bank_statuses(session, [row])[row.id] == "available"


def test_a_lot_is_registered_after_what_will_judge_it_was_seen_and_never_by_a_scanner(site: Served):  # noqa: PLR0915 - one step after another
    house, lot = site.house, "MSC-26-0077"
    with site.visitor(ANA) as ana:
        ana.go("/lots")
        ana.link("New lot").click()
        expect(ana.page.get_by_label("Lot", exact=True)).to_be_focused()
        ana.page.keyboard.type(LOT)
        ana.page.keyboard.press("Enter")
        expect(ana.page.get_by_text("There is a lot of this id.")).to_be_visible()
        expect(ana.link(f"Look at {LOT}")).to_have_attribute("href", f"/lots/{LOT}")
        fill(ana, Lot=lot, Product="UC-MSC", Made_on="2019-01-01", Last_usable="2027-05-18",
             Donors=DONOR)  # fmt: skip
        ana.press("Show what will judge it")
        expect(ana.page.get_by_role("alert")).to_contain_text("no approved specification of UC-MSC")
        fill(ana, Made_on="2025-05-19")
        ana.page.get_by_label("Sample", exact=True).first.fill(f"{lot}-S01")
        ana.press("Show what will judge it")
        expect(ana.page.get_by_text("This is needed of the sample.").first).to_be_visible()
        ana.page.get_by_label("Stage").first.select_option("release")
        ana.page.get_by_label("Container").first.fill("cryovial")
        ana.page.get_by_label("Sample", exact=True).first.fill("")
        ana.press("Show what will judge it")
        expect(ana.page.get_by_text("This is needed of the sample.").first).to_be_visible()
        ana.page.get_by_label("Sample", exact=True).first.fill(f"{lot}-S01")
        ana.page.get_by_label("Taken at").first.fill("2025-05-20T08:00:00-05:00")
        ana.press("Show what will judge it")
        told = ana.page.get_by_role("status").filter(has_text="What will judge it")
        expect(told).to_contain_text("UC-MSC-REL v1")
        expect(told).to_contain_text("in force on the date of manufacture 2025-05-19")
        ana.page.get_by_label("Lot", exact=True).press("Enter")
        expect(told).to_be_visible()
        with house.reading() as session:
            assert lot_by(session, lot) is None
        seen = {
            one.get_attribute("name") or "": one.input_value()
            for one in ana.page.locator("form[method=post][action='/lots/new'] [name]").all()
            if one.evaluate("one => one.tagName") != "BUTTON"
        }
        forged = seen | {"step": "register", "judged": "UC-MSC-REL v9"}
        answer = ana.context.request.post(
            f"{ana.address}/lots/new", form=forged, headers={"Origin": ana.address}
        )
        assert (answer.status, "BQC-WEB-040" in answer.text()) == (409, True)
        with house.reading() as session:
            assert lot_by(session, lot) is None
        ana.press("Register the lot")
        expect(ana.page.get_by_text("The lot is registered.")).to_be_visible()
        ana.link("Add a sample").click()
        fill(ana, Sample=f"{lot}-S02", Container="bag", Taken_at="2025-05-20 08:00")
        ana.press("Register the sample")
        expect(ana.page.get_by_role("alert")).to_contain_text("needs its offset")
        fill(ana, Taken_at="2025-05-20T08:00:00-05:00")
        ana.press("Register the sample")
        expect(ana.page.get_by_text("The sample is registered.")).to_be_visible()
    with house.reading() as session:
        row = lot_by(session, lot)
        assert row is not None
        assert row.registered_by == ANA
        assert sample_by(session, f"{lot}-S01")
        assert sample_by(session, f"{lot}-S02")


def test_who_may_not_is_told_who_may_and_nothing_is_done(site: Served):
    with site.visitor(AUD) as aud:
        for path, who in (
            ("/donors/new", "donor officer"), (f"/donors/{DONOR}/withdrawal", "donor officer"),
            ("/lots/new", "analyst, QA"), ("/products/new", "QA"), ("/banks/new", "analyst, QA"),
            ("/look-backs/new", "QA, donor officer"),
        ):  # fmt: skip
            aud.go(path)
            expect(aud.page.get_by_text(f"It is for: {who}.")).to_be_visible()
            expect(aud.page.get_by_role("main").get_by_role("textbox")).to_have_count(0)
        aud.go("/donors")
        expect(aud.link("New donor")).to_have_count(0)
        token = aud.page.locator("input[name=token]").first.get_attribute("value") or ""
        form = {"token": token, "code": NEW, "tissue_source": "skin"}
        answer = aud.context.request.post(
            f"{aud.address}/donors/new", form=form, headers={"Origin": aud.address}
        )
        assert answer.status == 403
    with site.visitor(QA1) as qa:
        qa.go("/products")
        qa.link("New product").click()
        fill(qa, Code="AD-MSC", Name="Adipose MSC", Form="Bag", Storage="Below -150 °C")
        qa.press("Register the product")
        row = qa.page.get_by_role("row").filter(has_text="AD-MSC")
        expect(row).to_contain_text("None is approved")
    with site.house.reading() as session:
        assert donor_by(session, NEW) is None
        assert product_by(session, "AD-MSC")


@pytest.fixture(scope="module")
def reader(served: Served) -> Iterator[Visitor]:
    line(served.house)
    consent(served.house)
    add_donors(served.house)
    with served.visitor(AUD) as visitor:
        yield visitor


def add_donors(house: House) -> None:
    for number in range(3):
        with house.acting(DON, Permission.REGISTER_DONOR) as tx:
            register_donor(tx, code=f"DNR-X-0{number}", tissue_source="skin")


def test_a_filter_of_donors_is_an_address_and_the_same_as_csv(reader: Visitor):
    reader.go("/donors")
    expect(reader.page.get_by_text("4 donors")).to_be_visible()
    main = reader.page.get_by_role("main")
    main.get_by_label("Eligibility").select_option("not determined")
    main.get_by_label("Order").select_option("By code, Z to A")
    reader.press("Show")
    expect(reader.page.get_by_text("3 donors with this filter")).to_be_visible()
    shown = main.get_by_role("rowheader").all_inner_texts()
    assert shown == ["DNR-X-02", "DNR-X-01", "DNR-X-00"]
    with reader.page.expect_download() as found:
        reader.link("CSV").click()
    rows = list(csv.DictReader(StringIO(found.value.path().read_text("utf-8-sig"))))
    assert [one["donor"] for one in rows] == shown
    assert {one["eligibility"] for one in rows} == {"not determined"}
    reader.go("/donors?text=nothing+like+it")
    reader.link("All donors").click()
    expect(reader.page.get_by_text("4 donors")).to_be_visible()


def test_a_genealogy_is_walked_from_box_to_box_and_both_ways(reader: Visitor):
    reader.go(f"/lots/{OF_BANK}/genealogy")
    reader.page.get_by_role("link", name=f"cell bank {MCB}").click()
    expect(reader.heading(MCB)).to_be_visible()
    reader.link("Genealogy").click()
    table = reader.page.get_by_role("table")
    row = table.get_by_role("row").filter(has_text=f"{OF_BANK}-V2")
    expect(row).to_contain_text(f"filled from {OF_BANK}")
    reader.link("What it was made of").click()
    expect(table.get_by_role("row").filter(has_text=OF_BANK)).to_have_count(0)
    expect(table.get_by_role("row").filter(has_text=DONOR).first).to_be_visible()
    with reader.page.expect_download() as found:
        reader.link("CSV").click()
    rows = list(csv.DictReader(StringIO(found.value.path().read_text("utf-8-sig"))))
    assert [one["id"] for one in rows] == [DONOR, GIVEN, MCB]


@pytest.mark.parametrize("table", ["donor", "bank", "look-back"])
def test_pages_of_lists_follow_each_other_and_filters_hold_together(house: House, table: str):
    line(house)
    consent(house)
    add_donors(house)
    with house.reading() as session:
        if table == "bank":
            for order in BankOrder:
                wanted = BanksWanted(order=order)
                first = bank_rows(session, wanted, after=None, limit=1)
                others = bank_rows(session, wanted, after=first[0], limit=5)
                is_back = order is BankOrder.NEWEST or order.endswith("-back")
                banks = [WCB, MCB] if is_back else [MCB, WCB]
                assert [one.bank for one in (*first, *others)] == banks, order
            wanted = BanksWanted("uc-01", BankKind.MASTER, BankStatus.AVAILABLE)
            assert [one.bank for one in bank_rows(session, wanted, after=None, limit=5)] == [MCB]
            gone = BanksWanted(status=BankStatus.DESTROYED)
            assert not bank_rows(session, gone, after=None, limit=5)
            return
        if table == "look-back":
            for is_open in (None, True, False):
                wanted = LookBacksWanted("uc-01", LookBackCause.ORIGIN, is_open)
                assert not look_back_rows(session, wanted, after=None, limit=5)
            return
        codes = [DONOR, "DNR-X-00", "DNR-X-01", "DNR-X-02"]
        for order in DonorOrder:
            sought, found = DonorsSought(DonorsWanted(), limit=2, order=order), list[str]()
            while rows := donor_rows(session, sought):
                found += [one.code for one in rows[:2]]
                sought = replace(sought, after=rows[:2][-1])
            is_back = order in {DonorOrder.NEWEST, DonorOrder.CODE_BACK}
            assert found == (codes[::-1] if is_back else codes), order
        for wanted, fitting in {
            DonorsWanted(consent=Consenting.GIVEN): [DONOR],
            DonorsWanted(consent=Consenting.NONE): codes[1:],
            DonorsWanted(consent=Consenting.WITHDRAWN): [],
            DonorsWanted(eligibility="eligible"): [DONOR],
            DonorsWanted(text="x-01"): ["DNR-X-01"],
            DonorsWanted(text="SKIN", eligibility="not determined"): codes[1:],
            DonorsWanted(doubtful=True): [],
        }.items():
            assert [one.code for one in donor_rows(session, DonorsSought(wanted))] == fitting
            assert count_donors(session, wanted, 10) == len(fitting)


def test_a_donor_under_look_back_and_one_who_withdrew_are_told_to_be_so(site: Served):
    """Nothing green stands where the gate is closed; forms begin with what was corrected."""
    house = site.house
    donate(house)
    consent(house)
    determine(house)
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        withdraw_consent(
            tx, house.archive, donor=DONOR, withdrawn_on=DONATED_ON, reason="The donor wrote so"
        )
    consent(house, version="3.0", scopes=("research",))
    with site.visitor(DON) as don:
        don.go(f"/donors/{DONOR}")
        glance = don.page.get_by_role("region", name="At a glance")
        expect(glance).to_contain_text("Withdrawn; since then: research")
        found = {
            wanted: list(csv.DictReader(StringIO(body.decode("utf-8-sig"))))
            for wanted in ("withdrawn", "given")
            for body in [don.page.request.get(f"/donors.csv?consent={wanted}").body()]
        }
        assert [one["consent"] for one in found["withdrawn"]] == ["withdrawn; since then: research"]
        assert found["given"] == []
        close(house, "LB-2026-000001")
        consent(house, version="4.0")
        determine(house)
        look_back(house)
        don.page.reload()
        expect(glance).to_contain_text("Nothing new is made of this donor")
        expect(glance).not_to_contain_text("Lots may come")
        decide(house, request(house, f"donation:{DIN}", "tested_person", "donor"))
        decide(house, request(house, f"donor:{DONOR}", "tissue_source", "bone marrow"))
        don.go(f"/donors/{DONOR}/donations/{DIN}/tests/new")
        expect(don.page.get_by_label("Whose blood")).to_have_value("donor")
        don.go(f"/donors/{DONOR}/donations/new")
        expect(don.page.get_by_label("Tissue")).to_have_value("bone marrow")
        don.go(f"/donors/{DONOR}/eligibility")
        expect(don.page.get_by_text(f"{DONOR}, bone marrow")).to_be_visible()
