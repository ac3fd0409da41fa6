"""Registering products and donors. A bad request registers nothing."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from batchqc.actions.permission import require
from batchqc.core.donors import TISSUE_SOURCES
from batchqc.core.identifiers import code_problem, fold, id_problem, line_problem
from batchqc.core.permissions import Permission
from batchqc.errors import Conflict, InvalidInput, NotFound
from batchqc.records.base import Row
from batchqc.records.registers import (
    DonorRow,
    Product,
    donor_by,
    product_by,
)
from batchqc.records.transaction import Transaction

Found = TypeVar("Found", bound=Row)


def register_product(tx: Transaction, *, code: str, name: str, form: str, storage: str) -> Product:
    """Register what is made."""
    require(tx, Permission.REGISTER_PRODUCT)
    texts = {"the name": name, "the form": form, "the storage condition": storage}
    problems = [code_problem(code), *(line_problem(what, text) for what, text in texts.items())]
    refuse_all("BQC-REG-001", "the product cannot be registered", [p for p in problems if p])
    tx.lock("product codes")
    if product_by(tx.session, code) is not None:
        raise Conflict("BQC-REG-002", f"product {code} is registered already")
    product = Product(
        code=code,
        folded=fold(code),
        name=name.strip(),
        form=form.strip(),
        storage=storage.strip(),
        registered_at=tx.now,
    )
    tx.add(product)
    tx.audit("product registered", rows=[product], after={"name": product.name})
    return product


def register_donor(tx: Transaction, *, code: str, tissue_source: str) -> DonorRow:
    """Register a donor by code; names never enter the system."""
    require(tx, Permission.REGISTER_DONOR)
    problem = id_problem(code)
    if problem:
        raise InvalidInput("BQC-REG-003", problem)
    if tissue_source not in TISSUE_SOURCES:
        raise InvalidInput(
            "BQC-REG-004",
            f'"{tissue_source}" is not a tissue source',
            hint=f"One of: {', '.join(TISSUE_SOURCES)}.",
        )
    tx.lock("donor ids")
    if donor_by(tx.session, code) is not None:
        raise Conflict("BQC-REG-005", f"donor {code} is registered already")
    donor = DonorRow(
        code=code, folded=fold(code), tissue_source=tissue_source, registered_at=tx.now
    )
    tx.add(donor)
    tx.audit("donor registered", rows=[donor], after={"tissue source": tissue_source})
    return donor


def the_product(session: Session, code: str) -> Product:
    """The product of a code, or NotFound."""
    return found_or_not(product_by(session, code), "BQC-REG-010", f"there is no product {code}")


def the_donor(session: Session, code: str) -> DonorRow:
    """The donor of a code, or NotFound."""
    return found_or_not(donor_by(session, code), "BQC-REG-011", f"there is no donor {code}")


def found_or_not(row: Found | None, code: str, message: str) -> Found:
    """A row, or NotFound with the code and message."""
    if row is None:
        raise NotFound(code, message, hint="Look at the list; ids are compared without case.")
    return row


def refuse_all(code: str, message: str, problems: Sequence[str]) -> None:
    """InvalidInput with every problem, where there is one."""
    if problems:
        raise InvalidInput(code, message, reasons=problems)
