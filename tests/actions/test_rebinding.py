"""A lot is bound to other versions only by a signed correction, before its first review."""

from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision, reject_lot
from batchqc.actions.lots import NewSample, register_samples
from batchqc.actions.recheck import recheck
from batchqc.core.conclusions import Wanted
from batchqc.core.investigations import Finding
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.core.verdicts import Outcome
from batchqc.documents.certificate_pages import without_spaces
from batchqc.documents.coa_layout import render
from batchqc.errors import BatchqcError, Conflict, InvalidInput, ReleaseBlocked
from batchqc.settings import bundled
from tests.actions.correcting import WHY, decide, request
from tests.actions.investigating import concluded, perform, review_phase
from tests.actions.state import counts, grown
from tests.actions.versions import (
    FOR_EU,
    LOOSER,
    STAGED,
    impact_of,
    lot_of_stages,
    register,
    version,
)
from tests.cast import MADE_ON
from tests.records.full_house import POST_THAW, THAWED_FROM
from tests.records.house import (
    ANA,
    LOT,
    QA1,
    SAMPLES,
    House,
    adopt,
    but_reviews,
    good,
    results,
    signing,
    table,
)
from tests.records.tampering import tamper

OTHER_METHOD = ('method   = "SOP-QC-014"', 'method   = "SOP-QC-015"')
RIGHT = THAWED_FROM.isoformat()


def second(house: House, *changes: tuple[str, str]) -> None:
    """Approve a second version, in force from the day after the lot was registered as made."""
    adopt(house, version(2, RIGHT, *changes))


def correct(house: House, field: str, after: str, lot: str = LOT) -> None:
    decide(house, request(house, f"lot:{lot}", field, after))


def refused(house: House, after: str) -> BatchqcError:
    before = counts(house.engine)
    with pytest.raises((InvalidInput, Conflict)) as refusal:
        request(house, f"lot:{LOT}", "specification", after)
    assert grown(house.engine, before) == {}
    return refusal.value


@pytest.mark.requirement("3.04")
def test_a_lot_of_another_date_is_bound_anew_and_judged_by_what_was_in_force(house: House):
    """Results from before the correction are read as they were, and judged by the new version."""
    second(house, LOOSER, OTHER_METHOD)
    silent = good("viability") | {"lot_id": LOT, "sample_id": SAMPLES[0], "method_id": ""}
    assert house.upload(results(viability=None)).accepted
    assert house.upload(table([silent | {"value": "85.0"}])).accepted
    correct(house, "manufactured_on", RIGHT)
    (problem,) = (reason for gate in house.study().gates for reason in gate.reasons
                  if "in force" in reason)  # fmt: skip
    assert problem.endswith(f"on the date of manufacture {RIGHT}; UC-MSC-REL v2 was")
    correct(house, "specification", "UC-MSC-REL v2")
    assert isinstance(house.review(), list)
    case = house.study()
    assert (case.version.reference, case.binding.because) == (
        "UC-MSC-REL v2", f"C-2026-000002: {WHY}"
    )  # fmt: skip
    assert [one.outcome for one in case.verdicts if one.criterion.id == "viability"] == [
        Outcome.CANNOT_JUDGE
    ]  # the method of the new version is another one, and the file was read by the old one
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        assert not isinstance(
            reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1)), Refusal
        )
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()
    assert house.verify().problems == ()


@pytest.mark.requirement("3.04")
def test_a_lot_bound_anew_is_released_certified_and_computed_again(house: House):
    second(house, LOOSER)
    assert house.upload(results(viability="85.0")).accepted
    correct(house, "manufactured_on", RIGHT)
    correct(house, "specification", "UC-MSC-REL v2")
    assert isinstance(house.review(), list)
    perform(house)  # it failed the version to which the lot was bound first
    review_phase(house)
    concluded(house, Wanted(Finding.ORIGINAL_STANDS, "Another version judges the lot"))
    assert isinstance(house.release(), Decision)
    with house.reading() as session:
        certificate = the_certificate(session, "COA-2026-000001")
        content = content_of_certificate(house.archive, certificate)
        assert recheck(session, house.archive).differences == ()
    assert content["specification"]["version"] == 2
    changes = [(one["field"], one["before"], one["after"]) for one in content["corrections"]]
    assert changes[1] == ("specification", "UC-MSC-REL v1", "UC-MSC-REL v2")
    pages = PdfReader(BytesIO(render(content, fonts=bundled("reports") / "fonts"))).pages
    assert "UC-MSC-REL,version2[C2]" in without_spaces(pages[0].extract_text())
    stricter = impact_of(house, version(3, "2099-01-01"))
    assert [(one.lot, one.version) for one in stricter.flips] == [(LOT, "UC-MSC-REL v2")]
    assert house.verify().problems == ()


