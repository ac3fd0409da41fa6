"""Which level of PAdES a sealed document reached: with pyHanko, from the document alone.

Nothing is fetched. What tells that no certificate was revoked must be in the document, for every
certificate but the roots; else it has not reached B-LT.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final

from asn1crypto import cms
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathBuildingError, ValidationError

from batchqc.documents.pades_evidence import TOLERANCE, Trust, not_reached, valid_path
from batchqc.documents.sealing import Level

#: How far the time of a new timestamp may be from ours: further off, one of both clocks is wrong.
SKEW: Final = timedelta(minutes=10)


def check_level(pdf: bytes, trust: Trust, *, level: Level, at: datetime) -> None:
    """Refuse a document that was just sealed and has not reached a level.

    Raises:
        SigningUnavailable: BQC-CRT-017 with every reason.
    """
    _refuse(lambda: _missing(PdfFileReader(BytesIO(pdf)), trust, level, at))


def check_archived(pdf: bytes, trust: Trust, *, at: datetime) -> None:
    """Refuse a document whose newest timestamp, just made, does not hold or is not over all of it.

    Raises:
        SigningUnavailable: BQC-CRT-017 with every reason.
    """

    async def reasons() -> list[str]:
        reader = PdfFileReader(BytesIO(pdf))
        return await _unarchived(reader, _contexts(reader, trust, Level.B_LTA, at)[1], at)

    _refuse(reasons)


def provable_until(pdf: bytes) -> datetime:
    """Until when a sealed document proves itself without anything new.

    That is the first end of a certificate in the chain of its newest timestamp, as that holds it;
    without one, of its seals.
    """
    reader = PdfFileReader(BytesIO(pdf))
    stamps = reader.embedded_timestamp_signatures
    if stamps:
        return chain_end(stamps[-1].signed_data)
    ends = []
    for one in reader.embedded_regular_signatures:
        tokens = list(extract_tst_data_iter(one.signer_info, signed=False))
        ends.append(chain_end(tokens[0] if tokens else one.signed_data))
    return min(ends)


def chain_end(signed: cms.SignedData) -> datetime:
    """The first end in the chain of whoever signed; what else was sent along does not count."""
    found = extract_certificate_info(signed)
    one, others, ends = found.signer_cert, list(found.other_certs), list[datetime]()
    while one is not None:
        ends.append(one.not_valid_after)
        others = [other for other in others if other.sha256 != one.sha256]
        one = next((other for other in others if other.subject == one.issuer), None)
    return min(ends)


def _refuse(examine: Callable[[], Coroutine[Any, Any, list[str]]]) -> None:
    try:
        reasons = asyncio.run(examine())
    except (PdfError, ValueError) as why:  # ValueError is the base of pyHanko's other refusals
        raise not_reached([str(why) or type(why).__name__]) from why
    if reasons:
        raise not_reached(reasons)


async def _missing(reader: PdfFileReader, trust: Trust, level: Level, at: datetime) -> list[str]:
    seals, stamps = _contexts(reader, trust, level, at)
    found = []
    for one in reader.embedded_regular_signatures:
        status = await async_validate_pdf_signature(one, seals, stamps)
        if not status.bottom_line:
            tokens = list(extract_tst_data_iter(one.signer_info, signed=False))
            pairs = [(one.signed_data, seals), *((token, stamps) for token in tokens)]
            why = [told async for told in _distrusted(pairs)] or [status.summary()]
            found += [f"{one.field_name} does not validate: {told}" for told in why]
        elif level.is_stamped:
            stamp = status.timestamp_validity
            missing = [f"{one.field_name} bears no timestamp"]
            found += _clocks(stamp.timestamp, at) if stamp else missing
    if level is Level.B_LTA:
        found += await _unarchived(reader, stamps, at)
    return found


async def _unarchived(reader: PdfFileReader, stamps: ValidationContext, at: datetime) -> list[str]:
    found = reader.embedded_timestamp_signatures
    if not found:
        return ["the document bears no timestamp over all of it"]
    status = await async_validate_pdf_timestamp(found[-1], stamps)
    if not (status.intact and status.valid and status.trusted):
        pairs = [(found[-1].signed_data, stamps)]
        why = [told async for told in _distrusted(pairs)] or [status.summary()]
        return [f"the timestamp {found[-1].field_name} does not validate: {told}" for told in why]
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        return [f"the timestamp {found[-1].field_name} is not over the whole file"]
    return _clocks(status.timestamp, at)


def _clocks(stamped: datetime, at: datetime) -> list[str]:
    if abs(stamped - at) <= SKEW:
        return []
    theirs, ours = (one.astimezone(UTC).isoformat(timespec="seconds") for one in (stamped, at))
    return [
        f"the service tells the time as {theirs}, and the server as {ours}: one of both is wrong"
    ]


async def _distrusted(
    pairs: Iterable[tuple[cms.SignedData, ValidationContext]],
) -> AsyncIterator[str]:
    """Why the certificates of signatures and timestamps are not to be trusted."""
    for signed, context in pairs:
        try:
            await valid_path(signed, context)
        except (ValidationError, PathBuildingError) as problem:
            yield str(problem)


def _contexts(
    reader: PdfFileReader, trust: Trust, level: Level, at: datetime
) -> tuple[ValidationContext, ValidationContext]:
    """For seals and for timestamps: each believes its own roots only."""
    roots = ([trust.site], list(trust.services))
    when: dict[str, Any] = {"moment": at, "time_tolerance": TOLERANCE}
    if level.has_evidence:
        store = DocumentSecurityStore.read_dss(reader)
        known = {**when, "revocation_mode": "require"}
        seals, stamps = (
            store.as_validation_context({**known, "trust_roots": one}) for one in roots
        )
        return seals, stamps
    own = [trust.site_list]
    return (
        ValidationContext(trust_roots=roots[0], crls=own, revocation_mode="require", **when),
        ValidationContext(trust_roots=roots[1], **when),
    )
