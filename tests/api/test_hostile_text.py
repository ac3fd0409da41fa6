"""Text that would run, in every place, parameter and field of the API: it stays text."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI

from tests.api.hostile import EVALUATED, HOSTILE, sizes
from tests.api.test_contract import Asked, asked, known, might  # noqa: F401 - a fixture
from tests.records.house import PASSWORD

IN_ADDRESS: Final = quote(HOSTILE, safe="")


def filled(described: dict[str, Any], schema: dict[str, Any], who: str, name: str = "") -> Any:
    """What fits a schema, with hostile text wherever text is free."""
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return filled(described, schema["anyOf"][0], who, name)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            given = schema.get("properties", {}).items()
            return {key: filled(described, inner, who, key) for key, inner in given}
        case "array":
            return [filled(described, schema["items"], who, name)]
        case "integer" | "boolean":
            return max(1, schema.get("minimum", 1)) if schema["type"] == "integer" else True
        case _:
            day = "2026-01-01" if schema.get("format") == "date" else HOSTILE
            return {"user_id": who, "password": PASSWORD}.get(name, day)


def requests(described: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Who may, the method, the address and what is sent: to what is on record, and to nothing."""
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            person = might(method, path)[0]
            given = operation.get("parameters", [])
            query = "&".join(f"{one['name']}={IN_ADDRESS}" for one in given if one["in"] == "query")
            content = operation.get("requestBody", {}).get("content", {})
            sent = HOSTILE if content else None
            if "application/json" in content:
                sent = filled(described, content["application/json"]["schema"], person)
            names = [one["name"] for one in given if one["in"] == "path"]
            yield person, method, path.format_map({one: known(path, one) for one in names}), sent
            yield (
                person,
                method,
                f"{path.format_map(dict.fromkeys(names, IN_ADDRESS))}?{query}",
                sent,
            )


def test_nothing_that_is_sent_is_run_and_no_table_is_touched(
    asked: Asked,  # noqa: F811
    application: FastAPI,
):
    described, before, wrong, accepted = application.openapi(), sizes(asked.house), [], 0
    for person, method, address, sent in requests(described):
        answer = asked.ask(person, method, address, sent)
        accepted += answer.status_code < 300
        if answer.status_code == 500:
            wrong.append(f"{method} {address}: {answer.text[:200]}")
        if EVALUATED in answer.text or answer.headers.get("content-type", "").startswith(
            "text/html"
        ):
            wrong.append(f"{method} {address}: runs")
    assert wrong == []
    assert accepted > 20  # what is free to be anything was taken
    after = sizes(asked.house)
    assert {name for name in before if after[name] < before[name]} == set()
