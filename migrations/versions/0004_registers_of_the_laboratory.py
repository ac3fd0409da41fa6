"""Methods with their validity criteria, and the registers of the laboratory."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0004"
down_revision = "0003"


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(name: str, table: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def upgrade() -> None:
    """Create the tables, their indexes and their guards."""
    op.create_table(
        "method_version",
        _id(),
        _text("method"),
        _text("version"),
        _text("title"),
        _text("effective"),
        _text("file"),
        _text("sha256"),
        _text("author"),
        _text("imported_at"),
        sa.UniqueConstraint("method", "version"),
        sqlite_strict=True,
    )
    op.create_index("ix_method_version_method", "method_version", ["method"])
    append_only("method_version", [["id"], ["method", "version"]])
    op.create_table(
        "method_approval",
        _id(),
        _refers("method_version_id", "method_version"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("method_version_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_method_approval_signature_id", "method_approval", ["signature_id"])
    append_only("method_approval", [["id"], ["method_version_id"]])
    op.create_table(
        "instrument",
        _id(),
        _text("instrument"),
        _text("folded"),
        _whole("number"),
        _text("kind"),
        _text("calibrated_on"),
        _text("due_on"),
        _text("reason"),
        _text("registered_by"),
        _text("registered_at"),
        sa.UniqueConstraint("folded", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_instrument_folded", "instrument", ["folded"])
    append_only("instrument", [["id"], ["folded", "number"]])
    op.create_table(
        "training",
        _id(),
        _refers("person_id", "person"),
        _text("method"),
        _whole("number"),
        _text("trained_on"),
        _text("expires_on"),
        _text("reason"),
        _text("registered_by"),
        _text("registered_at"),
        sa.UniqueConstraint("person_id", "method", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_training_person_id", "training", ["person_id"])
    append_only("training", [["id"], ["person_id", "method", "number"]])
    op.create_table(
        "material",
        _id(),
        _text("material"),
        _text("folded"),
        _whole("number"),
        _text("kind"),
        _text("lot"),
        _text("expires_on"),
        _text("reason"),
        _text("registered_by"),
        _text("registered_at"),
        sa.UniqueConstraint("folded", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_material_folded", "material", ["folded"])
    append_only("material", [["id"], ["folded", "number"]])
    op.create_table(
        "material_use",
        _id(),
        _refers("upload_id", "upload"),
        _text("test"),
        _text("run"),
        _refers("material_id", "material"),
        _text("recorded_by"),
        _text("recorded_at"),
        sa.UniqueConstraint("upload_id", "test", "run", "material_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_material_use_upload_id", "material_use", ["upload_id"])
    op.create_index("ix_material_use_material_id", "material_use", ["material_id"])
    append_only("material_use", [["id"], ["upload_id", "test", "run", "material_id"]])
    op.create_table(
        "register_rule",
        _id(),
        _text("register"),
        _whole("number"),
        _text("rule"),
        _text("reason"),
        _text("set_by"),
        _text("set_at"),
        sa.UniqueConstraint("register", "number"),
        sqlite_strict=True,
    )
    append_only("register_rule", [["id"], ["register", "number"]])
    op.create_table(
        "laboratory_certificate",
        _id(),
        _refers("person_id", "person"),
        _refers("upload_id", "upload"),
        _text("file"),
        _text("sha256"),
        _text("received_by"),
        _text("received_at"),
        sa.UniqueConstraint("person_id", "upload_id", "sha256"),
        sqlite_strict=True,
    )
    op.create_index("ix_laboratory_certificate_person_id", "laboratory_certificate", ["person_id"])
    op.create_index("ix_laboratory_certificate_upload_id", "laboratory_certificate", ["upload_id"])
    append_only("laboratory_certificate", [["id"], ["person_id", "upload_id", "sha256"]])
