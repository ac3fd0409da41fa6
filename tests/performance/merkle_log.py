"""The transparency log of 1,000,000 entries: proofs, and one more checkpoint.

    python tests/performance/merkle_log.py [entries]

On SQLite, in one process, CPU seconds. Proofs are compared with 20 bare SHA-256 over two hashes,
the tree with two bare SHA-256 per entry, a checkpoint with the writing of one entry, which does
nothing for the log. What is measured is checked: proofs hold, and lead to the root. Prints each
figure with its limit, and writes it into the guide.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from peer_workload import ROOT, Figure
from sqlalchemy import Engine, text

from batchqc.actions.checkpoints import sign_checkpoint
from batchqc.actions.log_proofs import prove_consistency, prove_entry
from batchqc.core.audit import Link, next_link
from batchqc.core.checkpoints import entry_leaf
from batchqc.core.merkle import inclusion_proof, is_included, root_of
from batchqc.core.stored_tree import levels_over, of_levels
from batchqc.documents.log_key import LogSigner, create_log_key
from batchqc.records.bulk import insert_rows
from batchqc.records.database import migrate, open_database
from batchqc.records.schema import METADATA
from batchqc.records.transaction import SYSTEM, reading, transaction
from batchqc.settings import bundled

ENTRIES, TIMES = 1_000_000, 200
AT = datetime(2026, 1, 1, tzinfo=UTC)
_COLUMNS = ("sequence", "entry_sha256", "previous", "sha256")


def cpu(work: Callable[[], object], times: int) -> float:
    """The least CPU seconds of some runs."""
    return min(_once(work) for _ in range(times))


def _once(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def links(many: int) -> list[Link]:
    found: list[Link] = []
    last: Link | None = None
    for number in range(many):
        last = next_link(last, sha256(number.to_bytes(8)).hexdigest())
        found.append(last)
    return found


def fill(engine: Engine, chain: list[Link]) -> None:
    """The chain, as fast as the driver takes it: its guard is out of the way meanwhile."""
    with engine.begin() as connection:
        find = text("SELECT sql FROM sqlite_master WHERE name = 'audit_link_no_replace'")
        guard = connection.execute(find).scalar_one()
        connection.execute(text("DROP TRIGGER audit_link_no_replace"))
        rows = ((one.sequence, one.entry_sha256, one.previous, one.sha256) for one in chain)
        insert_rows(connection, METADATA.tables["audit_link"], _COLUMNS, rows)
        connection.execute(text(guard))


def sign(engine: Engine, signer: LogSigner) -> int:
    with transaction(engine, SYSTEM, AT) as tx:
        return sign_checkpoint(tx, signer).size


def of_core(chain: list[Link]) -> list[Figure]:
    """Verification and tree against bare hashes, in memory."""
    leaves = [entry_leaf(one.entry_sha256) for one in chain]
    many = len(leaves)
    left, right = leaves[0], leaves[-1]

    def bare(times: int) -> None:
        for _ in range(times):
            sha256(left + right).digest()

    tree = of_levels(levels_over(leaves))
    root = root_of(many, tree)
    place = many * 2 // 3
    proof = inclusion_proof(place, many, tree)
    assert is_included(leaves[place], place, size=many, root=root, proof=proof)

    def verify() -> None:
        for _ in range(TIMES):
            is_included(leaves[place], place, size=many, root=root, proof=proof)

    pairs = cpu(lambda: [bare(20) for _ in range(TIMES)], 20)
    verified = cpu(verify, 20)
    entries = [one.entry_sha256 for one in chain]
    grown = cpu(lambda: levels_over([entry_leaf(one) for one in entries]), 3)
    hashed = cpu(lambda: bare(2 * many), 3)
    return [
        Figure("verify / 20 bare hashes", verified / pairs, 3.0, "times"),
        Figure("tree / 2 bare hashes each", grown / hashed, 3.0, "times"),
        Figure("hashes of a proof", len(proof), 20.0, ""),
    ]


def of_database(engine: Engine, signer: LogSigner) -> list[Figure]:
    """Proofs and one more checkpoint over what is stored."""
    size = sign(engine, signer)
    later = [_once(lambda: sign(engine, signer)) for _ in range(20)]
    with reading(engine) as session:
        entry = size + 1  # the entry of the first checkpoint; the others have no text here
        proved = cpu(lambda: prove_entry(session, entry), 20)
        extended = cpu(lambda: prove_consistency(session, size), 20)
    return [
        Figure("one more checkpoint", min(later) * 1000, 25.0, "ms"),
        Figure("proof of an entry", proved * 1000, 10.0, "ms"),
        Figure("proof of consistency", extended * 1000, 10.0, "ms"),
        Figure("one more checkpoint / entry", min(later) / of_writer(engine), 10.0, "times"),
    ]


def of_writer(engine: Engine) -> float:
    """CPU seconds of one entry in a transaction of its own; writers do nothing for the log."""

    def write() -> None:
        number[0] += 1
        with transaction(engine, SYSTEM, AT) as tx:
            tx.audit("noted", reason=str(number[0]))

    number = [0]
    return cpu(write, 50)


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    chain = links(entries)
    figures = of_core(chain)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = open_database(f"sqlite:///{folder / 'log.db'}")
        migrate(engine, bundled("migrations"))
        fill(engine, chain)
        before = (folder / "log.db").stat().st_size
        signer = create_log_key(folder / "log.key", name="benchmark/batchqc")
        first = _once(lambda: sign(engine, signer))
        figures += of_database(engine, signer)
        grown = (folder / "log.db").stat().st_size - before
        engine.dispose()
    lines = [*map(str, figures)]
    lines.append(
        f"{entries:,} entries: carried into the log in {first:.1f} s; subtrees take"
        f" {grown / entries:.0f} bytes an entry at the most"
    )
    print("\n".join(lines))
    if entries == ENTRIES:
        write_down(lines)
    if any(figure.value > figure.limit for figure in figures):
        raise SystemExit("a limit does not hold")


def write_down(lines: list[str]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.strip()  # fmt: skip
    (ROOT / "batchqc" / "guide" / "measured" / "merkle_log.md").write_text(
        "# The transparency log of 1,000,000 entries\n\n"
        f"Measured {time.strftime('%Y-%m-%d')} at commit {commit}, {os.cpu_count()} cores, by"
        " `make long`.\n\n```\n" + "\n".join(lines) + "\n```\n"
    )


if __name__ == "__main__":
    main()
