"""What registers say of a lot, in whatever order results, uses and corrections come."""

from datetime import date
from hashlib import sha256

import pytest

from batchqc.actions.certificates import content_of_certificate, the_certificate
from batchqc.actions.dispositions import Decision
from batchqc.actions.laboratory import keep_certificate, register_training
from batchqc.actions.recheck import recheck
from batchqc.core.laboratory import Register, Rule
from batchqc.core.permissions import Permission
from batchqc.errors import NotPermitted, ReleaseBlocked
from tests.actions.state import counts, grown
from tests.actions.test_laboratory import material, rule, stops, use
from tests.actions.test_methods import OTHER, SECOND, another_lot, recovery, row, send
from tests.actions.typing_results import MYCO, VIAB, enter, verify
from tests.records.house import ANA, LABORATORY, LOT, QA1, QA2, REV, House, alone, good, results
from tests.records.laboratory import adopt_method
from tests.records.tampering import tamper

FIRST = "U-2026-000001"
EXPIRED = (
    "LAL-1, used in run ENDO-250520-01 (ENDO) of U-2026-000001, expired on 2025-05-19;"
    " the run was measured on 2025-05-20"
)
ABSENT = f"no certificate of External Laboratory over its results in {FIRST} is kept"
CODES = sorted({one["method_id"].split(" v")[0] for one in map(good, ("CD73", "endotoxin"))})


def remarks(house: House, lot: str = LOT) -> list[str]:
    (gate,) = (gate for gate in house.study(lot).gates if gate.name == "Registers")
    return list(gate.remarks)


def keep(house: House, number: str = FIRST, data: bytes = b"theirs") -> None:
    with house.acting(ANA, Permission.RECORD_USE) as tx:
        keep_certificate(
            tx, house.archive, laboratory=LABORATORY, upload=number, file="c.txt", data=data
        )


def train(house: House, person: str, *methods: str, until: str = "2027-01-01") -> None:
    for method in methods:
        with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
            register_training(
                tx, person=person, method=method, trained_on=date(2025, 1, 1),
                expires_on=date.fromisoformat(until), reason="Taken from the plan",
            )  # fmt: skip


def statements(house: House) -> list[str]:
    with house.reading() as session:
        certificate = the_certificate(session, "COA-2026-000001")
        return list(content_of_certificate(house.archive, certificate)["statements"])


