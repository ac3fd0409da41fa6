"""When a certificate was sealed, whether its seal was good then, and how it stands now.

Three things prove a time: a timestamp over a seal, a timestamp over the whole document, and the
timestamp of a checkpoint of the log in which the issue is an entry. An outer timestamp is judged
now, and what it covers at the time that it proves.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from asn1crypto import x509

from batchqc.documents.verifier.case import Case
from batchqc.documents.verifier.chains import (
    Path,
    check_validity,
    path_to_root,
    read_roots,
    said_name,
)
from batchqc.documents.verifier.containers import all_certificates
from batchqc.documents.verifier.findings import Failed, Unexamined, demand
from batchqc.documents.verifier.increments import evidence_in
from batchqc.documents.verifier.proofs import Stated, check_issue, check_standing, read_json
from batchqc.documents.verifier.revocation import Standing, read_evidence, standing_of
from batchqc.documents.verifier.signed_log import LogKey, moment_of, read_log_keys
from batchqc.documents.verifier.tokens import Stamp, read_stamp, token_in

_SKEW: Final = timedelta(minutes=10)
_PDF_DATE: Final = re.compile(r"D:(\d{14})(?:Z|([+-]\d\d)'(\d\d)'?)")
# Somebody else could sign: of what, and since when, nobody knows for sure.
_COMPROMISED: Final = {"key_compromise", "ca_compromise", "aa_compromise"}


def find_evidence(case: Case) -> None:
    """What came with the file to be judged by, and what whoever asks gave, can be read."""
    kept = evidence_in(case.parts.file)
    certificates = [x509.Certificate.load(one, strict=True) for one in kept["Certs"]]
    case.known = (*all_certificates(case.seals), *certificates)
    case.evidence = read_evidence([*kept["CRLs"], *case.question.crls], kept["OCSPs"])


def check_issuers(case: Case) -> None:
    """The root vouches for each seal, directly or through authorities."""
    case.paths = tuple(
        path_to_root(seal.certificate, case.known, case.roots) for seal in case.seals
    )


def check_timestamps(case: Case) -> str:
    """Every timestamp of the file is by a service that is trusted, over what it is about."""
    tokens = [seal for seal in case.seals if seal.timestamp]
    if not tokens and not case.parts.timestamps:
        raise Unexamined("the file bears no timestamp")
    if not case.question.tsa_roots:
        raise Unexamined("the file bears timestamps: give the root of their service (--tsa-root)")
    moment = case.question.at
    for one in reversed(case.parts.timestamps):
        moment = _stamp(case, one.cms, one.signed, moment).at
        case.proves(moment)
    for seal in tokens:
        stamp = _stamp(case, seal.timestamp, seal.signature, moment)
        case.seal_times += (stamp.at,)
    for sealed in _whole(case):
        case.proves(sealed)
    first = min([case.proven_at, *case.seal_times])
    return f"{len(tokens) + len(case.parts.timestamps)}, the first of {_utc(first)}"


def _whole(case: Case) -> list[datetime]:
    """When the last seal was stamped: a stamp on one before it does not tell of the last."""
    return [max(case.seal_times)] if case.seal_times and case.seals[-1].timestamp else []


def _stamp(case: Case, token: bytes, data: bytes, moment: datetime) -> Stamp:
    """A timestamp that held at a moment."""
    roots = read_roots(case.question.tsa_roots)
    found = read_stamp(token, data, pool=case.known, roots=roots)
    demand(found.at <= moment + _SKEW, f"a timestamp is of {_utc(found.at)}, which is later")
    end = min(one.not_valid_after for one in found.path)
    demand(
        moment <= end or found.at > end,
        f"{said_name(found.path[0])}, which says that it was there on {_utc(found.at)}, ran out on "
        f"{end:%Y-%m-%d} and nothing renewed it: it proves no time any more; "
        "that is no sign of a change",
    )
    check_validity(found.path, max(found.at, moment))
    check_validity(found.path, found.at)
    for one in _standings(case, found.path, moment):
        if one.revoked_at and (one.revoked_at <= moment or one.reason in _COMPROMISED):
            raise Failed(f"the timestamp service was revoked on {_utc(one.revoked_at)}")
    return found


def check_log(case: Case) -> str:
    """The issue of this document, with this content, is an entry of the log."""
    asked, keys = case.question, _log_keys(case)
    if case.recipient:
        raise Unexamined("the log proves the certificate, and this is a rendition of it")
    found = check_issue(
        _proof(case),
        keys,
        number=case.number,
        documents=case.documents,
        content=case.content_sha256,
    )
    before = case.told.get("log", {"size": 0, "origin": found.origin})
    demand(before["origin"] == found.origin, "the content names another log")
    demand(before["size"] < found.sequence, "the content names a log that is later than its issue")
    said = f"entry {found.sequence} of {found.origin}, in its checkpoint of {found.size} entries"
    case.log_time = found.signed_at
    if not found.answer:
        said += f", signed {_utc(found.signed_at)}"
    elif not asked.tsa_roots:
        said += "; its timestamp needs --tsa-root"
    else:
        stamp, holds = _stamp_of_log(case, found.answer, found.note)
        demand(found.signed_at <= stamp.at + _SKEW, "the checkpoint is dated after its timestamp")
        case.log_time = stamp.at
        said += f", which was there on {_said_by(stamp, holds=holds)}"
    if found.later and found.later[1] and asked.tsa_roots:
        note, answer = found.later
        stamp, holds = _stamp_of_log(case, answer, note)
        said += f"; it was there on {_said_by(stamp, holds=holds)}"
    stamped = case.log_time if found.answer and asked.tsa_roots else None
    demand(
        not found.lost or (stamped is not None and stamped <= found.lost),
        "its checkpoint is signed with a key that was reported lost, and no timestamp shows that it"
        " was there before: ask the site for a new proof",
    )
    case.issue = found
    return said


def _stamp_of_log(case: Case, answer: bytes, note: bytes) -> tuple[Stamp, bool]:
    """The timestamp of a checkpoint, and whether it still holds.

    Nothing renews it. One whose service ran out since proves no time any more; the entry is in the
    log as it was.
    """
    token, roots = token_in(answer), read_roots(case.question.tsa_roots)
    path = read_stamp(token, note, pool=case.known, roots=roots).path
    end = min(one.not_valid_after for one in path)
    stamp, holds = _stamp(case, token, note, min(end, case.question.at)), case.question.at <= end
    if holds:
        case.proves(stamp.at)
    return stamp, holds


def _said_by(stamp: Stamp, *, holds: bool) -> str:
    ran_out = "" if holds else ", which ran out since and proves no time any more"
    return f"{_utc(stamp.at)} as {said_name(stamp.path[0])} says{ran_out}"


def _log_keys(case: Case) -> tuple[LogKey, ...]:
    if not case.question.proofs:
        raise Unexamined("no proof from the log was given (--proof)")
    if not case.question.log_keys:
        raise Unexamined("a proof needs the public keys of the log (--log-key)")
    return read_log_keys(case.question.log_keys)


def _proof(case: Case) -> Mapping[str, Any]:
    """The newest of the given proofs that is about this certificate."""
    return _proofs(case)[-1]


def _proofs(case: Case) -> Sequence[Mapping[str, Any]]:
    """The given proofs that are about this certificate."""
    given = map(read_json, case.question.proofs)
    found = [one for one in given if isinstance(one, dict)]
    mine = [one for one in found if one.get("certificate") == case.number]
    demand(bool(mine), f"no given proof is about certificate {case.number}")
    return mine


def check_time(case: Case) -> str:
    """What the document says of its time agrees with what others prove."""
    said = sorted(_said(case))
    first, last = said[0], said[-1]
    demand(last <= case.question.at + _SKEW, f"it says that it was sealed on {_utc(last)}: not yet")
    there = [*case.seal_times, *([case.earliest] if case.earliest else [])]
    if there:
        demand(last <= min(there) + _SKEW, f"it was there before {_utc(last)}, when it says")
    proven = [*_whole(case), *([case.log_time] if case.log_time else [])]
    if not proven:
        since = f"; it was there on {_utc(case.earliest)}" if case.earliest else ""
        raise Unexamined(f"by its own word it was sealed on {_utc(first)}{since}")
    shown = min(proven)
    if case.issue is not None:
        demand(case.issue.at <= case.issue.signed_at + _SKEW, "its entry is later than the log")
        demand(last <= case.issue.at + _SKEW, "it says that it was sealed after its issue")
        shown = max(shown, case.issue.at)
    if shown - first > case.question.late:
        raise Failed(
            f"it says that it was sealed on {_utc(first)}, and is first proven on {_utc(shown)}, "
            f"{(shown - first).days} days later: back-dated, or sealed late (--late)"
        )
    return f"it says {_utc(first)}, and was there on {_utc(shown)} at the latest"


def check_period(case: Case) -> str:
    """The seals' certificates were valid when they are proven to have been there."""
    for path in case.paths:
        check_validity(path, case.proven_at)
    how = "when it is proven to have been there" if case.earliest else "now"
    return f"seal and root were valid on {case.proven_at:%Y-%m-%d}, {how}"


