"""What changed between two versions of a specification: words first, then what was and what is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import unified_diff

from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.specifications import content_of
from batchqc.core.criteria import Criterion
from batchqc.core.differences import Direction, differences
from batchqc.core.effectivity import in_force
from batchqc.documents.archive import Archive
from batchqc.records.specifications import SpecificationVersion, approved_versions


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One change; ``was`` and ``becomes`` are acceptances where they differ, else blank.

    ``how`` is "added", "removed" or "changed".
    """

    criterion: str
    title: str
    words: str
    direction: Direction
    how: str
    was: str = ""
    becomes: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """Every change from a version to another."""

    before: str
    after: str
    since: int
    lines: Sequence[ChangedLine]

    def counted(self, direction: str) -> int:
        """How many changes have a direction: stricter, looser, other."""
        return sum(one.direction == direction for one in self.lines)


def version_before(session: Session, row: SpecificationVersion) -> SpecificationVersion | None:
    """What a version would take the place of: what is approved for its first day.

    A draft that nobody approved judges nothing, and is not compared with. Where nothing is approved
    for that day, it is the newest version of the same specification with a lower number.
    """
    approved = approved_versions(session, product=row.product, stage=row.stage, market=row.market)
    others = [one for one in approved if one.version.id != row.id]
    judging = in_force(others, date.fromisoformat(row.effective))
    if judging is not None:
        return judging.version
    query = (
        select(SpecificationVersion)
        .where(
            SpecificationVersion.specification == row.specification,
            SpecificationVersion.version < row.version,
        )
        .order_by(SpecificationVersion.version.desc())
    )
    return session.scalars(query).first()


def changes_of(
    archive: Archive, before: SpecificationVersion, after: SpecificationVersion
) -> Changes:
    """What changed, as the core tells it."""
    old, new = content_of(archive, before), content_of(archive, after)
    was = {one.id: one for one in old.criteria}
    becomes = {one.id: one for one in new.criteria}
    found = []
    for one in differences(old, new):
        lies = was.get(one.criterion), becomes.get(one.criterion)
        title, told, how = _told(one.criterion, one.words, *lies)
        texts = (_accepts(lies[0]), _accepts(lies[1])) if _turns(one.words, *lies) else ("", "")
        found.append(ChangedLine(one.criterion, title, told, one.direction, how, *texts))
    return Changes(before.reference, after.reference, before.version, found)


def line_by_line(
    archive: Archive, before: SpecificationVersion, after: SpecificationVersion
) -> list[tuple[str, str]]:
    """The two files line by line, each with its mark: "+", "-", "@" or blank."""
    old, new = (
        archive.get(one.sha256).decode("utf-8", "replace").splitlines() for one in (before, after)
    )
    lines = list(unified_diff(old, new, lineterm="", n=2))[2:]
    return [(one[:1].strip(), one[1:] if one[:1] != "@" else one) for one in lines]


def _told(
    name: str, words: str, was: Criterion | None, becomes: Criterion | None
) -> tuple[str, str, str]:
    """Title, words without it, and how."""
    how = "added" if was is None else "removed" if becomes is None else "changed"
    known = becomes or was
    if not name or known is None:
        return "", words, "changed"
    return known.title, words.removeprefix(f"{known.title}: "), how


def _turns(words: str, was: Criterion | None, becomes: Criterion | None) -> bool:
    """Whether a change is of what is accepted."""
    if was is None or becomes is None:
        return was is not becomes
    told = words.removeprefix(f"{becomes.title}: ")
    return told.startswith(_accepts(was)) and " became " in told


def _accepts(criterion: Criterion | None) -> str:
    return "" if criterion is None else criterion.acceptance
