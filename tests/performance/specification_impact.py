"""What a change would do to a million stored results, and to 1,005 real lots; and recheck of them.

    python tests/performance/specification_impact.py [lots]

The million is generated: 100,000 lots with the ten measured criteria of the shipped specification,
37 of which would flip; once with a draft that changes one criterion, once with one that changes
every criterion. A bare loop over the same stored numbers is the peer: it reads each value, compares
it with its limit, and knows nothing of units, runs, replicates, times or donors. The real lots are
those of Žagar & Mihelič, Scientific Data 9:99 (2022), where the file stands beside the project.
Prints each figure with its limit and whether it holds, and writes it into the guide.
"""

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from peer_workload import PASSWORD, ROOT, Figure, set_up
from sqlalchemy import select

from batchqc.actions.dispositions import reject_lot
from batchqc.actions.impact import assess_impact
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.people import principal
from batchqc.actions.received import ReceivedFile
from batchqc.actions.recheck import recheck
from batchqc.actions.signing import Credentials
from batchqc.actions.uploads import upload_results
from batchqc.cli.workplace import Workplace
from batchqc.clock import now
from batchqc.core.permissions import Permission
from batchqc.documents.spec_file import read_specification
from batchqc.records.registers import LotRow, SampleRow
from batchqc.records.schema import METADATA
from batchqc.records.transaction import Actor, reading, transaction
from batchqc.records.uploads import AssayRun, MeasurementRow
from batchqc.settings import Settings, bundled

LOTS, PLANTED = 100_000, 37
SHIPPED = bundled("specs") / "uc-msc" / "uc-msc-release-v1.toml"
ZAGAR = ROOT.parent / "shared" / "data" / "lots" / "zagar2022" / "Laboratory.csv"
AT = "2025-05-20T10:00:00.000000Z"
# analyte, test, method, unit, and either lowest and highest of what is generated, or the word
RESULTS = (
    ("CD73", "FLOW", "SOP-QC-021", "%", (950, 999)),
    ("CD90", "FLOW", "SOP-QC-021", "%", (950, 999)),
    ("CD105", "FLOW", "SOP-QC-021", "%", (950, 999)),
    ("negative_panel", "FLOW", "SOP-QC-021", "%", (0, 20)),
    ("viability", "VIAB", "SOP-QC-014", "%", (901, 999)),
    ("inhibition", "PBMC", "SOP-QC-031", "%", (200, 800)),
    ("kynurenine", "IDO", "SOP-QC-030", "µmol/L", (100, 600)),
    ("endotoxin", "ENDO", "SOP-QC-040", "EU/mL", "<0.05"),
    ("growth_14d", "STER", "SOP-MB-002", "", "no growth"),
    ("mycoplasma", "MYCO", "SOP-MB-007", "", "not detected"),
)
LIMITS = {
    "CD73": (">=", Decimal(95)), "CD90": (">=", Decimal(95)), "CD105": (">=", Decimal(95)),
    "negative_panel": ("<=", Decimal(2)), "viability": (">", Decimal(80)),
    "inhibition": (">=", Decimal(20)), "kynurenine": (">=", Decimal(10)),
    "endotoxin": ("<=", Decimal(1)), "growth_14d": "no growth", "mycoplasma": "not detected",
}  # fmt: skip
MEASURES = ("dissolution_av", "dissolution_min", "resodual_solvent", "impurities_total",
            "impurity_o", "impurity_l")  # fmt: skip
OLD = (">= 80", ">= 74", "<= 0.3", "<= 0.6", "<= 0.2", "<= 0.2")
NEW = (">= 85", ">= 80", "<= 0.3", "<= 0.2", "<= 0.2", "<= 0.2")


Acting = Callable[[str, Permission], Actor]


def draft(*, every_criterion: bool) -> bytes:
    text = SHIPPED.read_text().replace("version   = 1", "version   = 2", 1)
    if every_criterion:
        text = text.replace('category = "', 'note = "changed"\ncategory = "')
        text = text.replace('category   = "', 'note = "changed"\ncategory   = "')
    return text.replace('accept   = "> 90"', 'accept   = "> 80"').encode()


