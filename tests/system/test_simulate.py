"""A simulated site is one that actions could have made; asking it more costs no more statements."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, Pool, event, text

from batchqc.actions.doctor import examine_installation
from batchqc.actions.verification import verify_audit_trail
from batchqc.cli import simulate
from batchqc.cli import simulate_cast as cast
from batchqc.cli.doctor import examined_at
from batchqc.cli.simulate import Extent, Simulated
from batchqc.cli.simulate_life import Ending
from batchqc.cli.workplace import Workplace
from batchqc.errors import Conflict, IntegrityFailure
from batchqc.records.transaction import reading
from batchqc.settings import Settings
from tests.performance.asked import asked, opened, questions
from tests.performance.plans import scans

FEW, MANY = 4, 16
#: Statements for every lot of a product or of a page. What is here is to be mended, and leaves.
GROWS = {"/api/v1/training-report", "/api/v1/training-report/csv"}
#: A proof in the log: one more for sixteen times the entries. Whoever verifies a certificate needs
#: the head of the log and a proof: of few entries both are made of the same hashes, asked for once.
PROVES = {
    "/api/v1/certificates/{certificate}/proof": 1, "/certificates/{certificate}": 3,
    "/audit-trail/{place}": 1,
}  # fmt: skip
#: Behind the lot in the middle of few stands none, and nothing is asked of none.
EMPTY = {"/api/v1/lots?after={lot}"}
#: They judge one lot after the other: measured elsewhere, too long for here.
JUDGES = {
    "/api/v1/investigations/patterns", "/investigations/patterns", "/lots/{lot}/review",
    "/trends", "/api/v1/lots/{lot}/review", "/api/v1/lots/{lot}/trends",
}  # fmt: skip
#: Tables that a question reads from end to end, and what it looks for in them.
READS = {
    "/api/v1/open-work": {"disposition"},  # what nobody decided yet
    "/": {"disposition"},
    "/reviews": {"disposition"},
    "/investigations": {"investigation"},  # the criteria there are
    "/investigations?order=newest": {"investigation"},  # as above
    "/lots?text={middle}": {"lot"},  # any part of an id
    "/api/v1/trends/SIM-MSC": {"lot"},  # every lot of the product
    "/lots/{lot}": {"lot"},  # the neighbours of its trend
    "/manual": {"upload"},  # how many there are
}
WANTED = [one for one in questions() if one not in JUDGES]


@dataclass
class Grown:
    """What each question said to the database of few lots, and of many."""

    settings: Settings
    site: Simulated
    few: dict[str, int]
    many: dict[str, list[tuple[str, object]]]
    left_open: int


@pytest.fixture(scope="module")
def connections() -> Iterator[set[int]]:
    """Those to any database that were opened, and not closed."""
    found: set[int] = set()

    def begin(connection: Any, _: object) -> None:
        found.add(id(connection))

    def end(connection: Any, _: object) -> None:
        found.discard(id(connection))

    event.listen(Pool, "connect", begin)
    event.listen(Pool, "close", end)
    yield found
    event.remove(Pool, "connect", begin)
    event.remove(Pool, "close", end)


@pytest.fixture(scope="module")
def grown(
    tmp_path_factory: pytest.TempPathFactory, fast_passwords: None, connections: set[int]
) -> Grown:
    folder = tmp_path_factory.mktemp("simulated")
    settings = Settings.in_folder(folder)
    site = Simulated.begun(settings, Extent(MANY, 1, 2, seed=7))
    site.copy(FEW)
    with opened(settings) as asking:
        few = {name: len(said) for name, said in asked(asking, WANTED).items()}
    site.copy(MANY - FEW)
    site.end()
    with opened(settings) as asking:
        many = asked(asking, WANTED)
    return Grown(settings, site, few, many, len(connections))


def test_who_made_a_site_or_served_it_leaves_no_connection_open(grown: Grown):
    assert not grown.left_open


def test_the_audit_trail_of_a_simulated_site_verifies(grown: Grown):
    place = grown.site.scene.place
    with reading(place.engine) as session:
        found = verify_audit_trail(session, place.archive)
    assert not found.problems
    assert found.entries > 2 * MANY


def test_a_life_that_actions_write_in_another_way_is_noticed(grown: Grown, monkeypatch):
    pattern = grown.site.patterns[Ending.OPEN]
    monkeypatch.setitem(pattern.constants, "c:'vial'", "bag")
    with pytest.raises(IntegrityFailure) as noticed:
        grown.site.hold_against_a_life(Ending.OPEN)
    assert noticed.value.code == "BQC-SIM-002"
    assert any("sample" in one and "bag" in one for one in noticed.value.reasons)


def test_a_simulated_lot_in_test_is_reviewed_and_released_as_any_other(grown: Grown):
    signed = {"password": cast.PASSWORD, "reason": "Tried on simulated records"}
    with opened(grown.settings) as site:
        lot = grown.site.newest_in_test

        def sign(person: str, what: str, **more: object) -> dict[str, object]:
            body = signed | {"user_id": person} | more
            return site.post(person, f"/lots/{lot}/{what}", json=body)

        sign(cast.REVIEWER, "review")
        sign(cast.REVIEWER, "qc-review")
        headers = {"Authorization": f"Bearer {site.tokens[cast.READER]}"}
        read = site.client.get(f"/api/v1/lots/{lot}/audit-review", headers=headers).json()
        sign(cast.READER, "audit-review", last=read["last"], head=read["head"])
        decided = sign(cast.RELEASER, "disposition", decision="released")
        number = decided["certificate"]["number"]
        headers = {"Authorization": f"Bearer {site.tokens[cast.RELEASER]}"}
        pdf = site.client.get(f"/api/v1/certificates/{number}/pdf", headers=headers).content
    assert pdf.startswith(b"%PDF")


def test_no_question_says_more_to_a_database_that_holds_more(grown: Grown):
    more = {
        name: (grown.few[name], len(said))
        for name, said in grown.many.items()
        if len(said) > grown.few[name] + PROVES.get(name, 0) and name not in EMPTY
    }
    assert more.keys() == GROWS, more  # what grows no more leaves the list


def test_every_question_was_asked(grown: Grown):
    assert len(grown.many) > 90
    assert grown.few.keys() == grown.many.keys()


def test_no_question_reads_a_large_table_from_end_to_end(grown: Grown):
    with grown.site.scene.place.engine.connect() as connection:
        found = {
            name: tables
            for name, said in grown.many.items()
            if (tables := {table for table, _ in scans(connection, said)} - READS.get(name, set()))
        }
    assert not found


def test_a_plan_without_its_index_is_noticed(grown: Grown):
    engine: Engine = grown.site.scene.place.engine
    with engine.connect() as connection:
        connection.execute(text("DROP INDEX ix_audit_review_last"))
        said = grown.many["/api/v1/lots/{lot}"]
        assert any(table == "audit_review" for table, _ in scans(connection, said))
        connection.rollback()


def test_a_simulated_site_is_made_nowhere_but_in_a_new_installation(grown: Grown):
    with pytest.raises(Conflict, match="BQC-SIM-001") as refused:
        simulate.refuse_what_exists(grown.settings)
    assert len(refused.value.reasons) == 5  # root.pem that auditors were given, too


@pytest.mark.long
def test_a_site_with_sealed_certificates_is_sound_to_the_doctor(tmp_path):
    site = Simulated.begun(Settings.in_folder(tmp_path), Extent(FEW, 1, 0, seed=7, sealed=True))
    site.copy(FEW)
    site.end()
    place = Workplace.at(site.scene.place.settings)
    found = examine_installation(examined_at(place))
    assert not found.findings
    assert found.verified == found.certificates > FEW
