"""Who may do what: one table of roles and actions. What is not in it is denied.

Roles are of people; separation of duties on one lot is by person and stands in
``dispositions`` (requirement 2.4: one person may hold several roles). Which of them exclude each
other stands in ``accounts``.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is appointed as."""

    ANALYST = "analyst"
    REVIEWER = "reviewer"
    SPEC_AUTHOR = "spec author"
    QA = "QA"
    QP = "QP"
    DONOR_OFFICER = "donor officer"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """What can be done, in the words of the people who do it."""

    READ = "read records"
    UPLOAD_RESULTS = "upload results"
    REGISTER_LOT = "register lots and samples"
    REGISTER_PRODUCT = "register products"
    REGISTER_DONOR = "register donors"
    DETERMINE_ELIGIBILITY = "determine donor eligibility"
    KEEP_DONOR_RECORDS = "keep donor records"
    IMPORT_PANEL = "import donor panels"
    APPROVE_PANEL = "approve donor panels"
    REVIEW_RESULTS = "review results"
    REVIEW_AUDIT_TRAIL = "review audit trails"
    IMPORT_SPECIFICATION = "import specifications"
    REPORT_IMPACT = "report the impact of specifications"
    APPROVE_SPECIFICATION = "approve specifications"
    IMPORT_PROFILE = "import profiles"
    APPROVE_PROFILE = "approve profiles"
    IMPORT_LAYOUT = "import layouts of certificates"
    APPROVE_LAYOUT = "approve layouts of certificates"
    IMPORT_METHOD = "import methods"
    APPROVE_METHOD = "approve methods"
    KEEP_REGISTERS = "keep the registers of the laboratory"
    SET_REGISTER_RULE = "set the rules of registers"
    RECORD_USE = "record what runs were done with"
    KEEP_BANKS = "keep cell banks and containers"
    END_QUARANTINE = "let banks and containers out of quarantine"
    SHIP = "ship containers"
    START_LOOK_BACK = "start a look-back"
    CLOSE_LOOK_BACK = "close a look-back"
    REQUEST_CORRECTION = "request corrections"
    APPROVE_CORRECTION = "approve corrections"
    RELEASE_LOT = "release lots"
    CERTIFY_LOT = "certify lots as qualified person"
    CHECK_LOT = "check manufacture and transfer to stock"
    REJECT_LOT = "reject lots"
    DECIDE_LATER = "recall, supply by exception or destroy lots"
    SET_POLICY = "set the policies of the site"
    HOLD_LOT = "hold lots and let them go"
    INVESTIGATE = "work on investigations"
    APPROVE_RETEST_PLAN = "approve retest plans"
    CONCLUDE_INVESTIGATION = "conclude investigations"
    KEEP_DEVIATIONS = "keep deviations"
    ISSUE_CERTIFICATE = "issue certificates"
    MANAGE_ACCOUNTS = "manage accounts"
    SEE_ACCOUNTS = "see accounts and what was viewed"
    REVIEW_ACCOUNTS = "sign the review of accounts"
    MANAGE_WEBHOOKS = "manage webhooks"
    RECORD_STOP = "record stops of the system"
    SET_SIGNING_RULE = "set the rule of signatures"
    PROPOSE_LIMITS = "propose control limits"
    APPROVE_LIMITS = "approve control limits"
    START_PHASE = "start phases of trends"
    KEEP_QUALITY_REVIEW = "keep product quality reviews"
    SIGN_QUALITY_REVIEW = "sign product quality reviews as read"
    KEEP_LOG = "keep the transparency log"
    KEEP_KEYS = "keep the keys of the site"
    KEEP_ARCHIVE = "restore files of the archive"
    HOLD_LEGALLY = "lay legal holds on lots"
    SET_RETENTION = "set the rule of retention"
    DISPOSE = "dispose of raw data"
    EXPORT_RECORDS = "export records"
    KEEP_JOBS = "see to the jobs of all"


_EVERYONE: Final = frozenset(Role)

