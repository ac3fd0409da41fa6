"""The second entry of a typed result: from the source, without seeing what was typed first."""

from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response

from batchqc.actions.entries import the_entry
from batchqc.api import entries as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.shapes import Whole
from batchqc.core.entries import SecondEntry
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.errors import BatchqcError
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.rendering import gone_to, page
from batchqc.web.wording import _

router = Routes()


@dataclass(frozen=True, slots=True)
class Typed:
    """What the second person typed so far, by the name of its field; the reason; what they saw."""

    texts: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Analyte:
    """An analyte of the entry, and the fields in which it is typed again."""

    name: str
    first: list[str] | None
    first_unit: str
    second: list[str] | None
    second_unit: str
    fields: tuple[str, ...]
    unit_field: str


@router.get("/second-entries/{number}")
def ask(request: Request, call: Visit, number: str, did: str = "") -> Response:
    """What is to be typed, its documents, and both texts once it does not wait any more."""
    return _page(request, call, number, Typed(), did=did)


@router.post("/second-entries/{number}")
def verify(request: Request, call: Visit, form: OwnForm, number: str) -> Response:
    """Type it as the second person, signed; a refusal keeps what was typed, but the password."""
    texts = {name: form[name] for name in form.fields if name.startswith(("value-", "unit-"))}
    typed = Typed(texts, form["reason"], form["seen"])
    try:
        analytes = analytes_of(_entry(call, number)[0])
        check(
            {
                **{
                    name: _("Type it as it stands on the source.")
                    for name in (*_blank(form, analytes), *_unitless(call, number, form, analytes))
                },
                **({} if form["seen"] else {"seen": _("Open this form again.")}),
            }
        )
        given = signature(call, form) | _sent(form, analytes)
        api.verify(keyed(call, form), number, built(api.SecondEntryRequest, given))
    except BatchqcError as error:
        return _page(request, call, number, typed, said(error))
    return gone_to(request, f"/second-entries/{number}?did=verified")


@router.get("/second-entries/{number}/documents/{position}")
def document(call: Visit, number: str, position: Whole) -> Response:
    """A document of the entry, byte for byte, to keep."""
    return api.attachment(call, number, position)


def analytes_of(entry: api.EntryOut) -> list[Analyte]:
    """Every analyte, the entry's own first, with the names of its fields."""
    own = api.AnalyteOut(
        analyte=entry.analyte,
        replicates=entry.replicates,
        values=entry.values,
        unit=entry.unit,
        second_values=entry.second_values,
        second_unit=entry.second_unit,
    )
    return [
        Analyte(
            one.analyte,
            one.values,
            one.unit or "",
            one.second_values,
            one.second_unit or "",
            tuple(f"value-{place}-{n}" for n in range(one.replicates)),
            f"unit-{place}",
        )
        for place, one in enumerate([own, *entry.also])
    ]


def _entry(call: Call, number: str) -> tuple[api.EntryOut, str]:
    """The entry as this person may see it, and its ETag."""
    answer = api.one(call, number)
    return api.EntryOut.model_validate_json(bytes(answer.body)), answer.headers["ETag"]


def _blank(form: Form, analytes: list[Analyte]) -> list[str]:
    return [name for one in analytes for name in one.fields if not form[name]]


def _unitless(call: Call, number: str, form: Form, analytes: list[Analyte]) -> list[str]:
    """Fields of units that are blank where the entry has one: a blank one never matches it."""
    with call.reading() as session:
        entry = the_entry(session, number)
        first = entry.by_analyte(entry.typed)
    both = zip(analytes, first, strict=True)
    return [one.unit_field for one, own in both if own.unit and not form[one.unit_field]]


def _sent(form: Form, analytes: list[Analyte]) -> dict[str, Any]:
    """What was typed, as the API takes it."""
    first, *others = [
        {"values": [form[name] for name in one.fields], "unit": form[one.unit_field]}
        for one in analytes
    ]
    also = [{"analyte": one.name} | typed for one, typed in zip(analytes[1:], others, strict=True)]
    return first | {"also": also}


def _page(
    request: Request,
    call: Call,
    number: str,
    typed: Typed,
    told: Said = NOTHING_SAID,
    *,
    did: str = "",
) -> Response:
    entry, tag = _entry(call, number)
    with call.reading() as session:
        record = the_entry(session, number).upload.key
        signer = signer_of(session, call, record=record, meaning=Meaning.VERIFIED)
    return page(
        request,
        "second_entry.html",
        status=told.status,
        did=did,
        entry=entry,
        analytes=analytes_of(entry),
        typed=typed,
        seen=typed.seen or tag,
        waits=entry.state is SecondEntry.WAITS,
        may=is_permitted(call.person.roles, Permission.REVIEW_RESULTS),
        is_own=call.person.user_id in {entry.entered_by, entry.analyst},
        signer=signer,
        **told.content,
    )
