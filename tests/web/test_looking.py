"""A browser that hangs holds up no test for ever, and hides no page that makes it hang."""

from threading import Timer

import pytest

from tests.records.house import ANA
from tests.web import looking
from tests.web.conftest import Served
from tests.web.looking import look_at

HANGS = "if (location.protocol !== 'about:') setTimeout(() => { for (;;); }, 50);"
ONCE = f"if (!localStorage.hung) {{ localStorage.hung = 'once'; {HANGS} }}"


def wait(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Wait so long for the first look, and so long for the next."""
    left = iter(seconds)
    monkeypatch.setattr(looking, "Timer", lambda _, act: Timer(next(left), act))


def test_a_screen_at_which_the_browser_hangs_is_looked_at_anew(
    served: Served, monkeypatch: pytest.MonkeyPatch
):
    with served.visitor(ANA) as ana:
        ana.go("/lots")  # so that what is measured is warm
        wait(monkeypatch, 4, 90)
        ana.context.add_init_script(ONCE)
        look_at(ana, "/lots")
        assert ana.page.evaluate("localStorage.hung") == "once"


def test_a_screen_that_makes_the_browser_hang_is_found(
    served: Served, monkeypatch: pytest.MonkeyPatch
):
    with served.visitor(ANA) as ana:
        ana.go("/lots")
        wait(monkeypatch, 4, 4)
        ana.context.add_init_script(HANGS)
        with pytest.raises(AssertionError, match="hangs at /lots"):
            look_at(ana, "/lots")
