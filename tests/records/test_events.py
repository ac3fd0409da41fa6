"""The outbox: whoever reads while many write misses nothing, whatever commits first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from batchqc.actions.registers import register_donor
from batchqc.core.permissions import Permission
from batchqc.records.events import events_after, newest_event
from tests.records.house import DON, House
from tests.records.test_at_once import at_once

WRITERS, EACH = 6, 5


def writing(writer: int) -> Callable[[House], None]:
    def write(house: House) -> None:
        for number in range(EACH):
            with house.acting(DON, Permission.REGISTER_DONOR) as tx:
                code = f"DNR-{writer}-{number}"
                register_donor(tx, code=code, tissue_source="umbilical cord")

    return write


def test_who_reads_while_many_write_misses_no_event(house: House):
    with house.reading() as session:
        first = newest_event(session)
    over = Event()

    def read() -> list[tuple[int, str]]:
        seen: list[tuple[int, str]] = []
        is_last = False
        while not is_last:
            is_last = over.is_set()
            with house.reading() as session:
                last = seen[-1][0] if seen else first
                found = events_after(session, last, limit=100)
                seen += [(one.number, one.event.subjects[0]) for one in found]
        return seen

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            at_once(house, [writing(writer) for writer in range(WRITERS)])
        finally:
            over.set()
        seen = reader.result()
    assert [number for number, _ in seen] == list(range(first + 1, first + 1 + WRITERS * EACH))
    donors = {f"donor:DNR-{writer}-{number}" for writer in range(WRITERS) for number in range(EACH)}
    assert {subject for _, subject in seen} == donors
    assert house.verify().problems == ()
