"""Verifying certificates: a file that somebody received, by nobody in particular; or one on record.

One file is verified at a time, and few wait: whoever sends many keeps nobody from their work.
Nothing that is sent is stored. Whoever does not trust this server verifies offline.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from hashlib import sha256
from threading import BoundedSemaphore, Lock
from typing import Annotated, Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session

from batchqc.actions.certificate_proofs import prove_certificate
from batchqc.actions.certificate_renewals import newest_document
from batchqc.actions.certificate_verification import verify_file
from batchqc.actions.certificates import the_certificate
from batchqc.actions.looked_for import look_at_certificate
from batchqc.api.doors import Door, OpenDoor, SignedIn
from batchqc.api.errors import PROBLEMS
from batchqc.api.routes import PREFIX, Routes
from batchqc.api.verification_shapes import VerificationOut, verification_out
from batchqc.documents.bundle_kit import Anchors, read_anchors
from batchqc.documents.revocation import read_authority, signed_authority
from batchqc.documents.standalone import script
from batchqc.documents.verifier.case import Question
from batchqc.errors import (
    BatchqcError,
    Conflict,
    InvalidInput,
    NotFound,
    SigningUnavailable,
    StoreUnavailable,
)
from batchqc.records.log import key_lines
from batchqc.records.once import each_once
from batchqc.records.transaction import reading

router = Routes(PREFIX, tags=["certificates"], responses=PROBLEMS)

T = TypeVar("T")

LARGEST_FILE: Final = 10_000_000
_PLACES: Final = 8
_SECONDS: Final = 60


class Turns:
    """Few are let in, before they send anything; one of them is served at a time."""

    def __init__(self, places: int = _PLACES) -> None:
        """Let so many in, the one that is served among them."""
        self._places, self._one = BoundedSemaphore(places), Lock()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Be let in.

        Raises:
            Conflict: BQC-CRT-071 too many are in already.
        """
        if not self._places.acquire(blocking=False):
            raise Conflict(
                "BQC-CRT-071",
                "many files are being verified just now",
                hint="Try again in a moment, or verify it offline.",
            )
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn, and have it."""
        with self._one:
            yield


TURNS: Final = Turns()


async def in_time(sent: Awaitable[T]) -> T:
    """What is sent, where it is there within a minute: whoever is slow keeps others out.

    Raises:
        InvalidInput: BQC-CRT-070 it is not.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            return await sent
    except TimeoutError as error:
        raise InvalidInput(
            "BQC-CRT-070", "the file did not come within a minute", hint="Verify it offline."
        ) from error


async def _pdf(request: Request) -> AsyncIterator[bytes]:
    with TURNS.place():
        yield await in_time(_body(request))


async def _body(request: Request) -> bytes:
    """The file; above the limit its bytes are dropped as they come."""
    chunks, size = list[bytes](), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= LARGEST_FILE:
            chunks.append(chunk)
    check_size(size)
    return b"".join(chunks)


def check_size(size: int) -> None:
    """Refuse what is no file, or too large for a certificate.

    Raises:
        InvalidInput: BQC-CRT-070.
    """
    if not size:
        raise InvalidInput("BQC-CRT-070", "there is no file", hint="Send the PDF as you got it.")
    if size > LARGEST_FILE:
        raise InvalidInput(
            "BQC-CRT-070",
            f"the file has more than {LARGEST_FILE // 1_000_000} MB: no certificate is so large",
            hint="Send the PDF as you got it, or verify it offline.",
        )


@router.post(
    "/verification",
    summary="Verify a certificate that you received, without an account",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def verify(door: OpenDoor, pdf: Annotated[bytes, Depends(_pdf)]) -> VerificationOut:
    """Send the PDF as the body. Nothing is stored; nobody is told who asked."""
    return verified(door, pdf)


def verified(door: Door, pdf: bytes) -> VerificationOut:
    """Verify a file with what this site trusts; it waits for its turn.

    Raises:
        NotFound: BQC-CRT-072 this installation has no root at hand.
    """
    question, notes = _question(door)
    with TURNS.turn(), reading(door.engine) as session:
        return verification_out(verify_file(session, pdf, question), notes)


@router.get(
    "/certificates/{number}/verification",
    summary="Verify a certificate on record now",
)
def of_record(call: SignedIn, number: str) -> VerificationOut:
    """Its newest document, with the proof of its issue from the log."""
    with call.reading() as session:
        return verified_on_record(session, call.door, number)


@each_once
def verified_on_record(session: Session, door: Door, number: str) -> VerificationOut:
    """Verify the newest document of a certificate, with the proof of its issue from the log."""
    row = the_certificate(session, number)
    look_at_certificate(session, row)
    pdf = newest_document(session, door.archive, number=number)
    question, notes = _question(door)
    proofs, why_not = _proof(session, door, number)
    keys = "".join(f"{one}\n" for one in key_lines(session))
    asked = replace(
        question,
        number=row.natural_key,
        lot=row.lot.lot,
        content_sha256=row.content_sha,
        proofs=proofs,
        log_keys=keys,
    )
    return verification_out(verify_file(session, pdf, asked), [*notes, *why_not])


@router.get(
    "/verification/verifier",
    summary="The stand-alone verifier: one Python file, without an account",
    response_class=Response,
    responses={200: {"content": {"text/x-python": {}}}},
)
def verifier() -> Response:
    """It needs Python with `cryptography` and `asn1crypto`, and no network."""
    headers = {"Content-Disposition": 'attachment; filename="verify.py"'}
    return Response(stand_alone(), media_type="text/x-python; charset=utf-8", headers=headers)


@cache
def stand_alone() -> bytes:
    """The stand-alone verifier of this version."""
    return script()


def anchors_of(door: Door) -> Anchors:
    """The roots that this installation hands out; which file is missing is not told to the world.

    Raises:
        NotFound: BQC-CRT-072.
    """
    try:
        return read_anchors(door.settings.trust, door.settings.timestamp_root)
    except NotFound as error:
        raise NotFound(
            "BQC-CRT-072",
            "this site cannot verify now: its root is not at hand",
            hint="Tell the site, or verify the file offline with the root that you hold.",
        ) from error


def fingerprint(root_pem: bytes) -> str:
    """SHA-256 of a root certificate (DER), as other tools print it."""
    found = x509.load_pem_x509_certificate(root_pem)
    return sha256(found.public_bytes(Encoding.DER)).hexdigest()


def _question(door: Door) -> tuple[Question, list[str]]:
    anchors, now = anchors_of(door), door.now()
    asked = Question(anchors.root, now, tsa_roots=anchors.timestamp_root)
    files = door.settings.sealing.root
    try:
        signed_authority(files)
        # Whom a stale list revokes stays revoked; that it revokes nobody else, it does not say.
        asked = replace(asked, crls=(files.revocation_list.read_bytes(),))
        read_authority(files, at=now)
    except (SigningUnavailable, OSError):
        return asked, ["The site has no revocation list that holds today."]
    return asked, []


def _proof(session: Session, door: Door, number: str) -> tuple[tuple[bytes, ...], list[str]]:
    """The proof from the log, or why there is none now."""
    try:
        signer = door.press.log_key()
        found = prove_certificate(session, door.archive, signer, number=number, now=door.now())
    except (Conflict, SigningUnavailable, StoreUnavailable) as error:
        return (), [_sentence(error)]
    return (found,), []


def _sentence(error: BatchqcError) -> str:
    return f"There is no proof from the log now: {error.message}."
