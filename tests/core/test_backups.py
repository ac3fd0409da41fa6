"""What a backup says of itself, and how what was restored differs from it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from batchqc.core.backups import NOT_IN_IT, Contents, Manifest, unlike
from batchqc.core.soundness import Finding, Grade, is_clean
from batchqc.errors import IntegrityFailure

CONTENTS = Contents("Lakeside", "0035", {"lot": 2, "upload": 3}, 40, "ab" * 32)
MANIFEST = Manifest(
    "2026-06-01T0700Z", datetime(2026, 6, 1, 7, tzinfo=UTC), "0.1.0", "sqlite", CONTENTS, "",
    {"batchqc.db": "cd" * 32}, ("ef" * 32,),
)  # fmt: skip


def test_a_manifest_is_read_as_it_was_written_and_names_what_is_not_in_it():
    said = json.loads(MANIFEST.data)
    assert Manifest.read(said) == MANIFEST
    assert said["not in it"] == NOT_IN_IT
    assert Manifest.read(said).data == MANIFEST.data


@pytest.mark.parametrize("lacking", ["name", "made at", "rows", "files", "lacking", "head"])
def test_what_lacks_a_part_is_no_manifest(lacking: str):
    said = json.loads(MANIFEST.data)
    del said[lacking]
    with pytest.raises(IntegrityFailure) as refusal:
        Manifest.read(said)
    assert refusal.value.code == "BQC-BAK-002"


@pytest.mark.parametrize("moment", [None, "yesterday"])
def test_a_manifest_without_a_moment_is_none(moment: object):
    with pytest.raises(IntegrityFailure):
        Manifest.read(json.loads(MANIFEST.data) | {"made at": moment})


def test_what_was_restored_as_it_was_differs_in_nothing():
    assert unlike(CONTENTS, replace(CONTENTS)) == []


def test_each_difference_is_told():
    found = Contents("Riverside", "0034", {"lot": 1, "review": 1}, 39, "00" * 32)
    assert unlike(CONTENTS, found) == [
        "site and schema are Riverside, 0034; not Lakeside, 0035",
        f"the audit trail has 39 entries with head {'00' * 32}, not 40 with {'ab' * 32}",
        "table lot has 1 rows, not 2",
        "table review has 1 rows, not 0",
        "table upload has 0 rows, not 3",
    ]


def test_only_what_is_harmless_leaves_an_installation_clean():
    harmless = Finding("it was left behind", "store", Grade.HARMLESS, "Nothing.")
    assert is_clean([])
    assert is_clean([harmless])
    for grade in (Grade.MEND, Grade.LOSS):
        assert not is_clean([harmless, replace(harmless, grade=grade)])
