"""What a server has loaded stays: no collection of garbage looks through it while somebody waits.

To look through all of it takes as long as a page. What is loaded later, such as the numerics of the
first chart, is left alone from the next full collection on. What an act makes it lets go by itself
but for little: Python looks for that little after every 700 new things, a server after 10,000.
"""

import gc
import sys
from typing import Final

NEW_THINGS: Final = 10_000


def settle() -> None:
    """Leave alone what is there now, and each time after modules were loaded what is there then."""
    loaded = len(sys.modules)
    gc.freeze()
    gc.set_threshold(NEW_THINGS, *gc.get_threshold()[1:])

    def settle_again(phase: str, info: dict[str, int]) -> None:
        nonlocal loaded
        if phase == "stop" and info["generation"] == 2 and len(sys.modules) > loaded:
            loaded = len(sys.modules)
            gc.freeze()  # once for what was loaded: else what is in use by chance stayed too

    gc.callbacks.append(settle_again)
