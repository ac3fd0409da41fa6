"""Donors from donation to gate: what is refused, what is signed, and what stops a lot."""

from datetime import UTC, date, datetime, timedelta

import pytest

from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.consents import record_consent, withdraw_consent
from batchqc.actions.corrections import decide_correction, request_correction
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.dispositions import Decision
from batchqc.actions.donations import pool_donations
from batchqc.actions.donor_panels import approve_panel, import_panel, panel_content
from batchqc.actions.donors_looked_at import DonorsLookedAt
from batchqc.actions.laboratory import set_rule
from batchqc.actions.lots import NewLot, register_lot
from batchqc.actions.people import change_password, register_person
from batchqc.actions.registers import register_donor
from batchqc.core.donors import EXCEPTION, INELIGIBLE
from batchqc.core.gates import Gate
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.errors import (
    BatchqcError,
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    ReleaseBlocked,
)
from batchqc.records.donations import donation_by
from batchqc.records.donor_panels import panel_by
from batchqc.records.donors import EligibilityRow
from batchqc.records.look_backs import LookBackClosing
from batchqc.records.transaction import SYSTEM, transaction
from batchqc.settings import shipped_panels
from tests.actions.correcting import decide, request
from tests.actions.state import counts, grown
from tests.actions.test_look_backs import close
from tests.records.donors import (
    DIN,
    DONATED_ON,
    NONREACTIVE,
    PANEL,
    PANEL_FILE,
    adopt_panel,
    complete,
    consent,
    determine,
    donate,
    take_tests,
)
from tests.records.house import (
    ADM,
    ANA,
    DON,
    DONOR,
    EXPIRES_ON,
    FIRST_PASSWORD,
    MADE_ON,
    PASSWORD,
    PRODUCT,
    QA1,
    QA2,
    House,
    signing,
)
from tests.records.tampering import tamper

SEC = "PL001499Z549917123456A00T041600320171231"
LATER = date(2099, 1, 1)


def gate(house: House) -> Gate:
    return next(one for one in house.study().gates if one.name == "Donor")


def rule(house: House, what: Rule) -> None:
    with house.acting(QA1, Permission.SET_REGISTER_RULE) as tx:
        set_rule(tx, register=Register.DONORS, rule=what, reason="As the procedure has it")


def withdraw(house: House, day: date = DONATED_ON) -> None:
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        withdraw_consent(
            tx, house.archive, donor=DONOR, withdrawn_on=day, reason="The donor wrote so"
        )


def pool(house: House, *donations: str, name: str = "POOL-25-1", day: date = MADE_ON) -> None:
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        pool_donations(
            tx, kind="local", pool=name, donations=donations, pooled_on=day, reason="One culture"
        )


