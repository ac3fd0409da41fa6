"""How long a text may be that is sent: told by the description, and held over HTTP and in forms."""

from collections.abc import Iterator
from typing import Any

import pytest

from batchqc.actions.registers import register_product
from batchqc.api.lengths import ADDRESS, LINE, PROSE, longer_texts
from batchqc.api.registers import ProductShape
from batchqc.core.permissions import Permission
from batchqc.web.forms import WrongForm, built
from tests.api.conftest import Site
from tests.api.test_refusals import is_problem
from tests.records.house import ADM, LOT, QA2

WITHIN = {"items", "additionalProperties", "anyOf", "oneOf", "allOf"}
PRODUCT = {"code": "UC-2", "form": "Suspension", "storage": "-150 °C"}


def strings(schema: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every free text of a schema, with the member that it is in."""
    if isinstance(schema, list):
        for one in schema:
            yield from strings(one, name)
    elif isinstance(schema, dict):
        if is_free(schema):
            yield name, schema
        for own, one in schema.get("properties", {}).items():
            yield from strings(one, own)
        for key in WITHIN & schema.keys():
            yield from strings(schema[key], name)


def is_free(schema: dict[str, Any]) -> bool:
    """Whether it is a text that may say anything."""
    is_text = schema.get("type") == "string" and schema.get("format") in {None, "password"}
    return is_text and not schema.keys() & {"enum", "const"}


def test_every_text_of_every_body_has_a_limit_that_is_told_and_no_answer_has(site: Site):
    told = site.app.openapi()
    schemas = told["components"]["schemas"]

    def reached(part: Any, found: set[str]) -> set[str]:
        for one in part.values() if isinstance(part, dict) else part:
            if isinstance(one, str) and one.startswith("#/components/schemas/"):
                name = one.rpartition("/")[2]
                if name not in found:
                    found.add(name)
                    reached(schemas[name], found)
            elif isinstance(one, dict | list):
                reached(one, found)
        return found

    operations = [one for path in told["paths"].values() for one in path.values()]
    bodies = [one["requestBody"]["content"] for one in operations if "requestBody" in one]
    sent = reached([one.get("application/json", {}) for one in bodies], set())
    answered = reached([one["responses"] for one in operations], set())
    assert len(sent) > 60
    free = [(name, member) for name in sent for member, one in strings(schemas[name])
            if "maxLength" not in one and "Body_" not in name]  # fmt: skip
    assert free == []
    own = {LINE, ADDRESS, PROSE}
    bound = [(name, member) for name in answered - sent for member, one in strings(schemas[name])
             if one.get("maxLength") in own]  # fmt: skip
    assert bound == []


def test_a_text_that_is_too_long_is_refused_and_the_limit_is_told(site: Site):
    answer = site.send(QA2, "POST", "/products", json=PRODUCT | {"name": "x" * 201})
    is_problem(answer, 422, "BQC-API-001")
    assert answer.json()["reasons"] == [
        "body.name: it has 201 characters, and may have 200 at most"
    ]
    assert "x" * 201 not in answer.text
    assert (
        site.send(QA2, "POST", "/products", json=PRODUCT | {"name": "x" * 200}).status_code == 201
    )
    path = f"/lots/{LOT}/samples"
    sample = {"stage": "release", "container": "vial", "taken_at": "2025-06-01T10:00:00Z"}
    nested = {"samples": [sample | {"id": "S" * 201}]}
    answer = site.send(QA2, "POST", path, json=nested)
    assert answer.json()["reasons"] == [
        "body.samples.0.id: it has 201 characters, and may have 200 at most"
    ]


def test_a_reason_may_be_prose_and_no_book(site: Site):
    def ask(reason: str) -> list[str]:
        sent = site.send(ADM, "POST", "/people/rev/deactivation", json={"reason": reason})
        reasons: list[str] = sent.json().get("reasons", [])
        return reasons

    assert ask("y" * 4001) == ["body.reason: it has 4,001 characters, and may have 4,000 at most"]
    assert ask("y" * 4000) == []


def test_what_lies_in_prose_is_prose_and_keys_are_lines():
    assert not list(longer_texts({"particulars": {"notified": "x" * 4000}, "lots": ["A" * 200]}))
    long = longer_texts({"answers": {"k" * 201: "yes"}, "lots": [["B" * 201]]})
    assert {(one.place, one.length, one.limit) for one in long} == {
        (("answers", "k" * 200), 201, 200), (("lots", 0, 0), 201, 200),
    }  # fmt: skip
    assert [one.limit for one in longer_texts("t" * 300)] == [LINE]


def test_a_form_says_it_beside_its_field():
    with pytest.raises(WrongForm) as refused:
        built(ProductShape, PRODUCT | {"name": "x" * 500})
    assert refused.value.problems == {"name": "it has 500 characters, and may have 200 at most"}


def test_what_is_on_record_is_told_however_long_it_is(site: Site):
    long = "Cord MSC " * 60
    with site.house.acting(QA2, Permission.REGISTER_PRODUCT) as tx:
        register_product(tx, code="OLD-1", name=long, form="Suspension", storage="-150 °C")
    listed = site.get(QA2, "/products", params={"limit": 200})["items"]
    assert long.strip() in [one["name"] for one in listed]
