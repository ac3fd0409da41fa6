"""What browsers fetch: ours or as others wrote it, small, and nothing in line."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from batchqc.web.static_files import FOLDER, address, assets, digest

TEMPLATES = sorted((FOLDER.parent / "templates").glob("*.html"))
VENDOR = FOLDER / "vendor"


def test_what_others_wrote_is_as_they_wrote_it_and_named_with_its_licence():
    listed = tomllib.loads((VENDOR / "VENDOR.toml").read_text())["file"]
    files = {path.name for path in VENDOR.iterdir()} - {"VENDOR.toml"}
    assert {one["path"] for one in listed} == files
    for one in listed:
        assert hashlib.sha256((VENDOR / one["path"]).read_bytes()).hexdigest() == one["sha256"]
        assert one["name"]
        assert one["version"]
        assert one["licence"] in {"0BSD", "MIT", "BSD-2-Clause", "BSD-3-Clause"}


def test_the_address_of_a_file_names_the_content_of_all():
    assert address("app.css") == f"/static/{digest()}/app.css"
    with pytest.raises(KeyError):
        address("nothing.css")


def test_style_and_script_of_all_pages_together_are_under_fifty_kilobytes_compressed():
    sizes = {name: len(one.zipped) for name, one in assets().items()}
    assert sum(sizes.values()) < 50_000, sizes
    assert all(gzip.decompress(one.zipped) == one.plain for one in assets().values())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_style_or_script_in_line_or_asks_another_site(path: Path):
    text = path.read_text()
    assert not re.search(r"\bstyle=|<style|\bon[a-z]+=|hx-on|javascript:|js:", text)
    assert not re.search(r"<script(?! src=)", text)
    assert not re.search(r"(?:href|src|action)=\"(?:https?:)?//", text)
    assert not re.search(r"hx-trigger=\"[^\"]*\[", text)


def test_no_style_asks_for_anything():
    for name, one in assets().items():
        if name.endswith(".css"):
            assert not re.search(rb"url\(|@import|@font-face", one.plain), name
