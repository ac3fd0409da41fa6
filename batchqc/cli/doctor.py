"""``batchqc doctor``: is the whole installation sound?"""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from batchqc import __version__
from batchqc.cli.show import facts, say
from batchqc.cli.workplace import Workplace, installation
from batchqc.core.soundness import Grade
from batchqc.errors import IntegrityFailure, SigningUnavailable
from batchqc.settings import bundled

if TYPE_CHECKING:
    from batchqc.actions.doctor import Examined, Installation
    from batchqc.core.soundness import Finding

_SHOWN = 20


def doctor(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    sample: Annotated[int, typer.Option(min=1, help="Verify so many certificates.")] = 25,
    everything: Annotated[bool, typer.Option("--all", help="Verify every certificate.")] = False,
) -> None:
    """Examine database, audit trail, log, store and certificates together; nothing is changed.

    Exit status 0 where all is sound, apart from what is harmless; 7 where anything is not.
    """
    from batchqc.actions.doctor import examine_installation  # noqa: PLC0415 - others start faster

    place = installation(context)
    found = examine_installation(examined_at(place), sample=0 if everything else sample)
    if as_json:
        sys.stdout.write(json.dumps(told(found), indent=2) + "\n")
    else:
        show(found)
    refuse_unsound(found)


def examined_at(
    place: Workplace, *, restored: bool = False, shared: bool = False
) -> "Installation":
    """What there is to examine of an installation; of one just restored, without keys and witness.

    The witness goes on where the backup ended, and tells what was lost: that is asked afterwards.
    So does a store that is ``shared`` with the installation whose backup it was.
    """
    from batchqc.actions.doctor import Installation  # noqa: PLC0415 - others start faster
    from batchqc.documents.revocation import read_authority  # noqa: PLC0415 - as above
    from batchqc.documents.verifier.case import Question  # noqa: PLC0415 - as above

    settings, roots = place.settings, place.settings.sealing.root
    files = (settings.trust / "root.pem", roots.certificate)
    root = next((one.read_bytes() for one in files if one.is_file()), b"")
    lists, no_list = [], ""
    try:
        read_authority(roots, at=place.now())
        lists = [roots.revocation_list.read_bytes()]
    except SigningUnavailable as problem:  # one that is too old says nothing
        no_list = "" if restored else problem.message
    stamps, vkey = settings.timestamp_root, settings.trust / "log.vkey"
    question = Question(
        root, place.now(), crls=tuple(lists),
        tsa_roots=stamps.read_bytes() if stamps is not None and stamps.is_file() else b"",
        log_keys=vkey.read_text("utf-8", "replace") if vkey.is_file() else "",
    )  # fmt: skip
    return Installation(
        place.engine, place.archive, bundled("migrations"), question,
        None if restored else place.press.log_key,
        None if restored else settings.witness,
        None if restored else settings.component_key,
        shared,
        is_trial=not settings.disk_required,
        is_restored=restored,
        no_list=no_list,
    )  # fmt: skip


def told(found: "Examined") -> dict[str, object]:
    """What was found, for machines."""
    return {
        "type": "batchqc/doctor/1",
        "software": __version__,
        "clean": found.is_clean,
        "schema": found.revision,
        "entries": found.head.sequence if found.head else 0,
        "head": found.head.sha256 if found.head else "",
        "certificates": found.certificates,
        "verified": found.verified,
        "findings": [
            {"grade": one.grade.value, "where": one.where, "what": one.what, "do": one.todo}
            for one in found.findings
        ],
    }


def show(found: "Examined") -> None:
    """Tell people what was found; of what is harmless the first ones."""
    harmless = [one for one in found.findings if one.grade is Grade.HARMLESS]
    facts(
        {
            "Schema": found.revision or "not readable for this role",
            "Audit trail": f"{found.head.sequence} entries, head {found.head.sha256}"
            if found.head else "not read",
            "Certificates": f"{found.verified} of {found.certificates} verified",
        }.items()
    )  # fmt: skip
    for one in harmless[:_SHOWN]:
        say(f"harmless: {one.where}: {one.what}. {one.todo}")
    if len(harmless) > _SHOWN:
        say(f"{len(harmless) - _SHOWN} more are harmless; --json names them.")
    if found.is_clean:
        say("Everything agrees.")


def refuse_unsound(found: "Examined") -> None:
    """Raise where anything is more than harmless.

    Raises:
        IntegrityFailure: BQC-SYS-008: each is a reason.
    """
    wrong: list[Finding] = [one for one in found.findings if one.grade is not Grade.HARMLESS]
    if wrong:
        lost = sum(one.grade is Grade.LOSS for one in wrong)
        raise IntegrityFailure(
            "BQC-SYS-008",
            f"the installation is not sound: {lost} losses, {len(wrong) - lost} to be mended",
            reasons=[f"{one.grade}: {one.where}: {one.what}. {one.todo}" for one in wrong],
            hint="Do what stands behind each; a loss stops releasing.",
        )
