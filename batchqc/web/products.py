"""Products: what is made, and registering one."""

from typing import Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from batchqc.api import registers as api
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.upload_files import csv_answer
from batchqc.core.permissions import Permission
from batchqc.documents.csv_file import csv_bytes
from batchqc.records.bank_lines import products_with_lots, specified_products
from batchqc.web.calls import OwnForm, Visit
from batchqc.web.forms import built, check
from batchqc.web.rendering import page
from batchqc.web.source_forms import Field, SourceForm, acted, may, show_form, who_may
from batchqc.web.wording import _

router = Routes()

_COLUMNS: Final = ("product", "name", "form", "storage", "lots", "has_approved_specification")


@router.get("/products")
def products(request: Request, call: Visit, did: str = "") -> Response:
    """Every product, by code."""
    with call.reading() as session:
        found, specified = products_with_lots(session), specified_products(session)
    return page(
        request,
        "source_products.html",
        products=[(one, lots, one.code in specified) for one, lots in found],
        did=did,
        may_register=may(call, Permission.REGISTER_PRODUCT),
        may_register_lot=may(call, Permission.REGISTER_LOT),
        who=who_may(Permission.REGISTER_PRODUCT),
    )


@router.get("/products.csv")
def products_csv(call: Visit) -> Response:
    """The same."""
    with call.reading() as session:
        specified = specified_products(session)
        rows = [
            (one.code, one.name, one.form, one.storage, str(lots), "yes" if one.code in specified
             else "no")
            for one, lots in products_with_lots(session)
        ]  # fmt: skip
    return csv_answer(csv_bytes([_COLUMNS, *rows]), "products.csv")


@router.get("/products/new")
def ask(request: Request, call: Visit) -> Response:
    """The form of a product."""
    return show_form(request, call, _new)


@router.post("/products/new")
def register(request: Request, call: Visit, form: OwnForm) -> Response:
    """Register a product."""

    def act(keyed: Call) -> str:
        names = tuple(api.ProductShape.model_fields)
        check({one: "" if form[one] else _("This is needed.") for one in names})
        api.add_product(keyed, built(api.ProductShape, {one: form[one] for one in names}))
        return "/products?did=product"

    return acted(request, call, form, _new, act)


def _new(_session: Session) -> SourceForm:
    return SourceForm(
        title=_("New product"),
        path="/products/new",
        says=_("What the certificates of its lots will say it is. Codes are never used again."),
        button=_("Register the product"),
        permission=Permission.REGISTER_PRODUCT,
        crumbs=(("/lots", _("Lots")), ("/products", _("Products")), ("", _("New product"))),
        fields=(
            Field("code", _("Code"), hint=_("Such as UC-MSC.")),
            Field("name", _("Name")),
            Field("form", _("Form"), hint=_("Such as cell suspension, 10 mL bag.")),
            Field("storage", _("Storage"), hint=_("Such as below -150 °C.")),
        ),
    )