class TestAnExpiredMaterial:
    """It is never silently used."""

    @pytest.mark.requirement("1.08")
    @pytest.mark.parametrize("order", ["rule", "correction", "use"])
    def test_whatever_comes_last_the_lot_is_stopped(self, house: House, order: str):
        steps = {
            "rule": lambda: rule(house, Register.MATERIALS, Rule.REFUSE),
            "correction": lambda: material(house, "2025-05-19", "The year was misread"),
            "use": lambda: use(house, FIRST),
        }
        last = steps.pop(order)
        material(house, "2026-05-19")
        house.ready()
        for step in steps.values():
            step()
        assert stops(house) == []
        last()
        assert stops(house) == [EXPIRED]
        with pytest.raises(ReleaseBlocked) as blocked:
            house.release()
        assert blocked.value.reasons == (f"Registers: {EXPIRED}",)
        rule(house, Register.MATERIALS, Rule.FLAG)
        assert (stops(house), remarks(house)) == ([], [EXPIRED])
        assert isinstance(house.release(by=QA2), Decision)
        assert f"Register: {EXPIRED}." in statements(house)
        with house.reading() as session:
            assert recheck(session, house.archive).differences == ()
        assert house.verify().problems == ()

    def test_a_corrected_expiry_mends_what_was_misread(self, house: House):
        rule(house, Register.MATERIALS, Rule.REFUSE)
        material(house, "2025-05-19")
        house.ready()
        use(house, FIRST)
        assert stops(house) == [EXPIRED]
        material(house, "2025-05-20", "The day was misread")
        assert (stops(house), remarks(house)) == ([], [])

    def test_a_newer_lot_under_the_same_id_mends_no_use_of_the_older(self, house: House):
        rule(house, Register.MATERIALS, Rule.REFUSE)
        material(house, "2025-05-19")
        house.ready()
        use(house, FIRST)
        material(house, "2030-01-01", "The next lot of the maker", lot="L78")
        assert stops(house) == [EXPIRED]

    def test_the_last_day_is_that_of_the_run_in_all_its_lots(self, house: House):
        rule(house, Register.MATERIALS, Rule.REFUSE)
        another_lot(house)
        material(house, "2025-05-20")
        later = row("endotoxin", OTHER, measured_at="2025-05-21T10:00:00-05:00")
        send(house, row("endotoxin"), later)
        said = use(house, FIRST).doubt
        assert said.endswith(
            f"lot {LOT} is not released upon this run; lot {OTHER} is not released upon this run"
        )
        for lot in (LOT, OTHER):
            (reason,) = stops(house, lot)
            assert reason.endswith("expired on 2025-05-20; the run was measured on 2025-05-21")

    def test_the_next_version_of_a_run_used_what_the_run_used(self, house: House):
        rule(house, Register.MATERIALS, Rule.REFUSE)
        material(house, "2025-05-20")
        late = {"measured_at": "2025-05-21T00:01:00-05:00"}
        assert house.upload(results(endotoxin=late)).accepted
        use(house, FIRST)
        (first,) = stops(house)
        assert first.endswith("expired on 2025-05-20; the run was measured on 2025-05-21")
        newer = alone("endotoxin", value="<0.04", **late)
        assert house.upload(newer, supersedes="The wrong cell was exported").accepted
        assert stops(house) == [first]
        early = alone("endotoxin", measured_at="2025-05-20T23:59:00-05:00")
        assert house.upload(early, supersedes="The day was that of the export").accepted
        assert stops(house) == []

    def test_an_invalid_run_that_is_set_aside_stops_nothing_and_is_remarked_on(self, house: House):
        adopt_method(house)
        rule(house, Register.MATERIALS, Rule.REFUSE)
        material(house, "2025-05-19")
        send(house, row("endotoxin"), recovery("10"))
        use(house, FIRST)
        assert stops(house) == [EXPIRED]
        send(house, row("endotoxin", **SECOND), recovery("100", **SECOND))
        assert (stops(house), remarks(house)) == ([], [EXPIRED])

    def test_a_use_that_is_told_after_the_decision_says_so(self, house: House):
        rule(house, Register.MATERIALS, Rule.FLAG)
        material(house, "2025-05-19")
        house.ready()
        house.release()
        assert use(house, FIRST).doubt.endswith(f"lot {LOT} is released already: tell QA")
        assert remarks(house) == [EXPIRED]
        with house.reading() as session:
            assert recheck(session, house.archive).differences == ()

    def test_a_material_of_another_run_of_the_upload_says_nothing(self, house: House):
        rule(house, Register.MATERIALS, Rule.REFUSE)
        another_lot(house)
        material(house, "2025-05-19")
        send(house, row("endotoxin"), row("viability", OTHER))
        use(house, FIRST)
        assert (stops(house, OTHER), remarks(house, OTHER)) == ([], [])
        assert house.study(OTHER).facts.damaged == ()

    @pytest.mark.requirement("1.05")
    @pytest.mark.parametrize(
        ("statement", "said"),
        [
            ("DELETE FROM material_use", "material_use:U-2026-000001/ENDO/ENDO-250520-01/LAL-1/1"),
            ("DELETE FROM material WHERE number = 2", "material:lal-1/2 is missing"),
            ("UPDATE material SET expires_on = '2030-01-01'", "material:lal-1/1 is not as its"),
            ("DELETE FROM register_rule", "register_rule:materials/1 is missing"),
            ("UPDATE register_rule SET rule = 'off'", "register_rule:materials/1 is not as its"),
            ("DELETE FROM laboratory_certificate", f"laboratory_certificate:{LABORATORY}/{FIRST}"),
            (
                "UPDATE person SET is_laboratory = 0 WHERE user_id = 'extlab'",
                f"person:{LABORATORY} is not as its audit entry says",
            ),
            (
                "UPDATE person SET is_laboratory = 1 WHERE user_id = 'ana'",
                f"person:{ANA} is not as its audit entry says",
            ),
            (
                "DELETE FROM person WHERE user_id = 'extlab'",
                f"person:{LABORATORY} is missing",
            ),
        ],
    )
    def test_whoever_changes_the_registers_is_noticed_at_the_lot(
        self, house: House, statement: str, said: str
    ):
        rule(house, Register.MATERIALS, Rule.REFUSE)
        material(house, "2026-05-19")
        house.ready()
        use(house, FIRST)
        keep(house)
        material(house, "2025-05-19", "The year was misread")
        assert house.study().facts.damaged == ()
        tamper(house.engine, statement)
        assert any(one.casefold().startswith(said.casefold())
                   for one in house.study().facts.damaged)  # fmt: skip

    @pytest.mark.requirement("1.05")
    @pytest.mark.parametrize(
        ("statement", "said"),
        [
            (
                "UPDATE measurement SET measured_text = replace(measured_text, '05-21T', '05-20T')",
                f"of {OTHER} are not those that were uploaded",
            ),
            (
                f"DELETE FROM assay_run WHERE lot_id = (SELECT id FROM lot WHERE lot = '{OTHER}')",  # noqa: S608
                f"/{OTHER}/ENDO/ENDO-250520-01 is missing; an audit entry speaks of it",
            ),
        ],
    )
    def test_whoever_changes_the_day_of_the_run_at_another_lot_is_noticed(
        self, house: House, statement: str, said: str
    ):
        rule(house, Register.MATERIALS, Rule.REFUSE)
        another_lot(house)
        material(house, "2025-05-20")
        later = row("endotoxin", OTHER, measured_at="2025-05-21T10:00:00-05:00")
        send(house, row("endotoxin"), later)
        use(house, FIRST)
        assert (len(stops(house)), house.study().facts.damaged) == (1, ())
        tamper(house.engine, statement)
        assert stops(house) == []
        assert any(one.endswith(said) for one in house.study().facts.damaged)

    def test_a_use_whose_material_or_run_somebody_removed_is_damage(self, house: House):
        rule(house, Register.MATERIALS, Rule.FLAG)
        material(house, "2025-05-19")
        house.ready()
        use(house, FIRST)
        tamper(house.engine, "DELETE FROM material")
        assert any("material_use:#" in one for one in house.study().facts.damaged)
        assert remarks(house) == []


