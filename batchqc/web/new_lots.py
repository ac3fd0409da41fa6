"""Registering a lot: first what will judge it and why, then the lot; and samples of a lot.

The first button only looks, so that Enter of a scanner registers nothing. What would judge the lot
travels with the form, and the lot is not registered where it is another version by then.
"""

import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from batchqc.actions.binding import Bound, bind_lot
from batchqc.actions.lots import the_lot
from batchqc.actions.registers import the_product
from batchqc.actions.setup import own_site
from batchqc.api import lots as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.core.permissions import Permission
from batchqc.core.specifications import Stage
from batchqc.errors import BatchqcError, Conflict
from batchqc.records.registers import Product, lot_by, samples_of
from batchqc.records.specifications import markets_of
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said
from batchqc.web.rendering import gone_to, page
from batchqc.web.source_forms import (
    Field,
    SourceForm,
    acted,
    lines,
    may,
    options,
    show_form,
    who_may,
)
from batchqc.web.wording import _

router = Routes()

_ROWS: Final = 3
_SAMPLE: Final = ("id", "stage", "container", "taken_at")
_NEEDED: Final = ("id", "product", "manufactured_on", "expires_on", "donors")


@dataclass(frozen=True, slots=True)
class Judged:
    """What will judge a lot: the version that decides, and those beside it, each with why."""

    decides: Bound
    beside: tuple[Bound, ...]

    @property
    def versions(self) -> str:
        """What the form carries: every version, by id and number."""
        return ", ".join(one.version.reference for one in (self.decides, *self.beside))


@router.get("/lots/new")
def ask(request: Request, call: Visit, product: str = "") -> Response:
    """The form of a lot."""
    return _page(request, call, Form({"product": product}))


@router.post("/lots/new")
def register(request: Request, call: Visit, form: OwnForm) -> Response:
    """Look what will judge the lot, or register it."""
    judged = None
    try:
        sent = _sent(form)
        with call.reading() as session:
            judged = _judged(session, sent)
        if form["step"] != "register":
            return _page(request, call, form, judged=judged)
        if form["judged"] != judged.versions:
            raise Conflict(
                "BQC-WEB-040", _("another specification would judge the lot than the one shown"),
                hint=_("Look at what will judge it now, then register it."),
            )  # fmt: skip
        registered = json.loads(bytes(api.add(keyed(call, form), sent).body))
    except BatchqcError as error:
        return _page(request, call, form, judged=judged, told=said(error))
    return gone_to(request, f"/lots/{quote(registered['id'])}?did=registered")


@router.get("/lots/{lot}/samples/new")
def ask_samples(request: Request, call: Visit, lot: str) -> Response:
    """The form of a sample of a lot."""
    return show_form(request, call, lambda session: _sample_form(session, lot))


@router.post("/lots/{lot}/samples/new")
def add_sample(request: Request, call: Visit, form: OwnForm, lot: str) -> Response:
    """Register a sample, whatever the disposition of the lot."""

    def act(keyed_call: Call) -> str:
        check({one: "" if form[one] else _("This is needed.") for one in _SAMPLE})
        sample = {one: form[one] for one in _SAMPLE}
        api.add_samples(keyed_call, lot, built(api.NewSamples, {"samples": [sample]}))
        return f"/lots/{quote(lot)}?did=sample"

    return acted(request, call, form, lambda session: _sample_form(session, lot), act)


def _sent(form: Form) -> api.LotRequest:
    """The request of the API; everything that is missing is told at once."""
    problems = {one: "" if form[one] else _("This is needed.") for one in _NEEDED}
    samples = []
    for row in range(1, _ROWS + 1):
        typed = {one: form[f"sample-{row}-{one}"] for one in _SAMPLE}
        if any(typed.values()):
            samples.append(typed)
            problems |= {
                f"sample-{row}-{one}": "" if text else _("This is needed of the sample.")
                for one, text in typed.items()
            }
    check(problems)
    plain = {one: form[one] for one in ("id", "product", "manufactured_on", "expires_on", "market")}
    more = {
        "donors": lines(form["donors"]),
        "made_of": lines(form["made_of"]),
        "samples": samples,
    }
    return built(api.LotRequest, plain | more)


