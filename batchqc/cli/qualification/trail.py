"""Operation: the audit trail, and what somebody finds who changes records behind it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from batchqc.actions.verification import verify_audit_trail
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Story
from batchqc.cli.qualification.lots import COMPLIES
from batchqc.cli.qualification.protocol import Doing, Finding, counted, failed, held
from batchqc.cli.qualification.undone import problems_of, refusal_of, undone, unguard
from batchqc.records.audit import AuditEntry
from batchqc.records.transaction import reading

_REFUSED = "append-only"
_CHANGES = (
    "UPDATE measurement SET value = '99.9' WHERE id = 1",
    "DELETE FROM measurement WHERE id = 1",
    "UPDATE audit_entry SET text = '{}' WHERE id = 1",
    "DELETE FROM audit_entry WHERE id = 1",
)


@dataclass(frozen=True, slots=True)
class Trail:
    """The audit trail of the scratch installation."""

    story: Story

    def doings(self) -> dict[str, Doing]:
        """The checks of this section, by id."""
        return {
            "OQ-AU-01": self._verifies,
            "OQ-AU-02": self._refuses,
            "OQ-AU-03": self._changed,
            "OQ-AU-04": self._removed,
            "OQ-AU-05": self._says,
        }

    def _verifies(self) -> Finding:
        with reading(self.story.place.engine) as session:
            found = verify_audit_trail(session, self.story.place.archive)
        head = found.head.sha256 if found.head else ""
        told = f"{found.entries} entries, head {head[:16]}…; {len(found.problems)} problems."
        return held(bool(head) and not found.problems, told, [head, *found.problems])

    def _refuses(self) -> Finding:
        lines = []
        for statement in _CHANGES:
            said = refusal_of(self.story.place.engine, statement)
            lines.append((statement, "refused", "refused" if _REFUSED in said else said or "taken"))
        return counted(lines)

    def _changed(self) -> Finding:
        def change(connection: Connection) -> None:
            unguard(connection, "measurement")
            connection.exec_driver_sql(_CHANGES[0])

        return self._seen(change, ("table measurement can be changed", "measurements"))

    def _removed(self) -> Finding:
        def remove(connection: Connection) -> None:
            unguard(connection, "audit_link")
            connection.exec_driver_sql("DELETE FROM audit_link WHERE sequence = 20")

        return self._seen(remove, ("table audit_link can be changed", "entry 20 is missing"))

    def _seen(self, change: Callable[[Connection], None], words: Sequence[str]) -> Finding:
        """Whether the verification says so, once something was changed."""
        with undone(self.story.place.engine) as connection:
            change(connection)
            problems = problems_of(connection, self.story.place.archive)
        missed = [word for word in words if not any(word in one for one in problems)]
        told = f"{len(problems)} problems: {'; '.join(problems[:3])}."
        return held(bool(problems) and not missed, told, {"problems": problems, "missed": missed})

    def _says(self) -> Finding:
        with reading(self.story.place.engine) as session:
            query = select(AuditEntry.text).where(AuditEntry.what == "lot released")
            texts = list(session.scalars(query))
        if not texts:
            return failed("No entry says that a lot was released.")
        entry = json.loads(texts[0])
        lines = [
            ("who", cast.RELEASER, entry["who"]),
            ("role", "QA", entry["role"]),
            ("offset from UTC in minutes", "420", str(entry["offset_minutes"])),
            ("why", "Complies with its specification", entry["why"]),
            ("of which lot", "yes", "yes" if f"lot:{COMPLIES}" in entry["subjects"] else "no"),
            ("when", "UTC", "UTC" if entry["at"].endswith("Z") else entry["at"]),
            ("records with their hashes", "yes", "yes" if entry["records"] else "no"),
        ]
        return counted(lines)
