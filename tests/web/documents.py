"""Specifications, profiles, layouts and panels in every state, for the pages that show them."""

from pathlib import Path

from batchqc.actions.donor_panels import import_panel
from batchqc.actions.layouts import import_layout, submit_layout
from batchqc.actions.profiles import import_profile
from batchqc.core.permissions import Permission
from batchqc.settings import bundled
from tests.records.house import (
    DON,
    PROFILE,
    SPEC,
    SPECIFICATION_FILE,
    House,
    draft_in_review,
    see_impact,
)

NAME = "UC-MSC-REL"
PANEL = Path(__file__).parents[2] / "batchqc" / "documents" / "donor_panels" / "eu-2006-17-v1.toml"


def text_of(version: int, *, effective: str = "2027-01-01", viability: str = ">= 70") -> str:
    """The next version of the specification: from another day, with another limit."""
    text = (bundled("specs") / SPECIFICATION_FILE).read_text(encoding="utf-8")
    for was, becomes in (
        ("version   = 1", f"version   = {version}"),
        ("effective = 2020-01-01", f"effective = {effective}"),
        ('accept   = "> 90"', f'accept   = "{viability}"'),
        ("[criteria.cd90]", "[criteria.cd91]"),
    ):
        assert was in text
        text = text.replace(was, becomes, 1)
    return text


def second_version(house: House) -> None:
    """A version in review, with its impact report."""
    draft_in_review(house, text_of(2).encode(), "v2.toml")
    see_impact(house, NAME, 2)


def others(house: House) -> None:
    """A profile and a panel that wait for their approval, and a layout in review."""
    with house.acting(SPEC, Permission.IMPORT_PROFILE) as tx:
        import_profile(tx, house.archive, data=PROFILE, file="profile.toml")
    layout = bundled("reports") / "layouts" / "coa-de-a4.toml"
    with house.acting(SPEC, Permission.IMPORT_LAYOUT) as tx:
        fonts = bundled("reports") / "fonts"
        import_layout(tx, house.archive, data=layout.read_bytes(), file=layout.name, fonts=fonts)
        submit_layout(tx, layout="COA-DE-A4", version=1)
    with house.acting(DON, Permission.IMPORT_PANEL) as tx:
        import_panel(tx, house.archive, data=PANEL.read_bytes(), file=PANEL.name)
