"""Trends, limits, controls and quality reviews, of thirty-two lots."""

import random
from datetime import date, timedelta

from batchqc.cli.demo_cast import APPROVER, PASSWORD, RELEASER, SECOND_ANALYST
from tests.web.shots.stage import Stage, send

"""Its lots would stand among those of all other pictures."""

PRODUCT = "UC-MSC"
OF = f"/trends/{PRODUCT}/viability"
_HEAD = (
    "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,started_at,measured_at,"
    "analyst,instrument_id,run_id,method_id,result_type,comment"
)
_FIRST = date(2026, 2, 22)
_FLOW = ("A1", "FLOW", "FAC-002", "SOP-QC-021 v5")


Cell = tuple[tuple[str, str, str, str], str, str, str]


def _values(n: int, chance: random.Random) -> list[Cell]:
    """What is measured of a lot: place, analyte, value, unit; a drift, and one lot that is odd."""

    def near(middle: float, spread: float, digits: int = 1) -> str:
        return f"{chance.gauss(middle, spread):.{digits}f}"

    viability = 100 - abs(chance.gauss(3.1, 0.8)) - (5.2 if n == 21 else 0)
    return [
        (_FLOW, "CD73", near(98.2, 0.6), "%"),
        (_FLOW, "CD90", f"{min(99.9, 99.2 + chance.gauss(0, 0.3)):.1f}", "%"),
        (_FLOW, "CD105", f"{97.9 - (0.22 * max(0, n - 12)) + chance.gauss(0, 0.3):.1f}", "%"),
        (_FLOW, "negative_panel", f"{abs(chance.gauss(0.7, 0.25)) + 0.05:.2f}", "%"),
        (("A1", "VIAB", "VCB-001", "SOP-QC-014 v3"), "viability", f"{viability:.1f}", "%"),
        (("A5", "PBMC", "FAC-002", "SOP-QC-031 v2"), "inhibition", near(36, 4), "%"),
        (("A6", "IDO", "PHS-001", "SOP-QC-030 v2"), "kynurenine", near(14.1, 1.1), "µmol/L"),
        (("A2", "ENDO", "PTS-001", "SOP-QC-040 v4"), "endotoxin", "<0.05", "EU/mL"),
        (("A3", "STER", "BTA-001", "SOP-MB-002 v6"), "growth_14d", "Negative", ""),
        (("A4", "MYCO", "QS5-001", "SOP-MB-007 v1"), "mycoplasma", "Negative", ""),
    ]  # fmt: skip


def prepare(address: str) -> None:
    """Twenty-four lots with results, limits on the first of them, and a quality review."""
    chance, rows = random.Random(26), [_HEAD]  # noqa: S311 - the same lots each time
    for n in range(24):
        made, lot = _FIRST - timedelta(days=24 - n), f"SIM-U-{n + 1:02d}"
        sample = {
            "id": f"{lot}-S01", "stage": "release", "container": "cryovial, 2 mL",
            "taken_at": f"{made}T08:30:00+07:00",
        }  # fmt: skip
        body = {
            "id": lot, "product": PRODUCT, "manufactured_on": str(made),
            "expires_on": str(made.replace(year=2028)), "donors": [f"DNR-UC-{n // 6 + 1:02d}"],
            "samples": [sample],
        }  # fmt: skip
        send(address, SECOND_ANALYST, "POST", "/lots", json=body)
        day, same = f"{made}T09:00:00+07:00", f"{made}T15:00:00+07:00"
        late = f"{made + timedelta(days=14)}T15:00:00+07:00"
        for (aliquot, test, instrument, method), analyte, value, unit in _values(n, chance):
            run, read = f"{test}-{made:%y%m%d}-S", late if test == "STER" else same
            rows.append(
                f"{lot},{lot}-S01,{aliquot},{test},{analyte},1,{value},{unit},{day},{read},"
                f"{SECOND_ANALYST},{instrument},{run},{method},reportable,simulated"
            )
            if test == "ENDO":
                recovery = f"{chance.gauss(101, 6):.0f}"
                rows.append(
                    f"{lot},{lot}-S01,PPC,ENDO,recovery,1,{recovery},%,{day},{read},"
                    f"{SECOND_ANALYST},{instrument},{run},{method},control,simulated"
                )
    sheet = "\n".join(rows).encode() + b"\n"
    send(address, SECOND_ANALYST, "POST", "/uploads?file=simulated_lots.csv", content=sheet)
    why = {"reason": "The process is as it was validated"}
    send(address, APPROVER, "POST", f"{OF}/limits", json=why | {"until": "SIM-U-12"})
    signed = {"user_id": RELEASER, "password": PASSWORD, "reason": "The lots are of one process"}
    send(address, RELEASER, "POST", f"{OF}/limits/1/approval", json=signed)
    send(address, APPROVER, "POST", f"/trends/{PRODUCT}/cd73/limits", json=why)
    of = {"product": PRODUCT, "first": "2026-01-01", "last": "2026-02-28"}
    send(address, APPROVER, "POST", "/quality-reviews", json=of)


def tour(stage: Stage) -> None:
    """Every screen, as QA sees it."""
    page = stage.page
    stage.sign_in(RELEASER)
    stage.take("trends", "/trends?product=UC-MSC")
    page.goto(OF)
    page.get_by_role("region", name="Control chart", exact=True).focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    stage.take("trend-point")
    stage.take("trend-figures", f"{OF}/figures?plot=histogram")
    stage.take("trend-limits", f"{OF}/limits")
    stage.take("trend-limit-set", f"{OF}/limits/1")
    stage.take("trend-limits-approval", f"/trends/{PRODUCT}/cd73/limits/1/approval")
    stage.take("trend-limits-new", f"{OF}/limits/new")
    stage.take("trend-controls", f"/trends/{PRODUCT}/endotoxin/controls")
    stage.take("trend-profile", f"/trends/{PRODUCT}/profile")
    stage.take("quality-reviews", "/quality-reviews")
    stage.take("quality-review", "/quality-reviews/QR-2026-000001")
    stage.take("quality-review-reading", "/quality-reviews/QR-2026-000001/reading")
