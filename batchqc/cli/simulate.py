"""``batchqc simulate``: years of a busy site that never was, to measure and to try things on.

The first lives are lived: by the actions that people's acts are, on a clock of their own, with
signatures and sealed certificates. All others are copies of them with other names, times and
values; and before any is written, the copy of a life that was lived too must equal it in every row
and every byte. What copies lack is the sealed document: a line of text lies in its place.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Annotated, Final

import typer
from pydantic import SecretStr
from sqlalchemy import inspect

from batchqc import clock
from batchqc.actions.certificates import make_document
from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.cli import simulate_cast as cast
from batchqc.cli.demo_cast import StoryClock
from batchqc.cli.show import say
from batchqc.cli.simulate_cast import SimulatedLot, calm, drawn, peculiar, token_of
from batchqc.cli.simulate_check import compare, lived
from batchqc.cli.simulate_copies import Copies, Counters, go_on_counting
from batchqc.cli.simulate_haste import in_haste, wait_for_the_disk
from batchqc.cli.simulate_keys import first_press
from batchqc.cli.simulate_life import Ending, Scene, appoint_auditor, live, set_up
from batchqc.cli.simulate_lived import Lived
from batchqc.cli.simulate_pattern import Pattern, Weaver
from batchqc.cli.workplace import Workplace, settings_of
from batchqc.core.certificates import CertificateContent
from batchqc.documents.archive import FolderArchive
from batchqc.errors import Conflict
from batchqc.records.database import address_of, migrate
from batchqc.records.transaction import SYSTEM, reading, transaction
from batchqc.settings import Settings, bundled

_DAY: Final = timedelta(days=1)
_MORNING: Final = timedelta(minutes=30)
_WORK: Final = timedelta(hours=22)
_PECULIAR: Final = 900_001
_AT_ONCE: Final = 200
_REJECTED_ONE_IN: Final = 12
_OPEN_ONE_IN: Final = 50
_LAST: Final = 2


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is simulated: lots, years, views of each lot by an auditor, and the seed.

    ``sealed``: whether the certificates of copied lots have a sealed document.
    """

    lots: int
    years: int
    views: int
    seed: int
    sealed: bool = False


def simulate(
    context: typer.Context,
    lots: Annotated[int, typer.Option(min=1, max=500_000, help="How many lots.")],
    years: Annotated[int, typer.Option(min=1, max=10, help="In how many years, until now.")] = 10,
    views: Annotated[
        int, typer.Option(min=0, max=300, help="How often an auditor asks for each lot.")
    ] = 186,
    seed: Annotated[int, typer.Option(help="The same seed draws the same values.")] = 1,
    sealed: Annotated[  # noqa: FBT002 - how Typer declares a flag
        bool, typer.Option("--sealed", help="Seal every certificate: a fifth of a second each.")
    ] = False,
) -> None:
    """Fill a new installation with lots that never were; 40 results and about 200 entries each.

    It makes the installation, and refuses one that exists. Every certificate says SIMULATED.
    """
    settings = settings_of(context)
    refuse_what_exists(settings)
    began = perf_counter()
    fill(settings, Extent(lots, years, views, seed, sealed), tell=say)
    say(f"{lots} lots in {perf_counter() - began:.0f} s.")
    say(f"People: {', '.join((cast.ADMIN, *cast.PEOPLE))}; password of all: {cast.PASSWORD}")


