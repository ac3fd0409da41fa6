"""A failing value that one of two people typed is investigated and does not vanish (2.01)."""

import pytest

from batchqc.actions.compliance_patterns import find_patterns
from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.lot_review import seen_runs
from batchqc.actions.recheck import recheck
from batchqc.core.compliance_patterns import Kind
from batchqc.core.conclusions import Cause, Wanted
from batchqc.core.investigations import Finding
from batchqc.core.permissions import Permission
from batchqc.core.review_by_exception import Why
from batchqc.core.signatures import Refusal
from batchqc.core.verdicts import Outcome
from batchqc.errors import ReleaseBlocked
from tests.actions.investigating import (
    OOS,
    case_of,
    conclude_cause,
    concluded,
    perform,
    review_phase,
)
from tests.actions.typing_results import VIAB, enter, verify
from tests.records.house import LOT, QA1, House, alone, results, signing
from tests.records.tampering import tamper

FAILS = "of two entries that do not match, FAIL: 89.1 % does not meet > 90 %"


def typed_anew(house: House, first: str = "89.1", second: str = "93.4") -> tuple[str, str]:
    """Two people type differently, then both type a value that passes: both numbers."""
    assert house.upload(results(viability=None)).accepted
    mismatch = enter(house, VIAB, values=(first,)).number
    assert not verify(house, mismatch, second, unit="%")
    anew = enter(house, VIAB).number
    assert verify(house, anew, "93.40", unit="%")
    (found,) = (one for one in house.study().verdicts if one.criterion.id == "viability")
    assert found.outcome is Outcome.PASS
    assert isinstance(house.review(), list)
    return mismatch, anew


def outcome(house: House) -> Outcome | None:
    (found,) = (one for one in house.study().verdicts if one.criterion.id == "viability")
    return found.outcome


@pytest.mark.requirement("2.01")
@pytest.mark.requirement("3.01")
def test_a_failing_value_that_is_typed_anew_is_investigated_before_anything_is_released(
    house: House,
):
    mismatch, anew = typed_anew(house)
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    assert f"Investigations: {OOS} (viability): phase I is to be performed" in blocked.value.reasons
    assert {one.upload for one in case_of(house).now.runs} == {mismatch}
    with house.reading() as session:
        (pattern,) = find_patterns(session, house.archive)
        seen = {one.run.upload: one for one in seen_runs(session, house.archive, house.study())}
    assert pattern.kind is Kind.EDITED
    assert pattern.uploads == (mismatch, anew)
    assert "89.1 or 93.4 (FAIL) in run VCB-9" in pattern.said
    told = [one.said for one in seen[mismatch].exceptions if one.why is Why.OOS]
    assert len(told) == 1
    assert FAILS in told[0]
    perform(house)
    review_phase(house)
    assert not isinstance(conclude_cause(house, cause=Cause.DATA, corrected=True), Refusal)
    assert outcome(house) is Outcome.PASS
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()
    assert house.verify().problems == ()


@pytest.mark.requirement("3.08")
def test_a_failing_value_that_the_second_person_typed_stands_where_qa_concludes_so(house: House):
    typed_anew(house, "93.4", "89.1")
    perform(house)
    review_phase(house)
    stands = Wanted(Finding.ORIGINAL_STANDS, "The print of the counter says 89.1")
    assert not isinstance(concluded(house, stands), Refusal)
    assert outcome(house) is Outcome.FAIL
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert isinstance(
            reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Decision
        )
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()
    tamper(house.engine, "UPDATE entry_verification SET typed = 'much'")
    assert any("entry_verification" in one for one in house.study().facts.damaged)


def test_a_mismatch_of_values_that_pass_opens_none(house: House):
    assert house.upload(results(viability=None)).accepted
    assert not verify(house, enter(house, VIAB).number, "93.4", unit="%")
    found = house.study()
    assert found.so_far.failures == ()
    assert found.facts.investigations.stops == ()


def test_a_file_that_passes_after_a_mismatch_that_fails_is_a_pattern_too(house: House):
    number = enter(house, VIAB, values=("89.1",)).number
    assert not verify(house, number, "8.91", unit="%")
    assert house.upload(alone("viability")).accepted
    with house.reading() as session:
        (pattern,) = find_patterns(session, house.archive)
    assert pattern.kind is Kind.EDITED
    assert pattern.uploads == (number, "U-2026-000002")