class TestDonation:
    @pytest.mark.requirement("8.08", "8.10")
    def test_a_donation_is_known_by_every_form_of_its_id_and_registered_once(self, house: House):
        donate(house, id="G1234 98 654321 H")
        donate(house, kind="SEC", id=SEC)
        with house.reading() as session:
            found = donation_by(session, "g123498654321h")
            assert found is not None
            assert (found.donation, found.number) == (DIN, 1)
            assert donation_by(session, SEC[:21]) is not None
        before = counts(house.engine)
        for again in ({"id": DIN.lower()}, {"kind": "SEC", "id": SEC[:21] + "A00T041600420300101"}):
            with pytest.raises(InvalidInput) as refused:
                donate(house, **again)
            assert "registered already" in refused.value.reasons[0]
        assert grown(house.engine, before) == {}
        assert house.verify().problems == ()

    @pytest.mark.requirement("8.14")
    def test_everything_wrong_with_a_donation_is_told_at_once(self, house: House):
        before = counts(house.engine)
        with pytest.raises(InvalidInput) as refused:
            donate(
                house, id="G123498654321J", donated_on=LATER, establishment=" ", address="",
                tissue="bone marrow", donor_age="1990-04-01", donor_sex="?", tested_person="nobody",
            )  # fmt: skip
        assert refused.value.code == "BQC-DNR-010"
        assert len(refused.value.reasons) == 8
        with pytest.raises(InvalidInput) as refused:
            donate(house, kind="EAN", tissue="leaf")
        assert len(refused.value.reasons) == 2
        with pytest.raises(NotFound):
            donate(house, "DNR-UC-99")
        assert grown(house.engine, before) == {}

    @pytest.mark.requirement("8.03")
    def test_everything_wrong_with_tests_is_told_at_once(self, house: House):
        with house.acting(DON, Permission.REGISTER_DONOR) as tx:
            register_donor(tx, code="DNR-UC-02", tissue_source="umbilical cord")
        donate(house)
        before = counts(house.engine)
        with pytest.raises(InvalidInput) as refused:
            take_tests(
                house, "DNR-UC-02", person="nurse", specimen="", laboratory="\x07", kit="",
                statement="", document_sha256="AB", taken_at="2099-01-01T00:00:00+00:00",
                results=(("HBsAg", "negative"), ("HBsAg", "reactive"), ("Measles", "reactive")),
            )  # fmt: skip
        assert len(refused.value.reasons) == 11
        assert refused.value.code == "BQC-DNR-012"
        for taken in ("yesterday", "2025-04-02T09:00:00", "0001-01-01T00:00:00+14:00"):
            with pytest.raises(InvalidInput) as refused:
                take_tests(house, taken_at=taken, results=())
            assert len(refused.value.reasons) == 2
        with pytest.raises(NotFound):
            take_tests(house, donation="DON-0-0")
        assert grown(house.engine, before) == {}

    @pytest.mark.requirement("8.10")
    def test_a_pool_gets_an_id_of_its_own_and_its_donations_keep_theirs(self, house: House):
        donate(house)
        donate(house, kind="local", id="DON-25-2")
        pool(house, DIN, "DON-25-2")
        before = counts(house.engine)
        wrong = [
            ((DIN,), {}), ((DIN, DIN), {}), ((DIN, "DON-25-2"), {"day": date(2025, 1, 1)}),
            ((DIN, "DON-25-2"), {}), ((DIN, "DON-25-2"), {"name": "DON-25-2"}),
            ((DIN, "DON-25-2"), {"name": "P-25-2", "day": LATER}),
        ]  # fmt: skip
        for parts, more in wrong:
            with pytest.raises(InvalidInput) as refused:
                pool(house, *parts, **more)  # type: ignore[arg-type]
            assert refused.value.code == "BQC-DNR-015"
        with pytest.raises(InvalidInput):
            donate(house, kind="local", id="pool-25-1")
        assert grown(house.engine, before) == {}
        assert house.verify().problems == ()

    @pytest.mark.requirement("8.10")
    def test_the_day_of_a_donation_in_a_pool_is_the_corrected_one(self, house: House):
        donate(house, donated_on=date(2025, 4, 11))
        donate(house, kind="local", id="DON-25-2")
        right = request(house, f"donation:{DIN}", "donated_on", "2025-04-01")
        decide(house, right)
        late = request(house, "donation:DON-25-2", "donated_on", "2025-04-20")
        decide(house, late)
        with pytest.raises(InvalidInput) as refused:
            pool(house, DIN, "DON-25-2", day=date(2025, 4, 10))
        assert list(refused.value.reasons) == [
            "DON-25-2 was donated on 2025-04-20, after it was pooled"
        ]


