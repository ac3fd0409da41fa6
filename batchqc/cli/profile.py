"""``batchqc profile``: how the files of an instrument are read."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.profiles import approve_profile, import_profile
from batchqc.cli.csv_out import write_new
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.documents.profile_file import read_profile
from batchqc.errors import InvalidInput, NotFound
from batchqc.records.profiles import all_profiles, approval_of_profile
from batchqc.records.transaction import reading, transaction
from batchqc.settings import shipped_profiles

app = typer.Typer(help="Profiles: how an instrument's files are read.")


@app.command("templates")
def templates() -> None:
    """The profiles that batchqc ships: starting points, imported by copy."""
    rows = []
    for path in sorted(shipped_profiles().glob("*.toml")):
        profile = read_profile(path.read_bytes(), file=path.name).profile
        if profile is not None:
            rows.append((path.stem, profile.title, ", ".join(profile.asked) or "nothing"))
    table(("Template", "Reads", "Asks for"), rows, empty="No template.")


@app.command()
def new(
    template: Annotated[str, typer.Argument(help="See batchqc profile templates.")],
    to: Annotated[Path, typer.Argument(dir_okay=False, help="A new file.")],
) -> None:
    """Copy a shipped profile into a file of your own, to be adapted and imported."""
    path = shipped_profiles() / f"{template}.toml"
    if Path(template).name != template or not path.is_file():
        raise NotFound("BQC-PRF-008", f'there is no template "{template}"')
    if to.exists():
        raise InvalidInput("BQC-PRF-009", f"{to} exists already")
    write_new(to, path.read_bytes())
    say(f"{to} is written. Next: batchqc profile import {to}")


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A profile, TOML.")],
    user: User,
) -> None:
    """Copy a profile into the system, where it waits for its approval."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.IMPORT_PROFILE)
    with transaction(place.engine, actor, place.now()) as tx:
        row = import_profile(tx, place.archive, data=file.read_bytes(), file=file.name)
        said = f"{row.reference} is imported (SHA-256 {row.sha256})."
    say(f"{said} Next: batchqc profile approve.")


@app.command()
def approve(
    context: typer.Context,
    profile: Annotated[str, typer.Argument(help="Its id.")],
    version: Annotated[int, typer.Argument(min=1, max=1_000_000, help="Its version.")],
    user: User,
    reason: Reason,
) -> None:
    """Approve a version with your signature. Who imported it may not."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f"approve {profile} v{version}")
    actor = keyboard.acting(Permission.APPROVE_PROFILE)
    with transaction(place.engine, actor, place.now()) as tx:
        signed = approve_profile(
            tx, profile=profile, version=version, credentials=keyboard.signing(reason)
        )
    raise_refusal(signed)
    say(f"{profile} v{version} is approved.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every version of every profile."""
    with reading(workplace(context).engine) as session:
        rows = [
            (
                row.reference,
                row.title,
                row.author,
                approval.signature.person.user_id if approval else "waits",
            )
            for row in all_profiles(session)
            for approval in (approval_of_profile(session, row),)
        ]
    table(("Profile", "Reads", "Imported by", "Approved by"), rows, empty="No profile.")
