"""Plans of the database: which large tables a statement reads from end to end."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Connection

#: Tables that grow with every lot, result and entry.
LARGE: Final = frozenset((
    "lot", "sample", "donor", "lot_donor", "upload", "assay_run", "measurement", "review",
    "signature", "attempt", "eligibility", "audit_entry", "audit_link", "audit_subject", "event",
    "certificate", "certificate_issue", "certificate_term", "certificate_text", "disposition",
    "lot_review", "audit_review", "investigation", "log_subtree",
))  # fmt: skip
_SCAN: Final = re.compile(r"^SCAN (?:TABLE )?(\w+)(?! *.*USING)")
_NAMED: Final = re.compile(r"\b(?:FROM|JOIN)\s+\"?(\w+)\"?\s+(?:AS\s+)?\"?(\w+)\"?", re.IGNORECASE)


def scans(connection: Connection, said: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each large table that a statement reads from end to end, with the statement.

    A page of a list begins somewhere in the order of an index or of the ids, and stops at its
    limit: it has one, and sorts nothing.
    """
    read = _sqlite if connection.dialect.name == "sqlite" else _postgresql
    seen = set()
    for statement, parameters in said:
        if statement not in seen and statement.lstrip()[:6].upper() in {"SELECT", "WITH"}:
            seen.add(statement)
            for table in read(connection, statement, parameters):
                if table in LARGE:
                    yield table, statement


def _sqlite(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    details = [str(row[3]) for row in rows]
    # A question about each row may sort the few rows of its answer: that is no sort of the page.
    sorts = any("TEMP B-TREE FOR ORDER BY" in str(row[3]) and row[1] == 0 for row in rows)
    stops = "LIMIT" in statement.upper() and not sorts
    aliases = {alias: table for table, alias in _NAMED.findall(statement)}
    for number, detail in enumerate(details):
        found = _SCAN.match(detail)
        if found and not (stops and number == 0):
            yield aliases.get(found[1], found[1])


def _postgresql(connection: Connection, statement: str, parameters: Any) -> Iterator[str]:
    plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    yield from _sequential(plan[0]["Plan"], stops=False)


def _sequential(node: dict[str, Any], *, stops: bool) -> Iterator[str]:
    kind = node["Node Type"]
    if kind == "Seq Scan" and not stops:
        yield node["Relation Name"]
    below = kind == "Limit" or (stops and kind not in {"Sort", "Aggregate", "Hash"})
    for one in node.get("Plans", ()):
        yield from _sequential(one, stops=below)
