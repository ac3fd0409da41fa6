"""The demonstration: published results of eight lots, from assay CSV to verified certificate.

It does what people do at a site, with the same actions, on a clock of its own.
"""

import shutil
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from rich.console import Console

from batchqc.actions.accountability import change_password_and_accept
from batchqc.actions.approval import approve_specification
from batchqc.actions.certificates import issue_certificate
from batchqc.actions.dispositions import Decision, reject_lot, release_lot
from batchqc.actions.impact import assess_impact, keep_impact
from batchqc.actions.lots import register_lot
from batchqc.actions.people import (
    register_laboratory,
    register_person,
)
from batchqc.actions.received import ReceivedFile
from batchqc.actions.registers import determine_eligibility, register_donor, register_product
from batchqc.actions.setup import create_site, register_first_administrator
from batchqc.actions.specifications import (
    content_of,
    import_specification,
    submit_specification,
    the_version,
)
from batchqc.actions.uploads import upload_results
from batchqc.actions.verification import verify_audit_trail
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_reviews import hand_to_qa, reviews
from batchqc.cli.demo_story import Story, signing
from batchqc.cli.demo_summary import Ending, progress, show, write
from batchqc.cli.workplace import Workplace, raise_refusal
from batchqc.core.accountability import STATEMENT
from batchqc.core.gates import blocking_reasons
from batchqc.core.permissions import Permission, Role
from batchqc.core.verdicts import Outcome
from batchqc.documents.certificate_check import check
from batchqc.documents.pki import PkiNames, create_pki
from batchqc.errors import Conflict, IntegrityFailure, ReleaseBlocked
from batchqc.records.database import migrate
from batchqc.records.transaction import SYSTEM, Actor, reading, transaction
from batchqc.settings import Settings, bundled

_MARK: Final = ".batchqc-demo"
_ROOT_PASSPHRASE: Final = "specimen root passphrase"  # noqa: S105 - for show
_CRL: Final = "https://crl.example/batchqc-demo-root.crl"  # a name that nobody can own


def demonstrate(folder: Path, console: Console) -> None:
    """Run the whole story into ``folder``, which is emptied first where an earlier one is in it.

    Raises:
        Conflict: the folder holds something else.
        IntegrityFailure: something did not come out as it should; nothing is hidden.
    """
    afresh = _empty(folder)
    clock = cast.StoryClock()
    settings = Settings.in_folder(folder).model_copy(
        update={"seal_passphrase": SecretStr(cast.PASSWORD)}
    )
    story = Story(folder, Workplace.at(settings, now=clock), clock)
    if afresh:
        console.print(f"Starting afresh: the earlier demonstration in {folder}/ was removed.")
    progress(console, "Database, site, root and seal", lambda: _set_up(story))
    progress(console, f"{len(cast.PEOPLE)} people, each with one role", lambda: _people(story))
    progress(console, "Specification imported and approved", lambda: _specification(story))
    progress(console, "Donors, eight lots and their samples", lambda: _registers(story))
    for file in cast.FILES:
        progress(console, f"Upload {file}", lambda file=file: _upload(story, file))  # type: ignore[misc]
    clock.next_day()
    progress(console, "Review by a second person", lambda: reviews(story))
    progress(console, "QC's review of lots, QA's of audit trails", lambda: hand_to_qa(story))
    clock.next_day()
    endings = [
        progress(console, f"Decision on {lot.id}", lambda lot=lot: _decide(story, lot.id))  # type: ignore[misc]
        for lot in cast.lots()
    ]
    progress(console, "Audit trail verified", lambda: _verify(story))
    write(story.folder / "summary.json", endings)
    show(console, story.folder, endings)


