"""A life that was lived, turned into a pattern from which another lot's life is written.

What people's acts wrote of one lot is text with names in it: ids, numbers, times, values, and the
hashes of further such texts. Each is marked in it; another lot's names put in their place, and
each hash taken anew over its text, are what the same acts write of that lot. Nothing is known here
of what the texts mean.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Final

from batchqc.cli.simulate_cast import SimulatedLot
from batchqc.cli.simulate_lived import SERIES, Lived

Env = dict[str, object]
DOCUMENT, LOG_ROOT, LOG_SIZE = "document", "log root", "#log size"
_MARK: Final = re.compile("\ue000([^\ue001]*)\ue001")
_NUMBER_MARK: Final = re.compile('"(\ue000#[^\ue001]*\ue001)"')
_HASH: Final = "(?P<hash>[0-9a-f]{64})"
_TIME: Final = (
    r"(?P<time>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{6})?)?(?:Z|\+00:00| \+0000)?)?)"
)
_FORMS: Final = {
    27: "%Y-%m-%dT%H:%M:%S.%fZ",
    25: "%Y-%m-%dT%H:%M:%S+00:00",
    22: "%Y-%m-%d %H:%M +0000",
    10: "%Y-%m-%d",
}
_SERIES: Final = {series: kind.__tablename__ for series, kind in SERIES.items()}
_PUBLIC: Final = rf"(?P<series>{'|'.join(SERIES)})-(?P<year>\d{{4}})-(?P<number>\d{{6}})"
_ATTEMPT: Final = r"(?P<attempt>attempt:(?P<person>[a-z.]+)/)(?P<nth>\d+)"
_PLACES: Final = {"sequence", "from", "to", "audit", "read"}
_LONGEST: Final = timedelta(days=701)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with marks, ready to be filled."""

    format: str
    keys: tuple[str, ...]

    @classmethod
    def of(cls, marked: str) -> "Template":
        """From a text with marks."""
        text = _MARK.sub("%s", marked.replace("%", "%%"))
        return cls(text, tuple(_MARK.findall(marked)))

    def filled(self, env: Env) -> str:
        """The text with names in it."""
        return self.format % tuple([env[key] for key in self.keys])


@dataclass(slots=True)
class Pattern:
    """How to write the life of another lot: steps in their order, then rows of keys.

    Args:
        constants: what is the same in every life.
        times: keys of moments and days, with their distance from the beginning and their form.
        steps: key and template of each text; those of hashed texts begin with ``x:``.
        rows: for each table its columns, and what picks the values of each row.
        objects: keys of the texts that lie in the store.
        content: key of what the certificate says, or "".
        head: key of the hash of the last link of the chain.
        counts: how many numbers of each kind a life takes.
    """

    constants: Env = field(default_factory=dict)
    times: dict[str, tuple[timedelta, str]] = field(default_factory=dict)
    steps: list[tuple[str, Template]] = field(default_factory=list)
    rows: dict[str, tuple[tuple[str, ...], list[Callable[[Env], tuple[object, ...]]]]] = field(
        default_factory=dict
    )
    objects: list[str] = field(default_factory=list)
    content: str = ""
    head: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def written(self, env: Env, one: SimulatedLot) -> Env:
        """Every key with its value, for a lot; ``env`` holds the numbers that it takes."""
        env |= self.constants
        env["token"] = one.token
        for analyte, value in one.values.items():
            env[f"v:{analyte}"] = value
        for key, (after, form) in self.times.items():
            env[key] = (one.begins + after).strftime(form)
        for key, template in self.steps:
            env[key] = text = template.filled(env)
            if key.startswith("x:"):
                data = text.encode()
                env["h" + key[1:]] = hashlib.sha256(data).hexdigest()
                env["#s" + key[1:]] = len(data)
        return env


