"""The records that accompany what comes from a donor (requirement 8.05), as JSON and as text.

A code and never a name; every determination, test with its interpretation, laboratory and
establishment, consent and correction; nothing is left out because it is old.
"""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.donor_records import DonorRecords, records_of
from batchqc.actions.donors_today import donors_today
from batchqc.actions.setup import own_site
from batchqc.core.canonical import Json, utc_text
from batchqc.records.base import Row
from batchqc.records.donors import EligibilityRow, eligibility_of
from batchqc.records.registers import DonorRow


def accompanying_records(session: Session, donor: DonorRow) -> dict[str, Json]:
    """Everything on record of a donor, with what holds today."""
    site, records = own_site(session), records_of(session, [donor])[donor.id]
    (today,) = donors_today(session, [donor], records.corrections)
    determined = eligibility_of(session, [donor])
    return {
        "type": "batchqc/donor-records/1",
        "donor": today.code,
        "tissue_source": today.tissue_source,
        "eligibility": today.eligibility or "not determined",
        "recorded_since": list[Json](records.since(determined[-1] if determined else None)),
        "determined_by": {"name": site.name, "address": site.address.splitlines()},
        "determinations": [_determination(one) for one in determined],
        "donations": list(_donations(records, ZoneInfo(site.time_zone))),
        "consents": list(_consents(records)),
        "corrections": [
            {
                "subject": one.subject,
                "field": one.field,
                "before": one.before,
                "after": one.after,
                "reason": one.reason,
                "state": "waits"
                if decision is None
                else "approved"
                if decision.approved
                else "refused",
            }
            for one, decision in records.corrections
        ],
    }


def as_text(content: Mapping[str, Json]) -> str:
    """The same as indented lines, for people."""
    return "\n".join(_lines(content, 0)) + "\n"


def _determination(one: EligibilityRow) -> dict[str, Json]:
    return {
        "number": one.number,
        "eligibility": one.eligibility,
        "basis": one.basis,
        "panel": one.panel,
        "signature": one.signature.natural_key,
        "signed_by": one.signature.name,
        "role": one.signature.role,
        "signed_at": utc_text(one.signature.at),
        "evidence": one.evidence.splitlines(),
    }


def _donations(records: DonorRecords, zone: ZoneInfo) -> Iterator[dict[str, Json]]:
    for row, today in zip(records.donations, records.donated(zone), strict=True):
        own = [one for one in records.tests if one.donation_id == row.id]
        yield {
            **_content(row, "donor", "folded"),
            "today": {
                "donation": today.name,
                "tissue": today.tissue,
                "donated_on": today.donated_on.isoformat(),
                "tested_person": today.tested_person.value,
                "donor_age": today.age,
            },
            "tests": [
                {
                    **_content(test, "donation"),
                    "today": {
                        "result": result.result.value,
                        "person": result.person.value,
                        "taken_on": result.taken_on.isoformat(),
                    },
                }
                for test, result in zip(own, today.tests, strict=True)
            ],
        }


def _consents(records: DonorRecords) -> Iterator[dict[str, Json]]:
    withdrawn = {one.consent_id: one for one in records.withdrawals}
    for row in records.consents:
        end = withdrawn.get(row.id)
        yield {
            **_content(row, "donor"),
            "withdrawn": _content(end, "consent") if end is not None else None,
        }


def _content(row: Row, *without: str) -> dict[str, Json]:
    return {name: value for name, value in row.content().items() if name not in without}


def _lines(value: Json, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(value, Mapping):
        for name, one in value.items():
            if isinstance(one, Mapping) or (isinstance(one, Sequence) and not isinstance(one, str)):
                yield f"{pad}{name}:" if one else f"{pad}{name}: none"
                yield from _lines(one, depth + 1)
            else:
                said = str(one) if one not in {None, ""} else "-"
                yield f"{pad}{name}: {', '.join(said.splitlines())}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            first, *rest = _lines(one, depth + 1)
            yield f"{pad}- {first.lstrip()}"
            yield from rest
    else:
        yield f"{pad}{value}"