def _judged(session: Session, sent: api.LotRequest) -> Judged:
    """What will judge the lot, as registering it finds out.

    Raises:
        NotFound: there is no such product.
        Conflict: no version that decides was in force.
    """
    product = the_product(session, sent.product)
    market = sent.market.strip().upper()
    decides, beside = bind_lot(
        session, product=product.code, market=market, manufactured_on=sent.manufactured_on
    )
    return Judged(decides, beside)


def _page(
    request: Request,
    call: Call,
    form: Form,
    *,
    judged: Judged | None = None,
    told: Said = NOTHING_SAID,
) -> Response:
    with call.reading() as session:
        products = session.scalars(select(Product).order_by(Product.folded)).all()
        markets = sorted(markets_of(session, form["product"])) if form["product"] else []
        taken = lot_by(session, form["id"]) if form["id"] else None
        zone = own_site(session).time_zone
        fields = _fields(tuple((one.code, f"{one.code}, {one.name}") for one in products), markets)
        typed = {name: text for name, text in form.fields.items() if name != "judged"}
        ordered = [one.name for one in fields]
        blank = [one for one in ordered if one in _NEEDED and not form[one]]
        return page(
            request,
            "source_lot_new.html",
            status=told.status,
            fields=fields,
            typed=typed,
            judged=judged,
            taken=taken.lot if taken else "",
            samples=[_sample_fields(row) for row in range(1, _ROWS + 1)],
            products=len(products),
            is_permitted=may(call, Permission.REGISTER_LOT),
            who=who_may(Permission.REGISTER_LOT),
            focus=next(iter([*told.problems, *blank]), ""),
            offset=_offset(call, zone),
            **told.content,
        )


def _fields(products: tuple[tuple[str, str], ...], markets: list[str]) -> tuple[Field, ...]:
    return (
        Field("id", _("Lot"), hint=_("Such as UCM-P5-T1; ids are never used again.")),
        Field("product", _("Product"), "select", options=(("", ""), *products)),
        Field("manufactured_on", _("Made on"), "date"),
        Field("expires_on", _("Last usable day"), "date"),
        Field("market", _("Market"), "select", required=False,
              options=(("", _("Every market")), *options(markets))),
        Field("donors", _("Donors"), "lines",
              hint=_("Codes, one on each line; Enter of a scanner begins the next.")),
        Field("made_of", _("Made of"), "lines", required=False,
              hint=_("Banks or donations, one on each line; their donors have to be those above.")),
    )  # fmt: skip


def _sample_fields(row: int) -> tuple[Field, ...]:
    stages = (("", ""), *options(Stage))
    return (
        Field(f"sample-{row}-id", _("Sample"), required=False),
        Field(f"sample-{row}-stage", _("Stage"), "select", options=stages, required=False),
        Field(f"sample-{row}-container", _("Container"), required=False),
        Field(f"sample-{row}-taken_at", _("Taken at"), required=False),
    )


def _sample_form(session: Session, lot: str) -> SourceForm:
    row = the_lot(session, lot)
    known = ", ".join(one.sample for one in samples_of(session, [row]))
    return SourceForm(
        title=_("Add a sample of %(lot)s") % {"lot": row.lot},
        path=f"/lots/{quote(row.lot)}/samples/new",
        says=_("Whatever became of the lot: those of its stability come later."),
        button=_("Register the sample"),
        permission=Permission.REGISTER_LOT,
        crumbs=(("/lots", _("Lots")), (f"/lots/{quote(row.lot)}", row.lot), ("", _("New sample"))),
        facts=((_("Samples until now"), known or _("none")),),
        fields=(
            Field("id", _("Sample"), hint=_("Such as UCM-P5-T1-S02.")),
            Field("stage", _("Stage"), "select", options=options(Stage), value=Stage.RELEASE.value),
            Field("container", _("Container"), hint=_("Such as cryovial, 2 mL.")),
            Field("taken_at", _("Taken at"),
                  hint=_("With its offset, such as 2026-02-02T10:30:00+07:00.")),
        ),
    )  # fmt: skip


def _offset(call: Call, zone: str) -> str:
    """The present at the site with its offset, as an example of how a time is typed."""
    return call.door.now().astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")
