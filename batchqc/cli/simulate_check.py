"""A lot that is lived, and whether a copy of it is what was written then."""

from datetime import datetime

from batchqc.cli.simulate_cast import SimulatedLot, token_of
from batchqc.cli.simulate_copies import Counters, rows_of, written
from batchqc.cli.simulate_life import Ending, Scene, live
from batchqc.cli.simulate_lived import Lived, newest_ids
from batchqc.cli.simulate_pattern import Pattern
from batchqc.errors import IntegrityFailure
from batchqc.records.transaction import reading


def lived(
    scene: Scene, ending: Ending, number: int, at: datetime, values: dict[str, str]
) -> tuple[SimulatedLot, Lived]:
    """A lot that is lived, and what was written of it."""
    one = SimulatedLot(token_of(number, at), at, values)
    with reading(scene.place.engine) as session:
        before = newest_ids(session)
    stored = set(scene.place.archive.names())
    live(scene, one, ending)
    with reading(scene.place.engine) as session:
        return one, Lived.read(session, scene.place.archive, before, stored)


def compare(pattern: Pattern, counters: Counters, one: SimulatedLot, truth: Lived) -> None:
    """Hold a copy against a life.

    Raises:
        IntegrityFailure: BQC-SIM-002, with every difference.
    """
    document = truth.objects.get(truth.document, b"")
    env = written(pattern, counters.env(pattern, one.begins.year), one, document)
    copied = {
        (table, values[columns.index("id")]): values
        for table, columns, values in rows_of(pattern, env)
    }
    lived = {
        (table, row["id"]): tuple(row.values())
        for table, rows in truth.rows.items()
        for row in rows
    }
    wrong = [
        f"{table} {number}: {copied.get((table, number))} is not {lived.get((table, number))}"
        for table, number in sorted(copied.keys() | lived.keys(), key=str)
        if copied.get((table, number)) != lived.get((table, number))
    ]
    shas = {str(env["h" + key[1:]]) for key in pattern.objects}
    wrong += [f"the store lacks {sha}" for sha in truth.objects.keys() - shas - {truth.document}]
    if wrong:
        raise IntegrityFailure(
            "BQC-SIM-002", "a simulated lot is not what the actions write", reasons=wrong
        )
