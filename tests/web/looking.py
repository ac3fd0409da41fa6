"""How a screen must look, whatever it shows: for everybody, in every window.

In another look the same page has other colours, and nothing else that axe could see: there it looks
at these alone, and `make long` at everything, in forced colours too.

The narrowest window, 320 pixels, is what a window of 1280 shows at 400 % (WCAG 2.2, 1.4.10).
"""

from contextlib import suppress
from threading import Event, Timer

import psutil
from playwright.sync_api import Error, Locator

from tests.tiers import LONG
from tests.web.browsing import Visitor

#: In the last one axe looks too.
WIDTHS = (1280, 768, 320, 360)
_LOOKS = [{"color_scheme": "light"}, {"color_scheme": "dark"}]
if LONG:
    _LOOKS.append({"forced_colors": "active"})


_POINT = """one => { const text = one.firstChild, at = text.data.indexOf('.');
  const range = document.createRange();
  range.setStart(text, 0); range.setEnd(text, at < 0 ? text.length : at);
  return Math.round(range.getBoundingClientRect().right) }"""


#: Seconds, ten times as many as a screen takes: a browser that hangs does so for ever.
_LONGEST = 90


def point_of(number: Locator) -> int:
    """How far to the right the decimal point of a number stands, or where it would."""
    place: int = number.evaluate(_POINT)
    return place


def look_at(visitor: Visitor, path: str) -> None:
    """Go there: axe finds nothing, nothing moves or runs out of the window in any look.

    Chromium hangs once in some ten thousand screens; the screen is looked at anew then, in another
    tab. A screen that hangs it does so there too.
    """
    if not _was_looked_at(visitor, path):
        assert _was_looked_at(visitor, path, anew=True), f"the browser hangs at {path}"


def _was_looked_at(visitor: Visitor, path: str, *, anew: bool = False) -> bool:
    """Look, and end the tabs of a browser that does not answer; whether it did."""
    hangs = Event()

    def end() -> None:
        hangs.set()
        end_tabs()

    timer = Timer(_LONGEST, end)
    timer.start()
    try:
        if anew:
            visitor.begin_anew()
        _look_at(visitor, path)
    except Error:
        if not hangs.is_set():
            raise
    finally:
        timer.cancel()
    return not hangs.is_set()


def end_tabs() -> None:
    """End what shows pages, in every browser of this process."""
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "--type=renderer" in one.cmdline():
                one.kill()


def _look_at(visitor: Visitor, path: str) -> None:
    visitor.keep_nothing()
    visitor.resize(1440, 1000)
    visitor.go(path)
    for look in _LOOKS:
        visitor.page.emulate_media(**look)
        of_colours = look != _LOOKS[0] and not LONG
        assert (look, visitor.violations(of_colours=of_colours)) == (look, [])
    assert visitor.shifts() == []
    visitor.page.emulate_media(color_scheme="light", forced_colors="none")
    for width in WIDTHS:
        visitor.resize(width, 800)
        assert (width, visitor.overflow()) == (width, 0)
    found = visitor.violations()
    assert found == [], found
    assert visitor.page.title().endswith("· batchqc")
