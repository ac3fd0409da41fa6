"""Somebody at a browser: what they see by its label or role, and everything that went wrong."""

from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response

from tests.records.house import PASSWORD

CHROMIUM: Final = "/usr/bin/chromium-headless-shell"
FLAGS: Final = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--renderer-process-limit=1",  # of a visitor; else another one is begun beforehand, for nobody
    "--js-flags=--no-opt --no-maglev",  # a page lives too short for what is compiled to be of use
]  # fmt: skip
AXE: Final = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_HAS_AXE: Final = "window.bringAxe?.(); delete window.bringAxe; 'axe' in window"
_CONTRAST: Final = ["color-contrast"]
# Of what is no violation axe tells nothing, and of no node where it is: that takes a third longer.
_RUN: Final = """async chosen => (await axe.run(document, {
    runOnly: chosen, resultTypes: ['violations'], selectors: false})).violations
  .map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 160) + ' '
    + node.any.map(each => each.message)).join(' | ')}`)"""
_SHIFTS: Final = """window.shifts = []; new PerformanceObserver(list => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts.push(
    `${one.value} at ${one.startTime} ms: ` + one.sources.map(({node, previousRect, currentRect}) =>
      [node?.outerHTML?.slice(0, 160), JSON.stringify(previousRect), JSON.stringify(currentRect)]
        .join(' ')).join(' | '))
}).observe({type: 'layout-shift', buffered: true})"""
#: What a browser says of an answer that is an error; tests look at the page that came.
_STATUS: Final = "Failed to load resource: the server responded with a status of 4"
#: Milliseconds, more than a browser that hangs is given (``looking``); else there is no end.
_ANSWERS: Final = 100_000


class Visitor:
    """A person with a browser window of their own. ``close`` tells whether anything was wrong."""

    def __init__(self, browser: Browser, address: str, options: dict[str, Any]) -> None:
        self.address, self.wrong = address, list[str]()
        look = {"viewport": {"width": 1440, "height": 1000}, "reduced_motion": "reduce"} | options
        self.context = browser.new_context(base_url=address, timezone_id="America/Chicago", **look)
        self._has_script = options.get("java_script_enabled", True)
        self.context.add_init_script(_SHIFTS)
        self.context.on("request", self._asked)
        self._brought = 0  # how often axe was brought into a page
        self.begin_anew()

    def begin_anew(self) -> None:
        """Go on in a new tab."""
        self._page, self._arrives = self.context.new_page(), False
        self._keeps = True  # what the server says may be kept
        self._page.on("console", self._said)
        self._page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def keep_nothing(self) -> None:
        """Let each page come as if it were the first: its style before anything is painted."""
        if not self._keeps:
            return
        self._keeps = False
        session = self.context.new_cdp_session(self._page)
        session.send("Network.enable", timeout=_ANSWERS)
        session.send("Network.setCacheDisabled", {"cacheDisabled": True}, timeout=_ANSWERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is not None:  # what the person saw when it went wrong
            print(self._page.url, self._page.inner_text("body"), sep="\n")
        self.context.close()
        assert kind is not None or not self.wrong, self.wrong

    def sign_in(self, user_id: str, password: str = PASSWORD) -> None:
        self.go("/sign-in")
        self.page.get_by_label("User id").fill(user_id)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")
        self.page.wait_for_load_state()

    @property
    def page(self) -> Page:
        """What is open: for who comes signed in the home page, unless they go elsewhere first."""
        if self._arrives:
            self.go("/")
        return self._page

    @page.setter
    def page(self, page: Page) -> None:
        self._page, self._arrives = page, False

    def come_signed_in(self, user_id: str) -> None:
        """Send the form of the sign-in without its page, which takes as long as a test."""
        answer = self.context.request.post(
            "/sign-in",
            form={"user_id": user_id, "password": PASSWORD},
            headers={"Origin": self.address},
            max_redirects=0,
        )
        assert answer.status == HTTPStatus.SEE_OTHER, answer.text()
        self._arrives = True

    def go(self, path: str) -> Response:
        self._arrives = False
        answer = self._page.goto(path)  # until it is loaded, with its scripts
        if self._has_script:  # htmx begins in a turn of its own
            self._page.evaluate("new Promise((done) => setTimeout(done))")
        assert answer is not None
        return answer

    def resize(self, width: int, height: int) -> None:
        self._page.set_viewport_size({"width": width, "height": height})

    def press(self, name: str) -> None:
        self.button(name).click()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name)

    def sees(self, text: str) -> Locator:
        found = self.page.get_by_text(text).first
        found.wait_for()
        return found

    def violations(self, *, of_colours: bool = False) -> list[str]:
        """What axe finds at WCAG 2.2 AA; of colours alone, where nothing else is new."""
        self.page.wait_for_load_state()  # with its style
        if not self.page.evaluate(_HAS_AXE):
            axe = AXE.read_text()
            self.page.evaluate(axe)
            self._brought += 1
            if self._brought == 2:  # and soon again: so long a text is not sent for each page
                self.context.add_init_script(f"window.bringAxe = () => {{ {axe}\n}}")
        found: list[str] = self.page.evaluate(_RUN, _CONTRAST if of_colours else _RULES)
        return found

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return wide

    def shifts(self) -> list[str]:
        """What moved without anybody asking for it: by how much, when, from where to where."""
        found: list[str] = self.page.evaluate("window.shifts")
        return found

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            self.wrong.append(f"asks for {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_STATUS):
            self.wrong.append(f"{message.type}: {message.text}")