def _empty(folder: Path) -> bool:
    """Make the folder; whether an earlier demonstration was removed."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise Conflict(
            "BQC-DEM-001",
            f"{folder} holds something that is no demonstration",
            hint="Name an empty or a new folder: batchqc demo --to <folder>.",
        )
    afresh = (folder / _MARK).exists()
    if afresh:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    return afresh


def _set_up(story: Story) -> str:
    place = story.place
    migrate(place.engine, bundled("migrations"))
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        create_site(tx, cast.SITE)
        register_first_administrator(
            tx, user_id=cast.ADMIN, name="Ha Admin", password=cast.FIRST_PASSWORD
        )
    files = create_pki(
        place.settings.seal.parent,
        names=PkiNames(cast.SITE.name, "Demonstration root", "Demonstration seal"),
        root_passphrase=_ROOT_PASSPHRASE,
        seal_passphrase=cast.PASSWORD,
        crl_url=_CRL,
        now=place.now(),
    )
    trust = story.folder / "trust"
    trust.mkdir()
    shutil.copyfile(files.root_pem, trust / "root.pem")
    return f"{story.folder}/batchqc.db, {trust}/root.pem"


def _people(story: Story) -> str:
    place = story.place
    _own_password(story, cast.ADMIN)
    manager = story.acting(cast.ADMIN, Permission.MANAGE_ACCOUNTS)
    for user_id, (name, roles) in cast.PEOPLE.items():
        with transaction(place.engine, manager, place.now()) as tx:
            register_person(
                tx,
                user_id=user_id,
                name=name,
                roles=roles,
                password=cast.FIRST_PASSWORD,
                terms=cast.AUDIT if Role.AUDITOR in roles else cast.TRAINED,
            )
        _own_password(story, user_id)
    with transaction(place.engine, manager, place.now()) as tx:
        register_laboratory(tx, user_id=cast.LABORATORY[0], name=cast.LABORATORY[1])
    return ", ".join(cast.PEOPLE)


def _own_password(story: Story, user_id: str) -> None:
    place = story.place
    with transaction(place.engine, Actor(user_id, "self", cast.SITE.time_zone), place.now()) as tx:
        raise_refusal(
            change_password_and_accept(
                tx,
                user_id=user_id,
                old=cast.FIRST_PASSWORD,
                new=cast.PASSWORD,
                read=STATEMENT.sha256,
            )
        )


def _specification(story: Story) -> str:
    place, path = story.place, bundled("specs") / cast.SPECIFICATION
    author = story.acting(cast.AUTHOR, Permission.IMPORT_SPECIFICATION)
    with transaction(place.engine, author, place.now()) as tx:
        version = import_specification(tx, place.archive, data=path.read_bytes(), file=path.name)
        reference, name, number = version.reference, version.specification, version.version
        submit_specification(tx, place.archive, specification=name, version=number)
    with reading(place.engine) as session:
        draft = content_of(place.archive, the_version(session, name, number))
        impact = assess_impact(session, place.archive, draft=draft)
    author = story.acting(cast.AUTHOR, Permission.REPORT_IMPACT)
    with transaction(place.engine, author, place.now()) as tx:
        fonts = bundled("reports") / "fonts"
        seen = keep_impact(tx, place.archive, fonts=fonts, impact=impact).content_sha
    approver = story.acting(cast.APPROVER, Permission.APPROVE_SPECIFICATION)
    with transaction(place.engine, approver, place.now()) as tx:
        raise_refusal(
            approve_specification(
                tx,
                place.archive,
                specification=name,
                version=number,
                impact=seen,
                credentials=signing(cast.APPROVER, "Limits agree with their sources"),
            )
        )
    return f"{reference} by {cast.AUTHOR}, approved by {cast.APPROVER}"


def _registers(story: Story) -> str:
    place = story.place
    qa = story.acting(cast.APPROVER, Permission.REGISTER_PRODUCT)
    with transaction(place.engine, qa, place.now()) as tx:
        register_product(tx, **cast.PRODUCT)
    for code, tissue in cast.donors().items():
        officer = story.acting(cast.DONOR_OFFICER, Permission.REGISTER_DONOR)
        with transaction(place.engine, officer, place.now()) as tx:
            register_donor(tx, code=code, tissue_source=tissue)
        officer = story.acting(cast.DONOR_OFFICER, Permission.DETERMINE_ELIGIBILITY)
        with transaction(place.engine, officer, place.now()) as tx:
            raise_refusal(
                determine_eligibility(
                    tx,
                    donor=code,
                    eligible=True,
                    basis="Screening and testing (simulated)",
                    credentials=signing(cast.DONOR_OFFICER, "Screening file complete (simulated)"),
                )
            )
    analyst = story.acting(cast.ANALYST, Permission.REGISTER_LOT)
    for lot in cast.lots():
        with transaction(place.engine, analyst, place.now()) as tx:
            register_lot(tx, lot)
    return f"{len(cast.donors())} donors, {len(cast.lots())} lots"


def _upload(story: Story, file: str) -> str:
    place = story.place
    data = (Path(__file__).parent / "demo_lots" / file).read_bytes()
    analyst = story.acting(cast.ANALYST, Permission.UPLOAD_RESULTS)
    with transaction(place.engine, analyst, place.now()) as tx:
        report = upload_results(
            tx,
            place.archive,
            file=ReceivedFile(name=file, size=len(data), data=data, client="batchqc demo"),
        )
    if not report.accepted:
        problems = [problem.message for problem in report.reading.problems]
        raise IntegrityFailure("BQC-DEM-002", f"{file} was refused", reasons=problems)
    return f"{report.number}: {len(report.reading.measurements)} results read"


def _decide(story: Story, lot: str) -> Ending:
    """Try to release the lot; what fails is rejected, what cannot be judged stays where it is."""
    place = story.place
    case = story.case(lot)
    number, reasons = "", blocking_reasons(case.gates)
    try:
        actor = story.acting(cast.RELEASER, Permission.RELEASE_LOT)
        with transaction(place.engine, actor, place.now()) as tx:
            signed = release_lot(
                tx,
                place.archive,
                lot=lot,
                credentials=signing(cast.RELEASER, "Complies with its specification"),
            )
            raise_refusal(signed)
            if isinstance(signed, Decision) and signed.certificate is not None:
                number = signed.certificate.natural_key
    except ReleaseBlocked as blocked:
        reasons = blocked.reasons
    failed = [one.criterion.title for one in case.verdicts if one.outcome is Outcome.FAIL]
    if not number and failed:
        actor = story.acting(cast.RELEASER, Permission.REJECT_LOT)
        with transaction(place.engine, actor, place.now()) as tx:
            why = f"Out of specification: {', '.join(failed)}"
            credentials = signing(cast.RELEASER, why)
            raise_refusal(reject_lot(tx, place.archive, lot=lot, credentials=credentials))
    document = _certificate(story, lot, number) if number else None
    return Ending(story.case(lot), reasons, number, document)


def _certificate(story: Story, lot: str, number: str) -> Path:
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


def _verify(story: Story) -> str:
    with reading(story.place.engine) as session:
        found = verify_audit_trail(session, story.place.archive)
    if found.problems or found.head is None:
        raise IntegrityFailure(
            "BQC-DEM-004", "the audit trail does not verify", reasons=found.problems
        )
    return f"{found.entries} entries, head {found.head.sha256[:16]}"
