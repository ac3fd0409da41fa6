"""Finding certificates among 100,000: lot, product, donor, dates, disposition, analyte, signer, …

    python tests/performance/certificate_search.py [certificates]

On SQLite and PostgreSQL, in milliseconds of the clock, the least of many: a page of 50, found and
told with how each stands. Beside it stands how often a bare SQL query for one row by its id would
have been answered meanwhile, through the same connection. What is found is counted, so that no
query is fast because it finds nothing. Prints each figure with its limit, and writes it down.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from peer_workload import ROOT
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

sys.path.insert(0, str(ROOT))

from batchqc.core.certificate_terms import Kind, Term
from batchqc.records.certificate_search import Search, certificate_ids, hits
from batchqc.records.transaction import reading
from tests.databases import Databases
from tests.kinds import KINDS
from tests.records.many_certificates import SINCE, fill, lot_of, made

CERTIFICATES, PAGE, TIMES = 100_000, 50, 15
LIMIT = 50.0
"""Milliseconds."""
SLOW = {"status pending": 150.0, "status void": 150.0}
"""What has no document is not in any index: every certificate is looked at."""


def asked(many: int) -> dict[str, Search]:
    """What people look for, and the worst that may come: common things that never meet."""
    middle, last = made(many // 2, many), many
    day = SINCE + timedelta(minutes=20 * (many // 2))
    (donor,) = (one for one in middle.terms if one.kind == Kind.DONOR)
    product = Term(Kind.PRODUCT, "p-03")
    analyte = Term(Kind.ANALYTE, "viability")
    return {
        "everything": Search(),
        "lot": Search((Term(Kind.LOT, lot_of(last - 7).lower()),)),
        "product": Search((product,)),
        "donor": Search((donor,)),
        "date range": Search(since=day, until=day + timedelta(days=30)),
        "disposition, common": Search((Term(Kind.DISPOSITION, "released"),)),
        "disposition, rare": Search((Term(Kind.DISPOSITION, "rejected"),)),
        "analyte, common": Search((analyte,)),
        "analyte, rare": Search((Term(Kind.ANALYTE, "karyotype"),)),
        "signer": Search((Term(Kind.SIGNER, "bao.tran"),)),
        "status issued": Search(status="issued"),
        "status pending": Search(status="pending"),
        "status void": Search(status="void"),
        "status superseded": Search(status="superseded"),
        "status withdrawn": Search(status="withdrawn"),
        "text, common word": Search(words=("viability",)),
        "text, rare word": Search(words=("value42",)),
        "text, two words": Search(words=("viability", "value42")),
        "text, beginning": Search(words=("value42*",)),
        "text of a lot": Search(words=("msc", f"{last - 9:06}")),
        "text and product": Search((product,), words=("viability",)),
        "text and donor": Search((donor,), words=("viability",)),
        "all together": Search(
            (product, analyte, Term(Kind.DISPOSITION, "released")), ("potency",), "issued",
            SINCE, SINCE + timedelta(days=5000),
        ),
        "two that never meet": Search((product, Term(Kind.PRODUCT, "p-04"))),
    }  # fmt: skip


def milliseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return min(times)


def page(session: Session, wanted: Search, after: int = 0) -> int:
    """How many a page holds, told as a door tells them."""
    return len(hits(session, certificate_ids(session, wanted, after=after, limit=PAGE + 1)))


def measured(engine: Engine, many: int) -> tuple[list[str], bool]:
    """A line for each query, and whether every limit holds."""
    lines, holds = [], True
    with reading(engine) as session:
        point = text("SELECT lot_id FROM certificate WHERE id = :id")
        bare = milliseconds(lambda: session.execute(point, {"id": many // 2}).scalar())
        for name, wanted in asked(many).items():
            found = page(session, wanted)
            took = milliseconds(lambda wanted=wanted: page(session, wanted))  # type: ignore[misc]
            limit = SLOW.get(name, LIMIT)
            holds &= took <= limit
            verdict = "holds" if took <= limit else "DOES NOT HOLD"
            lines.append(
                f"{name:22} {took:8.2f} ms {took / bare:8.0f} x  limit {limit:3.0f} ms  {verdict}"
                f"  ({found} on the page)"
            )
        deep = milliseconds(lambda: page(session, Search(words=("viability",)), after=many - 100))
        lines.append(f"{'text, last page':22} {deep:8.2f} ms {deep / bare:8.0f} x")
    return [f"{engine.dialect.name}: one row by its id takes {bare:.3f} ms", *lines], holds


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else CERTIFICATES
    databases = Databases()
    told, all_hold = [], True
    try:
        for kind in KINDS:
            began = time.perf_counter()
            databases.build(kind, "empty", _migrate, copy_of=None)
            databases.build(kind, "many", lambda engine: fill(engine, many))
            print(f"{kind}: filled in {time.perf_counter() - began:.0f} s", flush=True)
            with databases.copy(kind, "many", lambda _: None) as engine:
                lines, holds = measured(engine, many)
                print("\n".join(lines), flush=True)
            told += [*lines, ""]
            all_hold &= holds
    finally:
        databases.close()
    if many == CERTIFICATES:
        write_down(told)
    if not all_hold:
        raise SystemExit("a limit does not hold")


def _migrate(engine: Engine) -> None:
    from batchqc.records.database import migrate  # noqa: PLC0415
    from batchqc.settings import bundled  # noqa: PLC0415

    migrate(engine, bundled("migrations"))


def write_down(lines: list[str]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    (ROOT / "batchqc" / "guide" / "measured" / "certificate_search.md").write_text(
        "# Finding certificates among 100,000\n\n"
        f"Measured {time.strftime('%Y-%m-%d')} at commit {commit}, {os.cpu_count()} cores"
        f" with a load of {os.getloadavg()[0]:.0f} beside, by"
        " `tests/performance/certificate_search.py`: a page of 50, found and told with how each"
        " stands.\n\n```\n" + "\n".join(lines).rstrip() + "\n```\n"
    )


if __name__ == "__main__":
    main()
