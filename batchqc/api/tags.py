"""Strong ETags: what was seen is compared with what is so, inside the transaction that decides.

A tag holds the state's hash, and the place in the audit trail at which it was seen. Only the hash
is compared with what is decided on; the place serves to tell what changed since. The tag of an
answer also holds the beginning of its own hash: more may stand in it than a decision rests on, and
who has it already has all of it.
"""

import json
import re
from hashlib import sha256
from typing import Any, Final

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from batchqc.actions.states import Contested, State
from batchqc.errors import InvalidInput, Outdated
from batchqc.records.audit import newest_about, newest_link
from batchqc.records.transaction import Transaction

_TAG: Final = re.compile(r'"([0-9]{1,15})-([0-9a-f]{64})(?:-([0-9a-f]{16}))?"')
_ANY: Final = "*"
_TOLD: Final = 10
#: What OpenAPI says of an answer that has a tag.
TAGGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            "ETag": {
                "description": "Send it as `If-Match` with a decision, or as `If-None-Match`.",
                "schema": {"type": "string"},
            }
        }
    },
    304: {"description": "It is as the ETag in `If-None-Match` says"},
}


def tag_of(session: Session, state: State) -> str:
    """The ETag of a state, as it is seen now."""
    newest = newest_link(session)
    return f'"{newest.sequence if newest else 0}-{state.sha256}"'


def tagged(if_none_match: str, session: Session, state: State, body: BaseModel) -> Response:
    """An answer with its ETag; 304 without a body to who has it already."""
    told = body.model_dump_json()
    own = sha256(told.encode()).hexdigest()[:16]
    tag = f'{tag_of(session, state)[:-1]}-{own}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if (state.sha256, own) in {(of, whole) for _, of, whole in _TAG.findall(if_none_match)}:
        return Response(status_code=304, headers=headers)
    return Response(told, media_type="application/json", headers=headers)


def check_unchanged(tx: Transaction, if_match: str, of: Contested | None) -> None:
    """Hold what is decided on, and refuse where it is not as the person saw it.

    Raises:
        InvalidInput: the header is no list of strong tags, or the request decides on nothing that
            has one.
        Outdated: with what changed since, newest first.
    """
    if of is None:
        raise InvalidInput("BQC-API-021", "this request is not compared with any If-Match")
    of.hold(tx)
    state = of.state(tx.session)
    if if_match.strip() == _ANY:
        return
    tags = [_TAG.fullmatch(one.strip()) for one in if_match.split(",")]
    seen = {tag[2]: int(tag[1]) for tag in tags if tag is not None}
    if len(tags) != sum(tag is not None for tag in tags):
        raise InvalidInput(
            "BQC-API-022",
            "If-Match is not an ETag as this system gives it",
            hint="Send the ETag of the answer that was looked at, in its quotation marks.",
        )
    if state.sha256 not in seen:
        raise Outdated(
            "BQC-API-020",
            "this is not any more as you saw it; nothing was changed",
            reasons=_changes(tx.session, state, max(seen.values())),
            hint="Look at it again, then decide with the new ETag.",
        )


def _changes(session: Session, state: State, sequence: int) -> list[str]:
    """What was done since about the records of a state, in words, newest first."""
    told = []
    for entry in newest_about(session, state.subjects, after=sequence, limit=_TOLD):
        body = json.loads(entry.text)
        when = body["at"][:19].replace("T", " ")
        told.append(f"{when}Z {body['who']} ({body['role']}): {body['what']}")
    return told or ["a register, a rule, a method, another version or the day is not the same"]
