"""Installation: database, store, keys and clock, as they are; nothing is written."""

import re
import stat
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr
from sqlalchemy import Connection, make_url, select, text

from batchqc.actions.verification import verify_audit_trail
from batchqc.cli.qualification.protocol import Doing, Finding, failed, held, not_tested
from batchqc.cli.workplace import Workplace
from batchqc.core.canonical import Json, utc_text
from batchqc.documents.key_states import key_states
from batchqc.errors import BatchqcError
from batchqc.records.audit import AuditEntry
from batchqc.records.database import lacking_tables, newest_revision
from batchqc.records.database_check import hasty_settings
from batchqc.records.guards import OF_QUEUE, OF_USES, unguarded
from batchqc.records.schema import METADATA
from batchqc.records.transaction import reading
from batchqc.settings import Settings, bundled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OLDEST: Final = {"sqlite": (3, 37), "postgresql": (14, 0)}
_READ: Final = 100
_SECONDS: Final = 5
_WHO_CHANGES: Final = """
SELECT rolname, relname, word FROM pg_class
CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS word
CROSS JOIN (SELECT oid, rolname FROM pg_roles WHERE NOT rolsuper AND rolname !~ '^pg_'
            UNION ALL SELECT 0, 'PUBLIC') AS who
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND who.oid <> relowner
AND relname <> ALL(:queue)
AND CASE WHEN who.oid = 0
    THEN has_table_privilege('public', pg_class.oid, word)
        OR word = 'UPDATE' AND has_any_column_privilege('public', pg_class.oid, word)
    ELSE pg_has_role(who.oid, relowner, 'MEMBER')
        OR has_table_privilege(who.oid, pg_class.oid, word)
        OR word = 'UPDATE' AND has_any_column_privilege(who.oid, pg_class.oid, word) END
ORDER BY 1, 2, 3
"""
#: Folders and files that settings name, by name of the setting.
_PATHS: Final = (
    "seal", "root", "revocation_list", "token_module", "component_key", "log_key", "timestamp_root",
    "trust", "specification_folder", "witness",
)  # fmt: skip


def doings(place: Workplace) -> dict[str, Doing]:
    """The checks of this section, by id."""
    checks: dict[str, Callable[[Workplace], Finding]] = {
        "IQ-IN-01": _schema,
        "IQ-IN-02": _guards,
        "IQ-IN-03": _rights,
        "IQ-IN-04": _trail,
        "IQ-IN-05": _store,
        "IQ-IN-06": _keys,
        "IQ-IN-07": _settings,
        "IQ-IN-08": _clock,
        "IQ-IN-10": _disk,
    }
    return {name: partial(check, place) for name, check in checks.items()}


def database_of(place: Workplace) -> str:
    """Kind and version of the database, for the first page."""
    with reading(place.engine) as session:
        found = session.connection().dialect.server_version_info or ()
    return f"{_kind(place)} {'.'.join(map(str, found))}"


def _kind(place: Workplace) -> str:
    return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[place.engine.dialect.name]


def _schema(place: Workplace) -> Finding:
    with reading(place.engine) as session:
        connection = session.connection()
        version = tuple(connection.dialect.server_version_info or ())
        revision = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    newest, lacking = newest_revision(bundled("migrations")), lacking_tables(place.engine)
    new_enough = version >= _OLDEST[place.engine.dialect.name]
    told = f"{database_of(place)}; revision {revision}, newest {newest};"
    told += f" {len(METADATA.tables) - len(lacking)} of {len(METADATA.tables)} tables."
    return held(
        new_enough and revision == newest and not lacking,
        told + (f" Lacking: {', '.join(lacking)}." if lacking else ""),
        {"database": database_of(place), "revision": revision, "newest": newest,
         "tables": sorted(METADATA.tables), "lacking": lacking},
    )  # fmt: skip


def _guards(place: Workplace) -> Finding:
    with reading(place.engine) as session:
        open_ones = unguarded(session.connection())
    told = f"Without guard: {', '.join(open_ones)}." if open_ones else "Every table has its guards."
    return held(not open_ones, told, {"without guard": open_ones})


def _rights(place: Workplace) -> Finding:
    if place.engine.dialect.name == "sqlite":
        return _rights_of_file(Path(place.engine.url.database or ""))
    with reading(place.engine) as session:
        connection = session.connection()
        found = connection.execute(text(_WHO_CHANGES), {"queue": sorted(OF_QUEUE | OF_USES)})
        rights = [[str(cell) for cell in row] for row in found]
        me = str(connection.scalar(text("SELECT current_user")))
    told = f"{len(rights)} such rights of others than the owner." if rights else "Nobody else."
    said = f"{told} This was read as {me}."
    return held(not rights, said, {"rights": rights, "read as": me})