def fill(
    settings: Settings, extent: Extent, *, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Make the installation and write the lots.

    Raises:
        IntegrityFailure: BQC-SIM-002 a copy is not what the actions write.
    """
    site = Simulated.begun(settings, extent)
    tell("Lots were lived, and their copies equal them.")
    site.copy(extent.lots, tell)
    site.end()


@dataclass(slots=True)
class Simulated:
    """A simulated site: where it is, by what lots are copied, and how many there are."""

    scene: Scene
    extent: Extent
    begins: datetime
    patterns: dict[Ending, Pattern]
    chance: Random
    lots: int = 0
    lived: int = 0

    @classmethod
    def begun(cls, settings: Settings, extent: Extent) -> "Simulated":
        """A new site, the lots of which were all lived."""
        settings = settings.model_copy(update={"seal_passphrase": SecretStr(cast.PASSWORD)})
        ends = clock.now() - _DAY
        day = (ends - extent.years * 365 * _DAY).date()
        begins = datetime.combine(day, datetime.min.time(), UTC)
        story = StoryClock(begins - 30 * _DAY)
        place = Workplace.at(settings, now=story)
        in_haste(place.engine)
        migrate(place.engine, bundled("migrations"))
        scene = Scene(replace(place, press=first_press(settings, story.at)), story)
        set_up(scene)
        chance = Random(extent.seed)  # noqa: S311 - the same lots each time, nothing secret
        site = cls(scene, extent, begins, {}, chance)
        site._learn()
        return site

    def _learn(self) -> None:
        """Make a pattern of each ending, and hold it against a second life."""
        for _ in range(2):  # what is exceptional about first lots is told of these
            self._lived(Ending.RELEASED)
        for ending in Ending:
            values = peculiar(fails=ending is Ending.REJECTED)
            one, life = self._lived(ending, values, _PECULIAR)
            self.patterns[ending] = Weaver(life, one).woven()
            self.hold_against_a_life(ending)

    def hold_against_a_life(self, ending: Ending) -> None:
        """Live a lot, and compare what was written of it with its copy.

        Raises:
            IntegrityFailure: BQC-SIM-002, with every difference.
        """
        with reading(self.scene.place.engine) as session:
            counters = Counters.read(session)
        one, truth = self._lived(ending)
        compare(self.patterns[ending], counters, one, truth)

    def _lived(
        self, ending: Ending, values: dict[str, str] | None = None, first: int = 0
    ) -> tuple[SimulatedLot, Lived]:
        self.lived += 1
        at = max(self.begins - 20 * _DAY, self.scene.clock.at) + timedelta(hours=7)
        at = at.replace(hour=at.hour // 7 * 7, minute=0, second=0)
        own = calm(self.lived, fails=ending is Ending.REJECTED)
        return lived(self.scene, ending, first + self.lived, at, values or own)

    @property
    def newest_in_test(self) -> str:
        """The lot that was copied last."""
        return self.planned(self.lots - 1)[0].lot

    def copy(self, many: int, tell: Callable[[str], None] = lambda _: None) -> None:
        """Write the next lots, some at once, and a checkpoint of the log behind each."""
        place = self.scene.place
        for first in range(self.lots, self.lots + many, _AT_ONCE):
            some = [
                self.planned(number)
                for number in range(first, min(first + _AT_ONCE, self.lots + many))
            ]
            begins = some[0][0].begins
            self.scene.clock.at = begins - _MORNING
            if first % self._lots_of_a_year() < _AT_ONCE:
                appoint_auditor(self.scene)
            with reading(place.engine) as session:
                counters = Counters.read(session)
            seal = self._document if self.extent.sealed else None
            copies = Copies(Path(place.settings.store), counters, seal)
            for one, ending in some:
                copies.add(self.patterns[ending], one)
                copies.add_views(one, one.begins + timedelta(minutes=2), self.extent.views)
            with place.engine.begin() as connection:
                copies.write(connection)
                go_on_counting(connection)
            self.scene.clock.at = some[-1][0].begins + timedelta(minutes=8)
            with transaction(place.engine, SYSTEM, self.scene.clock()) as tx:
                sign_checkpoint(tx, place.press.log_key())
            tell(f"{first + len(some)} of {self.extent.lots} lots")
        self.lots += many

    def end(self) -> None:
        """Begin a new product: its first lots are lived, and sealed with the key of today."""
        place = Workplace.at(self.scene.place.settings, now=self.scene.clock)
        self.scene.clock.at = ends = clock.now().replace(microsecond=0) - _DAY
        appoint_auditor(self.scene)
        for number in range(_LAST):
            at = ends + (number + 1) * _MORNING
            values, token = drawn(self.chance, fails=False), token_of(990_001 + number, at)
            live(Scene(place, self.scene.clock), SimulatedLot(token, at, values, cast.BEGUN),
                 Ending.RELEASED)  # fmt: skip
        place.engine.dispose()
        wait_for_the_disk(self.scene.place.engine)

    def _document(self, content: CertificateContent) -> bytes:
        """The sealed document of a copied certificate, by the key of its time."""
        decided = datetime.fromisoformat(content["issued"]["utc"])
        return make_document(content, self.scene.place.press, StoryClock(decided)).document

    def _lots_of_a_year(self) -> int:
        return max(1, self.extent.lots // self.extent.years // _AT_ONCE) * _AT_ONCE

    def planned(self, place: int) -> tuple[SimulatedLot, Ending]:
        """A lot and its ending: one after another on every day; the last ones are in test."""
        days = self.extent.years * 365 - 2
        a_day = ceil(self.extent.lots / days)
        day, slot = (place * days // self.extent.lots, 0) if a_day == 1 else divmod(place, a_day)
        at = self.begins + day * _DAY + _MORNING + slot * (_WORK / a_day)
        ending = Ending.RELEASED
        if place >= self.extent.lots - ceil(self.extent.lots / _OPEN_ONE_IN):
            ending = Ending.OPEN
        elif place % _REJECTED_ONE_IN == _REJECTED_ONE_IN - 1:
            ending = Ending.REJECTED
        at = at.replace(microsecond=0)
        values = drawn(self.chance, fails=ending is Ending.REJECTED)
        return SimulatedLot(token_of(place + 101, at), at, values), ending


def refuse_what_exists(settings: Settings) -> None:
    """Refuse an installation that exists, whatever is in it.

    Raises:
        Conflict: BQC-SIM-001, with what is there.
    """
    url = address_of(settings.database)
    database = Path(url.database or "")
    own = (settings.seal, settings.log_key, settings.trust / "root.pem")
    there = [str(one) for one in own if one.exists()]
    if url.get_backend_name() == "sqlite":
        there += [str(database)] if database.exists() else []
        database.parent.mkdir(parents=True, exist_ok=True)
    elif tables := inspect(Workplace.at(settings).engine).get_table_names():
        there.append(f"{len(tables)} tables in {url.database}")
    store = Workplace.at(settings).archive
    if not isinstance(store, FolderArchive):
        there.append(f"{settings.store} is no folder")
    elif store.root.exists():
        there.append(str(store.root))
    if there:
        raise Conflict(
            "BQC-SIM-001",
            "a simulated site is made in an installation of its own",
            reasons=there,
            hint="Name a new folder: batchqc --home <folder> simulate --lots 1000.",
        )
