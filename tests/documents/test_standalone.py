"""The verifier that runs alone is made of modules that may be put together, or not at all."""

import ast

import pytest

from batchqc.documents import standalone
from batchqc.documents.standalone import MODULES, script


def test_every_module_of_the_verifier_is_in_it():
    folder = standalone.resources.files(standalone.PACKAGE)
    found = {one.name for one in folder.iterdir() if one.name.endswith(".py")}
    assert found == {f"{one}.py" for one in MODULES} | {"__init__.py"}
    defined = {node.name for node in ast.parse(script()).body if isinstance(node, ast.FunctionDef)}
    assert {"extract", "check_digest", "check_issue", "examine", "main"} <= defined


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import pypdf\n", "the verifier imports pypdf"),
        ("from batchqc.core import merkle\n", "the verifier imports batchqc.core"),
        ("def demand():\n    pass\n", "demand is of findings and of other"),
        ("from re import match as demand\n", "demand is of findings and of from re"),
    ],
)
def test_what_cannot_be_put_together_is_refused(
    text: str, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("verifier")
    for one in MODULES:
        source = standalone.resources.files(standalone.PACKAGE).joinpath(f"{one}.py")
        (folder / f"{one}.py").write_text(source.read_text("utf-8"))
    (folder / "other.py").write_text(text)
    monkeypatch.setattr(standalone.resources, "files", lambda _: folder)
    monkeypatch.setattr(standalone, "MODULES", (*MODULES, "other"))
    with pytest.raises(ValueError, match=why):
        script()
