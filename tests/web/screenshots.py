"""The screenshots of the guide: every screen of the demonstration in light and dark, 1440 wide.

    make screenshots                  all of them
    make screenshots ONLY=lots        those of one area, a module of tests/web/shots

Runs the demonstration into a temporary folder for each area, prepares what its tour looks at,
serves it by a process as users do, and writes ``batchqc/guide/screens/``. A tour changes no record.
"""

import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import ModuleType

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.web.browsing import CHROMIUM
from tests.web.shots.stage import BATCHQC, TO, Stage, served

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--force-device-scale-factor=1"]
AREAS = sorted(
    path.stem
    for path in (Path(__file__).parent / "shots").glob("[a-z]*.py")
    if path.stem != "stage"
)


def main(areas: list[str]) -> None:
    TO.mkdir(exist_ok=True)
    for area in areas:
        _take(import_module(f"tests.web.shots.{area}"))


def _take(tour: ModuleType) -> None:
    """The pictures of an area, of a demonstration of its own: what it prepares changes no other."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "demo"
        subprocess.run([BATCHQC, "demo", "--to", home], check=True, stdout=subprocess.DEVNULL)
        with served(home) as address, sync_playwright() as playwright:
            if hasattr(tour, "prepare"):
                tour.prepare(address)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for look in ("light", "dark"):
                context = browser.new_context(
                    base_url=address, viewport={"width": 1440, "height": 1000},
                    reduced_motion="reduce", color_scheme=look, timezone_id="Asia/Ho_Chi_Minh",
                )  # fmt: skip
                tour.tour(Stage(context.new_page(), look))
                context.close()
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or AREAS)
