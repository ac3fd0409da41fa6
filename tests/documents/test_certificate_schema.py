"""The published schema of the data inside certificates."""

import copy
import json
from typing import Any, get_type_hints, is_typeddict

import jsonschema
import pytest
from typer.testing import CliRunner

from batchqc.cli.main import app
from batchqc.core import certificate_criteria, certificates
from batchqc.settings import certificate_schema
from tests.documents.certificate_content import CORRECTION, certificate_content, earlier_content

SCHEMA = json.loads(certificate_schema().read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_the_command_prints_it():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    done = CliRunner().invoke(app, ["certificate", "schema"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == SCHEMA


@pytest.mark.requirement("5.08")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"corrections": [CORRECTION]},
        {"supersedes": {"number": "COA-2026-000012", "reason": "released: late results"}},
        {"log": {"origin": "mekong/batchqc", "size": 311, "root": "0a" * 32}},
        {"pending": [{"criterion": "ster", "title": "Sterility", "due_on": "2026-03-19"}]},
    ],
)
def test_content_is_as_the_schema_says(changes: dict[str, object]):
    VALIDATOR.validate(certificate_content(**changes))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("type",), "batchqc/certificate/1"),
        (("lines", 1, "verdict"), "PASSED"),
        (("lines", 1, "verdict"), ""),
        (("lines", 1, "result"), 96),
        (("lines", 1, "accept", "limits", 0, "limit"), 95.0),
        (("lines", 1, "accept", "limits", 0, "limit"), "ninety"),
        (("lines", 1, "accept", "limits", 0, "operator"), "≥"),
        (("lines", 1, "accept"), {"kind": "limits"}),
        (("lines", 1, "accept"), {"kind": "words", "limits": []}),
        (("lines", 1, "note"), "an extra word"),
        (("specification", "sha256"), "ABC"),
        (("seals",), []),
        (("issued", "utc"), "2026-03-20T07:06:02+07:00"),
        (("lot", "id"), ""),
        (("audit", "sequence"), -1),
    ],
)
def test_other_content_is_refused(place: tuple[str | int, ...], value: object):
    content: Any = copy.deepcopy(certificate_content())
    *path, last = place
    part = content
    for step in path:
        part = part[step]
    part[last] = value
    assert not VALIDATOR.is_valid(content)


def test_nothing_that_is_asked_for_may_be_missing():
    content: Any = certificate_content()
    for key in certificate_content():
        without = {name: part for name, part in content.items() if name != key}
        assert not VALIDATOR.is_valid(without), key
    assert not VALIDATOR.is_valid(earlier_content())


def properties(schema: dict[str, Any]) -> dict[str, set[str]]:
    """What each object of the schema holds, by its keys."""
    found = {}
    for part in (schema, *schema["properties"].values(), *schema["$defs"].values()):
        for one in (part, *part.get("oneOf", ())):
            if "properties" in one:
                found[",".join(sorted(one["properties"]))] = set(one["properties"])
    return found


def test_the_schema_knows_every_key_that_content_can_have():
    known = properties(SCHEMA)
    for module in (certificates, certificate_criteria):
        for name, part in vars(module).items():
            if is_typeddict(part) and name != "AcceptPart":
                assert ",".join(sorted(get_type_hints(part))) in known, name
    kinds = SCHEMA["$defs"]["accept"]["oneOf"]
    assert set(get_type_hints(certificate_criteria.AcceptPart)) == {
        key for kind in kinds for key in kind["properties"]
    }
