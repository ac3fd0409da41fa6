"""The auditor's bundle of the demonstration: verified elsewhere, refused once changed."""

import base64
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchqc.cli.archive_export import written
from batchqc.cli.demo_cast import ANALYST, APPROVER, PASSWORD
from batchqc.documents.bundle.verify_bundle import main
from batchqc.documents.log_key import LogSigner, create_log_key, load_log_key
from batchqc.documents.pki import PkiNames, create_pki
from batchqc.errors import Conflict, InvalidInput, NotPermitted
from tests.cast import NOW
from tests.documents.external import pdfsig
from tests.system.test_command_line import batchqc, refused
from tests.timestamp_service import timestamp_service

FIRST, SECOND, SUPERSEDED = "COA-2026-000001", "COA-2026-000007", "SIM-26-001"
LOT = "data/lots/UCM-P1-T1"
UPLOAD = "data/uploads/U-2026-000001/viability.csv"


@pytest.fixture(scope="module")
def bundle(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of two lots, unpacked."""
    folder = tmp_path_factory.mktemp("bundle")
    found = batchqc(
        demo, "archive", "export", "-u", APPROVER, "--lot", "UCM-P1-T1", "--lot", SUPERSEDED,
        "--out", folder / "b.zip", typed=PASSWORD,
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    with zipfile.ZipFile(folder / "b.zip") as file:
        file.extractall(folder)
    return folder / "batchqc-bundle"


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A bundle to be changed; what is not changed is not copied."""
    return shutil.copytree(bundle, tmp_path / "b", copy_function=os.link)


def put(path: Path, data: bytes | str) -> None:
    """Write a file anew; the bundle that it was copied from keeps its own."""
    path.unlink(missing_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def listed_anew(folder: Path, signer: LogSigner | None) -> None:
    """List every file anew; who has the key of the log signs the list."""
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    for name, is_payload in (("manifest-sha256.txt", True), ("tagmanifest-sha256.txt", False)):
        own = [one.relative_to(folder).as_posix() for one in files]
        wanted = [
            one for one in own
            if one.startswith("data/") == is_payload
            and one not in {"bundle.note", "tagmanifest-sha256.txt"}
        ]  # fmt: skip
        lines = (
            f"{hashlib.sha256((folder / one).read_bytes()).hexdigest()}  {one}\n" for one in wanted
        )
        put(folder / name, "".join(lines))
    if signer is not None:
        sha256 = hashlib.sha256((folder / "tagmanifest-sha256.txt").read_bytes()).hexdigest()
        kind, _, log, _ = (folder / "bundle.note").read_text().split("\n")[:4]
        text = f"{kind}\n{sha256}\n{log}\n"
        put(folder / "bundle.note", f"{text}\n{signer.line(text)}")


def told(folder: Path, demo: Path, capsys: pytest.CaptureFixture[str], *more: str | Path) -> str:
    """What the verifier says of a bundle that does not hold."""
    anchors = ("--root", demo / "trust" / "root.pem", "--log-key", demo / "trust" / "log.vkey")
    assert main([str(folder), *map(str, anchors), *map(str, more)]) == 1
    said = capsys.readouterr().out
    assert "NOT VERIFIED" in said
    return said


def in_readme(folder: Path, begins: str, ends: str) -> str:
    """The commands that stand in a step of the bundle's own instruction."""
    step = (folder / "README.txt").read_text().split(begins)[1].split(ends)[0]
    return "\n".join(line for line in step.splitlines() if line.startswith("     "))


@pytest.mark.requirement("10.04")
def test_a_bundle_verifies_in_an_empty_environment_without_a_network_five_years_on(
    bundle: Path, demo: Path, tmp_path: Path
):
    commands = in_readme(bundle, "2. VERIFY", "   Every check")
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    folder = tmp_path / "batchqc-bundle"
    shutil.copytree(bundle, folder)
    for one in ("root.pem", "log.vkey"):
        shutil.copy(demo / "trust" / one, tmp_path)
    venv = tmp_path / "venv"
    setup, verify = commands.split("../venv/bin/python ")
    subprocess.run(["sh", "-ec", setup], cwd=folder, env=env, capture_output=True, check=True)
    verify = verify[: verify.index("--tsa-root")].rstrip(" \\\n")
    alone = ["unshare", "-n"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        alone = []  # nobody may cut the network here: sockets are refused instead
        (site,) = venv.glob("lib/python*/site-packages")
        (site / "sitecustomize.py").write_text("import socket\ndel socket.socket.connect\n")
    done = subprocess.run(
        [*alone, "faketime", "+5 years", "sh", "-c", f"exec ../venv/bin/python {verify}"],
        cwd=folder, capture_output=True, text=True, check=False, env=env,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything holds." in done.stdout
    assert done.stdout.count("ok   ") == 7
    assert not list(folder.rglob("*.pyc"))


@pytest.mark.requirement("10.04")
def test_a_bundle_is_verified_by_tools_of_others_as_its_readme_says(
    bundle: Path, demo: Path, nss: Path, tmp_path: Path
):
    readme = (bundle / "README.txt").read_text()
    for name in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
        assert f"sha256sum -c --quiet {name}" in readme
        subprocess.run(["sha256sum", "-c", "--quiet", "--strict", name], cwd=bundle, check=True)
    said = pdfsig(bundle / LOT / f"{FIRST}.pdf", nss)
    assert said.count("Signature is Valid.") == said.count("Certificate is Trusted.") == 2
    assert "Total document signed" in said.split("Signature #2")[1]
    (key,) = (bundle / "data" / "trust").glob("log-*.pem")
    for note in (max((bundle / "data/log/checkpoints").glob("*.txt")), bundle / "bundle.note"):
        script = f"""sed '/^$/,$d' {note} > body
            sed -n '/^$/,$p' {note} | sed -n 2p | cut -d' ' -f3 | base64 -d | tail -c 64 > sig
            openssl pkeyutl -verify -pubin -inkey {key} -rawin -in body -sigfile sig"""
        done = subprocess.run(
            ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert "Signature Verified Successfully" in done.stdout
    script = """awk -F'\\t' '$1 == %s' audit.tsv | cut -f5- | tr -d '\\n' | sha256sum"""
    line = (bundle / LOT / "audit.tsv").read_text().splitlines()[0].split("\t")
    done = subprocess.run(
        ["sh", "-c", script % line[0]], cwd=bundle / LOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == line[1]
    hashes = (bundle / "data/log/entries.txt").read_text().splitlines()
    assert hashes[int(line[0]) - 1] == line[1]


def test_the_page_links_only_what_is_there_and_needs_no_script(bundle: Path):
    page = (bundle / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', page)
    assert not [one for one in links if not (bundle / one).exists()]
    linked = {one for one in links if one.endswith(".pdf")}
    assert linked == {one.relative_to(bundle).as_posix() for one in bundle.rglob("*.pdf")}
    assert "<script" not in page
    assert "http" not in page
    assert "superseded</span><br>by COA-2026-000009" in page
    assert page.count('class="mark wait">preliminary') == 1
    with (bundle / LOT / f"{FIRST}.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    content = json.loads((bundle / LOT / f"{FIRST}.json").read_text())
    assert [one["result"] for one in rows] == [one["result"] for one in content["lines"]]


def changed(path: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = (folder / path).read_bytes()
        put(folder / path, data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])

    return change


def without(pattern: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for one in sorted(folder.glob(pattern))[-1:]:
            one.unlink()

    return change


def swapped(one: str, other: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
        put(folder / one, second)
        put(folder / other, first)

    return change


def lots(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Path], None]:
    """A change of the list of lots, which the export then speaks of."""

    def run(folder: Path) -> None:
        path = folder / "data/lots.jsonl"
        found = [json.loads(line) for line in path.read_text().splitlines()]
        change(found)
        put(path, "".join(f"{json.dumps(one)}\n" for one in found))
        asked = json.loads((folder / "data/export.json").read_text())
        asked["lots.jsonl sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        asked["counts"]["certificates"] = sum(len(one["certificates"]) for one in found)
        put(folder / "data/export.json", json.dumps(asked))

    return run


def left_out(folder: Path) -> None:
    lots(lambda found: found[0]["certificates"].clear())(folder)
    for one in (folder / LOT).glob("COA*"):
        one.unlink()


def nothing_supersedes(found: list[dict[str, Any]]) -> None:
    for one in found[1]["certificates"]:
        one["superseded_by"] = ""


def as_if_withdrawn(found: list[dict[str, Any]]) -> None:
    found[0]["certificates"][0]["withdrawn"] = "As if"


def no_source(found: list[dict[str, Any]]) -> None:
    found[0]["uploads"] = found[0]["uploads"][1:]


def entry(change: Callable[[list[str]], None]) -> Callable[[Path], None]:
    """A change in the columns of the last entry of a lot."""

    def run(folder: Path) -> None:
        path = folder / LOT / "audit.tsv"
        *before, last = path.read_text().splitlines()
        parts = last.split("\t")
        change(parts)
        put(path, "\n".join([*before, "\t".join(parts)]) + "\n")

    return run


def another_reason(parts: list[str]) -> None:
    parts[4] = parts[4].replace('"who":"', '"who":"x')


def another_reason_and_hash(parts: list[str]) -> None:
    another_reason(parts)
    parts[1] = hashlib.sha256(parts[4].encode()).hexdigest()


def another_link(parts: list[str]) -> None:
    parts[3] = "0" * 64


def another_leaf(folder: Path) -> None:
    lines = (folder / "data/log/entries.txt").read_text().splitlines()
    lines[3] = "0" * 64
    put(folder / "data/log/entries.txt", "\n".join(lines) + "\n")


def older_for_newer(folder: Path) -> None:
    *_, older, newer = sorted((folder / "data/log/checkpoints").glob("*.txt"))
    put(newer, older.read_bytes())


def signed_by_another(folder: Path) -> None:
    path = max((folder / "data/log/checkpoints").glob("*.txt"))
    text, _, line = path.read_text().rpartition("\n\n")
    name, signature = line.strip().rsplit(" ", 1)
    data = base64.b64decode(signature)
    put(path, f"{text}\n\n{name} {base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode()}\n")


def a_link(folder: Path) -> None:
    data = folder.parent / "elsewhere.csv"
    shutil.copyfile(folder / UPLOAD, data)
    (folder / UPLOAD).unlink()
    (folder / UPLOAD).symlink_to(data)


def added(folder: Path) -> None:
    (folder / LOT / "more.pdf").write_bytes(b"%PDF")


def hiding(folder: Path) -> None:
    (folder / "more\x1b[8m\nEverything holds.").write_bytes(b"%PDF")


SUPERSEDING = f"data/lots/{SUPERSEDED}"
NOT, LISTED, SIGNED = "as it is", "listed anew", "listed anew and signed"


@pytest.mark.requirement("10.04")
@pytest.mark.parametrize(
    ("change", "then", "why"),
    [
        (changed(UPLOAD), NOT, f"{UPLOAD} was changed"),
        (changed("index.html"), NOT, "index.html was changed"),
        (without(UPLOAD), NOT, f"{UPLOAD} is missing"),
        (added, NOT, "more.pdf was added"),
        (hiding, NOT, r"more\x1b[8m\nEverything holds. was added"),
        (a_link, NOT, "is a link"),
        (without("bundle.note"), NOT, "bundle.note cannot be read"),
        (changed(UPLOAD), LISTED, "files were listed anew"),
        (added, LISTED, "files were listed anew"),
        (changed(UPLOAD), SIGNED, "is not the one that was received"),
        (changed("data/specifications/UC-MSC-REL-v1.toml"), SIGNED, "received or approved"),
        (changed(f"{LOT}/{FIRST}.json"), SIGNED, "are not those that were frozen"),
        (changed(f"{LOT}/{FIRST}.pdf"), SIGNED, "the PDF is not the one that entry"),
        (
            swapped(f"{LOT}/{FIRST}.pdf", f"{SUPERSEDING}/{SECOND}.pdf"), SIGNED,
            f"{FIRST}: number: ",
        ),
        (
            swapped(f"{LOT}/{FIRST}.tlog-proof", f"{SUPERSEDING}/{SECOND}.tlog-proof"), SIGNED,
            f"{FIRST}: its proof",
        ),
        (without(f"{LOT}/*.pdf"), SIGNED, "its PDF was left out"),
        (left_out, SIGNED, f"certificate {FIRST} is on record and is not in the bundle"),
        (lots(nothing_supersedes), SIGNED, f"{SECOND}: it is superseded by COA-2026-000009"),
        (lots(as_if_withdrawn), SIGNED, "that it was withdrawn is not told as entries tell it"),
        (lots(no_source), SIGNED, "from which it takes results, is not here"),
        (entry(another_reason), SIGNED, "was changed: its text has another hash"),
        (entry(another_reason_and_hash), SIGNED, "is not the one that the log holds there"),
        (entry(another_link), SIGNED, "does not follow from the one before it"),
        (another_leaf, SIGNED, "speaks of other entries than are here"),
        (without("data/log/checkpoints/*.txt"), SIGNED, "the newest checkpoint has"),
        (older_for_newer, SIGNED, "it was swapped"),
        (signed_by_another, SIGNED, "does not hold"),
    ],
)  # fmt: skip
def test_a_bundle_that_was_changed_is_refused_with_the_reason(
    copy: Path, demo: Path, capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], None], then: str, why: str,
):  # fmt: skip
    change(copy)
    if then != NOT:
        listed_anew(copy, load_log_key(demo / "keys" / "log.key") if then == SIGNED else None)
    assert why in told(copy, demo, capsys)


def test_the_bundle_of_another_site_is_not_believed(
    bundle: Path, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    signer = create_log_key(tmp_path / "log.key", name="batchqc-demonstration-site/batchqc")
    (tmp_path / "log.vkey").write_text(signer.key.text + "\n")
    said = told(bundle, demo, capsys, "--log-key", tmp_path / "log.vkey")
    assert "none of the given keys of the log signed it" in said
    files = create_pki(
        tmp_path / "pki", names=PkiNames("Lakeside", "Root", "Seal"), root_passphrase="r",
        seal_passphrase="s", crl_url="http://crl.example/root.crl", now=NOW,
    )  # fmt: skip
    said = told(bundle, demo, capsys, "--root", files.root_pem)
    assert f"{FIRST}: issuer:" in said


def test_an_auditor_who_holds_a_newer_checkpoint_sees_that_a_bundle_is_older(
    bundle: Path, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    home = shutil.copytree(demo, tmp_path / "site")
    held = tmp_path / "held.txt"
    assert batchqc(home, "log", "checkpoint").exit_code == 0
    assert batchqc(home, "log", "show", "--to", held).exit_code == 0
    said = told(bundle, demo, capsys, "--checkpoint", held)
    assert "the bundle is older, or was cut" in said
    older = min((bundle / "data/log/checkpoints").glob("*.txt"))
    anchors = ["--root", demo / "trust" / "root.pem", "--log-key", demo / "trust" / "log.vkey"]
    assert main([*map(str, (bundle, *anchors)), "--checkpoint", str(older)]) == 0
    assert main([str(bundle), "--log-key", str(tmp_path / "none")]) == 2


@pytest.mark.requirement("10.04")
def test_a_checkpoint_of_no_entries_hides_no_other_log_from_who_holds_a_checkpoint(
    copy: Path, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Two logs under one key: whoever has it shows each auditor another one."""
    signer = load_log_key(demo / "keys" / "log.key")
    notes = copy / "data/log/checkpoints"
    size = int(min(notes.glob("*.txt")).stem) - 1
    origin, _, _, *rest = min(notes.glob("*.txt")).read_text().split("\n")[:5]
    other = base64.b64encode(b"another log, as somebody saw it.").decode()

    def signed(size: int) -> str:
        text = "".join(f"{one}\n" for one in (origin, size, other, *rest))
        return f"{text}\n{signer.line(text)}"

    held = tmp_path / "held.txt"
    held.write_text(signed(size))
    why = f"the checkpoint of {size} entries speaks of other entries than are here"
    assert why in told(copy, demo, capsys, "--checkpoint", held)
    put(notes / f"{0:012d}.txt", signed(0))
    listed_anew(copy, signer)
    said = told(copy, demo, capsys, "--checkpoint", held)
    assert why in said
    assert "000000000000.txt: the checkpoint is none of a log of batchqc" in said


def test_the_command_refuses_what_it_would_replace_and_who_may_not(demo: Path, tmp_path: Path):
    home = shutil.copytree(demo, tmp_path / "site")
    there = tmp_path / "there.zip"
    there.touch()
    export = ("archive", "export", "-u", APPROVER, "--out")
    refused(batchqc(home, *export, there, typed=PASSWORD), InvalidInput, "BQC-EXP-005")
    out = tmp_path / "out.zip"
    by_day = batchqc(home, *export, out, "--from", "1.2.2026", typed=PASSWORD)
    refused(by_day, InvalidInput, "BQC-EXP-006")
    by_analyst = batchqc(home, "archive", "export", "-u", ANALYST, "--out", out, typed=PASSWORD)
    refused(by_analyst, NotPermitted, "BQC-ACC-002")
    assert not out.exists()
    refused(batchqc(home, *export, there / "out.zip", typed=PASSWORD), InvalidInput, "BQC-CSV-002")


def test_a_stick_that_knows_no_links_gets_the_bundle_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    out = tmp_path / "out.zip"
    with written(out) as write:
        write(b"all of it")
    assert out.read_bytes() == b"all of it"
    assert [one.name for one in tmp_path.iterdir()] == ["out.zip"]
    with pytest.raises(InvalidInput, match="never replaced"), written(tmp_path / "b.zip") as write:
        (tmp_path / "b.zip").write_bytes(b"of somebody else, meanwhile")
    assert (tmp_path / "b.zip").read_bytes() == b"of somebody else, meanwhile"


def test_a_lot_moves_into_an_empty_folder_by_two_commands(demo: Path, tmp_path: Path):
    home = shutil.copytree(demo, tmp_path / "site")
    file, new, key = tmp_path / "dossier.zip", tmp_path / "new", demo / "trust" / "log.vkey"
    by_analyst = ("archive", "dossier", SUPERSEDED, "-u", ANALYST, "--out", file)
    refused(batchqc(home, *by_analyst, typed=PASSWORD), NotPermitted, "BQC-ACC-002")
    assert not file.exists()
    by_qa = ("archive", "dossier", SUPERSEDED, "-u", APPROVER, "--out", file)
    done = batchqc(home, *by_qa, typed=PASSWORD)
    assert done.exit_code == 0, done.output
    bring = ("archive", "import", file, "--reason", "To be read by the authority")
    done = batchqc(new, *bring, "--log-key", key)
    assert done.exit_code == 0, (done.output, done.exception)
    assert "6 verdicts were computed anew, and all is the same" in done.output
    assert "believed by the keys inside" not in done.output
    refused(batchqc(new, *bring), Conflict, "BQC-IMP-002")
    for against in ((), ("--against", demo / "witness", "--key", key)):
        done = batchqc(new, "audit", "verify", *against)
        assert done.exit_code == 0, done.output
    assert "They extend the checkpoint" in done.output
    assert f"are of batchqc demonstration site; those of lot {SUPERSEDED} are here." in done.output
    number = tmp_path / "c.pdf"
    assert batchqc(new, "certificate", "get", SECOND, "--to", number).exit_code == 0
    before = next((demo / "certificates").glob(f"{SECOND}*.pdf"))
    assert number.read_bytes() == before.read_bytes()


def test_timestamps_of_checkpoints_are_verified_by_the_root_of_their_service(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    home, out = shutil.copytree(demo, tmp_path / "site"), tmp_path / "b.zip"
    (tmp_path / "tsa").mkdir()
    (tmp_path / "other").mkdir()
    with timestamp_service(tmp_path / "tsa") as service:
        stamped = {
            "BATCHQC_TIMESTAMP_URL": service.url, "BATCHQC_TIMESTAMP_ROOT": str(service.root)
        }  # fmt: skip
        done = batchqc(home, "log", "checkpoint", **stamped)
        assert "stamped it" in done.output, done.output
        export = ("archive", "export", "-u", APPROVER, "--lot", "UCM-P1-T1", "--out", out)
        assert batchqc(home, *export, typed=PASSWORD, **stamped).exit_code == 0
    with zipfile.ZipFile(out) as file:
        file.extractall(tmp_path)
    folder, root = tmp_path / "batchqc-bundle", home / "trust" / "root.pem"
    tokens = sorted((folder / "data/log/checkpoints").glob("*.tsr"))
    assert len(tokens) == 1
    assert main([str(folder), "--root", str(root)]) == 0
    with timestamp_service(tmp_path / "other") as other:
        said = told(folder, demo, capsys, "--tsa-root", other.root)
    assert f"{tokens[0].name}: " in said  # a root of the same name, with another key
    note = min((folder / "data/log/checkpoints").glob("*.txt"))
    tokens[0].rename(note.with_suffix(".tsr"))
    assert "the timestamp is about other bytes" in told(folder, demo, capsys)
    (folder / "data/trust/tsa-root.pem").unlink()
    assert "no root of the service: give --tsa-root" in told(folder, demo, capsys)
