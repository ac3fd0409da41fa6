"""A product quality review of 200 and of 1,005 real lots, from upload to document.

    python tests/performance/quality_review.py [FOLDER]

The lots are those of Žagar & Mihelič, Scientific Data 9:99 (2022), where the file stands beside the
project: tablets, six attributes of release. Each is registered, uploaded, judged, charted and
reviewed. Prints each figure with its limit; into FOLDER it writes document and data to look at.
"""

import csv
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from peer_workload import Figure, set_up
from specification_impact import MEASURES, OLD, ZAGAR, register_and_upload, tablets

from batchqc.actions.people import principal
from batchqc.actions.quality_reviews import Made, annex, make_review
from batchqc.cli.workplace import Workplace
from batchqc.core.permissions import Permission
from batchqc.core.quality_reviews import Period
from batchqc.documents.archive import FolderArchive
from batchqc.records.transaction import Actor, reading

#: The day of the first lot, as `register_and_upload` has it; each of them is made on it.
FIRST = date(2020, 1, 1)


def site(folder: Path, batches: list[dict[str, str]]) -> Workplace:
    place = Workplace.at(set_up(folder, tablets(OLD, 1), "TABLET-REL", "TABLET"))

    def acting(user_id: str, permission: Permission) -> Actor:
        with reading(place.engine) as session:
            person = principal(session, user_id=user_id, time_zone="UTC", now=place.now())
            return person.acting(permission)

    register_and_upload(place, acting, batches)
    return place


def timed(place: Workplace) -> tuple[Made, float]:
    period = Period(FIRST, FIRST + timedelta(days=365))
    began = time.perf_counter()
    with reading(place.engine) as session:
        made = make_review(
            session, place.archive, product="TABLET", period=period, fonts=place.press.fonts
        )
    return made, time.perf_counter() - began


def measured(batches: list[dict[str, str]]) -> tuple[Made, float]:
    """The review, the second time it is made: what is computed once for all is computed."""
    with tempfile.TemporaryDirectory() as folder:
        place = site(Path(folder), batches)
        first, _ = timed(place)
        again, seconds = timed(place)
        assert isinstance(place.archive, FolderArchive)
        assert (first.data, first.document) == (again.data, again.document)
    return again, seconds


def main() -> None:
    if not ZAGAR.is_file():
        print("The real lots were not looked at: their file does not stand beside the project.")
        return
    with ZAGAR.open(encoding="utf-8", newline="") as handle:
        batches = list(csv.DictReader(handle, delimiter=";"))
    _, few = measured(batches[:200])
    made, all_of_them = measured(batches)
    charts = {one["title"]: one["n"] for one in made.content["charts"]}
    wrong = sum(
        charts.get(f"{name} (release)") != sum(bool(row[name].strip()) for row in batches)
        for name in MEASURES
    )
    figures = [
        Figure("review of 200 lots", few, 2.0, "s"),
        Figure("review of 1,005 lots", all_of_them, 10.0, "s"),
        Figure("charts with another n than the file", wrong, 0.5, ""),
    ]
    print("\n".join(map(str, figures)))
    for folder in map(Path, sys.argv[1:2]):
        folder.mkdir(parents=True)
        (folder / "review.pdf").write_bytes(made.document)
        (folder / "review.json").write_bytes(made.data)
        for name, table in annex(made.content).items():
            (folder / f"{name}.csv").write_bytes(table)
        pages = ["pdftoppm", "-r", "60", "-png", folder / "review.pdf", folder / "page"]
        subprocess.run(pages, check=True)
    if any(figure.value > figure.limit for figure in figures):
        raise SystemExit("a limit does not hold")


if __name__ == "__main__":
    main()
