"""The tables ``[xml]`` of a profile: which elements are rows, and where each column stands."""

from collections.abc import Mapping
from typing import Any, Final

from batchqc.core.profiles import Elements, Profile
from batchqc.core.xml_paths import XmlPath, xml_path
from batchqc.documents.spec_keys import Keys, Path

XML_KEYS: Final = ("row", "places", "skip", "require", "refuse")
_LONGEST: Final = 60
_WAY: Final = "expected a path, such as"


def read_elements(keys: Keys, table: Mapping[str, Any]) -> Elements:
    """Read the keys of ``[xml]``; what is wrong is remembered in ``keys``.

    Args:
        keys: of the whole file.
        table: what stands below ``[xml]``.
    """
    path = ("xml",)
    row = xml_path(keys.text(path, table, "row"))
    if row is None or not row.from_root or row.attribute:
        keys.problem((*path, "row"), f"{_WAY} /Workspace/SampleList/Sample")
    places = _places(keys, _table(keys, path, table, "places"))
    return Elements(
        row=row or XmlPath(),
        places=places,
        skip=_texts(keys, table, "skip", places),
        require=_texts(keys, table, "require", places),
        refuse=_texts(keys, table, "refuse", places),
    )


def check_elements(keys: Keys, profile: Profile) -> None:
    """Remember what the columns of a profile name that ``[xml.places]`` does not have."""
    places, sources = profile.elements.places, profile.columns.items()
    if profile.delimiter:
        keys.problem(("file", "delimiter"), "an XML document has none: remove it")
    if not places:
        keys.problem(("xml",), "expected a table [xml.places]: where each column stands")
    named = [
        *((("columns", name), one.column, False) for name, one in sources),
        *((("columns", name), one.label, True) for name, one in sources),
        *((("columns", name), one.offset, True) for name, one in sources),
        *((("results", str(n)), r.name, False) for n, r in enumerate(profile.results, start=1)),
    ]
    for path, name, is_label in named:
        if name and (name not in places or places[name].from_root != is_label):
            where = "from the root, /…" if is_label else "below the row"
            keys.problem(path, f'[xml.places] has no "{name}" {where}')


def _places(keys: Keys, table: Mapping[str, Any]) -> dict[str, XmlPath]:
    path = ("xml", "places")
    found = {}
    for name, value in table.items():
        if not name.strip() or name != name.strip() or not name.isprintable():
            keys.problem((*path, name), "expected a name that can be shown in a line")
        if len(name) > _LONGEST:
            keys.problem((*path, name), f"expected a name of at most {_LONGEST} characters")
        place = xml_path(value) if isinstance(value, str) else None
        if place is None:
            keys.problem(
                (*path, name), f'{_WAY} Population[@name="Live"]/@count, @name or ../@name'
            )
        else:
            found[name] = place
    return found


def _texts(
    keys: Keys, table: Mapping[str, Any], key: str, places: Mapping[str, XmlPath]
) -> dict[str, tuple[str, ...]]:
    """Lists of texts by the name of a place below the row."""
    path = ("xml", key)
    named = _table(keys, ("xml",), table, key)
    for name in named:
        if name not in places or places[name].from_root:
            keys.problem((*path, name), "expected the name of a place below the row")
    return {name: keys.texts(path, named, name) for name in named}


def _table(keys: Keys, path: Path, table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    if isinstance(value, dict):
        return value
    keys.problem((*path, key), f"expected a table [xml.{key}]")
    return {}
