"""The screenshots of the guide: every screen of the demonstration in light and dark, 1440 wide.

    make screenshots

Runs the demonstration into a temporary folder, makes the lot that waits for a result ready, serves
it by a process as users do, and writes ``batchqc/guide/screens/``.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from batchqc.cli.demo_cast import APPROVER, PASSWORD, RELEASER, REVIEWER, SECOND_ANALYST

ROOT = Path(__file__).parents[2]
TO = ROOT / "batchqc" / "guide" / "screens"
BATCHQC = Path(sys.executable).with_name("batchqc")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--force-device-scale-factor=1"]
READY, BLOCKED, DECIDED = "UCM-P1-T2", "SIM-26-002", "UCM-P1-T1"
RESULT = (
    "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,started_at,measured_at,"
    "analyst,instrument_id,run_id,method_id,result_type,comment\n"
    f"{READY},{READY}-S01,A6,IDO,kynurenine,1,13.6,µmol/L,2026-01-09T14:00:00+07:00,"
    f"2026-01-12T14:00:00+07:00,{SECOND_ANALYST},PHS-001,IDO-260112-01,SOP-QC-030 v2,reportable,"
    "simulated\n"
)


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address at which a process serves a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [BATCHQC, "--home", home, "serve", "--port", str(port)],
        env=os.environ | {"BATCHQC_SEAL_PASSPHRASE": PASSWORD},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{address}/sign-in").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def make_ready(address: str) -> None:
    """Upload what is missing, review it, and hand the lot to QA."""

    def send(user_id: str, method: str, path: str, **options: Any) -> Any:
        who = {"user_id": user_id, "password": PASSWORD}
        begun = httpx.post(f"{address}/api/v1/session", json=who, timeout=60).json()
        headers = {"Authorization": f"Bearer {begun['token']}"}
        url = f"{address}/api/v1{path}"
        answer = httpx.request(method, url, headers=headers, timeout=60, **options)
        answer.raise_for_status()
        return answer.json()

    signed = {"password": PASSWORD, "reason": "Agrees with the raw data"}
    send(SECOND_ANALYST, "POST", "/uploads?file=potency_ido_late.csv", content=RESULT.encode())
    by = signed | {"user_id": REVIEWER}
    send(REVIEWER, "POST", f"/lots/{READY}/review", json=by)
    send(REVIEWER, "POST", f"/lots/{READY}/qc-review", json=by)
    trail = send(APPROVER, "GET", f"/lots/{READY}/audit-review")
    read = {name: trail[name] for name in ("last", "head")}
    by = signed | {"user_id": APPROVER} | read
    send(APPROVER, "POST", f"/lots/{READY}/audit-review", json=by)


def take(page: Page, name: str) -> None:
    """Write what is seen, with as few colours as it needs."""
    page.wait_for_load_state("networkidle")
    seen = Image.open(BytesIO(page.screenshot()))
    few = seen.convert("RGB").quantize(200, dither=Image.Dither.NONE)
    few.save(TO / f"{name}.png", optimize=True)
    print(f"{name}.png {(TO / f'{name}.png').stat().st_size // 1000} kB")


def sign_in(page: Page, user_id: str, *, shown: str = "") -> None:
    page.goto("/sign-in")
    page.get_by_label("User id").fill(user_id)
    if shown:
        take(page, shown)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", level=1).wait_for()


def tour(page: Page, look: str) -> None:
    """Every screen, as QA sees it."""
    sign_in(page, RELEASER, shown=f"sign-in-{look}")
    for name, path in {
        "my-work": "/",
        "lots": "/lots",
        "lot-blocked": f"/lots/{BLOCKED}",
        "lot-decided": f"/lots/{DECIDED}?show=ido",
        "genealogy": "/lots/SIM-26-001/genealogy",
        "not-found": "/lots/UCM-P9-T9",
        "password": "/password",
    }.items():
        page.goto(path)
        take(page, f"{name}-{look}")
    page.goto(f"/lots/{READY}?show=ido")
    take(page, f"lot-{look}")
    page.get_by_role("button", name="value, row 2").click()
    take(page, f"cell-{look}")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Release").click()
    page.get_by_label("Reason").fill("Complies with its specification")
    take(page, f"release-{look}")
    page.get_by_role("button", name="Sign and release").click()
    page.get_by_text("Not signed.").wait_for()
    take(page, f"release-refused-{look}")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_label("Lot, product or place").fill("P1")
    page.get_by_role("dialog").get_by_role("link", name=READY).wait_for()
    take(page, f"palette-{look}")


def main() -> None:
    TO.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "demo"
        subprocess.run([BATCHQC, "demo", "--to", home], check=True, stdout=subprocess.DEVNULL)
        with served(home) as address, sync_playwright() as playwright:
            make_ready(address)
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for look in ("light", "dark"):
                context = browser.new_context(
                    base_url=address, viewport={"width": 1440, "height": 1000},
                    reduced_motion="reduce", color_scheme=look, timezone_id="Asia/Ho_Chi_Minh",
                )  # fmt: skip
                tour(context.new_page(), look)
                context.close()
            browser.close()


if __name__ == "__main__":
    main()
