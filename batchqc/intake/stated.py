"""What a person states beside a file: ``name=text``."""

from collections.abc import Sequence

from batchqc.errors import InvalidInput


def pairs(texts: Sequence[str], *, at_last: bool = False) -> dict[str, str]:
    """Names and texts of ``name=text``, parted at the first or the last ``=``.

    Raises:
        InvalidInput: a text is in another form, or a name is there twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        parts = text.rpartition("=") if at_last else text.partition("=")
        name, mark, said = (part.strip() for part in parts)
        if not mark or not name or not said or name in found:
            raise InvalidInput("BQC-API-010", f'"{text}" is not name=text, or names it twice')
        found[name] = said
    return found