class TestConsent:
    @pytest.mark.requirement("8.07")
    def test_a_withdrawn_consent_stops_new_lots_and_lots_that_are_not_decided(self, house: House):
        consent(house)
        determine(house)
        assert gate(house).is_open
        withdraw(house)
        found = gate(house)
        assert not found.is_open
        assert any("consent 2.0 was withdrawn on 2025-04-01" in one for one in found.reasons)
        before = counts(house.engine)
        with house.acting(ANA, Permission.REGISTER_LOT) as tx, pytest.raises(BatchqcError) as no:
            register_lot(tx, NewLot("MSC-26-0044", PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,)))
        assert any("withdrew" in one or "withdrawn" in one for one in no.value.reasons)
        with pytest.raises(Conflict) as refused:
            determine(house)
        assert refused.value.code == "BQC-DNR-020"
        assert grown(house.engine, before) == {}
        consent(house, version="3.0")
        determine(house)
        assert gate(house).is_open

    @pytest.mark.requirement("8.07")
    def test_no_consent_to_anything_but_clinical_use_takes_a_withdrawal_back(self, house: House):
        """Under every rule, and though nobody holds the donor against a panel."""
        consent(house)
        withdraw(house)
        consent(house, version="3.0", scopes=("research",))
        said = "consent 3.0 does not cover clinical use, and consent 2.0 was withdrawn"
        with pytest.raises(Conflict) as refused:
            determine(house)
        assert refused.value.reasons == (said,)
        assert f"donor {DONOR}: {said}" in gate(house).reasons
        assert isinstance(close(house, "LB-2026-000001"), LookBackClosing)
        with house.acting(ANA, Permission.REGISTER_LOT) as tx, pytest.raises(BatchqcError) as no:
            register_lot(tx, NewLot("MSC-26-0044", PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,)))
        assert no.value.reasons == (f"donor {DONOR}: {said}",)
        consent(house, version="4.0")
        determine(house)
        assert gate(house).is_open

    def test_consents_and_withdrawals_that_cannot_be_are_refused(self, house: House):
        def code(act: object) -> str:
            with pytest.raises(BatchqcError) as refused:
                act()  # type: ignore[operator]
            return refused.value.code

        before = counts(house.engine)
        assert code(lambda: withdraw(house)) == "BQC-DNR-014"
        with (
            house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx,
            pytest.raises(InvalidInput) as refused,
        ):
            record_consent(
                tx, donor=DONOR, version="", scopes=("sale",), given_on=LATER, document_sha256=""
            )
        assert len(refused.value.reasons) == 4
        assert code(lambda: consent(house, scopes=())) == "BQC-DNR-013"
        assert grown(house.engine, before) == {}
        consent(house)
        early = DONATED_ON - timedelta(days=1)
        assert code(lambda: consent(house, given_on=early)) == "BQC-DNR-013"
        assert code(lambda: withdraw(house, early)) == "BQC-DNR-017"
        assert code(lambda: withdraw(house, LATER)) == "BQC-DNR-017"
        withdraw(house, MADE_ON)
        assert code(lambda: withdraw(house, MADE_ON)) == "BQC-DNR-016"
        assert code(lambda: consent(house)) == "BQC-DNR-013"


