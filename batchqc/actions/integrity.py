"""Whether the rows that a decision rests on are those that the audit trail witnessed.

Looked at are the rows of one lot, at each look at it: what was changed, what nobody wrote, and what
was removed (a run that failed, a rejection). The whole trail is verified elsewhere.
"""

from collections.abc import Container, Iterable, Iterator
from typing import Final

from sqlalchemy.orm import Session

from batchqc.actions.methods import subject_of
from batchqc.actions.row_checks import misplaced
from batchqc.actions.witnessed import unlike, witnessed_by
from batchqc.records.audit import entries_about
from batchqc.records.base import Row
from batchqc.records.laboratory import RULES, series_of
from batchqc.records.people import REGISTRATIONS
from batchqc.records.policies import POLICIES
from batchqc.records.registers import DonorRow, LotRow
from batchqc.records.uploads import AssayRun
from batchqc.records.witnesses import entries_about_any

#: Kinds of rows that entries name without their numbers, too.
_SERIES: Final = ("material:", "instrument:", "training:")
_SUBJECTS: Final = (
    "lot:",
    "sample:",
    "specification_version:",
    "profile_version:",
    "site:",
    "product:",
    "upload:",
    *_SERIES,
    "cell_bank_event:",
    "register_rule:",
    "deviation:",
    "donor_panel_version:",
    "limit_set:",
)
_OF_RUNS: Final = ("assay_run:", "superseding:")
_OF_LOT: Final = {
    "disposition",
    "lot_donor",
    "lot_specification",
    "hold",
    "hold_end",
    "lot_review",
    "audit_review",
    "pending_result",
    "conditional_site",
    "lot_check",
    "deviation_lot",
    "potency_fit",
    "potency_declaration",
    "potency_source",
}
_OF_SUBJECTS: Final = (
    "correction",
    "correction_decision",
    "eligibility",
    "specification_approval",
    "specification_submission",
    "specification_withdrawal",
    "impact_report",
    "profile_approval",
    "entry_verification",
    "attachment",
    "method_version",
    "method_approval",
    "material",
    "instrument",
    "training",
    "register_rule",
    "person",
    "policy",
    "certification",
    "stock_transfer",
    "investigation",
    "investigation_step",
    "deviation",
    "look_back",
    "look_back_closing",
    "donation",
    "donor_test",
    "consent",
    "consent_withdrawal",
    "donor_panel_approval",
    "limit_set",
    "limit_set_approval",
    "trend_phase",
)


class HashedRows:
    """Rows that are looked at together: the hash of each is worked out once, when it is needed."""

    def __init__(self, *rows: Row) -> None:
        self._rows = rows
        self._hashes: dict[Row, str] = {}

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def hash_of(self, row: Row) -> str:
        """The hash of what one of the rows says."""
        found = self._hashes.get(row)
        if found is None:
            found = self._hashes[row] = row.content_sha256
        return found


def row_damage(
    session: Session,
    lot: LotRow,
    donors: Iterable[DonorRow],
    rows: HashedRows,
    *,
    methods: Iterable[str] = (),
    series: Iterable[str] = (),
) -> Iterator[str]:
    """What is wrong with the rows of a lot, in words.

    Args:
        session: to read the audit trail.
        lot: whose rows they are.
        donors: of the lot.
        rows: every row that speaks for or against the lot.
        methods: the codes by which it was measured.
        series: what audit entries call the things of registers that it was measured with.
    """
    present = {row.key: row for row in rows}
    measured_by = {
        f"person:{one}"
        for row in present.values()
        if isinstance(row, AssayRun)
        for one in row.analysts.splitlines()
    }
    subjects = [key for key in present if key.startswith(_SUBJECTS)]
    subjects += [RULES, POLICIES, *(subject_of(code) for code in methods)]
    subjects += series
    subjects += {series_of(key) for key in present if key.startswith(_SERIES)}
    entries = entries_about_any(
        session,
        subjects,
        but=([donor.key for donor in donors], "lot registered"),
        only=(measured_by, REGISTRATIONS),
    )
    shared = _shared_runs(present)
    witnessed = _superseded_elsewhere(session, lot, present, shared) | witnessed_by(entries)
    yield from unlike(present.items(), witnessed, rows.hash_of)
    yield from misplaced(present.values())
    for key in witnessed.keys() - present.keys():
        if _belongs(key, lot, present) or (key.startswith(_OF_RUNS) and _run_of(key) in shared):
            yield f"{key} is missing; an audit entry speaks of it"


def _superseded_elsewhere(
    session: Session, lot: LotRow, present: Iterable[str], shared: set[tuple[str, str]]
) -> dict[str, str]:
    """What superseded a shared run for other lots in it, whether or not a file named this lot."""
    runs = [key for key in present if key.startswith("assay_run:") and _run_of(key) in shared]
    others = {f"lot:{_parts(key)[1]}" for key in runs} - {lot.key}
    if not others:
        return {}
    witnessed = witnessed_by(entries_about(session, others))
    return {
        key: sha256
        for key, sha256 in witnessed.items()
        if key.startswith("superseding:") and _run_of(key) in shared
    }


def _shared_runs(present: Iterable[str]) -> set[tuple[str, str]]:
    """The runs of which every lot's part is present: judged by a method, or with materials used."""
    keys = list(present)
    if not any(key.startswith(("method_approval:", "material_use:")) for key in keys):
        return set()
    return {_run_of(key) for key in keys if key.startswith("assay_run:")}


def _run_of(key: str) -> tuple[str, str]:
    """Upload, and test with run, of the key of a run as stored for a lot, or of its superseding."""
    upload, _, run = _parts(key)
    return upload, run


def _parts(key: str) -> tuple[str, str, str]:
    """Upload, lot, and test with run; empty where somebody removed what the key is made of."""
    upload, _, rest = key.partition(":")[2].partition("/")
    lot, _, run = rest.partition("/")
    return upload, lot, run


def _belongs(key: str, lot: LotRow, present: Container[str]) -> bool:
    """Whether a row of this key must be among the rows of the lot."""
    kind, _, name = key.partition(":")
    if kind in {"assay_run", "superseding"}:
        return name.split("/")[1] == lot.lot
    if kind in _OF_LOT:
        return name.split("/")[0] == lot.lot
    if kind in {"derivation", "passage"}:
        return name.startswith((f"{lot.key} from ", f"{lot.key}/"))
    if kind == "material_use":
        return f"upload:{name.split('/')[0]}" in present
    if kind == "laboratory_certificate":
        return f"upload:{name.split('/')[1]}" in present
    return kind in _OF_SUBJECTS
