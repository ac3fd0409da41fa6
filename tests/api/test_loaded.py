"""What is loaded is left alone by the collection of garbage, once for what was loaded."""

import gc
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from batchqc.api.loaded import settle


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often everything was left alone; nothing is, in the process of other tests."""
    found: list[int] = []
    before, threshold = list(gc.callbacks), gc.get_threshold()
    monkeypatch.setattr(gc, "freeze", lambda: found.append(1))
    yield found
    gc.callbacks[:] = before
    gc.set_threshold(*threshold)


def test_what_is_loaded_later_is_left_alone_from_the_next_full_collection_on(
    frozen: list[int], monkeypatch: pytest.MonkeyPatch
):
    settle()
    gc.collect()
    assert len(frozen) == 1
    monkeypatch.setitem(sys.modules, "loaded_late", ModuleType("loaded_late"))
    gc.collect(1)
    assert len(frozen) == 1
    for _ in range(3):
        gc.collect()
        assert len(frozen) == 2


@pytest.mark.usefixtures("frozen")
def test_what_is_new_is_looked_through_seldom():
    settle()
    gc.collect()
    found: list[int] = []

    def count(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            found.append(info["generation"])

    gc.callbacks.append(count)
    kept = [[number] for number in range(15_000)]
    assert found == []
    kept += [[number] for number in range(15_000)]
    assert found == [0]
    assert len(kept) == 30_000
