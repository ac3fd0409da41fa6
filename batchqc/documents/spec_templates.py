"""Starting points: the sourced specifications that batchqc ships, and a draft made from one."""

import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

from batchqc.core.identifiers import code_problem, id_problem
from batchqc.documents.spec_file import read_specification
from batchqc.errors import InvalidInput, NotFound


class Template(NamedTuple):
    """A shipped specification, named by its file without version."""

    name: str
    title: str
    sources: tuple[str, ...]
    path: Path


def templates(folder: Path) -> list[Template]:
    """Every shipped specification, by name."""
    found = []
    for path in sorted(folder.rglob("*.toml")):
        specification = read_specification(path.read_bytes(), file=path.name).specification
        if specification is not None:
            name = re.sub(r"-v[0-9]+$", "", path.stem)
            found.append(Template(name, specification.title, specification.sources, path))
    return sorted(found)


def template(folder: Path, name: str) -> Template:
    """One shipped specification.

    Raises:
        NotFound: naming those that there are.
    """
    found = templates(folder)
    for one in found:
        if one.name == name:
            return one
    listed = ", ".join(one.name for one in found)
    raise NotFound("BQC-SPC-020", f'there is no template "{name}"; there are: {listed}')


def draft_from(chosen: Template, *, name: str, product: str, effective: date) -> bytes:
    """A first version of one's own, with the remarks and sources of the template.

    Raises:
        InvalidInput: for an id or a product that cannot be written.
    """
    problems = [problem for problem in (id_problem(name), code_problem(product)) if problem]
    if problems:
        raise InvalidInput("BQC-SPC-021", "the draft cannot be named so", reasons=problems)
    text = chosen.path.read_text(encoding="utf-8")
    for key, value in (
        ("id", f'"{name}"'),
        ("version", "1"),
        ("product", f'"{product}"'),
        ("effective", effective.isoformat()),
    ):
        text = re.sub(
            rf"(?m)^({key}\s*= )[^#\n]*?(?=\s*(?:#.*)?$)", rf"\g<1>{value}", text, count=1
        )
    return text.encode()
