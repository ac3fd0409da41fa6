"""What an amended certificate says otherwise than the one that it replaces, as a table."""

from batchqc.core.certificate_parts import Supersedes
from batchqc.documents.coa_blocks import (
    ABSENT,
    BODY,
    MARGIN,
    STRONG,
    Block,
    Cell,
    columns,
    paragraphs,
    section,
    table,
)

_CHANGE_X = (MARGIN, MARGIN + 164, MARGIN + 334)


def replacing_notice(replaced: Supersedes) -> str:
    """Which certificate this one replaces, why, and how much is changed (requirement 5.07)."""
    notice = f"Supersedes {replaced['number']}: {replaced['reason']}"
    if "changes" not in replaced:
        return notice
    count = len(replaced["changes"])
    listed = f"{count} change{'s' * (count != 1)}, listed below" if count else "nothing is changed"
    return f"{notice} ({listed})"


def change_blocks(replaced: Supersedes | None) -> list[Block]:
    """Each change beside what was said before; nothing where nothing is replaced."""
    if replaced is None or "changes" not in replaced:
        return []
    title = f"Changes since {replaced['number']}"
    if not replaced["changes"]:
        return paragraphs(title, ["Nothing that it says is changed."])
    rows: list[list[Cell]] = []
    for change in replaced["changes"]:
        texts = (change["what"], change["before"] or ABSENT, change["after"] or ABSENT)
        rows.append(columns(_CHANGE_X, texts, (STRONG, BODY, BODY)))
    return section(title, table(_CHANGE_X, ("What", "Before", "Now"), rows))
