"""Reports on accounts and training as rows of text, the header first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from batchqc.actions.training_report import TrainingReport
from batchqc.core.canonical import utc_text

_ACCOUNT: Final = (
    "user_id", "name", "registered_at", "active", "changed_at", "changed_by", "change_reason",
)  # fmt: skip
_ROLE: Final = (
    "role", "counts", "since", "granted_by", "last_day", "training", "trained_on", "expires_on",
    "trained",
)  # fmt: skip
_SIGN_IN: Final = (
    "last_sign_in", "password_set_at", "password_is_one_time", "locked_until", "failed_attempts",
    "has_password", "authenticator_since", "single_sign_on", "issuer", "subject", "linked_at",
)  # fmt: skip


def account_rows(content: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """A row for each role of each account, one for an account without any."""
    yield (*_ACCOUNT, *_ROLE, *_SIGN_IN)
    for account in content["accounts"]:
        for role in account["roles"] or [dict.fromkeys(_ROLE, "")]:
            yield (
                *(_cell(account[name]) for name in _ACCOUNT),
                *(_cell(role[name]) for name in _ROLE),
                *(_cell(account.get(name, "")) for name in _SIGN_IN),  # type 1 has fewer
            )


def training_rows(report: TrainingReport) -> Iterator[Sequence[str]]:
    """A row for each person and role or method; then who signed without, by role and why."""
    yield (
        "user_id", "name", "subject", "reference", "trained_on", "expires_on", "state",
        "signatures", "first", "last",
    )  # fmt: skip
    for one in report.trainees:
        yield (
            one.user_id, one.name, one.subject, one.reference, one.trained_on, one.expires_on,
            one.state, "", "", "",
        )  # fmt: skip
    for bad in report.without:
        yield (
            bad.user_id, "", f"role: {bad.role}", "", "", "", f"signed without: {bad.why}",
            str(bad.signatures), utc_text(bad.first), utc_text(bad.last),
        )  # fmt: skip


def _cell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
