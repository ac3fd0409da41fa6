"""Donations, tests, consents and a panel, as the tests of a house need them."""

from datetime import date

from batchqc.actions.consents import record_consent
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.donations import NewDonation, register_donation
from batchqc.actions.donor_panels import approve_panel, approved_panel, import_panel
from batchqc.actions.donor_tests import NewTests, record_tests
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.donors import EligibilityRow
from batchqc.settings import shipped_panels
from tests.records.house import DON, DONOR, QA2, House, signing

DIN = "G123498654321"
DONATED_ON = date(2025, 4, 1)
DOCUMENT = "ab" * 32
PANEL = "US-1271"
PANEL_FILE = (shipped_panels() / "us-1271-v1.toml").read_bytes()
#: What the panel asks of an umbilical cord.
MARKERS = (
    "HIV-1 Ab", "HIV-1 NAT", "HIV-2 Ab", "HBsAg", "anti-HBc total", "HBV NAT", "HCV Ab",
    "HCV NAT", "T. pallidum", "WNV NAT", "HTLV-I/II Ab", "CMV Ab",
)  # fmt: skip
NONREACTIVE = tuple((marker, "nonreactive") for marker in MARKERS)


def adopt_panel(house: House, data: bytes = PANEL_FILE) -> str:
    """Import and approve a panel: its id."""
    with house.acting(DON, Permission.IMPORT_PANEL) as tx:
        row = import_panel(tx, house.archive, data=data, file="panel.toml")
        panel, version = row.panel, row.version
    with house.acting(QA2, Permission.APPROVE_PANEL) as tx:
        approved = approve_panel(tx, panel=panel, version=version, credentials=signing(QA2))
        assert not isinstance(approved, Refusal)
    return panel


def new_donation(donor: str = DONOR, **changes: object) -> NewDonation:
    """A donation of a cord, with changes."""
    facts = {
        "donor": donor, "kind": "DIN", "id": DIN, "donated_on": DONATED_ON,
        "establishment": "Lakeside Maternity", "address": "2 Pier\nChicago",
        "tissue": "umbilical cord", "donor_age": "0 days", "tested_person": "birth mother",
    }  # fmt: skip
    return NewDonation(**(facts | changes))  # type: ignore[arg-type]


def new_tests(donor: str = DONOR, **changes: object) -> NewTests:
    """Every test that the panel asks for, nonreactive, with changes."""
    facts = {
        "donor": donor, "donation": DIN, "person": "birth mother", "specimen": "SP-25-0401",
        "taken_at": "2025-04-02T09:00:00-05:00", "laboratory": "Blood Center",
        "statement": "CLIA certified, 14D0000000", "kit": "Licensed donor screening kits",
        "document_sha256": DOCUMENT, "results": NONREACTIVE,
    }  # fmt: skip
    return NewTests(**(facts | changes))  # type: ignore[arg-type]


def donate(house: House, donor: str = DONOR, **changes: object) -> None:
    """Register a donation."""
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        register_donation(tx, new_donation(donor, **changes))


def take_tests(house: House, donor: str = DONOR, **changes: object) -> None:
    """Record tests of it."""
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        record_tests(tx, house.archive, new_tests(donor, **changes))


def consent(house: House, donor: str = DONOR, **changes: object) -> None:
    """Record a consent to clinical use."""
    facts = {"version": "2.0", "scopes": ("clinical",), "given_on": DONATED_ON}
    with house.acting(DON, Permission.KEEP_DONOR_RECORDS) as tx:
        record_consent(tx, donor=donor, document_sha256=DOCUMENT, **(facts | changes))  # type: ignore[arg-type]


def complete(house: House, donor: str = DONOR) -> None:
    """All records of a donor that the panel asks for."""
    donate(house, donor)
    take_tests(house, donor)
    consent(house, donor)


def determine(
    house: House, donor: str = DONOR, *, panel: str = "", eligible: bool = True,
    by_exception: bool = False,
) -> EligibilityRow | Refusal:  # fmt: skip
    """Determine the eligibility, against a panel where one is named."""
    with house.acting(DON, Permission.DETERMINE_ELIGIBILITY) as tx:
        against = (
            approved_panel(
                tx.session, house.archive, panel=panel, day=tx.now.date(), by_exception=by_exception
            )
            if panel
            else None
        )
        return determine_eligibility(
            tx,
            house.archive,
            NewDetermination(
                donor, "Screening and testing of the mother", eligible=eligible, panel=against
            ),
            credentials=signing(DON),
        )
