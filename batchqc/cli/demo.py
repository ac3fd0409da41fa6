"""The demonstration: published results of eight lots, from assay CSV to verified certificate.

It does what people do at a site, with the same actions, on a clock of its own.
"""

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import SecretStr
from rich.console import Console

from batchqc.actions.accountability import change_password_and_accept
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.determinations import NewDetermination, determine_eligibility
from batchqc.actions.lots import register_lot
from batchqc.actions.people import (
    register_laboratory,
    register_person,
)
from batchqc.actions.registers import register_donor, register_product
from batchqc.actions.setup import create_site, register_first_administrator
from batchqc.actions.verification import verify_audit_trail
from batchqc.actions.witnessing import export
from batchqc.cli import demo_cast as cast
from batchqc.cli import demo_conditional as conditional
from batchqc.cli import demo_look_back, demo_oos, demo_trend
from batchqc.cli import demo_simulated as simulated
from batchqc.cli.demo_decisions import decide
from batchqc.cli.demo_files import upload
from batchqc.cli.demo_reviews import hand_to_qa, reviews
from batchqc.cli.demo_specification import adopt
from batchqc.cli.demo_story import Chapter, Story, signing
from batchqc.cli.demo_summary import Ending, progress, show, write
from batchqc.cli.workplace import Workplace, raise_refusal
from batchqc.core.accountability import STATEMENT
from batchqc.core.permissions import Permission, Role
from batchqc.documents.component_key import create_component_key
from batchqc.documents.log_key import create_log_key, log_name, publish
from batchqc.documents.pki import PkiNames, create_pki
from batchqc.errors import Conflict, IntegrityFailure
from batchqc.records.database import migrate
from batchqc.records.transaction import SYSTEM, Actor, reading, transaction
from batchqc.settings import Settings, bundled

_MARK: Final = ".batchqc-demo"
_ROOT_PASSPHRASE: Final = "specimen root passphrase"  # noqa: S105 - for show
_CRL: Final = "https://crl.example/batchqc-demo-root.crl"  # a name that nobody can own


def demo(
    to: Annotated[
        Path, typer.Option(help="The folder to write; an earlier one is replaced.")
    ] = Path("demo"),
) -> None:
    """Run the whole job on published results of eight lots, in under a minute."""
    demonstrate(to, Console())


def demonstrate(folder: Path, console: Console) -> None:
    """Run the whole story into ``folder``, which is emptied first where an earlier one is in it.

    Raises:
        Conflict: the folder holds something else.
        IntegrityFailure: something did not come out as it should; nothing is hidden.
    """
    afresh = _empty(folder)
    clock = cast.StoryClock()
    settings = Settings.in_folder(folder, alone=True).model_copy(
        update={"seal_passphrase": SecretStr(cast.PASSWORD)}
    )
    story = Story(folder, Workplace.at(settings, now=clock), clock)
    if afresh:
        console.print(f"Starting afresh: the earlier demonstration in {folder}/ was removed.")
    progress(console, "Database, site, root and seal", lambda: set_up(story))
    progress(console, f"{len(cast.PEOPLE)} people, each with one role", lambda: people(story))
    specification = bundled("specs") / cast.SPECIFICATION
    progress(console, "Specification imported and approved", lambda: adopt(story, specification))
    progress(console, "Donors, eight lots and their samples", lambda: registers(story))
    for file in cast.FILES:
        progress(console, f"Upload {file}", partial(upload, story, file))
    endings, investigated = _published(story, console)
    chapters = (investigated, demo_trend.chapter(story), *_simulated(story, console))
    progress(console, "Log dropped at a witness", lambda: _witness(story))
    progress(console, "Audit trail verified", lambda: _verify(story))
    write(story.folder / "summary.json", endings, chapters)
    show(console, story.folder, endings, chapters)


