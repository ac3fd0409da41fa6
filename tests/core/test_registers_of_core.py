"""Identifiers, words, lots, roles, and what a specification's criteria let pass."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from batchqc.core.acceptance import ReportOnly, Words
from batchqc.core.criteria import Category, Criterion
from batchqc.core.identifiers import (
    code_problem,
    fold,
    id_problem,
    looks_like_a_date,
    strange_character,
    user_problem,
)
from batchqc.core.lots import Lot
from batchqc.core.permissions import Permission, Role, acting_role, is_permitted
from batchqc.core.quantities import Interval
from batchqc.core.rounding import Rounding
from batchqc.core.subjects import DonorFact, Measured
from tests.cast import GROWTH
from tests.core.world import TISSUE, criterion, specification


@pytest.mark.parametrize("text", ["MSC-26-0012", "UCM-P1-T1", "a-b1", "DNR-UC-01", "X-1.2_3"])
def test_ids_as_laboratories_write_them_are_taken(text: str):
    assert id_problem(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "abc", "SEP2", "1-Mar", "MAR-01", "12-05-2026", "3E10", "1234", "12-34", "a b-1",
        "-abc", "x" * 41, "lot/1-a", "МSC-26-1", "\u212aSC-26-1", "MſC-26-1", "MSC-26-١",
        "2-Sept-26",
    ],
)  # fmt: skip
def test_ids_that_a_spreadsheet_or_a_reader_would_mistake_are_refused(text: str):
    assert id_problem(text) is not None


@pytest.mark.parametrize("text", ["MSC\u212a", "", "a b", "x" * 41, "µ"])
def test_codes_are_plain_ascii(text: str):
    assert code_problem(text) is not None
    assert code_problem("SOP-QC-014") is None


@pytest.mark.parametrize("text", ["a", "\u212aim", "a b", "x" * 41, "-ab"])
def test_user_ids_are_plain_ascii(text: str):
    assert user_problem(text) is not None
    assert user_problem("jane.doe-2") is None


def test_identifiers_are_compared_without_case_and_outer_spaces():
    assert fold(" MSC-26-0012 ") == fold("msc-26-0012")
    assert fold("e\u0301-1") == fold("\u00e9-1")


@pytest.mark.parametrize("text", ["1-Mar", "SEP2", "Sep-26", "01/02/2026", "2026-03-01", "1.3.26"])
def test_what_a_spreadsheet_shows_as_a_date_is_known(text: str):
    assert looks_like_a_date(text)
    assert not looks_like_a_date("MSC-26-0012")


def test_a_letter_that_only_looks_plain_is_named():
    assert strange_character("MSC-26") is None
    assert strange_character("М") == "U+041C (Cyrillic Capital Letter Em)"
    assert strange_character("a\u200bb") == "U+200B (Zero Width Space)"
    assert strange_character("\x01") == "U+0001 (Unnamed)"


@pytest.mark.requirement("4.25")
def test_a_vocabulary_reads_listed_words_only():
    assert GROWTH.read("negative") == "no growth"
    assert GROWTH.read("  NO   Growth ") == "no growth"
    assert GROWTH.read("TNTC") == "growth"
    assert GROWTH.read("none") is None
    assert GROWTH.reference == "growth v1"
    assert GROWTH.words.startswith("no growth, negative, sterile")


LOT = Lot("MSC-1", "MSC", date(2026, 1, 5), date(2028, 1, 5))


def test_a_lots_dates_are_corrected_one_at_a_time():
    assert LOT.corrected("expires_on", "2027-01-05").expires_on == date(2027, 1, 5)
    assert LOT.corrected("manufactured_on", "2026-01-06").manufactured_on == date(2026, 1, 6)
    assert LOT.corrected("expires_on", "2026-01-05").expires_on == LOT.manufactured_on
    for field, after in (
        ("expires_on", "2026-01-04"),
        ("expires_on", "soon"),
        ("id", "2026-01-05"),
    ):
        with pytest.raises(ValueError):
            LOT.corrected(field, after)


# Written by hand from who does what at a site; not derived from the table in the code.
WHO = {
    "read records": "analyst reviewer author QA QP donor auditor admin",
    "upload results": "analyst",
    "register lots and samples": "analyst QA",
    "register products": "QA",
    "register donors": "donor",
    "determine donor eligibility": "donor",
    "keep donor records": "donor",
    "import donor panels": "donor",
    "approve donor panels": "QA",
    "review results": "reviewer",
    "import specifications": "author",
    "report the impact of specifications": "author QA",
    "approve specifications": "QA",
    "import profiles": "author",
    "approve profiles": "QA",
    "import layouts of certificates": "author",
    "approve layouts of certificates": "QA",
    "import methods": "author",
    "approve methods": "QA",
    "keep the registers of the laboratory": "QA",
    "set the rules of registers": "QA",
    "record what runs were done with": "analyst",
    "keep cell banks and containers": "analyst QA",
    "let banks and containers out of quarantine": "QA",
    "ship containers": "QA",
    "start a look-back": "donor QA",
    "close a look-back": "QA",
    "request corrections": "analyst QA donor",
    "approve corrections": "QA",
    "release lots": "QA QP",
    "reject lots": "QA QP",
    "review audit trails": "QA QP",
    "certify lots as qualified person": "QP",
    "check manufacture and transfer to stock": "QA QP",
    "recall, supply by exception or destroy lots": "QA QP",
    "set the policies of the site": "QA",
    "hold lots and let them go": "QA QP",
    "work on investigations": "analyst reviewer QA",
    "approve retest plans": "QA",
    "conclude investigations": "QA",
    "keep deviations": "QA",
    "issue certificates": "QA QP",
    "manage accounts": "admin",
    "see accounts and what was viewed": "QA auditor admin",
    "sign the review of accounts": "QA",
    "manage webhooks": "admin",
    "record stops of the system": "QA",
    "set the rule of signatures": "QA",
    "propose control limits": "analyst reviewer QA",
    "approve control limits": "QA",
    "start phases of trends": "QA",
    "keep product quality reviews": "QA",
    "sign product quality reviews as read": "QA",
    "keep the transparency log": "QA",
    "keep the keys of the site": "QA",
    "restore files of the archive": "QA",
    "lay legal holds on lots": "QA",
    "set the rule of retention": "QA",
    "dispose of raw data": "QA",
    "export records": "QA auditor",
    "see to the jobs of all": "QA admin",
}
SHORT = {
    Role.ANALYST: "analyst", Role.REVIEWER: "reviewer", Role.SPEC_AUTHOR: "author", Role.QA: "QA",
    Role.QP: "QP", Role.DONOR_OFFICER: "donor", Role.AUDITOR: "auditor", Role.ADMIN: "admin",
}  # fmt: skip


@pytest.mark.requirement("2.04")
def test_every_role_may_what_it_is_for_and_nothing_else():
    assert set(WHO) == {permission.value for permission in Permission}
    for permission in Permission:
        may = set(WHO[permission].split())
        for role in Role:
            assert is_permitted({role}, permission) == (SHORT[role] in may), (role, permission)
            assert acting_role({role}, permission) == (role if SHORT[role] in may else None)
    assert not is_permitted((), Permission.READ)
    assert acting_role({Role.ADMIN, Role.QP, Role.QA}, Permission.RELEASE_LOT) is Role.QA


@pytest.mark.requirement("2.04")
def test_auditors_only_read_and_administrators_touch_no_record():
    seen = {Permission.READ, Permission.SEE_ACCOUNTS}
    for permission in set(Permission) - seen - {Permission.EXPORT_RECORDS}:
        assert not is_permitted({Role.AUDITOR}, permission)
    for permission in (
        set(Permission)
        - seen
        - {
            Permission.MANAGE_ACCOUNTS,
            Permission.MANAGE_WEBHOOKS,
            Permission.KEEP_JOBS,
        }
    ):
        assert not is_permitted({Role.ADMIN}, permission)


def test_a_range_passes_between_its_limits_each_with_its_own_precision():
    one = criterion("1.0 to 20", rounding=Rounding.USP)
    assert one.passing == Interval(Fraction("0.95"), Fraction("20.5"), low_closed=True)
    assert criterion("50 to 150").passing == Interval(
        Fraction(50), Fraction(150), low_closed=True, high_closed=True
    )


def test_what_passes_and_how_it_is_printed():
    assert criterion("> 90").acceptance == "> 90 %"
    assert criterion("no growth", unit="").acceptance == "no growth"
    assert TISSUE.acceptance == "umbilical cord or Wharton's jelly"
    assert TISSUE.passing == frozenset({"umbilical cord", "Wharton's jelly"})
    information = Criterion("k", "K", Category.IDENTITY, Measured("K", "k", "S", "%"), ReportOnly())
    assert (information.passing, information.acceptance) == (None, "for information")
    assert Criterion("d", "D", Category.DONOR, DonorFact.ELIGIBILITY, Words(("x",))).acceptance


def test_a_specification_finds_the_criterion_of_a_test_and_analyte():
    one = criterion("> 90")
    whole = specification(TISSUE, one)
    assert whole.criterion(test="VIAB", analyte="viability") is one
    assert whole.criterion(test="VIAB", analyte="other") is None
    assert whole.criterion(test="OTHER", analyte="viability") is None
    assert whole.reference == "REL v1"
    assert Decimal(90) == one.accept.limits[0].number  # type: ignore[union-attr]
