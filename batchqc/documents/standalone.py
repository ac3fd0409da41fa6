"""The stand-alone verifier: the modules of ``verifier`` as one readable Python file.

``python verify.py FILE --root root.pem`` needs ``cryptography`` and ``asn1crypto``, no batchqc.
The same modules give the same bytes. A text is shipped rather than an archive, so that an auditor
can read what it does, with its comments, from top to bottom.
"""

import ast
import sys
from collections.abc import Iterable
from importlib import resources
from typing import Final

from batchqc import __version__

PACKAGE: Final = "batchqc.documents.verifier"
MODULES: Final = (
    "findings", "pdf_objects", "pdf_file", "increments", "signatures", "chains", "containers",
    "tokens", "revocation", "signed_log", "proofs", "case", "meaning", "times", "examination",
    "command",
)  # fmt: skip
_MAY_IMPORT: Final = {*sys.stdlib_module_names, "cryptography", "asn1crypto"}

_TAIL_IMPORTS: Final = {
    "sys": "import sys",
    "UTC": "from datetime import UTC",
    "datetime": "from datetime import datetime",
}
_HEAD: Final = '''#!/usr/bin/env python3
"""Verify certificates of analysis of batchqc {version}: python verify.py FILE --root root.pem

It needs Python 3.11 or later with cryptography and asn1crypto, and no network. Each part below is a
module of batchqc.documents.verifier, word for word.
"""

'''
_TAIL: Final = """

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], now=datetime.now(UTC)))
"""


def script() -> bytes:
    """The file, UTF-8.

    Raises:
        ValueError: two modules give the same name to two things, or one imports something else.
    """
    imports, parts, owners = dict[str, str](_TAIL_IMPORTS), list[str](), dict[str, str]()
    for module in MODULES:
        source = resources.files(PACKAGE).joinpath(f"{module}.py").read_text("utf-8")
        tree = ast.parse(source)
        given = _imports(tree)
        for name, owner in [*given.items(), *((one, module) for one in _names(tree))]:
            if owners.setdefault(name, owner) != owner:
                raise ValueError(f"{name} is of {owners[name]} and of {owner}")
        imports |= given
        parts.append(f"# {'-' * 20} {module}\n\n{_body(source, tree)}")
    head = _HEAD.format(version=__version__) + "\n".join(sorted(set(imports.values())))
    return (head + "\n\n" + "\n\n\n".join(parts) + "\n" + _TAIL).encode()


def _names(tree: ast.Module) -> set[str]:
    """What a module defines."""
    found = set[str]()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.Assign(targets=targets):
                found |= {one.id for one in targets if isinstance(one, ast.Name)}
            case _:
                pass
    return found


def _imports(tree: ast.Module) -> dict[str, str]:
    """What a module imports from elsewhere: the line for each name."""
    found = dict[str, str]()
    for node in tree.body:
        match node:
            case ast.Import(names=names):
                found |= {_as(one): f"import {ast.unparse(one)}" for one in names}
                _check_known(one.name for one in names)
            case ast.ImportFrom(module=str(module)) if not module.startswith(PACKAGE):
                found |= {
                    _as(one): f"from {module} import {ast.unparse(one)}" for one in node.names
                }
                _check_known([module])
            case _:
                pass
    return found


def _as(one: ast.alias) -> str:
    return one.asname or one.name


def _check_known(modules: Iterable[str]) -> None:
    unknown = {one for one in modules if one.partition(".")[0] not in _MAY_IMPORT}
    if unknown:
        raise ValueError(f"the verifier imports {', '.join(sorted(unknown))}")


def _body(source: str, tree: ast.Module) -> str:
    """A module without its imports; its docstring becomes a comment."""
    lines = source.splitlines()
    last = 0
    for node in tree.body:
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if is_import or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            last = node.end_lineno or 0
    said = [f"# {line}".rstrip() for line in (ast.get_docstring(tree) or "").splitlines()]
    return "\n".join([*said, "", *lines[last:]]).rstrip()
