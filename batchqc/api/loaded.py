"""What a server has loaded stays: no collection of garbage looks through it while somebody waits.

To look through all of it takes as long as a page. What is loaded later, such as the numerics of the
first chart, is left alone from the next full collection on. What is new is looked through about
once for each page, not at every 700 of the objects that a page is made of.
"""

import gc
import sys
from typing import Final

_NEW: Final = 20_000
"""Objects that wait to be looked through: some megabytes; a page of a lot leaves thousands."""
_OLDER: Final = 3
"""How often that is done before what stayed is looked through too, which grows meanwhile."""


def settle() -> None:
    """Leave alone what is there now, and each time after modules were loaded what is there then."""
    loaded = len(sys.modules)
    gc.freeze()
    gc.set_threshold(_NEW, _OLDER, gc.get_threshold()[2])

    def settle_again(phase: str, info: dict[str, int]) -> None:
        nonlocal loaded
        if phase == "stop" and info["generation"] == 2 and len(sys.modules) > loaded:
            loaded = len(sys.modules)
            gc.freeze()  # once for what was loaded: else what is in use by chance stayed too

    gc.callbacks.append(settle_again)
