"""Certificates: rendering and sealing, beside a bare replay of the same strings; many; their size.

    python tests/performance/certificates.py [how many]

The replay draws the same strings with the same embedded fonts at the same places, by ReportLab's
own ``drawString``, and nothing else: no layout, no colours, no tags, no data. Times are of the
processor, the least of many, in this process; a certificate has three pages and eleven results.
With the log it is issued: read from the store, rendered, sealed, stored, on record, and covered by
a signed checkpoint. How many are issued per second, by one process and by two, is of the clock, in
memory, and depends on what else the machine does. Prints each figure with its limit, and writes it
down.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

from peer_workload import ROOT, Figure
from reportlab.pdfgen.canvas import Canvas

sys.path.insert(0, str(ROOT))

from issued_certificates import Site, per_second, seconds_of_processor

from batchqc.core.certificates import CertificateContent
from batchqc.documents.coa_canvas import TaggedCanvas
from batchqc.documents.coa_fonts import use_fonts
from batchqc.documents.coa_layout import render
from batchqc.documents.pades import SealKey, load_seal, seal
from batchqc.documents.pki import PkiNames, create_pki
from tests.documents.amended_content import ASKED, TRENDS
from tests.documents.certificate_content import certificate_content

FONTS = ROOT / "reports" / "fonts"
Drawn = list[list[tuple[str, float, float, float, str]]]
CERTIFICATES = 1000
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it is made by tempfile
"""Where records and store lie: how long a disk takes is not what this is about."""
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def least(*works: Callable[[], object], times: int = 40) -> list[float]:
    """Milliseconds of the processor that each work takes at least; they take turns."""
    found = [float("inf")] * len(works)
    for _ in range(times):
        for number, work in enumerate(works):
            began = time.process_time()
            work()
            found[number] = min(found[number], (time.process_time() - began) * 1000)
    return found


def strings_of(content: CertificateContent) -> Drawn:
    """Every string that is drawn, by page: font, size, place and text."""
    drawn: Drawn = [[]]
    draw, end = TaggedCanvas.drawString, TaggedCanvas.showPage

    def noted(canvas: TaggedCanvas, x: float, y: float, text: str) -> None:
        drawn[-1].append((canvas._fontname, canvas._fontsize, x, y, text))
        draw(canvas, x, y, text)

    def ended(canvas: TaggedCanvas) -> None:
        end(canvas)
        drawn.append([])

    TaggedCanvas.drawString, TaggedCanvas.showPage = noted, ended
    try:
        render(content, fonts=FONTS)
    finally:
        TaggedCanvas.drawString, TaggedCanvas.showPage = draw, end
    return drawn[:-1]


def replay(drawn: Drawn) -> bytes:
    """The strings on a bare canvas."""
    target = BytesIO()
    use_fonts(FONTS)
    canvas = Canvas(target, pageCompression=1, initialFontName="sans")
    for page in drawn:
        for font, size, x, y, text in page:
            canvas.setFont(font, size)
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def untagged(content: CertificateContent) -> None:
    """The certificate without structure: what its tags cost."""
    begin, end = TaggedCanvas.begin, TaggedCanvas.end
    TaggedCanvas.begin = lambda *_, **__: None
    TaggedCanvas.end = lambda *_: None
    try:
        render(content, fonts=FONTS)
    finally:
        TaggedCanvas.begin, TaggedCanvas.end = begin, end


def whole(content: CertificateContent, key: SealKey) -> bytes:
    """The certificate with its data and both seals."""
    pdf = render(content, fonts=FONTS)
    for one in content["seals"]:
        pdf = seal(
            pdf, key, field=one["field"], name=content["issuer"]["name"], reason=one["says"],
            location="Viet Nam", certifies=one is not content["seals"][-1],
            signed_at=SINCE + timedelta(days=20),
        )  # fmt: skip
    return pdf


def raw(key: SealKey, pdf: bytes) -> None:
    """What a signature cannot do without."""
    hashlib.sha256(pdf).digest()
    key.key.sign(b"0" * 100)


def site_key(folder: Path) -> SealKey:
    files = create_pki(
        folder, names=PkiNames("Benchmark", "Root", "Seal"), root_passphrase="root",
        seal_passphrase="seal", crl_url="http://crl.example/root.crl", now=SINCE,
    )  # fmt: skip
    return load_seal(files.seal_p12, "seal")


def main() -> None:
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else CERTIFICATES
    content = certificate_content()
    drawn = strings_of(content)
    with tempfile.TemporaryDirectory() as folder:
        key = site_key(Path(folder) / "keys")
        document = whole(content, key)
        bare, sealing, plain, tagged, complete = least(
            partial(replay, drawn),
            partial(raw, key, document),
            partial(untagged, content),
            partial(render, content, fonts=FONTS),
            partial(whole, content, key),
        )
    floor = bare + 2 * sealing
    lines = [f"replay {bare:.2f} ms, {sum(map(len, drawn))} strings on {len(drawn)} pages"]
    figures = [
        Figure("rendered, untagged", plain / bare, 2.2, "x replay"),
        Figure("rendered, tagged", tagged / bare, 3.5, "x replay"),
        Figure("whole certificate", complete / floor, 12, "x floor"),
        Figure("size", len(document) / 1000, 100, "kB"),
    ]
    full = certificate_content(**ASKED, **TRENDS)
    same, pictured = least(partial(replay, strings_of(full)), partial(untagged, full))
    lines.append(
        f"with code and two charts, untagged: {pictured / same:.2f} x replay of its strings"
    )
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        site = Site.of(Path(folder), 2 * how_many + 40)
        logged = seconds_of_processor(site, 30) * 1000
        figures.append(Figure("whole certificate with log", logged / floor, 12, "x floor"))
        one, two = (per_second(site, how_many, processes) for processes in (1, 2))
        lines += [
            f"{rate:.1f} of {how_many} certificates per second by {processes}"
            for processes, rate in ((1, one), (2, two))
        ]
        figures.append(Figure("issued by two, each", one / two, 0.75, "x by one"))
    lines += map(str, figures)
    print("\n".join(lines))
    if how_many == CERTIFICATES:
        write_down(lines)
    if any(figure.value > figure.limit for figure in figures):
        raise SystemExit("a limit does not hold")


def write_down(lines: list[str]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    (ROOT / "batchqc" / "guide" / "measured" / "certificates.md").write_text(
        "# Certificates: rendering, sealing, the log; many; their size\n\n"
        f"Measured {time.strftime('%Y-%m-%d')} at commit {commit}, {os.cpu_count()} cores"
        f" with a load of {os.getloadavg()[0]:.0f} beside, by"
        " `make long`. The floor is the replay and two times a raw hash and signature; what is"
        " issued is stored, on record (in memory, not on a disk), and in the log.\n\n```\n"
        + "\n".join(lines)
        + "\n```\n"
    )


if __name__ == "__main__":
    main()
