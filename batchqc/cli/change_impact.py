"""``batchqc change-impact``: what to qualify again when a site goes to another version."""

from pathlib import Path
from typing import Annotated

import typer

from batchqc.cli.qualification.impact import Wheel, impact, sections_of
from batchqc.cli.show import say
from batchqc.settings import requirements

_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]


def change_impact(old: _File, new: _File) -> None:
    """Say what differs between the wheels OLD and NEW, and what must be qualified again.

    A requirement is touched where its tests import a changed module, and reached where something
    that they import does.
    """
    wheel = Wheel.read(new)
    found = impact(Wheel.read(old), wheel)
    titles = requirements()
    say(f"# Change impact: batchqc {found.old} to {found.new}")
    for title, names in (
        ("Modules changed", found.modules),
        ("Other files changed, such as profiles, methods and pages", found.controlled),
        ("Libraries changed", found.libraries),
        ("Migrations of the database", found.migrations),
    ):
        _list(title, names)
    for title, numbers in (("touched", found.touched), ("reached", found.reached)):
        told = [
            f"{one} {titles.get(one, {}).get('title', '(not of this version)')}" for one in numbers
        ]
        _list(f"Requirements {title}", told)
    if not found.is_known and not found.is_nothing:
        say("\nOne of the versions does not say which modules its tests look at.")
    again = [f"{name}: {why}" for name, why in sections_of(found, wheel).items()]
    _list("To be done again, with `batchqc validate` in the new version", again)
    say(
        "\nNothing was changed, but perhaps the guide: nothing is to be done again."
        if found.is_nothing
        else "\nThe site looks at what it qualified itself (performance, procedures, training) for"
        " each requirement that is touched."
    )


def _list(title: str, lines: tuple[str, ...] | list[str]) -> None:
    say(f"\n## {title}: {len(lines) or 'none'}")
    for line in lines:
        say(f"- {line}")
