"""Where screenshots are taken: the demonstration as a process serves it, and a window."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Page

from batchqc.cli.demo_cast import PASSWORD
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
TO = ROOT / "batchqc" / "guide" / "screens"
BATCHQC = Path(sys.executable).with_name("batchqc")


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address at which a process serves a folder."""
    port = free_port()
    process = subprocess.Popen(
        [BATCHQC, "--home", home, "serve", "--port", str(port)],
        env=os.environ | {"BATCHQC_SEAL_PASSPHRASE": PASSWORD},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            try:
                httpx.get(f"{address}/sign-in").raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def send(address: str, user_id: str, method: str, path: str, **options: Any) -> Any:
    """Do something over the API as a person of the demonstration."""
    who = {"user_id": user_id, "password": PASSWORD}
    begun = httpx.post(f"{address}/api/v1/session", json=who, timeout=60).json()
    headers = {"Authorization": f"Bearer {begun['token']}"}
    url = f"{address}/api/v1{path}"
    answer = httpx.request(method, url, headers=headers, timeout=60, **options)
    answer.raise_for_status()
    return answer.json()


@dataclass(frozen=True)
class Stage:
    """A window in one look, light or dark, in which a tour is made."""

    page: Page
    look: str

    def take(self, name: str, path: str = "") -> None:
        """Write what is seen, with as few colours as it needs; ``path`` is gone to before."""
        if path:
            self.page.goto(path)
        self.page.wait_for_load_state("networkidle")
        seen = Image.open(BytesIO(self.page.screenshot()))
        few = seen.convert("RGB").quantize(200, dither=Image.Dither.NONE)
        file = TO / f"{name}-{self.look}.png"
        few.save(file, optimize=True)
        print(f"{file.name} {file.stat().st_size // 1000} kB")

    def sign_in(self, user_id: str, *, shown: str = "") -> None:
        """Sign in as a person of the demonstration."""
        self.page.context.clear_cookies(name="__Host-batchqc")
        self.page.goto("/sign-in")
        self.page.get_by_label("User id").fill(user_id)
        if shown:
            self.take(shown)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.get_by_role("heading", name="My work").wait_for()
