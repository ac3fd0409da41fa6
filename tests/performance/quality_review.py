"""A product quality review of 200 and of 1,005 real lots, from upload to document.

    python tests/performance/quality_review.py [FOLDER]

The lots are those of Žagar & Mihelič, Scientific Data 9:99 (2022), where the file stands beside the
project: tablets, six attributes of release. Each is registered, uploaded, judged, charted and
reviewed. Limits are frozen from the first 100 lots of each attribute and signed; the lots behind
them are judged by these. Prints each figure with its limit, and what charts and capability say of
each attribute, and writes it into the guide; into FOLDER it writes document and data to look at.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from peer_workload import PASSWORD, ROOT, Figure, set_up
from specification_impact import MEASURES, OLD, ZAGAR, register_and_upload, tablets

from batchqc.actions.limit_sets import NewLimits, approve_limits, propose_limits
from batchqc.actions.people import principal
from batchqc.actions.quality_reviews import Made, annex, make_review
from batchqc.actions.signing import Credentials
from batchqc.actions.trends import Trends
from batchqc.cli.workplace import Workplace
from batchqc.clock import now
from batchqc.core.permissions import Permission
from batchqc.core.quality_reviews import Period
from batchqc.core.signatures import Refusal
from batchqc.core.trends import Attribute
from batchqc.documents.archive import FolderArchive
from batchqc.records.transaction import Actor, reading, transaction

PHASE_ONE, RULES = 100, ("1", "2", "5", "6")
#: The day of the first lot, as `register_and_upload` has it; each of them is made on it.
FIRST = date(2020, 1, 1)


def site(folder: Path, batches: list[dict[str, str]]) -> Workplace:
    place = Workplace.at(set_up(folder, tablets(OLD, 1), "TABLET-REL", "TABLET"))

    def acting(user_id: str, permission: Permission) -> Actor:
        with reading(place.engine) as session:
            person = principal(session, user_id=user_id, time_zone="UTC", now=place.now())
            return person.acting(permission)

    register_and_upload(place, acting, batches)
    freeze(place, acting)
    return place


def freeze(place: Workplace, acting: Callable[[str, Permission], Actor]) -> None:
    """Limits of each attribute from its first lots, which another person of QA approves."""
    trends = Trends()
    for name in MEASURES:
        of = Attribute("TABLET", "release", "", name)
        with transaction(place.engine, acting("qa", Permission.PROPOSE_LIMITS), now()) as tx:
            # One of them knows no percentage above 100, which these tablets have.
            limits = NewLimits(
                of, "First lots", until=f"Z-{PHASE_ONE:04d}", scale="identity", rules=RULES
            )
            propose_limits(tx, place.archive, limits, trends=trends)
        with transaction(place.engine, acting("qa2", Permission.APPROVE_LIMITS), now()) as tx:
            signed = approve_limits(
                tx, place.archive, attribute=of, number=1, trends=trends,
                credentials=Credentials("qa2", PASSWORD, "Agrees with the chart"),
            )  # fmt: skip
            assert not isinstance(signed, Refusal), signed


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


def told(made: Made) -> list[str]:
    """What charts and capability say of each attribute."""
    lines = []
    for chart in made.content["charts"]:
        rules = Counter(one[0] for one in chart["signals"])
        of = {one["name"]: one for one in chart["figures"]}
        able = of.get("Ppk")
        ppk = f"Ppk {able['value']} ({able['lower']} to {able['upper']})" if able else "no Ppk"
        seen = ", ".join(f"{count} of {rule}" for rule, count in sorted(rules.items()))
        lines.append(f"{chart['title']}: n = {chart['n']}; {ppk}; signals: {seen or 'none'}")
    all_of_them = made.content["tables"][-1]["rows"][-1]
    lines.append(f"All: {all_of_them[5]} signals at {all_of_them[6]} points; expected false flags"
                 f" {all_of_them[7]} where lots were independent and normal")  # fmt: skip
    return lines


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
    lines = [*map(str, figures), *told(made)]
    print("\n".join(lines))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    title = "# The quality review of 1,005 real lots"
    when = f"Measured {now():%Y-%m-%d} at commit {commit}, {os.cpu_count()} cores, by `make long`."
    page = ROOT / "batchqc" / "guide" / "measured" / "quality_review.md"
    page.write_text("\n".join([title, "", when, "", "```", *lines, "```", ""]))
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