def test_files_after_the_correction_are_read_by_the_new_version(house: House):
    second(house, OTHER_METHOD)
    correct(house, "manufactured_on", RIGHT)
    correct(house, "specification", "UC-MSC-REL v2")
    (problem,) = house.upload(results()).reading.problems
    assert "SOP-QC-015" in problem.message
    new = {"method_id": "SOP-QC-015 v1"}
    assert house.upload(results(viability=good("viability") | new)).accepted
    assert isinstance(house.review(), list)
    assert isinstance(house.release(), Decision)


def test_only_what_was_in_force_can_be_bound_and_the_refusal_says_what_was(house: House):
    second(house)
    assert refused(house, "UC-MSC-REL v2").message.endswith(
        f'in force on {MADE_ON} is "UC-MSC-REL v1"'
    )
    correct(house, "manufactured_on", RIGHT)
    for wrong in ("UC-MSC-REL", "UC-MSC-REL v3", "2", "UC-MSC-REL v2, UC-MSC-THAW v1"):
        assert refused(house, wrong).message.endswith(f'in force on {RIGHT} is "UC-MSC-REL v2"')
    correct(house, "manufactured_on", "2019-12-31")
    assert refused(house, "UC-MSC-REL v2").code == "BQC-SPC-007"


def test_after_the_first_review_a_lot_stays_bound(house: House):
    second(house)
    correct(house, "manufactured_on", RIGHT)
    waits = request(house, f"lot:{LOT}", "specification", "UC-MSC-REL v2")
    house.ready()
    with pytest.raises(InvalidInput) as late:
        decide(house, waits)
    assert "results of the lot are reviewed" in late.value.message
    decide(house, waits, approve=False)
    assert "results of the lot are reviewed" in refused(house, "UC-MSC-REL v2").message
    with pytest.raises(ReleaseBlocked):
        house.release()


def test_results_that_came_in_meanwhile_are_looked_at_first(house: House):
    """The clock of the request stands before the upload, as when two processes race."""
    second(house)
    correct(house, "manufactured_on", RIGHT)
    assert house.upload(results()).accepted
    house.now.at = house.now.at.replace(year=house.now.at.year - 1)
    assert "results came in meanwhile" in refused(house, "UC-MSC-REL v2").message


def test_specifications_of_other_stages_are_bound_anew_too(house: House):
    adopt(house, POST_THAW)
    correct(house, "manufactured_on", RIGHT)
    reasons = [reason for gate in house.study().gates for reason in gate.reasons]
    assert "UC-MSC-THAW v1 is in force for post-thaw and not bound" in "; ".join(reasons)
    correct(house, "specification", "UC-MSC-REL v1, UC-MSC-THAW v1")
    house.ready()
    assert [one.specification.id for one in house.study().beside] == ["UC-MSC-THAW"]
    assert house.study().is_ready
    stricter = impact_of(house, POST_THAW.replace(b"version = 1", b"version = 2"))
    assert stricter.lots == 1
    assert house.verify().problems == ()


def test_a_lot_bound_anew_to_the_version_of_its_market_belongs_to_that_market(house: House):
    """Impact counts it for the market's versions and no longer for the common ones."""
    adopt(house, version(2, "2099-01-01", FOR_EU))
    register(house, "MSC-26-0081", MADE_ON, "EU")
    common, market = version(8, "2099-01-01"), version(9, "2099-02-01", FOR_EU)
    assert (impact_of(house, common).lots, impact_of(house, market).lots) == (2, 1)
    adopt(house, version(3, RIGHT, FOR_EU))
    correct(house, "manufactured_on", RIGHT, "MSC-26-0081")
    correct(house, "specification", "UC-MSC-REL v3", "MSC-26-0081")
    assert (impact_of(house, common).lots, impact_of(house, market).lots) == (1, 1)
    assert house.study("MSC-26-0081").facts.specification_problem == ""


def test_a_lot_that_is_no_longer_judged_at_a_stage_has_no_version_there(house: House):
    adopt(house, STAGED)
    lot_of_stages(house, "post-thaw")
    correct(house, "manufactured_on", MADE_ON.isoformat(), "MSC-26-0042")
    correct(house, "specification", "UC-MSC-REL v1", "MSC-26-0042")
    assert house.study("MSC-26-0042").beside == ()
    assert impact_of(house, STAGED).lots == 0