class TestAContractLaboratory:
    """Its results have its certificate, or the lot says that they have none."""

    @pytest.mark.requirement("1.08")
    def test_an_absent_certificate_is_as_the_rule_says(self, house: House):
        house.ready()
        assert (stops(house), remarks(house)) == ([], [])
        rule(house, Register.LABORATORIES, Rule.REFUSE)
        assert (stops(house), remarks(house)) == ([ABSENT], [])
        with pytest.raises(ReleaseBlocked) as blocked:
            house.release()
        assert blocked.value.reasons == (f"Registers: {ABSENT}",)
        rule(house, Register.LABORATORIES, Rule.FLAG)
        assert (stops(house), remarks(house)) == ([], [ABSENT])
        assert isinstance(house.release(by=QA2), Decision)
        assert f"Register: {ABSENT}." in statements(house)

    def test_a_kept_certificate_opens_the_gate_and_stands_on_ours(self, house: House):
        rule(house, Register.LABORATORIES, Rule.REFUSE)
        house.ready()
        keep(house)
        assert stops(house) == []
        assert isinstance(house.release(), Decision)
        assert any(
            one.startswith(f"Certificate of External Laboratory over {FIRST}: c.txt")
            for one in statements(house)
        )
        assert house.verify().problems == ()

    @pytest.mark.requirement("1.08")
    def test_a_certificate_whose_bytes_are_gone_lets_nothing_go(self, house: House):
        rule(house, Register.LABORATORIES, Rule.REFUSE)
        house.ready()
        keep(house, data=b"theirs")
        path = house.archive.path_of(sha256(b"theirs").hexdigest())
        path.parent.chmod(0o700)
        path.unlink()
        (damage,) = house.study().facts.damaged
        assert damage.startswith(f"laboratory_certificate:{LABORATORY}/{FIRST}/")
        assert "cannot be read: " in damage
        with pytest.raises(ReleaseBlocked):
            house.release()

    def test_the_next_version_of_a_run_has_a_certificate_of_its_own(self, house: House):
        rule(house, Register.LABORATORIES, Rule.REFUSE)
        house.ready()
        keep(house)
        newer = alone("mycoplasma", value="not detected", comment="as reported")
        second = house.upload(newer, supersedes="The word was typed wrong").number
        assert stops(house) == [ABSENT.replace(FIRST, second)]
        keep(house, second)
        assert stops(house) == []

    def test_a_lot_without_its_results_needs_none(self, house: House):
        rule(house, Register.LABORATORIES, Rule.REFUSE)
        house.upload(results(mycoplasma=None))
        assert stops(house) == []
        number = enter(house).number
        assert stops(house) == [ABSENT.replace(FIRST, number)]
        verify(house, number, "Positive")  # void: it will be typed anew
        assert stops(house) == []