class TestDetermination:
    @pytest.mark.requirement("8.04")
    def test_every_problem_against_the_panel_is_told_and_nothing_is_signed(self, house: House):
        adopt_panel(house)
        donate(house)
        take_tests(house, results=NONREACTIVE[3:], taken_at="2025-04-30T09:00:00-05:00")
        before = counts(house.engine)
        with pytest.raises(Conflict) as refused:
            determine(house, panel=PANEL)
        reasons = refused.value.reasons
        assert refused.value.code == "BQC-DNR-020"
        assert len([one for one in reasons if "22 too many" in one]) == 9
        assert len([one for one in reasons if "no result of HIV" in one]) == 3
        assert "no consent is on record" in reasons
        assert grown(house.engine, before) == {}

    @pytest.mark.requirement("8.04", "8.13")
    def test_what_comes_after_the_determination_makes_it_stale(self, house: House):
        panel = adopt_panel(house)
        complete(house)
        assert not gate(house).is_open  # determined before anything was recorded
        row = determine(house, panel=panel)
        assert isinstance(row, EligibilityRow)
        rule(house, Rule.REFUSE)
        assert gate(house).reasons == ()
        assert gate(house).remarks == ()
        take_tests(house, results=(("HBsAg", "reactive"),), taken_at="2025-09-02T09:00:00-05:00")
        (said,) = gate(house).reasons
        assert said == f"donor {DONOR} was determined before donor_test:{DIN}/13 was recorded"
        house.ready()
        with pytest.raises(ReleaseBlocked):
            house.release()
        for against in ("", panel):
            with pytest.raises(Conflict) as refused:
                determine(house, panel=against)
            assert f"{DIN}: HBsAg is reactive (result 13)" in refused.value.reasons
        assert house.verify().problems == ()

    @pytest.mark.requirement("8.06")
    def test_an_exception_is_on_record_and_releases_no_lot(self, house: House):
        panel = adopt_panel(house)
        donate(house)
        row = determine(house, panel=panel, by_exception=True)
        assert isinstance(row, EligibilityRow)
        assert gate(house).reasons == (f"donor {DONOR} is {EXCEPTION}",)
        determine(house, panel=panel, eligible=False)
        assert gate(house).reasons == (f"donor {DONOR} is {INELIGIBLE}",)

    def test_a_donor_without_records_is_as_the_rule_of_the_site_says(self, house: House):
        said = f"donor {DONOR} was not evaluated against a panel of tests"
        no_consent = f"donor {DONOR}: no consent is on record"
        assert (gate(house).is_open, gate(house).remarks) == (True, (said,))
        rule(house, Rule.FLAG)
        assert (gate(house).is_open, gate(house).remarks) == (True, (said, no_consent))
        rule(house, Rule.REFUSE)
        assert gate(house).reasons == (said, no_consent)
        house.ready()
        with pytest.raises(ReleaseBlocked):
            house.release()
        rule(house, Rule.OFF)
        with pytest.raises(NotPermitted) as own:
            house.release(by=QA1)
        (reason,) = own.value.reasons
        assert 'qa1 lowered the rule of the register "donors" from refuse to off' in reason
        assert isinstance(house.release(by=QA2), Decision)

    def test_a_donor_who_gave_after_the_lot_was_made_stops_it(self, house: House):
        donate(house, donated_on=MADE_ON + timedelta(days=1))
        determine(house)
        (said,) = gate(house).reasons
        assert said == (
            f"donor {DONOR} gave first on 2025-05-20, after the lot was made on 2025-05-19"
        )
        donate(house, kind="local", id="DON-25-2", donated_on=MADE_ON)
        determine(house)
        assert gate(house).is_open

    @pytest.mark.requirement("8.05")
    def test_the_certificate_states_determination_tests_and_who_determined(self, house: House):
        complete(house)
        determine(house, panel=adopt_panel(house))
        house.ready()
        assert isinstance(house.release(), Decision)
        with house.reading() as session:
            certificate = the_certificate(session, "COA-2026-000001")
            statements = content_of_certificate(house.archive, certificate)["statements"]
        (said,) = [one for one in statements if one.startswith("Donor")]
        assert said.startswith(
            f"Donor {DONOR}: eligible against US-1271 v1, determined by Lakeside Cell Therapy,"
            f" 1 Pier, Chicago; {DIN}: HIV-1 Ab nonreactive, "
        )
        assert said.endswith("tested by Blood Center (CLIA certified, 14D0000000).")

    def test_a_wrong_password_determines_nothing(self, house: House):
        with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
            refused = determine_eligibility(
                tx, house.archive, NewDetermination(DONOR, "None of them", eligible=False),
                credentials=signing(DON, password="wrong"),
            )  # fmt: skip
        assert isinstance(refused, Refusal)
        assert gate(house).is_open


