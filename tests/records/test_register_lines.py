"""The newest row of each thing in a register, filtered and paged."""

from datetime import date

from batchqc.actions.laboratory import register_instrument, register_material, register_training
from batchqc.core.permissions import Permission
from batchqc.records.laboratory import Instrument, Material
from batchqc.records.register_lines import newest_kept, newest_trainings
from tests.records.house import ANA, BEN, QA1, House

DAY, LAST = date(2026, 1, 2), date(2027, 1, 2)


def test_registers_are_read_by_their_newest_rows(house: House):
    with house.acting(QA1, Permission.KEEP_REGISTERS) as tx:
        for name, why in (("PTS-001", ""), ("FAC-002", ""), ("PTS-001", "Calibrated again")):
            register_instrument(
                tx, instrument=name, kind="Reader 50%", calibrated_on=DAY, due_on=LAST, reason=why
            )
        register_material(tx, material="LAL-1", kind="kit", lot="L", expires_on=LAST, reason="")
        for person, method in ((ANA, "SOP-1"), (BEN, "SOP-1"), (ANA, "SOP-2")):
            register_training(
                tx, person=person, method=method, trained_on=DAY, expires_on=LAST, reason=""
            )
    with house.reading() as session:
        rows = newest_kept(session, Instrument, text="", after="", limit=5)
        assert [(one.instrument, one.number) for one in rows] == [("FAC-002", 1), ("PTS-001", 2)]
        later = newest_kept(session, Instrument, text="", after=rows[0].folded, limit=5)
        assert [one.instrument for one in later] == ["PTS-001"]
        assert len(newest_kept(session, Instrument, text="pts", after="", limit=5)) == 1
        assert len(newest_kept(session, Instrument, text="50%", after="", limit=5)) == 2
        assert newest_kept(session, Instrument, text="_", after="", limit=5) == []
        assert len(newest_kept(session, Material, text="KIT", after="", limit=5)) == 1
        trained = newest_trainings(session, text="", after=0, limit=2)
        assert [(one.person.user_id, one.method) for one in trained] == [
            (ANA, "SOP-2"), (BEN, "SOP-1"),
        ]  # fmt: skip
        older = newest_trainings(session, text="", after=trained[-1].id, limit=2)
        assert [one.person.user_id for one in older] == [ANA]
        assert len(newest_trainings(session, text="sop-1", after=0, limit=9)) == 2
        assert len(newest_trainings(session, text=BEN, after=0, limit=9)) == 1
