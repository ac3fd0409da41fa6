"""The specifications of the demonstration: imported by one person, approved by another."""

from pathlib import Path

from batchqc.actions.approval import approve_specification
from batchqc.actions.impact import assess_impact, keep_impact
from batchqc.actions.specifications import (
    content_of,
    import_specification,
    submit_specification,
    the_version,
)
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Story, signing
from batchqc.core.permissions import Permission
from batchqc.records.transaction import Transaction, reading
from batchqc.settings import bundled


def adopt(story: Story, path: Path) -> str:
    """Import a file, look at its impact, and approve it as another person."""
    archive = story.place.archive

    def imported(tx: Transaction) -> tuple[str, str, int]:
        version = import_specification(tx, archive, data=path.read_bytes(), file=path.name)
        submit_specification(
            tx, archive, specification=version.specification, version=version.version
        )
        return version.reference, version.specification, version.version

    reference, name, number = story.do(cast.AUTHOR, Permission.IMPORT_SPECIFICATION, imported)
    with reading(story.place.engine) as session:
        draft = content_of(archive, the_version(session, name, number))
        impact = assess_impact(session, archive, draft=draft)
    fonts = bundled("reports") / "fonts"
    seen = story.do(
        cast.AUTHOR,
        Permission.REPORT_IMPACT,
        lambda tx: keep_impact(tx, archive, fonts=fonts, impact=impact).content_sha,
    )
    story.do(
        cast.APPROVER,
        Permission.APPROVE_SPECIFICATION,
        lambda tx: approve_specification(
            tx,
            archive,
            specification=name,
            version=number,
            impact=seen,
            credentials=signing(cast.APPROVER, "Limits agree with their sources"),
        ),
    )
    return f"{reference} by {cast.AUTHOR}, approved by {cast.APPROVER}"
