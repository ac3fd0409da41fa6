"""Documents that are imported, approved by a second person, and never edited: what all have alike.

A kind says how its versions are read, and which acts lead from one state to the next. The pages
over it are the same for every kind.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from fastapi import Response
from sqlalchemy.orm import Session

from batchqc.actions.received import ReceivedFile
from batchqc.actions.states import Contested
from batchqc.api.doors import Call, Door
from batchqc.core.effectivity import State, state_of_approved
from batchqc.core.permissions import WHO_MAY, Permission, Role, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.documents.spec_keys import SpecProblem
from batchqc.errors import NotFound
from batchqc.records.signatures import SignatureRow
from batchqc.web.calls import Form
from batchqc.web.navigation import gettext_later as _

Sender: TypeAlias = Callable[[Call, str, str, Form], Response]
"""Does an act with a version, by its id and the text of its version."""


@dataclass(frozen=True, slots=True)
class Line:
    """A version in a list; what it does not have is blank or ``None``."""

    id: str
    version: str
    title: str
    state: State
    sha256: str
    imported_by: str
    imported_at: datetime
    about: str = ""
    effective: date | None = None
    approved_by: str = ""
    approved_at: datetime | None = None

    @property
    def reference(self) -> str:
        """Id and version as people write it."""
        return f"{self.id} v{self.version}"


@dataclass(frozen=True, slots=True)
class Step:
    """What was done with a version, by the name of its act, and the signature, if there is one."""

    act: str
    what: str
    who: str
    at: datetime
    signature: SignatureRow | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of what a document says."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Detail:
    """A version as it is read: its line, what was done, and what it says."""

    line: Line
    steps: Sequence[Step]
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()
    remarks: Sequence[str] = ()
    product: str = ""
    template: str = "controlled_document.html"


@dataclass(frozen=True, slots=True)
class Act:
    """What leads a version on; ``meaning`` is ``None`` of what is not signed.

    ``title``, ``says``, ``button``, ``busy`` and ``did`` are its words.
    """

    name: str
    permission: Permission
    title: str
    says: str
    button: str
    busy: str
    did: str
    send: Sender
    meaning: Meaning | None = None
    asks_day: bool = False

    @property
    def roles(self) -> list[Role]:
        """Who may do it."""
        return sorted(WHO_MAY[self.permission])


@dataclass(frozen=True, slots=True)
class Asked:
    """What an act is about to do with a version.

    Args:
        facts: what stands over the signature.
        record: SHA-256 of exactly what is signed; blank of what is not.
        obstacles: why this person cannot do it now, all of it.
        more: for the template ``part``, and hidden fields of the form under ``hidden``.
    """

    facts: Sequence[tuple[str, str]]
    record: str
    obstacles: Sequence[str] = ()
    part: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document; ``path`` is its place, ``table`` that of its versions."""

    path: str
    table: str
    one: str
    many: str
    about: str
    importing: Permission
    detail: Callable[[Session, Door, str, str], Detail]
    problems: Callable[[bytes, str], Sequence[SpecProblem]]
    add: Callable[[Call, ReceivedFile], Response]
    acts: Mapping[State, Act]
    asked: Callable[[Session, Call, Act, Detail], Asked]
    contested: Callable[[str, str, datetime], Contested] | None = None

    def key_of(self, line: Line) -> str:
        """The key of a version, which its signatures name."""
        return f"{self.table}:{line.id}/{line.version}"

    @property
    def authors(self) -> list[Role]:
        """Who may import one."""
        return sorted(WHO_MAY[self.importing])


def numbered(text: str) -> int:
    """The number of a version.

    Raises:
        NotFound: BQC-WEB-050 it is none.
    """
    if not text.isdecimal() or not text.isascii() or len(text) > 9:
        raise NotFound("BQC-WEB-050", f'"{text}" is no number of a version')
    return int(text)


def obstacles_of(call: Call, line: Line, act: Act) -> list[str]:
    """What everybody can see that keeps this person from an act; the action knows the rest."""
    found = []
    if not is_permitted(call.person.roles, act.permission):
        found.append(f"your role does not allow it: {', '.join(act.roles)} may")
    if act.name == "approval" and line.imported_by == call.person.user_id:
        found.append(f"you imported {line.reference}; a second person approves it")
    return found


def asked_plainly(session: Session, call: Call, act: Act, detail: Detail) -> Asked:
    """An act over the bytes of a version, which its signature binds."""
    del session
    line = detail.line
    facts = [(name, text) for name, text in detail.facts if text]
    return Asked(facts, line.sha256, obstacles_of(call, line, act))


@dataclass(frozen=True, slots=True)
class Dated:
    """An approved version that applies from a date; its kind is never withdrawn."""

    id: int
    effective: date
    withdrawn_from: date | None = None


def states_by_date(
    rows: Iterable[tuple[int, str, str]], approved: Container[int], today: date
) -> Mapping[int, State]:
    """How each version stands where the newest that applies counts, by the id of its row.

    Args:
        rows: id of the row, what it is a version of, and from which date it applies.
        approved: ids of the rows that are approved.
        today: a date of the site.
    """
    found: dict[int, State] = {}
    dated: dict[str, list[Dated]] = defaultdict(list)
    for row, name, effective in rows:
        found[row] = State.IN_REVIEW
        if row in approved:
            dated[name].append(Dated(row, date.fromisoformat(effective)))
    for versions in dated.values():
        found |= {one.id: state_of_approved(one, versions, today) for one in versions}
    return found


def approval(permission: Permission, says: str, send: Sender) -> Act:
    """The signed approval by a second person."""
    return Act(
        name="approval",
        permission=permission,
        title=_("Approve %(reference)s"),
        says=says,
        button=_("Sign and approve"),
        busy=_("Signing"),
        did=_("Signed: %(reference)s is approved."),
        send=send,
        meaning=Meaning.APPROVED,
    )


def submission(permission: Permission, says: str, send: Sender) -> Act:
    """A draft is given up for review; nothing is signed."""
    return Act(
        name="submission",
        permission=permission,
        title=_("Submit %(reference)s for review"),
        says=says,
        button=_("Submit for review"),
        busy=_("Submitting"),
        did=_("%(reference)s is in review."),
        send=send,
    )


def withdrawal(permission: Permission, says: str, send: Sender, *, asks_day: bool = False) -> Act:
    """The signed withdrawal of what is approved."""
    return Act(
        name="withdrawal",
        permission=permission,
        title=_("Withdraw %(reference)s"),
        says=says,
        button=_("Sign and withdraw"),
        busy=_("Signing"),
        did=_("Signed: %(reference)s is withdrawn."),
        send=send,
        meaning=Meaning.WITHDRAWN,
        asks_day=asks_day,
    )


_IMPORTED: Final = _("%(reference)s is imported. It decides nothing until it is approved.")


def told(kind: Kind, found: Detail, did: str) -> str:
    """What a page says of what was done before it; "" where that is not on record."""
    if did == "import":
        return _IMPORTED
    done = {one.act for one in found.steps}
    return next((one.did for one in kind.acts.values() if one.name == did and did in done), "")
