"""One's own sessions at a browser: which are open, and how one ends them."""

import pytest
from playwright.sync_api import expect

from batchqc.web.programs import named
from tests.records.house import ANA, LOT, PASSWORD, QA1
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.looking import look_at

AT = "/account"


def rows(visitor: Visitor) -> list[str]:
    return (
        visitor.page.get_by_role("list", name="Sessions").get_by_role("listitem").all_inner_texts()
    )


def prove(visitor: Visitor, password: str = PASSWORD, reason: str = "Left open at a bench") -> None:
    visitor.page.get_by_label("Reason").fill(reason)
    visitor.page.get_by_label("Password", exact=True).fill(password)


@pytest.mark.requirement("1.16")
def test_one_ends_a_session_that_was_left_open(site: Served):
    with site.visitor(ANA, user_agent="Bench 1") as bench, site.visitor(ANA) as desk:
        bench.go(f"/lots/{LOT}")
        with site.visitor(ANA, user_agent="Other 2") as other:
            other.go("/")
            desk.go(AT)
            told = rows(desk)
            assert ["This one" in one for one in told] == [False, True, False]
            assert "Bench, 127.0.0.1" in told[2]
            desk.page.get_by_role("listitem").filter(has_text="Bench").get_by_role("link").click()
            expect(desk.heading("End a session")).to_be_visible()
            prove(desk, "no password of mine")
            desk.press("End the session")
            expect(desk.page.get_by_text("user id or password is wrong").last).to_be_visible()
            prove(desk)
            desk.press("End the session")
            desk.sees("The session is ended.")
            assert len(rows(desk)) == 2
            bench.go(f"/lots/{LOT}")
            expect(bench.button("Sign in")).to_be_visible()
            desk.link("End all others").click()
            prove(desk)
            desk.press("End all others")
            desk.sees("Every other session is ended.")
            other.go("/")
            expect(other.button("Sign in")).to_be_visible()
        assert len(rows(desk)) == 1
        expect(desk.link("End all others")).to_have_count(0)


@pytest.mark.requirement("1.16")
def test_without_a_script_too_and_of_nobody_else(site: Served):
    with site.visitor(QA1, java_script_enabled=False) as qa, site.visitor(ANA) as ana:
        ana.go(AT)
        hers = ana.page.get_by_role("list", name="Sessions")
        assert hers.get_by_role("link").count() == 0
        with site.visitor(ANA) as again:
            again.go(AT)
            path = again.page.get_by_role("link", name="End it").get_attribute("href")
        assert path is not None
        qa.go(path)
        expect(qa.page.get_by_text("This is no open session of yours")).to_be_visible()
        expect(qa.button("End the session")).to_have_count(0)
        with site.visitor(QA1, user_agent="Bench 1") as bench:
            bench.go("/")
            qa.go(AT)
            qa.link("End it").click()
            qa.sees("Its next request is refused")
            prove(qa)
            qa.press("End the session")
            qa.sees("The session is ended.")
            bench.go("/")
            expect(bench.button("Sign in")).to_be_visible()


def test_the_sessions_look_as_they_must(site: Served):
    with site.visitor(ANA) as first, site.visitor(ANA, user_agent="x" * 200) as second:
        look_at(second, AT)
        look_at(first, AT)
        first.link("End it").click()
        expect(first.heading("End a session")).to_be_visible()
        assert first.violations() == []


#: What programs say of themselves, and how they are called.
SAID = {
    "": "192.0.2.7",
    "curl/8.9": "curl/8.9, 192.0.2.7",
    "y" * 100: f"{'y' * 40}, 192.0.2.7",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0":
        "Firefox, Windows, 192.0.2.7",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/149.0 Safari/537.36":
        "Chrome, Linux, 192.0.2.7",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/149.0 Safari/537.36 Edg/149.0":
        "Edge, Windows, 192.0.2.7",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1":
        "Safari, iPhone, 192.0.2.7",
}  # fmt: skip


@pytest.mark.parametrize("agent", SAID)
def test_a_program_is_called_as_people_call_it(agent: str):
    assert named(f"192.0.2.7 {agent}") == SAID[agent]


def test_of_nothing_nothing_is_said():
    assert named("") == ""
