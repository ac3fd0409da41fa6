"""Product quality reviews: listed, made and kept, read, and signed as read by QA."""

from datetime import date
from typing import Annotated, Any, ClassVar

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy import select

from batchqc.actions.quality_reviews import content_of_review, the_review
from batchqc.actions.specifications import site_day
from batchqc.api import jobs
from batchqc.api import quality_reviews as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.permissions import Permission, is_permitted
from batchqc.core.signatures import Meaning
from batchqc.documents.csv_file import csv_bytes
from batchqc.documents.plots.control import control_chart
from batchqc.documents.review_chart import series_of
from batchqc.errors import BatchqcError
from batchqc.records.quality_reviews import listed_quality_reviews, reading_of
from batchqc.records.registers import Product
from batchqc.web.addresses import Address
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.charts import IN_PAGE, within
from batchqc.web.forms import NOTHING_SAID, Said, built, check, said, signature, signer_of
from batchqc.web.jobs import led_to
from batchqc.web.rendering import gone_to, page
from batchqc.web.wording import _

router = Routes()

_AT_ONCE = 50
_ALL = 10_000
_NOTHING_TYPED = Form({})


class Asked(Address):
    """What the address of the list asks for; ``after`` is the number of a review."""

    path: ClassVar[str] = "/quality-reviews"

    product: str = Field("", max_length=100)
    after: str = Field("", max_length=100)


@router.get("/quality-reviews")
def reviews(request: Request, call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """A page of reviews, newest first, and who read each."""
    with call.reading() as session:
        found = listed_quality_reviews(
            session, product=asked.product, limit=_AT_ONCE + 1,
            before=the_review(session, asked.after) if asked.after else None,
        )  # fmt: skip
        shown = found[:_AT_ONCE]
        more = shown[-1][0].natural_key if len(found) > _AT_ONCE else ""
        products = session.scalars(select(Product.code).order_by(Product.code)).all()
        return page(
            request,
            "quality_reviews.html",
            asked=asked,
            reviews=shown,
            more=asked.but(after=more) if more else "",
            products=products,
            may_make=is_permitted(call.person.roles, Permission.KEEP_QUALITY_REVIEW),
        )


@router.get("/quality-reviews.csv")
def reviews_csv(call: Visit, asked: Annotated[Asked, Query()]) -> Response:
    """Every review of the list."""
    head = ("number", "product", "first", "last", "made_by", "made_at", "sha256", "read_by")
    with call.reading() as session:
        found = listed_quality_reviews(session, product=asked.product, before=None, limit=_ALL)
        rows = [
            (
                row.natural_key, row.product.code, row.first, row.last, row.made_by,
                row.made_at.isoformat(), row.content_sha,
                read.signature.person.user_id if read else "",
            )
            for row, read in found
        ]  # fmt: skip
    return csv_answer(csv_bytes([head, *rows]), "quality_reviews.csv")


@router.get("/quality-reviews/new")
def ask(request: Request, call: Visit) -> Response:
    """The product and the days that a review is to be of."""
    return _new(request, call)


@router.post("/quality-reviews/new")
def make(request: Request, call: Visit, form: OwnForm) -> Response:
    """Ask for it: made once, however often the form is sent."""
    try:
        empty = _("Choose one.")
        check({name: "" if form[name] else empty for name in ("product", "first", "last")})
        given = {name: form[name] for name in ("product", "first", "last")}
        accepted = jobs.ask_review(keyed(call, form), built(api.NewQualityReview, given))
    except BatchqcError as error:
        return _new(request, call, form, said(error))
    return led_to(request, accepted)


@router.get("/quality-reviews/{number}")
def review(request: Request, call: Visit, number: str, chart: str = "", did: str = "") -> Response:
    """One review as it was kept: what stands out, each chart, and every table."""
    with call.reading() as session:
        row = the_review(session, number)
        read = reading_of(session, row)
        content = content_of_review(call.door.archive, row)
        charts = content["charts"]
        chosen = next((one for one in charts if one["attribute"] == chart), None) or next(
            iter(sorted(charts, key=lambda one: -len(one["signals"]))), None
        )
        drawn = None
        if chosen:
            drawn = within(
                control_chart(series_of(chosen["chart"]), width=IN_PAGE), name="review-chart"
            )
        return page(
            request,
            "quality_review.html",
            row=row,
            read=read,
            content=content,
            chosen=chosen,
            drawn=drawn,
            did=did,
            counted={one["name"]: len(one["rows"]) for one in _tables(content)},
            tables=_tables(content),
            may_read=is_permitted(call.person.roles, Permission.SIGN_QUALITY_REVIEW),
        )


@router.get("/quality-reviews/{number}/pdf")
def pdf(call: Visit, number: str) -> Response:
    """The document, byte for byte as it was kept."""
    return api.pdf(call, number)


@router.get("/quality-reviews/{number}/tables/{table}")
def table_csv(call: Visit, number: str, table: str) -> Response:
    """One table of the data annex as CSV."""
    return api.table_csv(call, number, table)


@router.get("/quality-reviews/{number}/reading")
def ask_reading(request: Request, call: Visit, number: str) -> Response:
    """What is signed, and the fields of the signature."""
    return _reading(request, call, number)


@router.post("/quality-reviews/{number}/reading")
def sign(request: Request, call: Visit, form: OwnForm, number: str) -> Response:
    """Sign that it was read, over the hash that the page showed."""
    try:
        given = signature(call, form) | {"sha256": form["record"]}
        api.sign(keyed(call, form), number, built(api.QualityReviewSignature, given))
    except BatchqcError as error:
        return _reading(request, call, number, form["reason"], said(error))
    return gone_to(request, f"/quality-reviews/{number}?did=read")


def _tables(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [*content["tables"], *content["annex"]]


def _new(
    request: Request, call: Call, form: Form = _NOTHING_TYPED, told: Said = NOTHING_SAID
) -> Response:
    with call.reading() as session:
        products = session.scalars(select(Product.code).order_by(Product.code)).all()
        year = site_day(session, call.door.now()).year - 1
    return page(
        request,
        "quality_review_new.html",
        status=told.status,
        products=products,
        product=form["product"],
        first=form["first"] or date(year, 1, 1).isoformat(),
        last=form["last"] or date(year, 12, 31).isoformat(),
        may=is_permitted(call.person.roles, Permission.KEEP_QUALITY_REVIEW),
        **told.content,
    )


def _reading(
    request: Request, call: Call, number: str, reason: str = "", told: Said = NOTHING_SAID
) -> Response:
    with call.reading() as session:
        row = the_review(session, number)
        content = content_of_review(call.door.archive, row)
        return page(
            request,
            "quality_review_reading.html",
            status=told.status,
            row=row,
            read=reading_of(session, row),
            damaged=content["damaged"],
            signals=sum(len(one["signals"]) for one in content["charts"]),
            meaning=Meaning.REVIEWED.value,
            reason=reason,
            signer=signer_of(session, call, record=row.key, meaning=Meaning.REVIEWED),
            may=is_permitted(call.person.roles, Permission.SIGN_QUALITY_REVIEW),
            **told.content,
        )
