"""The frozen content of a certificate of analysis, and its hash.

The content is plain JSON (``batchqc/certificate/2``). It is frozen and stored before anything is
rendered or sealed, so that the printed page is a rendering of it and never the other way round.
Requirements 5.01 to 5.06 say what it carries. Content of type 1, which was frozen before and is
sealed later, has neither ``accept`` nor ``seals``: its document has one seal and no data inside.
"""

from collections.abc import Collection
from datetime import date
from typing import NotRequired, TypedDict, cast

from batchqc.core.canonical import Json, sha256_of
from batchqc.core.certificate_criteria import AcceptPart
from batchqc.core.certificate_layouts import LayoutPart
from batchqc.core.certificate_parts import StatusPart, Supersedes, TrendPart
from batchqc.core.renditions import RenditionPart

CONTENT_TYPE = "batchqc/certificate/2"
#: What certificates that were frozen earlier are.
EARLIER_TYPE = "batchqc/certificate/1"

REVIEW_FIELD = "QCReview"
RELEASE_FIELD = "QARelease"
UNREVIEWED = "No review of the lot as a whole was signed"
#: The result of a criterion that has none.
NOT_TESTED = "not tested"


class Moment(TypedDict):
    """An instant: canonical UTC text, and the text shown to people with its offset."""

    utc: str
    shown: str


class Issuer(TypedDict):
    """The site that makes and issues: name, address lines, IANA time zone."""

    name: str
    address: list[str]
    time_zone: str


class SampleLine(TypedDict):
    """One sample that results rest on."""

    id: str
    stage: str
    container: str
    taken: Moment


class LotPart(TypedDict):
    """The lot; dates are site-local, the expiry date is the last usable day."""

    id: str
    manufactured_on: str
    expires_on: str
    samples: list[SampleLine]


class ProductPart(TypedDict):
    """What is made, in which form and pack, and how it is kept."""

    code: str
    name: str
    form: str
    storage: str


class DonorPart(TypedDict):
    """A donor, by code only (requirement 5.05: no name)."""

    code: str
    tissue_source: str
    eligibility: str


class SpecificationPart(TypedDict):
    """The specification version that judged the lot, with the hash of its approved bytes."""

    id: str
    version: int
    title: str
    effective: str
    sha256: str


class Provenance(TypedDict):
    """The cell that a replicate was read from."""

    upload: str
    file: str
    sha256: str
    row: int
    column: str
    text: str


class ResultLine(TypedDict):
    """One criterion with its result and verdict.

    ``rounded`` is the value that was compared where a rounding rule changed it, else null.
    ``verdict`` is PASS, FAIL or CANNOT_JUDGE, and null for a report-only line.
    """

    criterion: str
    title: str
    category: str
    test: str
    method: str
    analyte: str
    stage: str
    unit: str
    acceptance: str
    accept: NotRequired[AcceptPart]
    rounding: str
    result: str
    rounded: str | None
    verdict: str | None
    sentence: str
    n: int
    aggregate: str
    measured_on: str
    external: str
    notes: list[int]
    provenance: list[Provenance]


class SignaturePart(TypedDict):
    """The manifestation of an electronic signature (requirements 1.13 and 1.14).

    ``happened`` and ``paper`` are of what was signed on a paper form, and entered when it was
    ``signed`` here.
    """

    id: str
    name: str
    user_id: str
    role: str
    meaning: str
    reason: str
    signed: Moment
    record: str
    record_sha256: str
    happened: NotRequired[Moment]
    paper: NotRequired[str]


class SealPart(TypedDict):
    """A seal of the site on the document: its field, and for which electronic signature it stands.

    ``signature`` is empty where nobody signed.
    """

    field: str
    signature: str
    says: str


class CorrectionPart(TypedDict):
    """A correction of registration data (requirement 1.33)."""

    subject: str
    field: str
    before: str
    after: str
    reason: str
    requested_by: str
    approved_by: str
    approved: Moment


class AuditPart(TypedDict):
    """Where the audit trail stood when the content was frozen."""

    sequence: int
    head: str


class LogPart(TypedDict):
    """The newest checkpoint of the transparency log when the content was frozen.

    ``root`` is SHA-256 (RFC 9162) over the first ``size`` entries of the log ``origin``.
    """

    origin: str
    size: int
    root: str


class SoftwarePart(TypedDict):
    """Versions that the decision depended on."""

    batchqc: str
    contract: str
    vocabularies: list[str]


class PendingPart(TypedDict):
    """A criterion whose result is not in: it is due on a site-local day, the last one in time."""

    criterion: str
    title: str
    due_on: str


class CertificateContent(TypedDict):
    """All that a certificate says. ``notes`` are its numbered footnotes, first is 1.

    ``specimen`` is empty on a real certificate; on one for show it is what each page says of it.
    ``pending`` is there on a preliminary certificate only, ``log`` once there was a checkpoint,
    ``layout`` where the site had approved one, ``rendition`` in what a recipient got of one.
    """

    type: str
    number: str
    specimen: str
    statements: list[str]
    issuer: Issuer
    issued: Moment
    supersedes: Supersedes | None
    product: ProductPart
    lot: LotPart
    donors: list[DonorPart]
    specification: SpecificationPart
    decision_rule: str
    lines: list[ResultLine]
    notes: list[str]
    conclusion: str
    complies: bool
    signatures: list[SignaturePart]
    seals: NotRequired[list[SealPart]]
    corrections: list[CorrectionPart]
    audit: AuditPart
    software: SoftwarePart
    pending: NotRequired[list[PendingPart]]
    log: NotRequired[LogPart]
    status: NotRequired[StatusPart]
    trends: NotRequired[list[TrendPart]]
    layout: NotRequired[LayoutPart]
    rendition: NotRequired[RenditionPart]


def conclusion_of(
    lot: str,
    specification: str,
    disposition: str,
    *,
    complies: bool,
    pending: Collection[tuple[str, date]],
) -> str:
    """What a certificate concludes, in one sentence or two.

    Args:
        lot: its id.
        specification: reference of the version that decides.
        disposition: what was decided.
        complies: whether no verdict stands against the lot.
        pending: the titles of criteria whose results are not in, each with the day on which it is
            due; several may have one title.
    """
    if pending:
        days = "; ".join(f"{title} until {day}" for title, day in sorted(pending))
        return (
            f"PRELIMINARY. Lot {lot} is {disposition}; every result that is in complies with"
            f" {specification}. Pending: {days}."
        )
    if complies:
        return f"Lot {lot} complies with {specification} and is {disposition}."
    return f"Lot {lot} DOES NOT COMPLY with {specification}; it is {disposition}."


def seals_of(review: SignaturePart | None, decision: SignaturePart) -> list[SealPart]:
    """The seals of a certificate: for the review of the lot as a whole, then for the decision."""
    return [
        _seal(REVIEW_FIELD, review)
        if review
        else {"field": REVIEW_FIELD, "signature": "", "says": UNREVIEWED},
        _seal(RELEASE_FIELD, decision),
    ]


def _seal(field: str, signature: SignaturePart) -> SealPart:
    says = f"{signature['meaning']} by {signature['name']} ({signature['id']})"
    return {"field": field, "signature": signature["id"], "says": says}


def content_sha256(content: CertificateContent) -> str:
    """SHA-256 of the content's canonical bytes, as hexadecimal."""
    return sha256_of(cast("Json", content))