def check_revocation(case: Case) -> str:
    """Nobody says that a seal's certificate was taken back before the seal was made."""
    moment, oldest = case.proven_at, list[datetime]()
    revoked = list[str]()
    for path in case.paths:
        said = list(_standings(case, path, case.question.at))
        revoked += [_revoked(one, case) for one in said if one.revoked_at]
        good = [one.said_at for one in said if one.until is None or one.until >= moment]
        oldest += [max(good)] if good else []
    if revoked:
        return f"{revoked[0]}; it was there before, on {_utc(moment)}"
    if len(oldest) < len(case.paths):
        raise Unexamined("no revocation list of the issuer is in the file or was given (--crl)")
    return f"not revoked, as was said on {_utc(min(oldest))}"


def _revoked(one: Standing, case: Case) -> str:
    """That a seal was revoked, where it is proven to have been there before.

    Of a key that somebody else had, a timestamp is not enough: the site must have issued it.
    """
    since = one.revoked_at or case.question.at
    why = f" ({one.reason.replace('_', ' ')})" if one.reason else ""
    said = f"the seal was revoked on {_utc(since)}{why}"
    if case.earliest is None and case.issue is not None and case.issue.at < since:
        said += f"; the log has its issue of {_utc(case.issue.at)}, before that, by its own word"
    demand(case.earliest is not None and case.earliest < since, said)
    issued = one.reason not in _COMPROMISED or case.issue is not None
    demand(issued, f"{said}: only its entry in the log shows that the site issued it (--proof)")
    return said


