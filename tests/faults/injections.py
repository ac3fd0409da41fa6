"""Faults, each by its name. What a fault takes away, it gives back before it ends."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Final, TypeAlias

from tests.faults.postgres import Pair
from tests.faults.site import Site
from tests.faults.stamps import NONSENSE, Stamps

Fault: TypeAlias = Callable[[Site, random.Random], None]
_UNTIL_SEALED: Final = 5.0
"""Seconds that somebody who seals is waited for."""


def _kill_server(site: Site, chance: random.Random) -> None:
    del chance
    site.kill()
    site.start()


def _disk_full(site: Site, chance: random.Random) -> None:
    site.fill_disk()
    time.sleep(chance.uniform(0.1, 0.5))
    site.empty_disk()
    if site.pair is not None:
        site.pair.restart_what_ended()


def _killed_on_full_disk(site: Site, chance: random.Random) -> None:
    site.fill_disk()
    time.sleep(chance.uniform(0.05, 0.3))
    site.kill()
    site.empty_disk()
    if site.pair is not None:
        site.pair.restart_what_ended()
    site.start()


def _store_gone(site: Site, chance: random.Random, *, leaves_folder: bool) -> None:
    site.take_store(leaves_folder=leaves_folder)
    time.sleep(chance.uniform(0.1, 0.5))
    site.give_store()


def _killed_without_store(site: Site, chance: random.Random) -> None:
    site.take_store(leaves_folder=True)
    time.sleep(chance.uniform(0.1, 0.5))
    site.kill()
    site.give_store()
    site.start()


def _clock_set(site: Site, chance: random.Random, *, by: str) -> None:
    site.set_clock(by)
    time.sleep(chance.uniform(1, 2))  # somebody asks meanwhile, and is refused
    site.set_clock("+0")


def _stamps_down(site: Site, chance: random.Random) -> None:
    stamps = _stamps(site)
    stamps.go_down()
    time.sleep(chance.uniform(0.5, 2))
    stamps.come_back()


@contextmanager
def _hanging(site: Site) -> Iterator[None]:
    """The service hangs while the block lasts, which begins when somebody waits for it."""
    stamps = _stamps(site)
    stamps.hang()
    stamps.wait_for_somebody(_UNTIL_SEALED)
    yield
    stamps.go_on()


def _stamps_hang(site: Site, chance: random.Random) -> None:
    with _hanging(site):
        time.sleep(chance.uniform(0.2, 1))


def _stamps_nonsense(site: Site, chance: random.Random) -> None:
    stamps = _stamps(site)
    stamps.talk_nonsense(chance.choice(list(NONSENSE)))
    time.sleep(chance.uniform(0.5, 2))
    stamps.go_on()


def _killed_while_stamps_hang(site: Site, chance: random.Random) -> None:
    with _hanging(site):
        time.sleep(chance.uniform(0, 0.3))
        site.kill()
    site.start()


def _kill_database(site: Site, chance: random.Random) -> None:
    del chance
    _pair(site).restart()


def _kill_backend(site: Site, chance: random.Random) -> None:
    _pair(site).primary.kill_one_backend(chance.randrange(1000))
    time.sleep(0.3)


def _cut_line(site: Site, chance: random.Random) -> None:
    del chance
    for line in _pair(site).lines:
        line.cut()


def _cut_at_commit(site: Site, chance: random.Random, *, before: bool) -> None:
    for line in _pair(site).lines:
        line.cut_at_commit(before=before)
    time.sleep(chance.uniform(0.1, 0.4))


def _fail_over(site: Site, chance: random.Random) -> None:
    del chance
    _pair(site).fail_over()


def _both_killed(site: Site, chance: random.Random) -> None:
    del chance
    site.kill()
    _pair(site).restart()
    site.start()


def _stamps(site: Site) -> Stamps:
    if site.stamps is None:
        raise RuntimeError("there is no timestamp service")
    return site.stamps


def _pair(site: Site) -> Pair:
    if site.pair is None:
        raise RuntimeError("there is no server of a database")
    return site.pair


STAMPS: Final[Mapping[str, Fault]] = {
    "timestamp service down": _stamps_down,
    "timestamp service hangs": _stamps_hang,
    "timestamp service answers nonsense": _stamps_nonsense,
    "server killed while the timestamp service hangs": _killed_while_stamps_hang,
}
"""Faults of whoever stamps seals: where one of them may come, every seal is stamped."""
_EVERYWHERE: Final[Mapping[str, Fault]] = {
    "server killed": _kill_server,
    "disk full": _disk_full,
    "server killed on a full disk": _killed_on_full_disk,
    "store away": partial(_store_gone, leaves_folder=False),
    "store not mounted": partial(_store_gone, leaves_folder=True),
    "server killed while the store is not mounted": _killed_without_store,
    **STAMPS,
}
CLOCK: Final[Mapping[str, Fault]] = {
    "clock set back": partial(_clock_set, by="-3h"),
    "clock set ahead": partial(_clock_set, by="+3h"),
}
"""Faults of the clock, which are tried by themselves: a clock that can be set is a slow one."""
FAULTS: Final[Mapping[str, Mapping[str, Fault]]] = MappingProxyType({
    "sqlite": _EVERYWHERE,
    "postgresql": {
        **_EVERYWHERE,
        "database killed": _kill_database,
        "a process of the database killed": _kill_backend,
        "line cut": _cut_line,
        "line cut before a commit": partial(_cut_at_commit, before=True),
        "line cut after a commit": partial(_cut_at_commit, before=False),
        "fail-over to the standby": _fail_over,
        "server and database killed": _both_killed,
    },
})  # fmt: skip
"""The faults of each kind of database, by their names."""
