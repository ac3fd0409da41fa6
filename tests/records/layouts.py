"""Layouts of certificates as a site has them, and how a house adopts one."""

from typing import Final

from batchqc.actions.layouts import approve_layout, import_layout, submit_layout
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.settings import bundled
from tests.records.house import QA1, SPEC, House, signing

#: Of the site's own certificates.
LAYOUT: Final = """schema = "batchqc/layout/1"
id = "COA-DE"
version = 1
title = "Zertifikate auf Deutsch"
language = "de"
paper = "A4"
order = ["viability", "sterility"]
footnotes = ["Nur für die klinische Prüfung."]
[letterhead]
contact = ["qc@lakeside.example"]
[titles]
viability = "Viabilität nach dem Auftauen"
""".encode()

#: For one recipient.
FOR_CLINIC: Final = """schema = "batchqc/layout/1"
id = "COA-CLINIC"
version = 1
title = "Ausfertigung für die Klinik"
language = "de"
paper = "Letter"
recipient = "Klinik am See, Hamburg"
product = "UC-MSC"
withhold = ["ido"]
[titles]
viability = "Viabilität nach dem Auftauen"
ido = "IDO-Aktivität"
""".encode()


def adopt_layout(house: House, data: bytes) -> tuple[str, int]:
    """Import, submit and approve a layout: id and version."""
    layout, version = draft_layout(house, data)
    with house.acting(SPEC, Permission.IMPORT_LAYOUT) as tx:
        submit_layout(tx, layout=layout, version=version)
    with house.acting(QA1, Permission.APPROVE_LAYOUT) as tx:
        approved = approve_layout(
            tx, house.archive, layout=layout, version=version, credentials=signing(QA1)
        )
        assert not isinstance(approved, Refusal)
    return layout, version


def draft_layout(house: House, data: bytes) -> tuple[str, int]:
    """Import a layout: id and version."""
    with house.acting(SPEC, Permission.IMPORT_LAYOUT) as tx:
        fonts = bundled("reports") / "fonts"
        row = import_layout(tx, house.archive, data=data, file="layout.toml", fonts=fonts)
        return row.layout, row.version
