"""Lists of versions: how far each is, and how many lots each judges today."""

from sqlalchemy import event

from batchqc.records.specification_lines import VersionsWanted, lots_bound, version_lines
from tests.actions.correcting import decide, request
from tests.actions.versions import LOOSER, version
from tests.records.full_house import THAWED_FROM
from tests.records.house import LOT, QA2, SPEC, House, adopt, draft_in_review

RIGHT = THAWED_FROM.isoformat()


def bound(house: House) -> dict[str, int]:
    with house.reading() as session:
        rows = [one.version for one in version_lines(session, VersionsWanted())]
        counted = lots_bound(session, rows)
        return {row.reference: counted.get(row.id, 0) for row in rows}


def test_a_lot_that_is_bound_anew_counts_where_it_is_bound_now(house: House):
    adopt(house, version(2, RIGHT, LOOSER))
    assert bound(house) == {"UC-MSC-REL v1": 1, "UC-MSC-REL v2": 0}
    decide(house, request(house, f"lot:{LOT}", "manufactured_on", RIGHT))
    waiting = request(house, f"lot:{LOT}", "specification", "UC-MSC-REL v2")
    assert bound(house) == {"UC-MSC-REL v1": 1, "UC-MSC-REL v2": 0}
    decide(house, waiting)
    assert bound(house) == {"UC-MSC-REL v1": 0, "UC-MSC-REL v2": 1}


def test_versions_are_found_by_words_product_and_stage_with_how_far_each_is_in_one_query(
    house: House,
):
    draft_in_review(house, version(2, RIGHT), "v2.toml")
    asked: list[str] = []
    with house.reading() as session:
        event.listen(house.engine, "before_cursor_execute", lambda *sent: asked.append(sent[2]))
        first, second = version_lines(session, VersionsWanted(text="uc-msc-rel V"))
        assert len([one for one in asked if one.startswith("SELECT")]) == 1
        assert (first.version.author, first.submitted_by, first.withdrawn) == (SPEC, SPEC, None)
        assert first.approved_by is not None
        assert first.approved_by.casefold().startswith(QA2)
        assert (second.submitted_by, second.approved_by, second.approved_at) == (SPEC, None, None)
        for nothing in (
            VersionsWanted(text="adipose"),
            VersionsWanted(product="OTHER"),
            VersionsWanted(stage="stability"),
        ):
            assert version_lines(session, nothing) == []
