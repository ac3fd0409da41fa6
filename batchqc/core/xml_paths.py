"""Places in an XML document, as a profile declares them: a part of XPath 1.0 that names one place.

``/a/b`` begins at the root, ``b/c`` at the element that is a row; ``b[@name="x"]`` is the child b
whose attribute ``name`` says x; ``@c`` at the end is an attribute, else the text of the element is
meant. ``../@c`` is an attribute of the element around the row. Nothing searches: the whole way is
stated, so that a gate that has moved to another parent is not taken for the same one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_NAME: Final = r"""[^\s/\[\]@"'=<>()*|$,!.][^\s/\[\]@"'=<>()*|$,!]*"""
_SAYS: Final = rf"""\[@({_NAME})=(?:"([^"]*)"|'([^']*)')\]"""
_STEP: Final = rf"""{_NAME}(?:\[@{_NAME}=(?:"[^"]*"|'[^']*')\])*"""
_PATH: Final = re.compile(
    rf"(?P<root>/)?(?P<steps>{_STEP}(?:/{_STEP})*)(?:/@(?P<of>{_NAME}))?"
    rf"|(?P<up>(?:\.\./)*)@(?P<own>{_NAME})"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One element of a way: its tag as it is written, and what attributes of it say."""

    tag: str
    says: tuple[tuple[str, str], ...] = ()

    def matches(self, tag: str, attributes: Mapping[str, str]) -> bool:
        """Whether an element is meant."""
        return tag == self.tag and all(attributes.get(name) == text for name, text in self.says)


@dataclass(frozen=True, slots=True)
class XmlPath:
    """A place in a document.

    Args:
        steps: the elements on the way; none where it is an attribute of the row, or around it.
        attribute: whose text is meant; "" is the text of the element.
        from_root: whether the way begins at the root, and not at the row.
        up: how many elements above the row the attribute stands.
    """

    steps: tuple[Step, ...] = ()
    attribute: str = ""
    from_root: bool = False
    up: int = 0


def xml_path(text: str) -> XmlPath | None:
    """The place that ``text`` names, or ``None`` where it is no such path."""
    found = _PATH.fullmatch(text)
    if found is None:
        return None
    if found["own"]:
        return XmlPath(attribute=found["own"], up=found["up"].count("/"))
    steps = tuple(_step(one[0]) for one in re.finditer(_STEP, found["steps"]))
    return XmlPath(steps, found["of"] or "", from_root=bool(found["root"]))


def _step(text: str) -> Step:
    said = re.findall(_SAYS, text)
    return Step(text.partition("[")[0], tuple((name, one or other) for name, one, other in said))
