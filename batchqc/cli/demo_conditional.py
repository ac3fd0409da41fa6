"""The demonstration's conditional release: sterility is read when doses are with the hospital."""

from functools import partial

from sqlalchemy.orm import Session

from batchqc.actions.administrations import NewAdministration, record_administration
from batchqc.actions.cell_banks import register_bank
from batchqc.actions.certificate_states import state_of
from batchqc.actions.clinical_sites import register_clinical_site
from batchqc.actions.conditional_release import release_conditionally
from batchqc.actions.containers import register_containers
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.donations import register_donation
from batchqc.actions.lots import register_lot, the_lot
from batchqc.actions.registers import register_donor, register_product
from batchqc.actions.shipments import NewShipment, receive, ship
from batchqc.cli import demo_cast as cast
from batchqc.cli import demo_simulated as simulated
from batchqc.cli.demo_decisions import certificate, number_of, release
from batchqc.cli.demo_files import FOLDER, upload
from batchqc.cli.demo_reviews import hand_to_qa, reviews
from batchqc.cli.demo_specification import adopt
from batchqc.cli.demo_story import Chapter, Story, signing
from batchqc.core.permissions import Permission
from batchqc.records.decisions import Certificate, certificates_of
from batchqc.records.holds import open_holds
from batchqc.records.investigations import investigations_of
from batchqc.records.transaction import reading

LOTS = (simulated.PASSES, simulated.FAILS)


def begin(story: Story) -> str:
    """Product, specification, donor, bank and lots; the results of the first days."""
    story.do(
        cast.APPROVER,
        Permission.REGISTER_PRODUCT,
        lambda tx: register_product(tx, **simulated.PRODUCT),
    )
    adopted = adopt(story, FOLDER / simulated.SPECIFICATION)
    _donor(story)
    story.do(cast.ANALYST, Permission.KEEP_BANKS, lambda tx: register_bank(tx, simulated.BANK))
    for lot in simulated.LOTS:
        story.do(cast.ANALYST, Permission.REGISTER_LOT, partial(register_lot, new=lot))
    return f"{adopted}; {upload(story, simulated.FIRST_DAYS)}"


def release_early(story: Story) -> str:
    """Review what is in, and release both lots to one hospital; two doses of one leave."""
    reviews(story, LOTS)
    hand_to_qa(story, LOTS)
    hospital = simulated.HOSPITAL
    story.do(cast.APPROVER, Permission.SHIP, lambda tx: register_clinical_site(tx, hospital))
    numbers = [_conditionally(story, lot) for lot in LOTS]
    story.do(
        cast.ANALYST,
        Permission.KEEP_BANKS,
        lambda tx: register_containers(tx, of=simulated.PASSES, containers=simulated.DOSES),
    )
    today = story.place.now().date()
    new = NewShipment(hospital.code, simulated.SENT, today, "Courier 7", "LOG-1")
    number = story.do(
        cast.RELEASER, Permission.SHIP, lambda tx: ship(tx, story.place.archive, new).natural_key
    )
    story.do(
        cast.RELEASER,
        Permission.SHIP,
        lambda tx: receive(
            tx, shipment=number, received_on=today, condition="Frozen", reported_by="Ward 3"
        ),
    )
    given = NewAdministration(
        simulated.SENT[0], hospital.code, simulated.RECIPIENT, today, "Ward 3"
    )
    story.do(cast.RELEASER, Permission.SHIP, lambda tx: record_administration(tx, given).doubts)
    return f"{', '.join(numbers)} (PRELIMINARY) verified; {number} to {hospital.code}"


def end(story: Story) -> str:
    """Sterility comes in: one lot is released for good, the other one is held by itself."""
    told = upload(story, simulated.STERILITY)
    reviews(story, LOTS)
    hand_to_qa(story, [simulated.PASSES])
    number = release(story, simulated.PASSES)
    certificate(story, simulated.PASSES, number)
    return f"{told}; {simulated.PASSES} released, certificate {number} verified"


def chapter(story: Story) -> Chapter:
    """How both lots and their certificates stand, and what came of the late failure."""
    told, lots = [], []
    for lot in LOTS:
        case = story.case(lot)
        label = ", ".join((case.disposition, *case.overlays))
        told.append(f"{lot} was released conditionally to {simulated.HOSPITAL.code}; now: {label}")
        with reading(story.place.engine) as session:
            row = the_lot(session, lot)
            holds = [one.reason for one in open_holds(session, [row.id])]
            opened = [one.natural_key for one, _ in investigations_of(session, [row.id])]
            certificates = [_certificate(session, one) for one in certificates_of(session, row)]
        told += [f"{lot} is held by itself: {reason}" for reason in holds]
        told += [f"{lot}: {number} opened by itself" for number in opened]
        told += [f"{one['number']} of {lot}: {one['state']}" for one in certificates]
        lots.append(
            {
                "lot": lot,
                "disposition": case.disposition.value,
                "overlays": [overlay.value for overlay in case.overlays],
                "holds": holds,
                "investigations": opened,
                "certificates": certificates,
            }
        )
    title = f"{LOTS[0]} and {LOTS[1]}, simulated: released before sterility is read"
    return Chapter("conditional_release", title, tuple(told), {"lots": lots})


def _certificate(session: Session, row: Certificate) -> dict[str, str]:
    """A certificate, where its document is, and whether it still counts."""
    state, number = state_of(session, row), row.natural_key
    said = f"superseded by {state.superseded_by}" if state.superseded_by else "counts"
    return {
        "number": number,
        "file": f"certificates/{number}_{row.lot.lot}.pdf",
        "state": "withdrawn" if state.withdrawn else said,
    }


def _donor(story: Story) -> None:
    officer, keep = cast.DONOR_OFFICER, Permission.KEEP_DONOR_RECORDS
    story.do(
        officer,
        Permission.REGISTER_DONOR,
        lambda tx: register_donor(tx, code=simulated.DONOR, tissue_source=simulated.TISSUE),
    )
    story.do(officer, keep, lambda tx: register_donation(tx, simulated.DONATION))
    story.do(
        officer,
        Permission.DETERMINE_ELIGIBILITY,
        lambda tx: determine_eligibility(
            tx,
            story.place.archive,
            NewDetermination(simulated.DONOR, "Screening and testing (simulated)", eligible=True),
            credentials=signing(officer, "Screening file complete (simulated)"),
        ),
    )


def _conditionally(story: Story, lot: str) -> str:
    number = story.do(
        cast.RELEASER,
        Permission.RELEASE_LOT,
        lambda tx: number_of(
            release_conditionally(
                tx,
                story.place.archive,
                lot=lot,
                due={simulated.CRITERION: simulated.DUE_ON},
                sites=[simulated.HOSPITAL.code],
                credentials=signing(cast.RELEASER, "Needed before sterility is read (simulated)"),
            )
        ),
    )
    certificate(story, lot, number)
    return number