def _rights_of_file(path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    others = bool(mode & stat.S_IWOTH)
    who = "anybody on this machine may" if others else "nobody but its owner and group may"
    told = f"{path.name} has mode {mode:04o}: {who} write it."
    return held(not others, told, {"file": str(path), "mode": f"{mode:04o}"})


def _trail(place: Workplace) -> Finding:
    with reading(place.engine) as session:
        found = verify_audit_trail(session, place.archive)
    head = found.head.sha256 if found.head else ""
    told = f"{found.entries} entries, head {head[:16]}…; {len(found.problems)} problems."
    return held(
        not found.problems and bool(head),
        " ".join([told, *found.problems[:5]]),
        {"entries": found.entries, "head": head, "problems": list(found.problems)},
    )


def _store(place: Workplace) -> Finding:
    try:
        place.archive.check_own()
    except BatchqcError as problem:
        return failed(f"{problem.message}.", {"address": str(place.settings.store)})
    names = list(islice(place.archive.names(), _READ))
    wrong = []
    for name in names:
        try:
            place.archive.get(name)
        except BatchqcError as problem:
            wrong.append(problem.message)
    kind = type(place.archive).__name__
    told = f"{kind}, {place.settings.store}: {len(names) - len(wrong)} of {len(names)} files read."
    evidence: Json = {
        "kind": kind,
        "address": str(place.settings.store),
        "read": names,
        "wrong": wrong,
    }
    return held(not wrong, " ".join([told, *wrong[:5]]), evidence)


def _keys(place: Workplace) -> Finding:
    now = place.now()
    try:
        states = list(key_states(place.press.sealing, place.press.seal_key(), at=now))
    except BatchqcError as problem:
        return failed(f"The seal cannot be used: {problem.message}")
    rows: list[Mapping[str, Json]] = [
        {"what": one.what, "until": utc_text(one.until) if one.until else "",
         "days": one.days(now), "wrong": one.wrong}
        for one in states
    ]  # fmt: skip
    told = "; ".join(f"{one.what} {one.wrong or f'{one.days(now)} days'}" for one in states)
    return held(not any(one.is_due(now) for one in states), f"{told}.", rows)


def _settings(place: Workplace) -> Finding:
    shown = shown_settings(place.settings)
    named = [(name, getattr(place.settings, name)) for name in _PATHS]
    missing = [f"{name} {path}" for name, path in named if path is not None and not path.exists()]
    told = f"Missing: {', '.join(missing)}." if missing else f"{len(shown)} settings written down."
    return held(not missing, told, shown)


def shown_settings(settings: Settings) -> dict[str, Json]:
    """Every setting as text; a secret as whether there is one; an address without its password."""
    return {name: _shown(getattr(settings, name)) for name in sorted(type(settings).model_fields)}


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "given" if value.get_secret_value() else "none"
    return "none" if value is None else _without_password(str(value))


def _without_password(shown: str) -> str:
    if "://" not in shown:
        return shown
    if shown.startswith(("http", "s3")):
        return re.sub(r"://[^/]*@", "://***@", shown)
    bare = make_url(shown).difference_update_query(["password"])
    return bare.render_as_string(hide_password=True)


def _clock(place: Workplace) -> Finding:
    with reading(place.engine) as session:
        theirs = _database_time(session.connection())
        ours = place.now()
        newest = session.scalar(select(AuditEntry.at).order_by(AuditEntry.id.desc()).limit(1))
    if newest is None:
        return not_tested("The audit trail has no entry yet.")
    apart = abs((theirs - ours).total_seconds())
    told = (
        f"{utc_text(ours)} here, {apart:.1f} s from the database; newest entry {utc_text(newest)}."
    )
    return held(
        apart < _SECONDS and newest <= ours,
        told,
        {"here": utc_text(ours), "database": utc_text(theirs), "newest entry": utc_text(newest)},
    )


def _database_time(connection: Connection) -> datetime:
    if connection.dialect.name == "sqlite":
        said = connection.scalar(text("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"))
        return datetime.fromisoformat(str(said))
    found: datetime = connection.scalars(text("SELECT clock_timestamp()")).one()
    return found


def _disk(place: Workplace) -> Finding:
    found = hasty_settings(place.engine)
    told = f"It does not wait: {', '.join(found)}." if found else "It waits for its disk."
    return held(not found, told, {"does not wait by": found})