class TestTampering:
    @pytest.mark.requirement("1.19")
    def test_every_changed_record_of_a_donor_is_named_and_stops_the_lot(self, house: House):
        complete(house)
        panel = adopt_panel(house)
        determine(house, panel=panel)
        take_tests(house, results=(("HBsAg", "reactive"),))
        determine(house, panel=panel, eligible=False)
        assert house.study().facts.damaged == ()
        for statement, key in (
            ("UPDATE donor_test SET result = 'nonreactive' WHERE number = 13", "donor_test:"),
            ("UPDATE consent SET scopes = 'research'", "consent:"),
            ("UPDATE donor_panel_version SET markets = 'EU'", "donor_panel_version:"),
            ("UPDATE donation SET tested_person = 'donor'", "donation:"),
            ("UPDATE eligibility SET eligibility = 'eligible'", "belongs to other content"),
        ):
            assert not any(key in one for one in house.study().facts.damaged), key
            tamper(house.engine, statement)
            assert any(key in one for one in house.study().facts.damaged), key

    @pytest.mark.requirement("1.19")
    def test_what_came_after_a_determination_cannot_be_removed_unseen(self, house: House):
        determine(house)
        complete(house)
        withdraw(house)
        assert house.study().facts.damaged == ()
        for table in ("donor_test", "consent_withdrawal", "consent", "donation"):
            before = house.study().facts.damaged
            assert not any(one.startswith(f"{table}:") for one in before)
            tamper(house.engine, f"DELETE FROM {table}")  # noqa: S608 - tables of this test
            found = house.study().facts.damaged
            assert any(one.startswith(f"{table}:") and "is missing" in one for one in found)


class TestPanels:
    def test_who_imported_a_panel_does_not_approve_it(self, house: House):
        both = [Role.DONOR_OFFICER, Role.QA]
        with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
            register_person(tx, user_id="two", name="Two", roles=both, password=FIRST_PASSWORD)
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            change_password(tx, user_id="two", old=FIRST_PASSWORD, new=PASSWORD)
        with house.acting("two", Permission.IMPORT_PANEL) as tx:
            import_panel(tx, house.archive, data=PANEL_FILE, file="panel.toml")
        with house.acting("two", Permission.APPROVE_PANEL) as tx, pytest.raises(Conflict) as no:
            approve_panel(tx, panel=PANEL, version=1, credentials=signing("two"))
        assert "imported it" in no.value.message

    def test_every_shipped_panel_is_a_proposal_that_qa_approves(self, house: House):
        for path in sorted(shipped_panels().glob("*.toml")):
            panel = adopt_panel(house, path.read_bytes())
            with house.reading() as session:
                row = panel_by(session, panel, 1)
                assert row is not None
                found = panel_content(house.archive, row)
            assert found.recalled
            assert found.markets
        assert house.verify().problems == ()

    def test_a_panel_decides_nothing_before_it_is_approved(self, house: House):
        with house.acting(DON, Permission.IMPORT_PANEL) as tx:
            import_panel(tx, house.archive, data=PANEL_FILE, file="panel.toml")
        complete(house)
        with pytest.raises(NotFound) as refused:
            determine(house, panel=PANEL)
        assert refused.value.code == "BQC-DNR-005"

    def test_a_panel_is_imported_and_approved_once(self, house: House):
        adopt_panel(house)
        before = counts(house.engine)
        with house.acting(DON, Permission.IMPORT_PANEL) as tx, pytest.raises(Conflict) as refused:
            import_panel(tx, house.archive, data=PANEL_FILE, file="panel.toml")
        assert refused.value.code == "BQC-DNR-002"
        with house.acting(QA2, Permission.APPROVE_PANEL) as tx, pytest.raises(Conflict) as again:
            approve_panel(tx, panel=PANEL, version=1, credentials=signing(QA2))
        assert again.value.code == "BQC-DNR-004"
        with house.acting(QA2, Permission.APPROVE_PANEL) as tx, pytest.raises(NotFound):
            approve_panel(tx, panel=PANEL, version=7, credentials=signing(QA2))
        assert grown(house.engine, before) == {}

    def test_a_newer_version_is_told_and_another_market_asks_for_another_panel(self, house: House):
        complete(house)
        determine(house, panel=adopt_panel(house))
        newer = PANEL_FILE.replace(b"version      = 1", b"version      = 2")
        adopt_panel(house, newer.replace(b"2020-01-01", b"2021-01-01"))
        assert gate(house).remarks == (
            f"donor {DONOR} was evaluated against US-1271 v1; US-1271 v2 applies now",
        )
        with house.reading() as session:
            donors = house.study().donor_rows
            for market, told in (("US", 0), ("", 0), ("EU", 1)):
                found = DonorsLookedAt(
                    session, donors, market=market, made_on=MADE_ON,
                    now=datetime(2020, 6, 1, tzinfo=UTC),
                )  # fmt: skip
                assert len(found.against.remarks) == told
                assert all("for US and not for EU" in one for one in found.against.remarks)

    def test_everything_wrong_in_a_panel_is_told_with_its_line(self, house: House):
        wrong = (
            PANEL_FILE.replace(b'[markers."HBsAg"]', b'[markers."Measles"]')
            .replace(b"before = 7", b"before = -1")
            .replace(b'["US"]', b"[]")
            .replace(b"leukocyte_rich = true", b"leukocyte_rich = 1", 1)
            .replace(b'needed = "leukocyte-rich"', b'needed = "often"', 1)
            .replace(b'id           = "US-1271"', b'id           = "US/1271"')
            .replace(b'"batchqc/donor-panel/1"', b'"batchqc/donor-panel/9"')
        )
        with (
            house.acting(DON, Permission.IMPORT_PANEL) as tx,
            pytest.raises(InvalidInput) as refused,
        ):
            import_panel(tx, house.archive, data=wrong + b"[repeat]\nafter = 0\n", file="p.toml")
        assert refused.value.code == "BQC-DNR-001"
        assert len(refused.value.reasons) == 12
        assert all("line" in one for one in refused.value.reasons)


