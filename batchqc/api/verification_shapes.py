"""What is answered of a verification."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from batchqc.actions.certificate_verification import Counts, Verified


class CheckOut(BaseModel):
    """One check of the verifier."""

    name: str = Field(examples=["digest"])
    outcome: Literal["ok", "failed", "not examined"]
    reason: str


class SignedOut(BaseModel):
    """Who signed, as the data inside a genuine file say."""

    name: str
    role: str
    meaning: str
    at: str = Field(description="As it is printed, with its offset.")


class HereOut(BaseModel):
    """How the certificate stands at this site; days are those of the site."""

    counts: Counts
    issued_on: date | None
    withdrawn_on: date | None
    superseded_on: date | None
    superseded_by: str | None = Field(description="The number of the one that counts instead.")
    superseded_by_status: str | None = Field(description="Where the status of that one is.")


class VerificationOut(BaseModel):
    """Whether a file is genuine, each check, and how its certificate stands."""

    genuine: bool = Field(description="Every check that was made holds, but for `status`.")
    complete: bool = Field(description="Every check was made, and holds.")
    on_record: bool = Field(
        description="Not genuine by itself: its seal ended or was revoked. The records of the site"
        " say that this very file was issued; `here` tells how it stands."
    )
    certificate: str = Field(
        description="Empty where the file is neither genuine nor on record, as all that it says"
    )
    lot: str
    rendition: str = Field(description="Of a rendition: of what, and for whom.")
    issuer: str
    issued: str
    conclusion: str
    specimen: str
    content_sha256: str
    document_sha256: str = Field(description="Of the file as it was sent.")
    signatures: list[SignedOut]
    here: HereOut
    checks: list[CheckOut]
    notes: list[str] = Field(description="What could not be given to the verifier, and why.")


def verification_out(found: Verified, notes: list[str]) -> VerificationOut:
    """A verification; what a file that is not genuine says is not repeated."""
    report, is_genuine = found.report, found.is_genuine
    here = found.on_record if found.is_on_record else found.here
    newer, is_known = here.superseded_by, is_genuine or found.is_on_record
    return VerificationOut(
        genuine=is_genuine,
        complete=report.complete,
        on_record=found.is_on_record,
        certificate=report.number if is_known else "",
        lot=report.lot if is_known else "",
        rendition=report.rendition if is_known else "",
        issuer=found.issuer,
        issued=found.issued,
        conclusion=found.conclusion,
        specimen=found.specimen,
        content_sha256=report.content_sha256 if is_known else "",
        document_sha256=found.document_sha256,
        signatures=[
            SignedOut(name=one.name, role=one.role, meaning=one.meaning, at=one.at)
            for one in found.signed
        ],
        here=HereOut(
            counts=here.counts,
            issued_on=here.issued_on,
            withdrawn_on=here.withdrawn_on,
            superseded_on=here.superseded_on,
            superseded_by=newer[0] if newer else None,
            superseded_by_status="/status/{}?sha256={}".format(*newer) if newer else None,
        ),
        checks=[
            CheckOut(name=one.name, outcome=one.outcome, reason=one.reason) for one in report.checks
        ],
        notes=notes,
    )
