"""Fits of plates, and the measurements that were declared from them."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the tables."""
    _table(
        "potency_fit",
        {name: name for name in ("lot", "assay_run", "sample", "method_version")},
        ("wells_sha256", "result", "reasons", "software", "fitted_by", "fitted_at"),
        ("year", "number", "reportable"),
        ["year", "number"],
    )
    _table(
        "potency_declaration",
        {name: name for name in ("lot", "upload", "signature")},
        ("value", "unit", "declared"),
        ("year", "number"),
        ["year", "number"],
        once="upload_id",
    )
    _table(
        "potency_source",
        {name: name for name in ("potency_declaration", "potency_fit")},
        (),
        (),
        [],
        once="potency_fit_id",
    )


def _table(
    name: str,
    refers: dict[str, str],
    texts: tuple[str, ...],
    numbers: tuple[str, ...],
    unique: list[str],
    once: str = "",
) -> None:
    keys = [f"{one}_id" for one in refers]
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), primary_key=True),
        *(
            sa.Column(
                f"{one}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False,
                unique=f"{one}_id" == once,
            )
            for one, table in refers.items()
        ),
        *(sa.Column(one, sa.Integer(), nullable=False) for one in numbers),
        *(sa.Column(one, sa.Text(), nullable=False) for one in texts),
        *([sa.UniqueConstraint(*unique)] if unique else []),
        sqlite_strict=True,
    )  # fmt: skip
    for key in keys:
        if key != once:
            op.create_index(f"ix_{name}_{key}", name, [key])
    append_only(name, [["id"], *([unique] if unique else []), *([[once]] if once else [])])
