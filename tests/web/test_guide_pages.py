"""The guide of the version that runs: read by everybody, and no more than it says."""

import re
from pathlib import Path

import httpx2 as httpx
import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import expect

from batchqc.web.guide_markdown import Renderer
from batchqc.web.guide_pages import FOLDER, contents, pages
from tests.records.house import REV
from tests.web.conftest import Served

EVERY_CODE = set(
    re.findall(r"^\| (BQC-[A-Z]{3}-\d{3})", (FOLDER / "errors.md").read_text(), re.MULTILINE)
)


def rendered(text: str, name: str = "pages") -> str:
    markdown = MarkdownIt("commonmark", renderer_cls=Renderer).enable("table")
    env = {"name": name, "folder": FOLDER}
    return str(markdown.renderer.render(markdown.parse(text), markdown.options, env))


def test_it_is_read_searched_and_led_to_from_an_error_also_by_who_is_not_signed_in(served: Served):
    with served.visitor(java_script_enabled=False) as anybody:
        anybody.go("/guide")
        anybody.page.get_by_role("searchbox", name="Search the guide").fill("one-time password")
        anybody.press("Search")
        anybody.sees("with “one-time password” in it")
        anybody.link("Setting up").first.click()
        anybody.go("/guide/pages")
        anybody.page.get_by_role("link", name="API", exact=True).click()
        expect(anybody.heading("The API").first).to_be_visible()
        assert anybody.go("/guide/nothing").status == 404
        anybody.go("/guide?text=%3Cb%3Ezzz")
        anybody.sees("0 pages with “<b>zzz” in it")
    with served.visitor(REV) as rev:
        rev.go("/guide/pages")
        picture = rev.page.get_by_role("img", name="The sign-in")
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", value=True)
        assert picture.evaluate("one => one.naturalWidth") > 0
        rev.go("/lots/NONE-1")
        code = rev.page.get_by_role("link", name=re.compile("^BQC-"))
        name = code.inner_text()
        code.click()
        expect(rev.page.locator(f"[id='{name}']")).to_be_in_viewport()
        rev.page.keyboard.press("g")
        rev.page.keyboard.press("h")
        expect(rev.heading("Decisions, and why")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["../pages.py", "..%2f..%2fpyproject.toml", "screens/x.png", f"{'x' * 300}.png"]
)
def test_nothing_beside_the_guide_is_served(served: Served, path: str):
    assert httpx.get(f"{served.address}/guide/{path}").status_code == 404


def test_every_file_is_a_page_and_every_link_within_leads_to_one():
    every = pages()
    assert set(every) == {
        path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.md")
    }
    assert sum(map(len, contents().values())) == len(every)
    for page in every.values():
        for to in re.findall(r'(?:href|src)="(/guide/[^"#]*)', page.html):
            name = to.removeprefix("/guide/")
            assert name in every or Path(FOLDER / name).is_file(), (page.name, to)
    assert {code for code in EVERY_CODE if f'id="{code}"' in every["errors"].html} == EVERY_CODE


def test_of_html_only_pictures_are_taken_and_no_link_runs_anything():
    assert "<script" not in rendered("<script>alert(1)</script>")
    assert "<b" not in rendered('Text <b onclick="x">bold</b> and <img src=x onerror="y"> more')
    assert "onerror" not in rendered('<img src="screens/x.png" alt="A" onerror="y">')
    assert 'href="javascript' not in rendered("[a](javascript:alert(1))")
    assert 'alt="a&#34;b"' in rendered("<img src='screens/x.png' alt='a\"b'>")
    assert 'href="/guide/statistics/x#y"' in rendered("[a](statistics/x.md#y)")
    assert 'href="/guide"' in rendered("[a](../../pyproject.toml)")
    assert 'href="/guide/log"' in rendered("[a](../log.md)", "decisions/0030-pages")


def test_every_page_is_read_by_keyboard_and_no_head_of_a_column_is_empty():
    for page in pages().values():
        assert re.findall(r"<pre(?! tabindex)|<th></th>| style=", page.html) == [], page.name
