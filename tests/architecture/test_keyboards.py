"""A command that leaves the code to its signature does nothing that it does not sign.

``at_keyboard(..., to=...)`` keeps the code for the signature where the rule of the site asks for
one. Then nothing is recorded in between: the one transaction of the command is that of what it
signs.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import batchqc.cli

#: Its second transaction is proved by the first code of what the first one offered.
ENROLS = "user_components.authenticator"


def commands() -> Iterator[tuple[str, str]]:
    """Name and text of every function that asks who is at the keyboard."""
    for path in sorted(Path(batchqc.cli.__path__[0]).glob("*.py")):
        text = path.read_text()
        for one in ast.walk(ast.parse(text)):
            if isinstance(one, ast.FunctionDef) and one.name != "at_keyboard":
                own = ast.get_source_segment(text, one) or ""
                if "at_keyboard(" in own:
                    yield f"{path.stem}.{one.name}", own


def test_who_says_what_is_signed_signs_it_in_the_only_transaction():
    found = list(commands())
    assert len(found) > 100
    says = {name for name, own in found if "to=" in own.split("at_keyboard(")[1].split(")")[0]}
    signs = {name for name, own in found if ".signing(" in own}
    assert says ^ signs == set()
    many = {name for name, own in found if name in says and own.count("with transaction(") != 1}
    assert many == {ENROLS}
