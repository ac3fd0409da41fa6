"""A lot's dossier in an empty instance: the same hashes and verdicts, or nothing at all."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from batchqc.actions.checkpoints import change_key, sign_checkpoint
from batchqc.actions.dossier_import import IMPORTED, Imported, import_dossier
from batchqc.actions.dossiers import export_dossier, gather
from batchqc.actions.exports import EXPORTED, Exporter
from batchqc.actions.lots import the_lot
from batchqc.actions.recheck import recheck
from batchqc.core.canonical import canonical_bytes
from batchqc.core.permissions import Permission
from batchqc.documents.archive import FolderArchive
from batchqc.documents.bundle_kit import Anchors
from batchqc.documents.log_key import LogSigner, create_log_key
from batchqc.errors import BatchqcError, Conflict, IntegrityFailure, InvalidInput
from batchqc.records.audit import AuditEntry, AuditLink
from batchqc.records.audit_search import entries_after
from batchqc.records.dossiers import occupied
from batchqc.records.imports import DossierImport
from batchqc.records.people import Password
from batchqc.records.transaction import SYSTEM, transaction
from tests.actions.state import counts
from tests.actions.test_disposals import LATE, approve, ask, set_rule
from tests.cast import NOW
from tests.databases import Databases
from tests.records.full_house import full_copy
from tests.records.house import AUD, LOT, QA1, Clock, House, results
from tests.records.interleaving import DONE, interleaved
from tests.records.tampering import tamper

WHY = "To be read by the authority"
Files = dict[str, bytes]


def exported(house: House, signer: LogSigner, path: Path, *, lot: str = LOT, by: str = AUD) -> Path:
    who = Exporter(
        house.actor(by, Permission.EXPORT_RECORDS), house.now, lambda: Anchors(b"root"),
        lambda: signer,
    )  # fmt: skip
    path.write_bytes(b"".join(export_dossier(house.engine, house.archive, who, lot)))
    return path


def new_key(house: House, signer: LogSigner) -> None:
    """The log has this key from now on."""
    with house.acting(QA1, Permission.KEEP_LOG) as tx:
        change_key(tx, signer, old=None, reason="The other one is lost")


@pytest.fixture
def dossier(full_house: House, log_signer: LogSigner, tmp_path: Path) -> Path:
    """The dossier of the lot of a full house."""
    new_key(full_house, log_signer)
    return exported(full_house, log_signer, tmp_path / "dossier.zip")


@pytest.fixture
def empty(database: str, databases: Databases, tmp_path: Path) -> Iterator[House]:
    """An instance without a row."""
    with databases.copy(database) as engine:
        yield House(engine, FolderArchive(tmp_path / "other"))


def imported(house: House, path: Path, keys: str = "", why: str = WHY) -> Imported:
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        return import_dossier(tx, house.archive, path, reason=why, keys=keys)


@contextmanager
def refused(house: House, kind: type[BatchqcError], why: str) -> Iterator[None]:
    """Nothing is written: no row, and nothing into the store."""
    with pytest.raises(kind) as error:
        yield
    assert why in "\n".join((error.value.message, *error.value.reasons)), error.value
    assert set(counts(house.engine).values()) == {0}
    assert not house.archive.root.exists()


@pytest.mark.requirement("1.02")
def test_a_lot_in_an_empty_instance_has_the_same_hashes_and_verdicts(
    full_house: House, empty: House, dossier: Path
):
    found = imported(empty, dossier)
    assert empty.verify().problems == ()
    with full_house.reading() as there, empty.reading() as here:
        old = gather(there, full_house.archive, the_lot(there, LOT), now=full_house.now.at)
        new = gather(here, empty.archive, the_lot(here, LOT), now=full_house.now.at)
        same = {one.key: one.content_sha256 for one in old.rows}
        assert {one.key: one.content_sha256 for one in new.rows} == same
        assert found.rows == len(same)
        texts = {place: entry.text for place, (_, entry) in old.entries.items()}
        assert {place: entry.text for place, (_, entry) in new.entries.items()} == texts
        links = {place: link.sha256 for place, (link, _) in old.entries.items()}
        assert {place: link.sha256 for place, (link, _) in new.entries.items()} == links
        assert new.named == old.named
        for sha256 in old.named:
            assert empty.archive.get(sha256) == full_house.archive.get(sha256)
        again = recheck(here, empty.archive)
        assert again.differences == ()
        assert again.verdicts == found.verdicts > 0
        assert {one.__tablename__ for one in old.rows} >= {
            "upload", "assay_run", "measurement", "review", "superseding", "disposition",
            "certificate", "certificate_issue", "signature", "hold", "correction",
        }  # fmt: skip
    before, after = full_house.study(), empty.study()
    assert after.facts.verdicts == before.facts.verdicts
    assert after.facts.damaged == before.facts.damaged == ()
    assert [gate.reasons for gate in after.gates] == [gate.reasons for gate in before.gates]


def test_of_two_who_import_at_once_one_does(empty: House, dossier: Path):
    def bring(house: House) -> object:
        return imported(house, dossier)

    assert interleaved(empty, bring, bring) == (DONE, "BQC-IMP-002")
    assert empty.verify().problems == ()


@pytest.mark.requirement("1.03")
def test_an_import_and_an_export_are_on_record_and_no_account_opens(
    full_house: House, empty: House, dossier: Path
):
    imported(empty, dossier)
    with full_house.reading() as there, empty.reading() as here:
        told = [
            json.loads(one.text) for _, one in entries_after(there, 0, limit=9999, what=EXPORTED)
        ]
        assert [(one["who"], one["after"]["lot"]) for one in told] == [(AUD, LOT)]
        ((link, entry),) = entries_after(here, 0, limit=9, what=IMPORTED)
        said = json.loads(entry.text)
        assert (said["who"], said["why"], said["subjects"]) == (
            "system", WHY, ["dossier_import:1"]
        )  # fmt: skip
        assert said["after"]["of site"] == "Lakeside Cell Therapy"
        assert said["after"]["dossier sha256"] == hashlib.sha256(dossier.read_bytes()).hexdigest()
        assert link.sequence == said["after"]["entries"] + 1
        passwords = [one.hash for one in there.scalars(select(Password))]
        held = occupied(here)
    assert passwords
    assert not [one for one in passwords if one.encode() in dossier.read_bytes()]
    assert {"password", "sign_in", "authenticator_change", "log_key"}.isdisjoint(held)


def test_what_was_removed_of_an_imported_lot_is_missed(
    full_house: House, empty: House, dossier: Path
):
    imported(empty, dossier)
    with empty.reading() as session:
        held = session.scalars(select(AuditLink.sequence).join(
            AuditEntry, AuditEntry.sha256 == AuditLink.entry_sha256
        ).order_by(AuditLink.sequence)).all()  # fmt: skip
    tamper(
        empty.engine,
        f"DELETE FROM audit_subject WHERE entry_id = {1}",  # noqa: S608 - our own names
        f"DELETE FROM audit_entry WHERE id = {1}",  # noqa: S608
        "DELETE FROM hold_end",
    )
    problems = empty.verify().problems
    assert f"entry {held[0]} is missing; its link is there" in problems
    assert any(one.startswith("hold_end:") and "is missing" in one for one in problems)


@pytest.mark.parametrize("before", [["something else"], []])
def test_an_import_that_was_not_the_first_that_was_done_excuses_nothing(
    house: House, before: list[str]
):
    """Also one that says that everything before it came with it: an owner wrote it at the end."""
    with house.reading() as session:
        places = session.scalars(select(AuditLink.sequence)).all()
    content = {"entries": len(places), "held": [*places], "left_out": [f"sample:{LOT}-S01"]}
    for what in before:
        with transaction(house.engine, SYSTEM, house.now()) as tx:
            tx.audit(what, after={})
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        row = DossierImport(
            number=1, lot=LOT, site="As if", log_keys="", entries=len(places), head="0",
            content_sha=house.archive.put(canonical_bytes(content)),
            dossier_sha=house.archive.put(b"as if"), reason="As if", imported_at=tx.now,
        )  # fmt: skip
        tx.add(row)
        tx.audit(IMPORTED, rows=[row])
    tamper(house.engine, f"DELETE FROM sample WHERE sample = '{LOT}-S01'")  # noqa: S608
    assert any(f"sample:{LOT}-S01 is missing" in one for one in house.verify().problems)


Vacant = tuple[House, Path]


@pytest.fixture(scope="module")
def vacancies(
    databases: Databases,
    shared_archive: FolderArchive,
    log_signer: LogSigner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Vacant]]:
    """An instance without a row and a dossier, for whoever leaves them so; one of each kind."""
    made = dict[str, Vacant]()
    folder = tmp_path_factory.mktemp("dossiers")

    def vacant(kind: str) -> Vacant:
        if kind not in made:
            with full_copy(databases, kind, shared_archive) as engine:
                house = House(engine, shared_archive, Clock(NOW + timedelta(days=1)))
                new_key(house, log_signer)
                path = exported(house, log_signer, folder / f"{kind}.zip")
            empty = opened.enter_context(databases.copy(kind))
            made[kind] = House(empty, FolderArchive(folder / kind)), path
        return made[kind]

    with ExitStack() as opened:
        yield vacant


@pytest.fixture
def vacant(database: str, vacancies: Callable[[str], Vacant]) -> Vacant:
    return vacancies(database)


def unpacked(path: Path) -> Files:
    with zipfile.ZipFile(path) as file:
        return {one: file.read(one) for one in file.namelist()}


def packed(files: Files, path: Path, signer: LogSigner | None) -> None:
    """Pack it again; who has the key of the log lists and signs it anew."""
    folder = "batchqc-dossier"
    if signer is not None:
        for name, begins in (("manifest", True), ("tagmanifest", False)):
            own = f"{name}-sha256.txt"
            inside = (one.removeprefix(f"{folder}/") for one in sorted(files))
            wanted = [
                one for one in inside
                if one.startswith("data/") == begins
                and one not in {"bundle.note", "tagmanifest-sha256.txt"}
            ]  # fmt: skip
            lines = (
                f"{hashlib.sha256(files[f'{folder}/{one}']).hexdigest()}  {one}\n" for one in wanted
            )
            files[f"{folder}/{own}"] = "".join(lines).encode()
        listed = hashlib.sha256(files[f"{folder}/tagmanifest-sha256.txt"]).hexdigest()
        text = f"batchqc/bundle/1\n{listed}\nlot {LOT}\n"
        files[f"{folder}/bundle.note"] = f"{text}\n{signer.line(text)}".encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)


def rows(old: str, new: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        name = "batchqc-dossier/data/rows.jsonl"
        assert old.encode() in files[name]
        files[name] = files[name].replace(old.encode(), new.encode(), 1)

    return change


def without_row(kind: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        name = "batchqc-dossier/data/rows.jsonl"
        lines = files[name].splitlines(keepends=True)
        own = [one for one in lines if f'"batchqc/row/{kind}/1"'.encode() in one]
        files[name] = b"".join(one for one in lines if one != own[-1])

    return change


def one_more_entry(files: Files) -> None:
    name = "batchqc-dossier/data/entries.tsv"
    files[name] = files[name].replace(b'"who":"', b'"who":"x', 1)


def out_of_order(files: Files) -> None:
    name = "batchqc-dossier/data/entries.tsv"
    first, second, *others = files[name].splitlines(keepends=True)
    files[name] = b"".join([second, first, *others])
    held = [int(one.split(b"\t")[0]) for one in files[name].splitlines()]
    said("held", held)(files)


def another_trail(files: Files) -> None:
    name = "batchqc-dossier/data/log/entries.txt"
    lines = files[name].splitlines(keepends=True)
    files[name] = b"".join([*lines[:-1], b"0" * 64 + b"\n"])


def a_trail_twice(files: Files) -> None:
    files["batchqc-dossier/data/log/entries.txt"] *= 2


def a_row_twice(files: Files) -> None:
    name = "batchqc-dossier/data/rows.jsonl"
    files[name] += files[name].splitlines(keepends=True)[0]


def another_file(files: Files) -> None:
    name = next(one for one in sorted(files) if "/store/" in one)
    files[name] += b"."


def without_file(files: Files) -> None:
    del files[next(one for one in sorted(files) if "/store/" in one)]


def another_table(files: Files) -> None:
    files["batchqc-dossier/data/rows.jsonl"] += b'{"type":"batchqc/row/password/1"}\n'


def said(name: str, value: object) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        path = "batchqc-dossier/data/dossier.json"
        files[path] = json.dumps(json.loads(files[path]) | {name: value}).encode()

    return change


@pytest.mark.parametrize(
    "changed",
    [
        (rows('"value":"93.40"', '"value":"99.40"'), False, "rows.jsonl is not as listed"),
        (without_file, False, "is missing"),
        (rows('"value":"93.40"', '"value":"99.40"'), True, "the measurements of"),
        (rows('"reason":"', '"reason":"x'), True, "is not as entry"),
        (without_row("hold_end"), True, "is missing; entry"),
        (without_row("site"), True, "site:COA is referred to, and is not there"),
        (another_table, True, "there is no table password here"),
        (rows('"type":"batchqc/row/site/1"', '"type":"batchqc/row/site/1","x":"y"'), True, "no x"),
        (one_more_entry, True, "is not the one at its place"),
        (out_of_order, True, "has an id from before its place"),
        (another_trail, True, "its trail ends elsewhere than it says"),
        (a_trail_twice, True, "there twice"),
        (a_row_twice, True, "is there twice"),
        (another_file, True, "holds other bytes"),
        (without_file, True, "the archive holds no file"),
        (said("held", []), True, "it holds other entries than it says"),
        (said("type", "batchqc/lot-dossier/9"), True, "not batchqc/lot-dossier/1"),
    ],
)
def test_a_dossier_that_was_changed_is_refused_and_nothing_is_written(
    vacant: Vacant, log_signer: LogSigner, tmp_path: Path,
    changed: tuple[Callable[[Files], None], bool, str],
):  # fmt: skip
    (empty, dossier), (change, is_signed, why) = vacant, changed
    files = unpacked(dossier)
    change(files)
    packed(files, tmp_path / "changed.zip", log_signer if is_signed else None)
    kind = InvalidInput if "lot-dossier" in why else IntegrityFailure
    with refused(empty, kind, why):
        imported(empty, tmp_path / "changed.zip")


def test_a_dossier_is_believed_by_the_keys_that_are_given(
    empty: House, dossier: Path, log_signer: LogSigner, tmp_path: Path
):
    other = create_log_key(tmp_path / "other.key", name="lakeside/batchqc")
    with refused(empty, IntegrityFailure, "none of the keys that you hold signed it"):
        imported(empty, dossier, other.key.text)
    for nothing in (b"", b"PK"):
        (tmp_path / "nothing.zip").write_bytes(nothing)
        with refused(empty, InvalidInput, "is no dossier of a lot"):
            imported(empty, tmp_path / "nothing.zip")
    with refused(empty, InvalidInput, "reason"):
        imported(empty, dossier, why="x")
    imported(empty, dossier, log_signer.key.text)
    with pytest.raises(Conflict) as again:
        imported(empty, dossier)
    assert again.value.code == "BQC-IMP-002"
    assert "lot has rows" in again.value.reasons


def test_records_that_are_not_what_the_trail_says_are_not_exported(
    full_house: House, log_signer: LogSigner, tmp_path: Path
):
    new_key(full_house, log_signer)
    tamper(full_house.engine, "UPDATE hold SET reason = 'x'")
    before = counts(full_house.engine)
    with pytest.raises(IntegrityFailure) as damaged:
        exported(full_house, log_signer, tmp_path / "dossier.zip")
    assert damaged.value.code == "BQC-EXP-007"
    assert any(one.startswith("hold:") for one in damaged.value.reasons)
    assert counts(full_house.engine) == before


@pytest.mark.requirement("1.09")
def test_what_was_removed_of_a_lot_is_not_left_out_of_its_dossier_without_a_word(
    full_house: House, log_signer: LogSigner, tmp_path: Path
):
    new_key(full_house, log_signer)
    tamper(full_house.engine, "DELETE FROM certificate_copy", "DELETE FROM certificate_withdrawal")
    with pytest.raises(IntegrityFailure) as refused:
        exported(full_house, log_signer, tmp_path / "dossier.zip")
    assert refused.value.code == "BQC-EXP-008"
    kinds = [one.partition(":")[0] for one in refused.value.reasons]
    assert kinds == ["certificate_copy", "certificate_withdrawal"]


@pytest.mark.requirement("10.04")
def test_a_dossier_that_was_compressed_is_refused_before_it_is_read(
    empty: House, dossier: Path, tmp_path: Path
):
    """A small file could be read without end."""
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(dossier) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            new.writestr(one, old.read(one))
    with refused(empty, IntegrityFailure, "data/dossier.json is compressed or encrypted"):
        imported(empty, bomb)


@pytest.mark.requirement("1.68")
def test_a_lot_whose_raw_data_was_disposed_of_does_not_move(
    house: House, log_signer: LogSigner, tmp_path: Path
):
    assert house.upload(results()).accepted
    set_rule(house)
    new_key(house, log_signer)
    house.now.at = LATE
    approve(house, ask(house))
    with transaction(house.engine, SYSTEM, house.now()) as tx:
        sign_checkpoint(tx, log_signer)
    with pytest.raises(Conflict) as refusal:
        exported(house, log_signer, tmp_path / "dossier.zip", by=QA1)
    assert refusal.value.code == "BQC-EXP-010"
    assert refusal.value.reasons == ("upload:U-2026-000001: DSP-2029-000001",)