def test_a_correction_that_was_tampered_with_binds_nothing_and_closes_the_gate(house: House):
    second(house)
    correct(house, "manufactured_on", RIGHT)
    correct(house, "specification", "UC-MSC-REL v2")
    tamper(house.engine, "UPDATE correction SET after = 'UC-MSC-REL v7' WHERE number = 2")
    case = house.study()
    assert case.version.reference == "UC-MSC-REL v1"
    assert "correction:C-2026-000002 is not as its audit entry says" in case.facts.damaged
    assert impact_of(house, version(3, "2099-01-01")).lots == 1


def test_a_lot_is_not_moved_behind_its_samples_its_results_or_today(house: House):
    """Or a failed lot could look for a version under which it passes."""
    for day, told in (
        ("2026-06-02", "it lies in the future"),
        ("2025-05-21", f"sample {SAMPLES[0]} was taken on 2025-05-20"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            request(house, f"lot:{LOT}", "manufactured_on", day)
        assert refusal.value.message.endswith(told)
    register(house, "MSC-26-0091", MADE_ON)
    waits = request(house, "lot:MSC-26-0091", "manufactured_on", RIGHT)
    assert house.upload(results(lot="MSC-26-0091")).accepted
    decide(house, waits)  # its results are of the same day
    assert str(house.study("MSC-26-0091").lot.manufactured_on) == RIGHT


def test_a_day_after_its_measurements_is_refused_too(house: House):
    """Its sample was taken on the next day at the site, and measured on the one before that."""
    assert house.upload(results(viability=None)).accepted
    tamper(house.engine, "UPDATE sample SET taken_at = '2026-05-20T13:00:00.000000Z'")
    with pytest.raises(InvalidInput) as refusal:
        request(house, f"lot:{LOT}", "manufactured_on", "2025-05-21")
    assert " was measured on 2025-05-20 (run " in refusal.value.message


def test_a_failed_result_of_a_test_that_the_new_version_does_not_know_closes_the_gate(house: House):
    second(house, ('test     = "VIAB"', 'test     = "VIAB2"'))
    assert house.upload(results(viability="12.0")).accepted
    correct(house, "manufactured_on", RIGHT)
    correct(house, "specification", "UC-MSC-REL v2")
    other = good("viability") | {"lot_id": LOT, "sample_id": SAMPLES[0], "test_code": "VIAB2"}
    assert house.upload(table([other])).accepted
    assert isinstance(house.review(), list)
    with pytest.raises(ReleaseBlocked) as blocked:
        house.release()
    reason, investigated = but_reviews(blocked.value.reasons)
    assert "results of VIAB viability, stage release, are on record and nothing judges" in reason
    assert investigated.startswith("Investigations: OOS-2026-000001 (viability)")


def test_what_the_new_version_finds_implausible_is_not_judged(house: House):
    second(house, ('> 90"\nplausible = "1 to 100"', '> 95"\nplausible = "94 to 100"'))
    assert house.upload(results(viability="93.4")).accepted
    correct(house, "manufactured_on", RIGHT)
    correct(house, "specification", "UC-MSC-REL v2")
    assert isinstance(house.review(), list)
    (viability,) = (one for one in house.study().verdicts if one.criterion.id == "viability")
    assert viability.outcome is Outcome.CANNOT_JUDGE
    assert "outside the plausible 94 (included) to 100" in viability.sentence


def test_a_file_that_came_in_while_a_correction_was_decided_is_sent_again(house: House):
    second(house, OTHER_METHOD)
    correct(house, "manufactured_on", RIGHT)
    correct(house, "specification", "UC-MSC-REL v2")
    before = counts(house.engine)
    house.now.at -= timedelta(minutes=1)
    with pytest.raises(Conflict) as refusal:
        house.upload(results())
    assert refusal.value.code == "BQC-UPL-004"
    assert grown(house.engine, before) == {}


def test_a_file_is_read_again_by_the_date_of_its_time(house: House):
    """Corrected to an earlier day, a result taken then, and corrected back: nothing differs."""
    correct(house, "manufactured_on", "2025-05-10")
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        early = NewSample(f"{LOT}-S09", "release", "bag", "2025-05-11T08:00:00-05:00")
        register_samples(tx, lot=LOT, samples=[early])
    row = {"lot_id": LOT, "sample_id": f"{LOT}-S09", "measured_at": "2025-05-12T09:00:00-05:00"}
    assert house.upload(table([good("viability") | row])).accepted
    with pytest.raises(InvalidInput):
        correct(house, "manufactured_on", MADE_ON.isoformat())
    correct(house, "manufactured_on", "2025-05-11")
    with house.acting(QA1, Permission.REJECT_LOT) as tx:
        reject_lot(tx, house.archive, lot=LOT, credentials=signing(QA1))
    with house.reading() as session:
        assert recheck(session, house.archive).differences == ()