def fill(settings: Settings, lots: int) -> None:
    """Write lots and results into the tables, as an owner can: uploading them takes hours."""
    chance = random.Random(20260101)  # noqa: S311 - the same each time, nothing secret
    place = Workplace.at(settings)
    tables = METADATA.tables
    made = {"registered_by": "ana", "registered_at": AT}
    planted = set(chance.sample(range(1, lots + 1), PLANTED))
    with place.engine.begin() as connection:
        connection.execute(tables["upload"].insert(), {
            "id": 1, "year": 2025, "number": 1, "sha256": "0", "size": 1, "file": "x",
            "client": "x", "contract": "x", "accepted": 1, "rows": 1, "problems": "[]",
            "uploaded_by": "ana", "received_at": now(),
        })  # fmt: skip
        for first in range(1, lots + 1, 2000):
            rows: dict[str, list[dict[str, object]]] = {
                name: [] for name in ("lot", "sample", "lot_donor", "assay_run", "measurement")
            }
            for lot in range(first, min(first + 2000, lots + 1)):
                add(rows, lot, chance, is_planted=lot in planted, made=made)
            for name, own in rows.items():
                connection.execute(tables[name].insert(), own)
    place.engine.dispose()


def add(
    rows: dict[str, list[dict[str, object]]],
    lot: int,
    chance: random.Random,
    *,
    is_planted: bool,
    made: dict[str, str],
) -> None:
    name = f"GEN-{lot:06d}"
    stamp = {"registered_by": made["registered_by"], "registered_at": now()}
    rows["lot"].append({
        "id": lot, "lot": name, "folded": name.lower(), "product_id": 1, "site_id": 1,
        "manufactured_on": str(date(2021, 1, 1) + timedelta(days=lot % 1500)),
        "expires_on": "2030-01-01", "specification_version_id": 1, "bound_because": "generated",
        "market": "", **stamp,
    })  # fmt: skip
    rows["sample"].append({
        "id": lot, "sample": f"{name}-S01", "folded": f"{name}-s01", "lot_id": lot,
        "stage": "release", "container": "cryovial", "taken_text": AT, "taken_at": now(), **stamp,
    })  # fmt: skip
    rows["lot_donor"].append({"id": lot, "lot_id": lot, "donor_id": 1})
    runs: dict[str, int] = {}
    for number, (analyte, test, method, unit, spread) in enumerate(RESULTS):
        if test not in runs:
            runs[test] = lot * 10 + len(runs)
            rows["assay_run"].append({
                "id": runs[test], "upload_id": 1, "lot_id": lot, "test": test, "run": f"{test}-1",
                "analysts": "ana", "measurements_sha256": "0",
            })  # fmt: skip
        value = spread if isinstance(spread, str) else f"{chance.randint(*spread) / 10:.1f}"
        if analyte == "viability" and is_planted:
            value = "85.5"
        rows["measurement"].append({
            "assay_run_id": runs[test], "sample_id": lot, "aliquot": "A1", "analyte": analyte,
            "replicate": 1, "value": value, "unit": unit,
            "started_text": "2025-05-20T10:00:00-05:00",
            "measured_text": "2025-06-03T11:00:00-05:00", "measured_at": now(), "analyst": "ana",
            "instrument": "I", "method": method, "method_version": "1",
            "result_type": "reportable", "comment": "", "row": number + 2, "line": number + 2,
            "column": "value",
        })  # fmt: skip


def bare(settings: Settings) -> dict[str, float]:
    """Every stored number against its limit, and nothing else."""
    place = Workplace.at(settings)
    query = (
        select(MeasurementRow.analyte, MeasurementRow.value)
        .join(AssayRun, AssayRun.id == MeasurementRow.assay_run_id)
        .join(SampleRow, SampleRow.id == MeasurementRow.sample_id)
        .join(LotRow, LotRow.id == AssayRun.lot_id)
        .where(SampleRow.stage == "release", MeasurementRow.result_type == "reportable")
    )
    began, count, passed = time.perf_counter(), 0, 0
    with reading(place.engine) as session:
        for analyte, value in session.execute(query.execution_options(yield_per=5000)):
            limit = LIMITS[analyte]
            count += 1
            if isinstance(limit, str):
                passed += value == limit
                continue
            number = Decimal(value.lstrip("<"))
            operator, edge = limit
            passed += {">": number > edge, ">=": number >= edge, "<=": number <= edge}[operator]
    return {"seconds": time.perf_counter() - began, "results": count, "passed": passed}