class TestTrainingOfWhoSigns:
    """Training is asked of the person who signs for results (1.09)."""

    @pytest.mark.requirement("1.09")
    def test_who_is_not_trained_reviews_nothing_where_the_rule_refuses(self, house: House):
        house.upload(results())
        rule(house, Register.TRAINING, Rule.REFUSE)
        before = counts(house.engine)
        with pytest.raises(NotPermitted) as refused:
            house.review()
        assert refused.value.code == "BQC-LAB-010"
        assert "rev was not trained for SOP-QC-014 on 2026-06-01" in refused.value.reasons
        assert len(refused.value.reasons) == METHODS_OF_SITE
        assert grown(house.engine, before) == {}
        methods = {good(name)["method_id"].split(" v")[0] for name in SITE}
        train(house, REV, *methods, until="2026-05-31")
        with pytest.raises(NotPermitted) as refused:
            house.review()
        assert refused.value.reasons[0].endswith(
            "expired on 2026-05-31; the review is of 2026-06-01"
        )
        train(house, REV, *methods, until="2026-06-01")
        assert isinstance(house.review(), list)
        assert not [one for one in remarks(house) if REV in one]

    @pytest.mark.requirement("1.09")
    def test_a_review_without_training_is_remarked_on_where_the_rule_flags(self, house: House):
        house.ready()
        assert remarks(house) == []
        rule(house, Register.TRAINING, Rule.FLAG)
        said = "rev was not trained for SOP-QC-014 on 2026-06-01; rev signed for results"
        assert said in remarks(house)
        assert not [one for one in remarks(house) if "SOP-MB-007" in one]  # theirs
        assert isinstance(house.release(), Decision)
        assert f"Register: {said}." in statements(house)

    @pytest.mark.requirement("1.09")
    def test_a_second_entry_is_signed_by_who_is_trained(self, house: House):
        house.upload(results(viability=None, mycoplasma=None))
        number, theirs = enter(house, VIAB).number, enter(house, MYCO).number
        rule(house, Register.TRAINING, Rule.REFUSE)
        with pytest.raises(NotPermitted) as refused:
            verify(house, number, "93.40", unit="%")
        assert refused.value.code == "BQC-LAB-010"
        assert verify(house, theirs)  # the method is that of the contract laboratory
        rule(house, Register.TRAINING, Rule.FLAG)
        assert verify(house, number, "93.40", unit="%")
        said = "rev was not trained for SOP-QC-014 on 2026-06-01; rev signed for results"
        assert said in remarks(house)


SITE = ("CD73", "viability", "inhibition", "kynurenine", "endotoxin", "growth_14d")
METHODS_OF_SITE = 6
