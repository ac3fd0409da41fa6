"""The first tables, every one of them append-only."""

import sqlalchemy as sa
from alembic import op

from migrations_guards import append_only, prepare

revision = "0001"
down_revision = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(name: str, table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def upgrade() -> None:
    """Create every table, its indexes and its guards."""
    prepare()
    op.create_table(
        "answer",
        _id(),
        _text("person"),
        _text("idempotency_key"),
        _text("request_sha256"),
        _whole("status"),
        _text("body"),
        _text("at"),
        sa.UniqueConstraint("person", "idempotency_key"),
        sqlite_strict=True,
    )
    append_only("answer", [["id"], ["person", "idempotency_key"]])
    op.create_table(
        "audit_entry",
        _id(),
        _text("sha256"),
        _text("text"),
        _text("who"),
        _text("at"),
        _text("what"),
        sa.UniqueConstraint("sha256"),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index("ix_audit_entry_what", "audit_entry", ["what"])
    op.create_index("ix_audit_entry_who", "audit_entry", ["who"])
    append_only("audit_entry", [["id"], ["sha256"]])
    op.create_table(
        "audit_link",
        _id(),
        _whole("sequence"),
        _text("entry_sha256"),
        _text("previous"),
        _text("sha256"),
        sa.UniqueConstraint("entry_sha256"),
        sa.UniqueConstraint("sequence"),
        sa.UniqueConstraint("sha256"),
        sqlite_strict=True,
    )
    append_only("audit_link", [["id"], ["entry_sha256"], ["sequence"], ["sha256"]])
    op.create_table(
        "correction",
        _id(),
        _text("subject"),
        _text("field"),
        _text("before"),
        _text("after"),
        _text("reason"),
        _text("requested_by"),
        _text("requested_at"),
        _whole("year"),
        _whole("number"),
        sa.UniqueConstraint("year", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_correction_subject", "correction", ["subject"])
    append_only("correction", [["id"], ["year", "number"]])
    op.create_table(
        "donor",
        _id(),
        _text("code"),
        _text("folded"),
        _text("tissue_source"),
        _text("registered_at"),
        sa.UniqueConstraint("folded"),
        sqlite_strict=True,
    )
    append_only("donor", [["id"], ["folded"]])
    op.create_table(
        "person",
        _id(),
        _text("user_id"),
        _text("folded"),
        _text("name"),
        _whole("is_laboratory"),
        _text("registered_at"),
        sa.UniqueConstraint("folded"),
        sqlite_strict=True,
    )
    append_only("person", [["id"], ["folded"]])
    op.create_table(
        "product",
        _id(),
        _text("code"),
        _text("folded"),
        _text("name"),
        _text("form"),
        _text("storage"),
        _text("registered_at"),
        sa.UniqueConstraint("folded"),
        sqlite_strict=True,
    )
    append_only("product", [["id"], ["folded"]])
    op.create_table(
        "site",
        _id(),
        _text("name"),
        _text("address"),
        _text("time_zone"),
        _text("series"),
        _text("specimen"),
        _text("statements"),
        _text("created_at"),
        sa.UniqueConstraint("series"),
        sqlite_strict=True,
    )
    append_only("site", [["id"], ["series"]])
    op.create_table(
        "specification_version",
        _id(),
        _text("specification"),
        _whole("version"),
        _text("product"),
        _text("stage"),
        _text("title"),
        _text("effective"),
        _text("file"),
        _text("sha256"),
        _text("author"),
        _text("imported_at"),
        sa.UniqueConstraint("specification", "version"),
        sqlite_strict=True,
    )
    op.create_index("ix_specification_version_product", "specification_version", ["product"])
    append_only("specification_version", [["id"], ["specification", "version"]])
    op.create_table(
        "upload",
        _id(),
        _text("sha256"),
        _whole("size"),
        _text("file"),
        _text("client"),
        _text("contract"),
        _whole("accepted"),
        _whole("rows"),
        _text("problems"),
        _text("uploaded_by"),
        _text("received_at"),
        _whole("year"),
        _whole("number"),
        sa.UniqueConstraint("year", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_upload_sha256", "upload", ["sha256"])
    append_only("upload", [["id"], ["year", "number"]])
    op.create_table(
        "attempt",
        _id(),
        _refers("person_id", "person"),
        _whole("number"),
        _text("purpose"),
        _whole("succeeded"),
        _text("at"),
        sa.UniqueConstraint("person_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_attempt_person_id", "attempt", ["person_id"])
    append_only("attempt", [["id"], ["person_id", "number"]])
    op.create_table(
        "audit_subject",
        _id(),
        _refers("entry_id", "audit_entry"),
        _text("subject"),
        sa.UniqueConstraint("subject", "entry_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_subject_entry_id", "audit_subject", ["entry_id"])
    append_only("audit_subject", [["id"], ["subject", "entry_id"]])
    op.create_table(
        "lot",
        _id(),
        _text("lot"),
        _text("folded"),
        _refers("product_id", "product"),
        _refers("site_id", "site"),
        _text("manufactured_on"),
        _text("expires_on"),
        _refers("specification_version_id", "specification_version"),
        _text("bound_because"),
        _text("registered_by"),
        _text("registered_at"),
        sa.UniqueConstraint("folded"),
        sqlite_strict=True,
    )
    op.create_index("ix_lot_product_id", "lot", ["product_id"])
    op.create_index("ix_lot_site_id", "lot", ["site_id"])
    op.create_index("ix_lot_specification_version_id", "lot", ["specification_version_id"])
    append_only("lot", [["id"], ["folded"]])
    op.create_table(
        "password",
        _id(),
        _refers("person_id", "person"),
        _whole("number"),
        _text("hash"),
        _whole("set_by_other"),
        _text("set_at"),
        sa.UniqueConstraint("person_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_password_person_id", "password", ["person_id"])
    append_only("password", [["id"], ["person_id", "number"]])
    op.create_table(
        "role_change",
        _id(),
        _refers("person_id", "person"),
        _whole("number"),
        _text("role"),
        _whole("granted"),
        _text("changed_at"),
        sa.UniqueConstraint("person_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_role_change_person_id", "role_change", ["person_id"])
    append_only("role_change", [["id"], ["person_id", "number"]])
    op.create_table(
        "sign_in",
        _id(),
        _text("token_sha256"),
        _refers("person_id", "person"),
        _text("began_at"),
        _text("ends_at"),
        sa.UniqueConstraint("token_sha256"),
        sqlite_strict=True,
    )
    op.create_index("ix_sign_in_person_id", "sign_in", ["person_id"])
    append_only("sign_in", [["id"], ["token_sha256"]])
    op.create_table(
        "signature",
        _id(),
        _refers("person_id", "person"),
        _text("name"),
        _text("role"),
        _text("meaning"),
        _text("reason"),
        _text("at"),
        _text("record"),
        _text("record_sha256"),
        _text("sha256"),
        _whole("year"),
        _whole("number"),
        sa.UniqueConstraint("sha256"),
        sa.UniqueConstraint("year", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_signature_person_id", "signature", ["person_id"])
    op.create_index("ix_signature_record", "signature", ["record"])
    append_only("signature", [["id"], ["sha256"], ["year", "number"]])
    op.create_table(
        "assay_run",
        _id(),
        _refers("upload_id", "upload"),
        _refers("lot_id", "lot"),
        _text("test"),
        _text("run"),
        _text("analysts"),
        _text("measurements_sha256"),
        sa.UniqueConstraint("upload_id", "lot_id", "test", "run"),
        sqlite_strict=True,
    )
    op.create_index("ix_assay_run_lot_id", "assay_run", ["lot_id"])
    op.create_index("ix_assay_run_upload_id", "assay_run", ["upload_id"])
    append_only("assay_run", [["id"], ["upload_id", "lot_id", "test", "run"]])
    op.create_table(
        "correction_decision",
        _id(),
        _refers("correction_id", "correction"),
        _refers("signature_id", "signature"),
        _whole("approved"),
        sa.UniqueConstraint("correction_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_correction_decision_signature_id", "correction_decision", ["signature_id"])
    append_only("correction_decision", [["id"], ["correction_id"]])
    op.create_table(
        "disposition",
        _id(),
        _refers("lot_id", "lot"),
        _whole("number"),
        _text("disposition"),
        _text("reason"),
        _text("content_sha"),
        _refers("signature_id", "signature"),
        _text("decided_at"),
        sa.UniqueConstraint("lot_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_disposition_lot_id", "disposition", ["lot_id"])
    op.create_index("ix_disposition_signature_id", "disposition", ["signature_id"])
    append_only("disposition", [["id"], ["lot_id", "number"]])
    op.create_table(
        "eligibility",
        _id(),
        _refers("donor_id", "donor"),
        _whole("number"),
        _text("eligibility"),
        _text("basis"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("donor_id", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_eligibility_donor_id", "eligibility", ["donor_id"])
    op.create_index("ix_eligibility_signature_id", "eligibility", ["signature_id"])
    append_only("eligibility", [["id"], ["donor_id", "number"]])
    op.create_table(
        "lot_donor",
        _id(),
        _refers("lot_id", "lot"),
        _refers("donor_id", "donor"),
        sa.UniqueConstraint("lot_id", "donor_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_lot_donor_donor_id", "lot_donor", ["donor_id"])
    op.create_index("ix_lot_donor_lot_id", "lot_donor", ["lot_id"])
    append_only("lot_donor", [["id"], ["lot_id", "donor_id"]])
    op.create_table(
        "sample",
        _id(),
        _text("sample"),
        _text("folded"),
        _refers("lot_id", "lot"),
        _text("stage"),
        _text("container"),
        _text("taken_text"),
        _text("taken_at"),
        _text("registered_by"),
        _text("registered_at"),
        sa.UniqueConstraint("folded"),
        sqlite_strict=True,
    )
    op.create_index("ix_sample_lot_id", "sample", ["lot_id"])
    append_only("sample", [["id"], ["folded"]])
    op.create_table(
        "sign_out",
        _id(),
        _refers("sign_in_id", "sign_in"),
        _text("at"),
        sa.UniqueConstraint("sign_in_id"),
        sqlite_strict=True,
    )
    append_only("sign_out", [["id"], ["sign_in_id"]])
    op.create_table(
        "specification_approval",
        _id(),
        _refers("specification_version_id", "specification_version"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("specification_version_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_specification_approval_signature_id", "specification_approval", ["signature_id"])
    op.create_index("ix_specification_approval_specification_version_id", "specification_approval", ["specification_version_id"])
    append_only("specification_approval", [["id"], ["specification_version_id"]])
    op.create_table(
        "certificate",
        _id(),
        _refers("site_id", "site"),
        _refers("lot_id", "lot"),
        _refers("disposition_id", "disposition"),
        _text("content_sha"),
        _refers("supersedes_id", "certificate", nullable=True),
        _text("reserved_at"),
        _whole("year"),
        _whole("number"),
        sa.UniqueConstraint("site_id", "year", "number"),
        sqlite_strict=True,
    )
    op.create_index("ix_certificate_disposition_id", "certificate", ["disposition_id"])
    op.create_index("ix_certificate_lot_id", "certificate", ["lot_id"])
    op.create_index("ix_certificate_site_id", "certificate", ["site_id"])
    append_only("certificate", [["id"], ["site_id", "year", "number"]])
    op.create_table(
        "measurement",
        _id(),
        _refers("assay_run_id", "assay_run"),
        _refers("sample_id", "sample"),
        _text("aliquot"),
        _text("analyte"),
        _whole("replicate"),
        _text("value"),
        _text("unit"),
        _text("started_text"),
        _text("measured_text"),
        _text("measured_at"),
        _text("analyst"),
        _text("instrument"),
        _text("method"),
        _text("method_version"),
        _text("result_type"),
        _text("comment"),
        _whole("row"),
        _whole("line"),
        _text("column"),
        sqlite_strict=True,
    )
    op.create_index("ix_measurement_assay_run_id", "measurement", ["assay_run_id"])
    append_only("measurement", [["id"]])
    op.create_table(
        "review",
        _id(),
        _refers("assay_run_id", "assay_run"),
        _refers("signature_id", "signature"),
        sa.UniqueConstraint("assay_run_id", "signature_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_review_assay_run_id", "review", ["assay_run_id"])
    op.create_index("ix_review_signature_id", "review", ["signature_id"])
    append_only("review", [["id"], ["assay_run_id", "signature_id"]])
    op.create_table(
        "certificate_issue",
        _id(),
        _refers("certificate_id", "certificate"),
        _text("document_sha"),
        _whole("size"),
        _text("issued_by"),
        _text("issued_at"),
        sa.UniqueConstraint("certificate_id"),
        sqlite_strict=True,
    )
    append_only("certificate_issue", [["id"], ["certificate_id"]])


def downgrade() -> None:
    """Refused: records are never taken away."""
    raise NotImplementedError("records are never taken away")