def impact(settings: Settings, *, every_criterion: bool = False) -> dict[str, float]:
    place = Workplace.at(settings)
    data = draft(every_criterion=every_criterion)
    specification = read_specification(data, file="draft.toml").specification
    assert specification is not None
    began = time.perf_counter()
    with reading(place.engine) as session:
        found = assess_impact(session, place.archive, draft=specification)
    return {
        "seconds": time.perf_counter() - began,
        "results": found.results,
        "flips": len(found.flips),
        "changed": len(found.changed),
    }


def child(what: str, folder: Path) -> dict[str, float]:
    """One measurement in a process of its own: its figures and its peak memory."""
    done = subprocess.run(
        [sys.executable, __file__, what, str(folder)], capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def generated(lots: int) -> tuple[list[Figure], list[str]]:
    with tempfile.TemporaryDirectory() as full, tempfile.TemporaryDirectory() as tenth:
        for folder, count in ((full, lots), (tenth, lots // 10)):
            settings = set_up(Path(folder), SHIPPED.read_bytes(), "UC-MSC-REL", "UC-MSC")
            fill(settings, count)
        plain, whole = child("bare", Path(full)), child("impact", Path(full))
        every, small = child("every", Path(full)), child("every", Path(tenth))
    wrong = sum(abs(one[key] - PLANTED) for one in (whole, every) for key in ("flips", "changed"))
    bare_seconds = plain["seconds"]
    figures = [
        Figure("one criterion, to a bare loop", whole["seconds"] / bare_seconds, 5.0, "times"),
        Figure("every criterion, to it", every["seconds"] / bare_seconds, 5.0, "times"),
        Figure("planted flips missed or more", wrong, 0.5, "lots"),
        Figure("peak memory, all to a tenth", every["peak"] / small["peak"], 1.2, "times"),
    ]
    rates = [one["results"] / one["seconds"] for one in (plain, whole, every)]
    told = (
        f"{whole['results']:,.0f} results of {lots:,} lots: bare loop {bare_seconds:.1f} s"
        f" ({rates[0]:,.0f} a second), one criterion {whole['seconds']:.1f} s ({rates[1]:,.0f}),"
        f" every criterion {every['seconds']:.1f} s ({rates[2]:,.0f}); {every['peak']:.0f} MiB;"
        f" flips found {whole['flips']:.0f} of {PLANTED}"
    )
    return figures, [told]


def tablets(limits: tuple[str, ...], version: int) -> bytes:
    lines = [
        'schema = "batchqc/specification/1"', 'id = "TABLET-REL"', f"version = {version}",
        'product = "TABLET"', 'stage = "release"', 'title = "Tablets, own mapping"',
        f"effective = {2000 + version}-01-01", 'rounding = "absolute"',
    ]  # fmt: skip
    for name, accept in zip(MEASURES, limits, strict=True):
        lines += [
            f"[criteria.{name}]", f'title = "{name}"', 'category = "quantity"', 'test = "LAB"',
            f'analyte = "{name}"', 'method = "LAB-1"', 'unit = "%"', f'accept = "{accept}"',
            'plausible = "-1000 to 10000"',
        ]  # fmt: skip
    return "\n".join(lines).encode()


def plain_verdict(row: dict[str, str], limits: tuple[str, ...]) -> str:
    """A lot's verdict by plain comparison of the file, to check the impact against."""
    words = []
    for name, accept in zip(MEASURES, limits, strict=True):
        operator, limit = accept.split()
        text = row[name].strip()
        if not text:
            words.append("CANNOT_JUDGE")
            continue
        value = Decimal(text)
        passes = value >= Decimal(limit) if operator == ">=" else value <= Decimal(limit)
        words.append("PASS" if passes else "FAIL")
    return next((one for one in ("FAIL", "CANNOT_JUDGE") if one in words), "PASS")


def register_and_upload(place: Workplace, acting: Acting, batches: list[dict[str, str]]) -> None:
    """Every batch as a lot with one sample, and one file with all results."""
    header = (
        "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,measured_at,analyst,"
        "instrument_id,run_id,method_id,result_type,comment"
    )
    lines, day = [header], date(2020, 1, 1)
    with transaction(place.engine, acting("ana", Permission.REGISTER_LOT), now()) as tx:
        for row in batches:
            lot = f"Z-{int(row['batch']):04d}"
            sample = NewSample(f"{lot}-S01", "release", "bottle", f"{day}T10:00:00+00:00")
            register_lot(tx, NewLot(lot, "TABLET", day, date(2030, 1, 1), ("DNR-0001",), (sample,)))
            lines += [
                f"{lot},{lot}-S01,,LAB,{name},1,{row[name].strip()},%,"
                f"{day}T11:00:00+00:00,ana,,{lot},LAB-1,reportable,"
                for name in MEASURES
                if row[name].strip()
            ]
    data = "\n".join(lines).encode()
    with transaction(place.engine, acting("ana", Permission.UPLOAD_RESULTS), now()) as tx:
        file = ReceivedFile(name="z.csv", size=len(data), data=data, client="benchmark")
        report = upload_results(tx, place.archive, file=file)
        assert report.accepted, report.reading.problems[:5]


def real(path: Path) -> tuple[list[Figure], list[str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        batches = list(csv.DictReader(handle, delimiter=";"))
    with tempfile.TemporaryDirectory() as folder:
        settings = set_up(Path(folder), tablets(OLD, 1), "TABLET-REL", "TABLET")
        place = Workplace.at(settings)

        def acting(user_id: str, permission: Permission) -> Actor:
            with reading(place.engine) as session:
                person = principal(session, user_id=user_id, time_zone="UTC", now=place.now())
                return person.acting(permission)

        register_and_upload(place, acting, batches)
        specification = read_specification(tablets(NEW, 2), file="v2.toml").specification
        assert specification is not None
        began = time.perf_counter()
        with reading(place.engine) as session:
            found = assess_impact(session, place.archive, draft=specification)
        seconds = time.perf_counter() - began
        expected = {
            f"Z-{int(row['batch']):04d}"
            for row in batches
            if plain_verdict(row, OLD) != plain_verdict(row, NEW)
        }
        differing = len(expected ^ {one.lot for one in found.flips})
        for row in batches:
            with transaction(place.engine, acting("qa", Permission.REJECT_LOT), now()) as tx:
                reject_lot(
                    tx, place.archive, lot=f"Z-{int(row['batch']):04d}",
                    credentials=Credentials("qa", PASSWORD, "Not for people"),
                )  # fmt: skip
        began = time.perf_counter()
        with reading(place.engine) as session:
            again = recheck(session, place.archive)
        rechecked = time.perf_counter() - began
    figures = [
        Figure("flips unlike a plain count", differing, 0.5, "lots"),
        Figure("verdicts that recheck otherwise", len(again.differences), 0.5, ""),
    ]
    told = (
        f"{found.lots:,} real lots, {found.results:,} results: impact {seconds:.2f} s,"
        f" {len(found.flips)} flips as counted from the file; recheck of {again.decisions:,}"
        f" decisions and {again.verdicts:,} verdicts from raw bytes {rechecked:.1f} s"
    )
    return figures, [told]


def main() -> None:
    lots = int(sys.argv[1]) if len(sys.argv) > 1 else LOTS
    figures, told = generated(lots)
    if ZAGAR.is_file():
        more, also = real(ZAGAR)
        figures, told = figures + more, told + also
    else:
        told.append(
            "The real lots were not looked at: their file does not stand beside the project."
        )
    lines = [*map(str, figures), *told]
    print("\n".join(lines))
    if lots == LOTS:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        ).stdout.strip()  # fmt: skip
        title = "# What a specification would do: a million results, and 1,005 real lots"
        when = (
            f"Measured {now():%Y-%m-%d} at commit {commit}, {os.cpu_count()} cores, by `make long`."
        )
        measured = ROOT / "batchqc" / "guide" / "measured" / "specification_impact.md"
        measured.write_text("\n".join([title, "", when, "", "```", *lines, "```", ""]))
    if any(figure.value > figure.limit for figure in figures):
        raise SystemExit("a limit does not hold")


if __name__ == "__main__":
    if len(sys.argv) == 3:  # a child: what, and the folder of the site
        settings = Settings.in_folder(Path(sys.argv[2]))
        every = partial(impact, every_criterion=True)
        figures = {"bare": bare, "impact": impact, "every": every}[sys.argv[1]](settings)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(figures | {"peak": peak}))
    else:
        main()
