"""One value, from the cell of a CSV to the certificate and back."""

import csv
import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchqc.core.certificates import content_sha256
from batchqc.documents.archive import FolderArchive
from batchqc.documents.certificate_check import check
from tests.documents.external import pages_of, squeezed

LOTS = Path(__file__).parents[2] / "batchqc" / "cli" / "demo_lots"
LOT = "UCM-P2-T1"


@pytest.mark.requirement("1.06")
def test_a_value_is_followed_from_its_cell_to_the_certificate_and_back(demo: Path):
    # 1 the cell, as the analyst saved it
    file = LOTS / "potency_pbmc.csv"
    data = file.read_bytes()
    rows = list(csv.DictReader(data.decode().splitlines()))
    place, cell = next((n, row) for n, row in enumerate(rows, 2) if row["lot_id"] == LOT)
    assert cell["value"] == "19.5"

    # 2 the bytes in the store, 3 the measurement with its coordinates
    archive = FolderArchive(demo / "store")
    sha256 = hashlib.sha256(data).hexdigest()
    assert archive.get(sha256) == data
    database = sqlite3.connect(f"file:{demo / 'batchqc.db'}?mode=ro", uri=True)
    stored = database.execute(
        'SELECT m.value, m."row", m."column" FROM measurement m'
        " JOIN assay_run r ON r.id = m.assay_run_id JOIN upload u ON u.id = r.upload_id"
        " JOIN lot l ON l.id = r.lot_id WHERE u.sha256 = ? AND l.lot = ?",
        (sha256, LOT),
    ).fetchall()
    assert stored == [("19.5", place, "value")]

    # 4 and 5 the result and its verdict, 6 the decision, in what was frozen
    number, content_sha = database.execute(
        "SELECT c.number, c.content_sha FROM certificate c JOIN lot l ON l.id = c.lot_id"
        " WHERE l.lot = ?",
        (LOT,),
    ).fetchone()
    database.close()
    content = json.loads(archive.get(content_sha))
    line = next(one for one in content["lines"] if one["criterion"] == "pbmc-inhibition")
    assert (line["result"], line["rounded"], line["verdict"]) == ("19.5", "20", "PASS")
    origin = line["provenance"][0]
    assert (origin["file"], origin["sha256"], origin["row"]) == (file.name, sha256, place)
    assert origin["text"] == cell["value"]

    # 7 the certificate, and back: it is of this content, and names the cell
    pdf = demo / "certificates" / f"{content['number']}_{LOT}.pdf"
    report = check(
        pdf.read_bytes(),
        root_pem=(demo / "trust" / "root.pem").read_bytes(),
        lot=LOT,
        number=f"COA-2026-{number:06d}",
        content_sha256=content_sha256(content),
        at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    assert report.passed, report.checks
    text = squeezed("".join(pages_of(pdf)))
    assert squeezed(f"{origin['upload']}, row {place}, value: “19.5”") in text
    assert sha256 in text