class TestCorrections:
    def correct(self, house: House, subject: str, field: str, after: str) -> None:
        with house.acting(DON, Permission.REQUEST_CORRECTION) as tx:
            number = request_correction(
                tx, subject=subject, field=field, after=after, reason="Misread on the label"
            ).natural_key
        assert any(f"{number} ({field}" in one for one in gate(house).reasons)
        with house.acting(QA1, Permission.APPROVE_CORRECTION) as tx:
            decided = decide_correction(
                tx, house.archive, number=number, approve=True, credentials=signing(QA1)
            )
            assert not isinstance(decided, Refusal)
        assert any(
            "was determined before correction_decision" in one for one in gate(house).reasons
        )

    @pytest.mark.requirement("8.01")
    @pytest.mark.parametrize("with_panel", [True, False])
    def test_a_donor_of_one_tissue_whose_donation_is_of_another_is_not_eligible(
        self, house: House, *, with_panel: bool
    ):
        panel = adopt_panel(house) if with_panel else ""
        complete(house)
        self.correct(house, f"donation:{DIN}", "tissue", "Wharton's jelly")
        with pytest.raises(Conflict) as refused:
            determine(house, panel=panel)
        said = f"it is of Wharton's jelly, and donor {DONOR} is registered with umbilical cord"
        assert list(refused.value.reasons) == [f"{DIN}: {said}; correct the wrong one"]
        decide(house, request(house, f"donor:{DONOR}", "tissue_source", "Wharton's jelly"))
        determine(house, panel=panel)
        assert gate(house).is_open

    @pytest.mark.requirement("8.10")
    def test_a_correction_needs_a_second_person_and_a_new_determination(self, house: House):
        panel = adopt_panel(house)
        complete(house)
        determine(house, panel=panel)
        assert gate(house).is_open
        self.correct(house, f"donation:{DIN}", "donation", "W000009000001")
        determine(house, panel=panel)
        assert gate(house).is_open
        with house.reading() as session:
            for name in (DIN, "w0000 09 000001 w"):
                found = donation_by(session, name)
                assert found is not None
                assert found.donation == DIN
        with pytest.raises(InvalidInput):
            donate(house, id="W000009000001")
        with house.reading() as session:
            assert donation_by(session, "W00000900000") is None
        self.correct(house, "consent:dnr-uc-01/1", "given_on", "2025-04-02")
        self.correct(house, f"donor_test:{DIN}/4", "result", "indeterminate")
        with pytest.raises(Conflict) as refused:
            determine(house, panel=panel)
        assert refused.value.reasons == ("W000009000001: HBsAg is indeterminate (result 4)",)
        assert house.verify().problems == ()
        assert house.study().facts.damaged == ()

    @pytest.mark.requirement("8.07")
    def test_no_correction_moves_a_consent_over_a_withdrawal(self, house: House):
        """Only a later consent takes a withdrawal back; none is withdrawn before it is given."""
        consent(house)
        withdraw(house, date(2025, 4, 10))
        consent(house, version="3.0", given_on=date(2025, 4, 20))
        first, second = (f"consent:{DONOR}/{number}" for number in (1, 2))
        wrong = {
            (second, "2025-04-09"): "consent 2.0 was withdrawn later, on 2025-04-10",
            (first, "2025-04-11"): "it was withdrawn on 2025-04-10, before that",
        }
        for (subject, after), said in wrong.items():
            with pytest.raises(InvalidInput, match=said):
                request(house, subject, "given_on", after)
        request(house, second, "given_on", "2025-04-10")
        request(house, first, "given_on", "2025-04-10")

    @pytest.mark.requirement("8.10")
    def test_a_corrected_european_code_is_found_by_its_donation_part_only(self, house: House):
        donate(house, kind="SEC", id=SEC)
        other = "DE001499Z549917123456A00T041600320171231"
        self.correct(house, f"donation:{SEC}", "donation", other)
        with house.reading() as session:
            assert donation_by(session, other) is not None
            assert donation_by(session, other[:21]) is not None
            assert donation_by(session, other[:20]) is None
            assert donation_by(session, SEC[:21]) is not None

    def test_what_a_record_cannot_become_is_refused(self, house: House):
        complete(house)
        donate(house, kind="local", id="DON-25-2")
        before = counts(house.engine)
        wrong = [
            (f"donation:{DIN}", "donation", "G123498654322H"),
            (f"donation:{DIN}", "donation", "g000000000000"),
            ("donation:DON-25-2", "donation", DIN),
            ("donation:DON-25-2", "donation", "DON-25-2 "),
            (f"donation:{DIN}", "donated_on", "2099-01-01"),
            (f"donation:{DIN}", "donated_on", "20250401"),
            (f"donation:{DIN}", "donated_on", "soon"),
            (f"donation:{DIN}", "tissue", "leaf"),
            (f"donation:{DIN}", "tested_person", "nurse"),
            (f"donation:{DIN}", "donor_age", "1990-04-01"),
            (f"donation:{DIN}", "kind", "local"),
            (f"donor_test:{DIN}/1", "result", "negative"),
            (f"donor_test:{DIN}/1", "taken_text", "2099-01-01T00:00:00+00:00"),
            (f"consent:{DONOR}/1", "version", ""),
        ]  # fmt: skip
        for subject, field, after in wrong:
            with (
                house.acting(DON, Permission.REQUEST_CORRECTION) as tx,
                pytest.raises(InvalidInput),
            ):
                request_correction(tx, subject=subject, field=field, after=after, reason="Misread")
        for subject in ("donation:DON-9-9", f"donor_test:{DIN}/99", "donor_test:x", "consent:X/1"):
            with house.acting(DON, Permission.REQUEST_CORRECTION) as tx, pytest.raises(NotFound):
                request_correction(tx, subject=subject, field="x", after="y", reason="Misread")
        assert grown(house.engine, before) == {}
