"""How somebody works a page: with a mouse, dropping or choosing files, or by keyboard alone."""

from pathlib import Path

from playwright.sync_api import ElementHandle, Error, FilePayload, Locator, expect

from tests.records.house import PASSWORD
from tests.web.browsing import Visitor

#: No field or button of a page is further than so many presses of Tab.
_FAR = 120
_FOCUS = "one => one.isConnected ? one === document.activeElement : null"
#: Whether what has the focus is marked, and not covered by what stands over the page.
_SEEN = """async one => { await new Promise(requestAnimationFrame);
  const look = getComputedStyle(one), box = one.getBoundingClientRect();
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const over = at && (one.contains(at) || at.contains(one) || at.closest('label'));
  return Boolean(over) && (look.outlineStyle !== 'none' || look.boxShadow !== 'none') }"""


def _has_focus(one: ElementHandle) -> bool | None:
    """Whether it has the focus; none if it is gone. To look for its label takes far longer."""
    try:
        found: bool | None = one.evaluate(_FOCUS)
    except Error:
        return None  # with its page
    return found


class Mouse:
    """Points at what is labelled; files are chosen where the label is pressed."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page

    def comes(self) -> None:
        """To the one address that people know."""
        self.visitor.go("/sign-in")

    def sign_in(self, user_id: str) -> None:
        """From there to My work."""
        self.comes()
        self.fill(self.page.get_by_label("User id"), user_id)
        self.fill(self.page.get_by_label("Password"), PASSWORD)
        self.press(self.visitor.button("Sign in"))
        self.visitor.heading("My work").wait_for()

    def goes_to(self, place: str) -> None:
        """One of the places that the top of every page leads to."""
        places = self.page.get_by_role("navigation", name="Main")
        self.press(places.get_by_role("link", name=place, exact=True))

    def press(self, target: Locator) -> None:
        target.click()

    def fill(self, target: Locator, text: str) -> None:
        target.fill(text)

    def give(self, label: str, file: Path | FilePayload) -> None:
        """Choose a file in the window that the browser opens for it."""
        with self.page.expect_file_chooser() as found:
            self.press(self.page.get_by_label(label, exact=True))
        found.value.set_files(file)

    def sign(self, button: str, reason: str) -> None:
        """Both components of a signature, and the reason."""
        self.fill(self.page.get_by_label("Reason", exact=True), reason)
        self.fill(self.page.get_by_label("Password", exact=True), PASSWORD)
        self.press(self.visitor.button(button))


class Dropping(Mouse):
    """Drags files from a folder to where the page says, as the browser itself is told of it."""

    def give(self, label: str, file: Path) -> None:
        words = self.page.get_by_text("Drop it here, or choose it.")
        expect(self.page.get_by_label(label)).to_have_count(1)
        words.scroll_into_view_if_needed()
        box = words.bounding_box()
        assert box is not None
        session = self.visitor.context.new_cdp_session(self.page)
        carried = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("dragEnter", "dragOver", "drop"):
            what = {"type": kind, "data": carried} | place
            session.send("Input.dispatchDragEvent", what)
        session.detach()


class Keys(Mouse):
    """Reaches everything with Tab; what opens and sends is pressed with Enter."""

    def press(self, target: Locator) -> None:
        self._reach(target)
        self.page.keyboard.press("Enter")

    def fill(self, target: Locator, text: str) -> None:
        self._reach(target)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def _reach(self, target: Locator) -> None:
        target.wait_for()
        one = target.element_handle()
        for _ in range(_FAR):
            while (is_there := _has_focus(one)) is None:
                one = target.element_handle()  # the page has another one by now
            if is_there:
                assert target.evaluate(_SEEN), f"nobody sees that {target} has the focus"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")
