"""Cell banks and what was made of what, containers, retain samples, shipments, look-backs."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0015"
down_revision = "0014"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _refers(name: str, table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _table(
    name: str, *columns: sa.Column, unique: list[list[str]], index: tuple[str, ...] = ()
) -> None:
    """Create a table with its keys and indexes, and guard it."""
    keys = [sa.UniqueConstraint(*one) for one in unique]
    op.create_table(name, _id(), *columns, *keys, sqlite_strict=True)
    for column in index:
        op.create_index(f"ix_{name}_{column}", name, [column])
    append_only(name, [["id"], *unique])


def upgrade() -> None:
    """Create the tables, their indexes and their guards."""
    _banks()
    _containers()
    _shipments()
    _look_backs()


def _banks() -> None:
    _table(
        "cell_bank",
        *_text("bank", "folded", "kind"),
        *_whole("is_pool"),
        *_text("made_on", "expires_on", "place"),
        *_whole("containers", "passage"),
        *_text("basis", "max_doublings", "registered_by", "registered_at"),
        unique=[["folded"]],
    )
    _table(
        "derivation",
        *_text("child", "parent", "kind"),
        unique=[["child", "parent"]],
        index=("child", "parent"),
    )
    _table(
        "passage",
        *_text("node"),
        *_whole("passage", "number"),
        *_text("seeded", "harvested", "harvested_on", "reason", "recorded_by", "recorded_at"),
        unique=[["node", "passage", "number"]],
        index=("node",),
    )
    _table(
        "cell_bank_event",
        _refers("cell_bank_id", "cell_bank"),
        *_whole("number"),
        *_text("status", "reason", "recorded_by", "recorded_at"),
        unique=[["cell_bank_id", "number"]],
        index=("cell_bank_id",),
    )


def _containers() -> None:
    of = ("lot_id", "cell_bank_id")
    _table(
        "container",
        *_text("container", "folded", "kind"),
        *(_refers(name, name.removesuffix("_id"), nullable=True) for name in of),
        *_text("filled", "place", "expires_on", "registered_by", "registered_at"),
        unique=[["folded"]],
        index=of,
    )
    _table(
        "container_event",
        _refers("container_id", "container"),
        *_whole("number"),
        *_text("status", "place", "reason", "happened_at", "recorded_by", "recorded_at"),
        unique=[["container_id", "number"]],
        index=("container_id",),
    )
    _table(
        "retain_sample",
        *_text("retain", "folded"),
        *(_refers(name, name.removesuffix("_id"), nullable=True) for name in of),
        *_text("kind", "amount", "unit", "keep_until", "registered_by", "registered_at"),
        unique=[["folded"]],
        index=of,
    )
    _table(
        "custody",
        _refers("retain_sample_id", "retain_sample"),
        *_whole("number"),
        *_text("handed_by", "handed_to", "place", "left", "reason", "recorded_by", "recorded_at"),
        unique=[["retain_sample_id", "number"]],
        index=("retain_sample_id",),
    )


def _shipments() -> None:
    _table(
        "clinical_site",
        *_text("code", "folded"),
        *_whole("number"),
        *_text("name", "address", "contact", "reason", "registered_by", "registered_at"),
        unique=[["folded", "number"]],
        index=("folded",),
    )
    _table(
        "shipment",
        *_whole("year", "number"),
        _refers("clinical_site_id", "clinical_site"),
        *_text("shipped_on", "courier", "temperature_record", "shipped_by", "recorded_at"),
        unique=[["year", "number"]],
        index=("clinical_site_id",),
    )
    _table(
        "shipped_container",
        _refers("shipment_id", "shipment"),
        _refers("container_id", "container"),
        unique=[["shipment_id", "container_id"]],
        index=("shipment_id", "container_id"),
    )
    _table(
        "receipt",
        _refers("shipment_id", "shipment"),
        *_text("received_on", "condition", "reported_by", "recorded_by", "recorded_at"),
        unique=[["shipment_id"]],
    )
    _table(
        "recipient",
        *_text("pseudonym", "folded", "site", "registered_at"),
        unique=[["folded"]],
    )
    _table(
        "administration",
        _refers("container_id", "container"),
        _refers("recipient_id", "recipient"),
        *_text("administered_on", "reported_by", "recorded_by", "recorded_at"),
        unique=[["container_id"]],
        index=("container_id", "recipient_id"),
    )


def _look_backs() -> None:
    _table(
        "look_back",
        *_whole("year", "number"),
        *_text("source", "cause", "reason", "about", "content_sha"),
        _refers("signature_id", "signature", nullable=True),
        *_text("started_by", "started_at"),
        unique=[["year", "number"]],
        index=("source", "signature_id"),
    )
    _table(
        "look_back_closing",
        _refers("look_back_id", "look_back"),
        *_text("conclusion"),
        _refers("signature_id", "signature"),
        *_text("closed_at"),
        unique=[["look_back_id"]],
        index=("signature_id",),
    )