class Weaver:
    """Makes the pattern of one life."""

    def __init__(self, lived: Lived, one: SimulatedLot) -> None:
        self._lived, self._one = lived, one
        self._pattern = Pattern()
        self._names = {value: f"v:{key}" for key, value in one.values.items() if "." in value}
        self._names[one.token] = "token"
        self._head = lived.rows["audit_link"][0]["previous"]
        self._texts = lived.texts()
        names = "|".join(re.escape(one) for one in sorted(self._names, key=len, reverse=True))
        self._finder = re.compile(f"{_HASH}|{_PUBLIC}|{_ATTEMPT}|{_TIME}|(?P<name>{names})")
        self._first = {
            kind: min((int(str(row["number"])) for row in lived.rows.get(kind, ())), default=0)
            for kind in _SERIES.values()
        }
        self._attempts = lived.first_attempts()
        self._done: set[str] = set()

    def woven(self) -> Pattern:
        """The pattern."""
        for table, rows in self._lived.rows.items():
            columns = tuple(rows[0])
            pickers: list[Callable[[Env], tuple[object, ...]]] = []
            for row in rows:
                keys = [self._cell(table, column, row) for column in columns]
                pickers.append(itemgetter(*keys))
            self._pattern.rows[table] = (columns, pickers)
        for sha in self._lived.objects:
            if sha != self._lived.document:
                self._text_of(sha)
                self._pattern.objects.append(f"x:{sha}")
        certificates = self._lived.rows.get("certificate", ())
        if certificates:
            self._pattern.content = f"x:{certificates[0]['content_sha']}"
        self._pattern.head = self._hash_key(str(self._lived.rows["audit_link"][-1]["sha256"]))
        self._pattern.counts = self._lived.counts()
        return self._pattern

    def _cell(self, table: str, column: str, row: Mapping[str, object]) -> str:
        """The key of a cell."""
        value = row[column]
        if table == "certificate_text" and column == "words":
            return "words"
        if column == "text" and table == "audit_entry":
            return self._text_of(str(row["sha256"]))
        if isinstance(value, int):
            return self._number(table, column, value, row) or self._constant(value)
        return self._constant(value) if value is None else self._string(str(value))

    def _number(self, table: str, column: str, value: int, row: Mapping[str, object]) -> str:
        """The key of a number that differs between lives, or ""."""
        lived = self._lived
        referred = "id" if column == "id" else lived.referred(table, column)
        if referred:
            whose = table if column == "id" else referred
            base = lived.before.get(whose, 0)
            return f"#i:{whose}:{value - base}" if value > base else ""
        if column == "size":
            return self._size(str(row.get("document_sha") or row["sha256"]))
        if table in _SERIES.values() and column in {"year", "number"}:
            return "#year" if column == "year" else f"#n:{table}:{value - self._first[table]}"
        if table == "attempt" and column == "number":
            person = lived.people[int(str(row["person_id"]))]
            return f"#a:{person}:{value - self._attempts[person]}"
        if (table, column) == ("event", "number"):
            return f"#e:{value - lived.first_event}"
        is_place = (table, column) in lived.PLACES
        return f"#q:{value - lived.first_sequence}" if is_place else ""

    def _size(self, sha: str) -> str:
        if sha == self._lived.document:
            return f"#{DOCUMENT} size"
        self._text_of(sha)
        return f"#s:{sha}"

    def _string(self, value: str) -> str:
        marked = self._marked(value)
        if marked == value:
            return self._constant(value)
        whole = _MARK.fullmatch(marked)
        if whole:
            return whole[1]
        key = f"m:{marked}"
        if key not in self._done:
            self._done.add(key)
            self._pattern.steps.append((key, Template.of(marked)))
        return key

    def _constant(self, value: object) -> str:
        key = f"c:{value!r}"
        self._pattern.constants[key] = value
        return key

    def _text_of(self, sha: str) -> str:
        """The key of a hashed text; what it holds comes before it."""
        key = f"x:{sha}"
        if key not in self._done:
            self._done.add(key)
            text, row, table = self._texts[sha]
            own = {
                name: self._number(table, name, value, row)
                for name, value in (row or {}).items()
                if row is not None and isinstance(value, int)
            }
            marked = self._marked_json(text, own) if text[:1] == "{" else self._marked(text)
            self._pattern.steps.append((key, Template.of(marked)))
        return key

    def _marked_json(self, text: str, numbers: Mapping[str, str]) -> str:
        """A canonical text; ``numbers`` are keys of its own integers by name."""

        def walk(value: object, name: str) -> object:
            match value:
                case str():
                    return self._marked(value)
                case int() if not isinstance(value, bool):
                    return self._marked_number(value, name, numbers)
                case list():
                    return [walk(one, name) for one in value]
                case dict():
                    return {self._marked(key): walk(one, key) for key, one in value.items()}
                case _:
                    return value

        marked = json.dumps(
            walk(json.loads(text), ""), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        return _NUMBER_MARK.sub(r"\1", marked)

    def _marked_number(self, value: int, name: str, numbers: Mapping[str, str]) -> object:
        first, last = self._lived.first_sequence, self._lived.last_sequence
        if key := numbers.get(name):
            return f"\ue000{key}\ue001"
        if (name, value) == ("size", self._lived.log[1]):
            return f"\ue000{LOG_SIZE}\ue001"
        is_place = name in _PLACES and first <= value <= last
        return f"\ue000#q:{value - first}\ue001" if is_place else value

    def _marked(self, text: str) -> str:
        return self._finder.sub(self._mark, text)

    def _mark(self, found: re.Match[str]) -> str:
        key = self._key(found)
        before = found["attempt"] or ""
        return f"{before}\ue000{key}\ue001" if key else found[0]

    def _key(self, found: re.Match[str]) -> str:
        if found["hash"]:
            return self._hash_key(found["hash"])
        if found["series"]:
            kind = _SERIES[found["series"]]
            nth = int(found["number"]) - self._first[kind]
            return f"p:{found['series']}:{nth}" if 0 <= nth < self._lived.many(kind) else ""
        if found["attempt"]:
            first = self._attempts.get(found["person"], 0)
            nth = int(found["nth"]) - first
            return f"#a:{found['person']}:{nth}" if first and nth >= 0 else ""
        return self._time_key(found["time"]) if found["time"] else self._names[found["name"]]

    def _hash_key(self, sha: str) -> str:
        if sha == self._lived.document:
            return DOCUMENT
        if sha == self._head:
            return "head"
        if sha == self._lived.log[0]:
            return LOG_ROOT
        if sha not in self._texts:
            return ""
        self._text_of(sha)
        return f"h:{sha}"

    def _time_key(self, text: str) -> str:
        form = _FORMS[len(text)]
        if len(text) == len("2026-01-01"):
            after = timedelta(days=(date.fromisoformat(text) - self._one.begins.date()).days)
        else:
            moment = datetime.strptime(text, form).replace(tzinfo=self._one.begins.tzinfo)
            begins = self._one.begins.replace(second=0) if len(text) == 22 else self._one.begins
            after = moment - begins
        if not timedelta() <= after <= _LONGEST:
            return ""
        key = f"t:{after.total_seconds():.0f}:{form}"
        self._pattern.times[key] = (after, form)
        return key
