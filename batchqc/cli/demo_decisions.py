"""The decisions of the demonstration, and the certificates that come of them."""

from pathlib import Path

from batchqc.actions.certificates import issue_certificate
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Story, signing
from batchqc.cli.demo_summary import Ending
from batchqc.cli.workplace import raise_refusal
from batchqc.core.gates import blocking_reasons
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.core.verdicts import Outcome
from batchqc.documents.certificate_check import check
from batchqc.errors import IntegrityFailure, ReleaseBlocked


def decide(story: Story, lot: str) -> Ending:
    """Try to release the lot; what fails is rejected, what cannot be judged stays where it is."""
    case, archive = story.case(lot), story.place.archive
    number, reasons = "", blocking_reasons(case.gates)
    try:
        number = release(story, lot)
    except ReleaseBlocked as blocked:
        reasons = blocked.reasons
    failed = [one.criterion.title for one in case.verdicts if one.outcome is Outcome.FAIL]
    if not number and failed:
        why = signing(cast.RELEASER, f"Out of specification: {', '.join(failed)}")
        story.do(
            cast.RELEASER,
            Permission.REJECT_LOT,
            lambda tx: reject_lot(tx, archive, lot=lot, credentials=why),
        )
    document = certificate(story, lot, number) if number else None
    return Ending(story.case(lot), reasons, number, document)


def release(story: Story, lot: str, *, by: str = cast.RELEASER) -> str:
    """Release a lot: the number of its certificate.

    Raises:
        ReleaseBlocked: with every reason.
    """
    why = signing(by, "Complies with its specification")
    return story.do(
        by,
        Permission.RELEASE_LOT,
        lambda tx: number_of(release_lot(tx, story.place.archive, lot=lot, credentials=why)),
    )


def number_of(decision: Decision | Refusal) -> str:
    """The number of the certificate that a decision reserved, or "".

    Raises:
        SignatureRefused: the signature was refused.
    """
    raise_refusal(decision)
    reserved = decision.certificate if isinstance(decision, Decision) else None
    return reserved.natural_key if reserved else ""


def certificate(story: Story, lot: str, number: str) -> Path:
    """Seal the certificate, write it, and verify it as an auditor would: from its file alone."""
    place = story.place
    pdf = issue_certificate(
        place.engine,
        place.archive,
        place.press,
        number=number,
        actor=story.acting(cast.RELEASER, Permission.RELEASE_LOT),
        clock=place.now,
    )
    path = story.folder / "certificates" / f"{number}_{lot}.pdf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pdf)
    report = check(
        path.read_bytes(),
        root_pem=(story.folder / "trust" / "root.pem").read_bytes(),
        lot=lot,
        number=number,
        at=place.now(),
    )
    if not report.passed:
        reasons = [f"{one.name}: {one.reason}" for one in report.checks if not one.ok]
        raise IntegrityFailure("BQC-DEM-003", f"{path} does not verify", reasons=reasons)
    return path
