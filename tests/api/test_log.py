"""The transparency log over HTTP: checkpoints, proofs, and who keeps it."""

import hashlib

from batchqc.core.checkpoints import (
    entry_leaf,
    read_checkpoint,
    read_consistency,
    read_inclusion,
)
from batchqc.core.merkle import is_consistent, is_included
from batchqc.core.signed_notes import key_of
from batchqc.documents.log_key import verify_ed25519
from tests.actions.state import counts, grown
from tests.api.conftest import Site
from tests.api.test_refusals import is_problem
from tests.records.house import ADM, AUD, LOT, QA1


def test_a_checkpoint_is_signed_listed_and_proves_what_it_covers(site: Site):
    headers = {"Idempotency-Key": "first checkpoint"}
    answer = site.send(QA1, "POST", "/log/checkpoints", json={}, headers=headers)
    assert answer.status_code == 201, answer.text
    first = answer.json()
    again = site.send(QA1, "POST", "/log/checkpoints", json={}, headers=headers)
    assert again.json() == first
    covered = {"covering": f"lot:{LOT}"}
    assert site.send(QA1, "POST", "/log/checkpoints", json=covered).json() == first
    second = site.send(QA1, "POST", "/log/checkpoints", json={}).json()

    (key,) = site.get(AUD, "/log/keys")["items"]
    for one in (first, second):
        said, note = read_checkpoint(one["note"])
        assert note.signed_by([key_of(key["vkey"])], verify_ed25519)
        assert (said.size, said.root.hex(), said.head) == (
            one["size"], one["root"], one["audit_head"]
        )  # fmt: skip
        assert site.get(AUD, f"/log/checkpoints/{one['size']}") == one
    assert site.get(AUD, "/log/checkpoints/0") == second
    page = site.get(AUD, "/log/checkpoints?limit=1")
    assert (page["items"], page["next"]) == ([first], str(first["size"]))
    rest = site.get(AUD, f"/log/checkpoints?after={page['next']}")
    assert rest == {"items": [second], "next": None}

    proved = site.get(AUD, f"/log/inclusion?record=lot:{LOT}&size={first['size']}")
    same = site.get(AUD, f"/log/inclusion?sequence={proved['sequence']}&size={first['size']}")
    assert same == proved
    proof = read_inclusion(proved["proof"])
    assert proof.note == first["note"]
    assert is_included(
        entry_leaf(hashlib.sha256(proved["entry"].encode()).hexdigest()),
        proof.index, size=first["size"], root=bytes.fromhex(first["root"]), proof=proof.hashes,
    )  # fmt: skip
    found = site.get(AUD, f"/log/consistency?first={first['size']}")
    assert is_consistent(
        (first["size"], bytes.fromhex(first["root"])),
        (second["size"], bytes.fromhex(second["root"])),
        read_consistency(found["proof"]).hashes,
    )


def test_what_there_is_not_is_told_and_changes_nothing(site: Site):
    for who in (QA1, ADM, AUD):
        site.token(who)
    before = counts(site.house.engine)
    is_problem(site.send(AUD, "GET", "/log/checkpoints/0"), 404, "BQC-LOG-013")
    huge = f"/log/checkpoints/{10**30}"
    is_problem(site.send(AUD, "GET", huge), 422, "BQC-API-001")
    is_problem(site.send(AUD, "GET", "/log/consistency?first=3"), 404, "BQC-LOG-013")
    is_problem(site.send(AUD, "GET", "/log/inclusion?sequence=99999"), 404, "BQC-LOG-014")
    is_problem(site.send(AUD, "GET", "/log/inclusion?record=lot:none"), 404, "BQC-LOG-014")
    for query in ("", "?sequence=1&record=lot:none"):
        is_problem(site.send(AUD, "GET", f"/log/inclusion{query}"), 422, "BQC-LOG-019")
    wanted = {"covering": "lot:none"}
    is_problem(site.send(QA1, "POST", "/log/checkpoints", json=wanted), 404, "BQC-LOG-014")
    is_problem(site.send(ADM, "POST", "/log/checkpoints", json={}), 403, "BQC-ACC-002")
    views = {"audit_entry", "audit_link", "audit_subject"}  # what an auditor asks for
    assert set(grown(site.house.engine, before)) <= views


def test_a_checkpoint_that_does_not_cover_an_entry_proves_nothing_of_it(site: Site):
    size = site.send(QA1, "POST", "/log/checkpoints", json={}).json()["size"]
    answer = site.send(AUD, "GET", f"/log/inclusion?sequence={size + 1}&size={size}")
    is_problem(answer, 409, "BQC-LOG-015")
