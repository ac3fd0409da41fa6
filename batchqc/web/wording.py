"""The words of the pages: every sentence is looked up in a catalogue (gettext), English complete.

``python -m batchqc.web.wording`` reads templates and modules and writes what they say into the
catalogue. What records say, such as the sentence of a verdict, is shown as it was recorded.
"""

from datetime import UTC, datetime
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.support import Translations
from markupsafe import Markup

PACKAGE: Final = Path(__file__).parent
CATALOGUE: Final = PACKAGE / "locale" / "en" / "LC_MESSAGES" / "batchqc.po"
_READ: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
_NEVER: Final = datetime(2026, 1, 1, tzinfo=UTC)  # so that the file changes with its words only
_MARKS: Final = {"_": None, "gettext": None, "ngettext": (1, 2)}


@cache
def translations() -> Translations:
    """The English catalogue."""
    with CATALOGUE.open("rb") as file:
        found = read_po(file)
    compiled = BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    return Translations(compiled)


def _(text: str) -> str:
    """A text of the pages, in the language of the catalogue."""
    return translations().gettext(text)


def worded(text: str, /, **named: object) -> Markup:
    """A text of a template; what is named in it is escaped."""
    return _markup(_(text)) % named if named else _fixed(text)


def counted(one: str, many: str, num: int, /, **named: object) -> Markup:
    """A text of a template by its number, which it may name as ``num``."""
    if named:
        return _markup(translations().ngettext(one, many, num)) % ({"num": num} | named)
    return _numbered(one, many, num)


@lru_cache(maxsize=4096)
def _fixed(text: str) -> Markup:
    return _markup(_(text)) % {}


@lru_cache(maxsize=4096)
def _numbered(one: str, many: str, num: int) -> Markup:
    return _markup(translations().ngettext(one, many, num)) % {"num": num}


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - a text of our own


def catalogue() -> Catalog:
    """What templates and modules say now; English says it as it is written."""
    found = Catalog(locale="en", project="batchqc", version="1", fuzzy=False, creation_date=_NEVER)
    options = {"templates/**.html": {"trimmed": "true"}}
    for file, line, message, comments, context in extract_from_dir(
        str(PACKAGE), method_map=_READ, options_map=options, keywords=_MARKS
    ):
        del line  # it moves with every change
        said = message if isinstance(message, tuple) else (message or "")
        found.add(message, said, [(file, 0)], auto_comments=comments, context=context)
    return found


def write() -> None:
    """Write the catalogue anew."""
    with CATALOGUE.open("wb") as file:
        write_po(
            file, catalogue(), omit_header=False, sort_output=True, include_lineno=False, width=100
        )


if __name__ == "__main__":
    write()
