"""What an amended certificate says otherwise than the one that it replaces, as a table."""

from batchqc.core.certificate_parts import Supersedes
from batchqc.documents.coa_blocks import (
    ABSENT,
    BODY,
    STRONG,
    Block,
    Cell,
    columns,
    paragraphs,
    section,
    table,
)
from batchqc.documents.coa_paper import MARGIN
from batchqc.documents.coa_words import Words

_CHANGE_X = (MARGIN, MARGIN + 164, MARGIN + 334)


def replacing_notice(replaced: Supersedes, words: Words) -> str:
    """Which certificate this one replaces, why, and how much is changed (requirement 5.07)."""
    notice = words("supersedes", number=replaced["number"], reason=replaced["reason"])
    if "changes" not in replaced:
        return notice
    count = len(replaced["changes"])
    listed = words(
        ("no_changes_below", "change_below")[count] if count < 2 else "changes_below", count=count
    )
    return f"{notice} ({listed})"


def change_blocks(replaced: Supersedes | None, words: Words) -> list[Block]:
    """Each change beside what was said before; nothing where nothing is replaced."""
    if replaced is None or "changes" not in replaced:
        return []
    title = words("changes", number=replaced["number"])
    if not replaced["changes"]:
        return paragraphs(title, [words("no_changes")])
    rows: list[list[Cell]] = []
    for change in replaced["changes"]:
        texts = (change["what"], change["before"] or ABSENT, change["after"] or ABSENT)
        rows.append(columns(_CHANGE_X, texts, (STRONG, BODY, BODY)))
    return section(title, table(_CHANGE_X, [words(one) for one in ("what", "before", "now")], rows))