WHO_MAY: Final[dict[Permission, frozenset[Role]]] = {
    Permission.READ: _EVERYONE,
    Permission.UPLOAD_RESULTS: frozenset({Role.ANALYST}),
    Permission.REGISTER_LOT: frozenset({Role.ANALYST, Role.QA}),
    Permission.REGISTER_PRODUCT: frozenset({Role.QA}),
    Permission.REGISTER_DONOR: frozenset({Role.DONOR_OFFICER}),
    Permission.DETERMINE_ELIGIBILITY: frozenset({Role.DONOR_OFFICER}),
    Permission.KEEP_DONOR_RECORDS: frozenset({Role.DONOR_OFFICER}),
    Permission.IMPORT_PANEL: frozenset({Role.DONOR_OFFICER}),
    Permission.APPROVE_PANEL: frozenset({Role.QA}),
    Permission.REVIEW_RESULTS: frozenset({Role.REVIEWER}),
    Permission.REVIEW_AUDIT_TRAIL: frozenset({Role.QA, Role.QP}),
    Permission.IMPORT_SPECIFICATION: frozenset({Role.SPEC_AUTHOR}),
    Permission.REPORT_IMPACT: frozenset({Role.SPEC_AUTHOR, Role.QA}),
    Permission.APPROVE_SPECIFICATION: frozenset({Role.QA}),
    Permission.IMPORT_PROFILE: frozenset({Role.SPEC_AUTHOR}),
    Permission.APPROVE_PROFILE: frozenset({Role.QA}),
    Permission.IMPORT_LAYOUT: frozenset({Role.SPEC_AUTHOR}),
    Permission.APPROVE_LAYOUT: frozenset({Role.QA}),
    Permission.IMPORT_METHOD: frozenset({Role.SPEC_AUTHOR}),
    Permission.APPROVE_METHOD: frozenset({Role.QA}),
    Permission.KEEP_REGISTERS: frozenset({Role.QA}),
    Permission.SET_REGISTER_RULE: frozenset({Role.QA}),
    Permission.RECORD_USE: frozenset({Role.ANALYST}),
    Permission.KEEP_BANKS: frozenset({Role.ANALYST, Role.QA}),
    Permission.END_QUARANTINE: frozenset({Role.QA}),
    Permission.SHIP: frozenset({Role.QA}),
    Permission.START_LOOK_BACK: frozenset({Role.DONOR_OFFICER, Role.QA}),
    Permission.CLOSE_LOOK_BACK: frozenset({Role.QA}),
    Permission.REQUEST_CORRECTION: frozenset({Role.ANALYST, Role.QA, Role.DONOR_OFFICER}),
    Permission.APPROVE_CORRECTION: frozenset({Role.QA}),
    Permission.RELEASE_LOT: frozenset({Role.QA, Role.QP}),
    Permission.CERTIFY_LOT: frozenset({Role.QP}),
    Permission.CHECK_LOT: frozenset({Role.QA, Role.QP}),
    Permission.REJECT_LOT: frozenset({Role.QA, Role.QP}),
    Permission.DECIDE_LATER: frozenset({Role.QA, Role.QP}),
    Permission.SET_POLICY: frozenset({Role.QA}),
    Permission.HOLD_LOT: frozenset({Role.QA, Role.QP}),
    Permission.INVESTIGATE: frozenset({Role.ANALYST, Role.REVIEWER, Role.QA}),
    Permission.APPROVE_RETEST_PLAN: frozenset({Role.QA}),
    Permission.CONCLUDE_INVESTIGATION: frozenset({Role.QA}),
    Permission.KEEP_DEVIATIONS: frozenset({Role.QA}),
    Permission.ISSUE_CERTIFICATE: frozenset({Role.QA, Role.QP}),
    Permission.MANAGE_ACCOUNTS: frozenset({Role.ADMIN}),
    Permission.SEE_ACCOUNTS: frozenset({Role.QA, Role.AUDITOR, Role.ADMIN}),
    Permission.REVIEW_ACCOUNTS: frozenset({Role.QA}),
    Permission.MANAGE_WEBHOOKS: frozenset({Role.ADMIN}),
    Permission.RECORD_STOP: frozenset({Role.QA}),
    Permission.SET_SIGNING_RULE: frozenset({Role.QA}),
    Permission.PROPOSE_LIMITS: frozenset({Role.ANALYST, Role.REVIEWER, Role.QA}),
    Permission.APPROVE_LIMITS: frozenset({Role.QA}),
    Permission.START_PHASE: frozenset({Role.QA}),
    Permission.KEEP_QUALITY_REVIEW: frozenset({Role.QA}),
    Permission.SIGN_QUALITY_REVIEW: frozenset({Role.QA}),
    Permission.KEEP_LOG: frozenset({Role.QA}),
    Permission.KEEP_KEYS: frozenset({Role.QA}),
    Permission.KEEP_ARCHIVE: frozenset({Role.QA}),
    Permission.HOLD_LEGALLY: frozenset({Role.QA}),
    Permission.SET_RETENTION: frozenset({Role.QA}),
    Permission.DISPOSE: frozenset({Role.QA}),
    Permission.EXPORT_RECORDS: frozenset({Role.QA, Role.AUDITOR}),
    Permission.KEEP_JOBS: frozenset({Role.QA, Role.ADMIN}),
}


def is_permitted(roles: Iterable[Role], permission: Permission) -> bool:
    """Whether one of ``roles`` may do it."""
    return not WHO_MAY[permission].isdisjoint(roles)


def acting_role(roles: Iterable[Role], permission: Permission) -> Role | None:
    """The role in which a person with ``roles`` does it, for the record; ``None`` if denied."""
    held = frozenset(roles)
    return next((role for role in Role if role in held and role in WHO_MAY[permission]), None)