def check_status(case: Case) -> str:
    """It counts: no statement, in whatever order they were given, says that it ended."""
    said = list[Stated]()
    if case.question.proofs and case.question.log_keys:
        keys, documents = _log_keys(case), [] if case.recipient else case.documents
        for proof in _proofs(case):
            one = check_standing(proof, keys, number=case.number, documents=documents)
            said += [one] if one else []
    if not said:
        issued = case.told.get("issued", {}).get("shown", "unknown")
        raise Unexamined(
            f"as of the file's own date, {issued}; a newer proof tells what came since"
        )
    # What ended never counts again: of statements that differ, the one that tells its end holds.
    found = max(said, key=lambda one: (one.standing != "counts", one.at))
    demand(found.at <= case.question.at + _SKEW, "the statement on its status is of a later date")
    demand(found.standing == "counts", f"{found.standing}, as was stated on {_utc(found.at)}")
    return f"it counted on {_utc(found.at)}, when the log had {found.size} entries"


def _standings(case: Case, path: Path, at: datetime) -> Iterator[Standing]:
    """What is said about the first certificate of a path, and that no authority was taken back."""
    for certificate, issuer in pairwise(path[1:]):
        said = standing_of(certificate, issuer, case.evidence, at=at)
        yield from (one for one in said if one.revoked_at)
    yield from standing_of(path[0], path[1], case.evidence, at=at)


def _said(case: Case) -> Iterator[datetime]:
    """The times that the document states: of each seal, and in its data."""
    for one in case.fields[: len(case.seals)]:
        found = _PDF_DATE.fullmatch(one.made)
        if not found:
            raise Failed(f"{one.name} does not say when it was made")
        zone = f"{found[2]}:{found[3]}" if found[2] else "+00:00"
        yield moment_of(f"{found[1][:8]}T{found[1][8:]}{zone}")
    if case.told:
        made = case.told["rendition"]["made"] if case.recipient else case.told["issued"]
        yield moment_of(made["utc"])


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
