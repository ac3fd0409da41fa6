"""Specifications: the list, a version, what it changes and would do, and its approval."""

from pathlib import Path

from batchqc.cli.demo_cast import APPROVER, AUTHOR, DONOR_OFFICER, PASSWORD, SPECIFICATION
from batchqc.settings import bundled
from tests.web.shots.stage import ROOT, Stage, send

NAME, VERSION = "UC-MSC-REL", 2
_LAYOUTS = ROOT / "reports" / "layouts"
_PROFILES = ROOT / "batchqc" / "intake" / "profiles"
_METHODS = ROOT / "batchqc" / "documents" / "potency_methods"
_PANELS = ROOT / "batchqc" / "documents" / "donor_panels"


def changed() -> str:
    """The second version: one limit looser, one stricter, from a later day."""
    text = (bundled("specs") / SPECIFICATION).read_text(encoding="utf-8")
    for was, becomes in (
        ("version   = 1", "version   = 2"),
        ("effective = 2020-01-01", "effective = 2027-01-01"),
        ('accept   = "> 90"', 'accept   = ">= 70"'),
        ('accept   = ">= 95"', 'accept   = ">= 97"'),
    ):
        text = text.replace(was, becomes, 1)
    return text


def prepare(address: str) -> None:
    """A version in review with its impact, and other documents in every state."""
    path = f"/specifications/{NAME}/{VERSION}"
    _import(address, AUTHOR, "/specifications?file=uc-msc-release-v2.toml", changed().encode())
    send(address, AUTHOR, "POST", f"{path}/submission")
    send(address, AUTHOR, "POST", f"{path}/impact")
    signed = {"user_id": APPROVER, "password": PASSWORD, "reason": "Agrees with the instrument"}
    for file in ("ido.toml", "hgf.toml"):
        _add(address, AUTHOR, "/methods", _METHODS / file)
    for file in ("vi-cell-blu.toml", "nucleoview-nc200.toml", "flowjo-table.toml"):
        made = _add(address, AUTHOR, "/profiles", _PROFILES / file)
        if file.startswith("vi"):
            where = f"/profiles/{made['id']}/{made['version']}/approval"
            send(address, APPROVER, "POST", where, json=signed)
    for file in ("coa-de-a4.toml", "coa-en-letter.toml"):
        made = _add(address, AUTHOR, "/layouts", _LAYOUTS / file)
        send(address, AUTHOR, "POST", f"/layouts/{made['id']}/{made['version']}/submission")
    for file in ("eu-2006-17-v1.toml", "us-1271-v1.toml"):
        _add(address, DONOR_OFFICER, "/donor-panels", _PANELS / file)


def tour(stage: Stage) -> None:
    """As an approver sees them, then as their author does."""
    page, here = stage.page, f"/specifications/{NAME}/{VERSION}"
    stage.sign_in(APPROVER)
    page.get_by_role("heading", name="My work").wait_for()
    stage.take("specifications", "/specifications")
    stage.take("specification", here)
    stage.take("specification-differences", f"{here}/differences")
    stage.take("specification-impact", f"{here}/impact")
    page.set_viewport_size({"width": 1440, "height": 1400})
    stage.take("specification-approval", f"{here}/approval")
    page.set_viewport_size({"width": 1440, "height": 1000})
    stage.take("methods", "/methods")
    stage.take("layout", "/layouts/COA-DE-A4/1")
    stage.sign_in(AUTHOR)
    page.get_by_role("heading", name="My work").wait_for()
    page.goto("/specifications/new")
    page.get_by_label("Or paste its text").fill(changed().replace('"%"', '"percents"', 1))
    page.get_by_role("button", name="Check it").click()
    page.get_by_role("heading", name="cannot be imported yet").wait_for()
    stage.take("specification-problems")


def _add(address: str, user_id: str, path: str, file: Path) -> dict[str, str]:
    return _import(address, user_id, f"{path}?file={file.name}", file.read_bytes())


def _import(address: str, user_id: str, path: str, data: bytes) -> dict[str, str]:
    made: dict[str, str] = send(address, user_id, "POST", path, content=data)
    return made