def _published(story: Story, console: Console) -> tuple[list[Ending], Chapter]:
    """From review to decision, and the failure that is investigated between them."""
    lots, failed = [lot.id for lot in cast.lots()], demo_oos.LOT
    story.clock.next_day()
    progress(console, "Review by a second person", lambda: reviews(story, lots))
    wanted = f"{failed}: a retest that nobody planned"
    refused = progress(console, wanted, lambda: demo_oos.try_a_retest(story))
    progress(console, f"{failed}: investigation", lambda: demo_oos.investigate(story))
    handed = "QC's review of lots, QA's of audit trails"
    progress(console, handed, lambda: hand_to_qa(story, lots))
    story.clock.next_day()
    endings = [progress(console, f"Decision on {lot}", partial(decide, story, lot)) for lot in lots]
    return endings, demo_oos.chapter(story, refused)


def _simulated(story: Story, console: Console) -> tuple[Chapter, Chapter]:
    """Two simulated lots: released before sterility is read, and looked back for."""
    progress(console, "Simulated: product, donor, bank, lots", lambda: conditional.begin(story))
    released = "Simulated: conditional release"
    progress(console, released, lambda: conditional.release_early(story))
    story.clock.at += simulated.WAIT
    progress(console, "Simulated: sterility is read", lambda: conditional.end(story))
    ended = conditional.chapter(story)
    story.clock.next_day()
    progress(console, "Simulated: look-back", lambda: demo_look_back.look_back(story))
    return ended, demo_look_back.chapter(story)


def _empty(folder: Path) -> bool:
    """Make the folder; whether an earlier demonstration was removed."""
    holds = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if holds and not (folder / _MARK).exists():
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


def set_up(story: Story) -> str:
    """Database, site, keys and the first administrator, as `batchqc init` makes them."""
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
    create_component_key(place.settings.component_key)
    trust = story.folder / "trust"
    trust.mkdir()
    shutil.copyfile(files.root_pem, trust / "root.pem")
    log = create_log_key(place.settings.log_key, name=log_name(cast.SITE.name))
    publish(trust, log.key)
    return f"{story.folder}/batchqc.db, {trust}/root.pem"


def people(story: Story) -> str:
    """Everybody of the cast, with a password of their own."""
    place = story.place
    own_password(story, cast.ADMIN)
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
        own_password(story, user_id)
    with transaction(place.engine, manager, place.now()) as tx:
        register_laboratory(tx, user_id=cast.LABORATORY[0], name=cast.LABORATORY[1])
    return ", ".join(cast.PEOPLE)


def own_password(story: Story, user_id: str) -> None:
    """Change the first password of somebody, and accept the statement of accountability."""
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


def registers(story: Story) -> str:
    """Product, donors and lots."""
    story.do(
        cast.APPROVER, Permission.REGISTER_PRODUCT, lambda tx: register_product(tx, **cast.PRODUCT)
    )
    for code, tissue in cast.donors().items():
        _donor(story, code, tissue)
    for lot in cast.lots():
        story.do(cast.ANALYST, Permission.REGISTER_LOT, partial(register_lot, new=lot))
    return f"{len(cast.donors())} donors, {len(cast.lots())} lots"


def _donor(story: Story, code: str, tissue: str) -> None:
    officer = cast.DONOR_OFFICER
    story.do(
        officer,
        Permission.REGISTER_DONOR,
        lambda tx: register_donor(tx, code=code, tissue_source=tissue),
    )
    story.do(
        officer,
        Permission.DETERMINE_ELIGIBILITY,
        lambda tx: determine_eligibility(
            tx,
            story.place.archive,
            NewDetermination(code, "Screening and testing (simulated)", eligible=True),
            credentials=signing(officer, "Screening file complete (simulated)"),
        ),
    )


def _witness(story: Story) -> str:
    """A checkpoint of all that happened, and what a second site would hold of it."""
    place, folder = story.place, story.folder / "witness"
    folder.mkdir()
    with transaction(place.engine, SYSTEM, place.now()) as tx:
        sign_checkpoint(tx, place.press.log_key())
    with reading(place.engine) as session:
        size = export(session, place.archive, folder)
    return f"{folder}, {size} entries"


def _verify(story: Story) -> str:
    with reading(story.place.engine) as session:
        found = verify_audit_trail(session, story.place.archive)
    if found.problems or found.head is None:
        raise IntegrityFailure(
            "BQC-DEM-004", "the audit trail does not verify", reasons=found.problems
        )
    return f"{found.entries} entries, head {found.head.sha256[:16]}"
