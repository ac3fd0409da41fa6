"""ZIP files that are sent while they are made: read by tools that know nothing of batchqc."""

import subprocess
import zipfile
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import pytest

from batchqc.documents.bag import Bag, name_in_upload, safe_name
from batchqc.documents.wheels import VERIFIER, wheel
from batchqc.documents.zip_stream import ZipStream, examine
from batchqc.errors import IntegrityFailure, NotFound

FILES = {"a/empty": b"", "a/text.txt": b"text\n" * 30_000, "a/µ.bin": bytes(range(256))}


def zipped(files: dict[str, bytes]) -> bytes:
    with ExitStack() as spools:
        stream, chunks = ZipStream(spools), []
        for name, data in files.items():
            source = BytesIO(data)
            chunks += stream.file(name, source, examine(source))
        return b"".join([*chunks, *stream.end()])


def test_what_was_packed_is_unpacked_by_others(tmp_path: Path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(FILES))
    with zipfile.ZipFile(path) as found:
        assert found.testzip() is None
        assert {one: found.read(one) for one in found.namelist()} == FILES
        assert {one.compress_type for one in found.infolist()} == {zipfile.ZIP_STORED}
        assert {one.date_time[0] for one in found.infolist()} == {1980}
    told = subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=True)
    assert "No errors detected" in told.stdout


def test_there_may_be_more_files_than_a_small_zip_can_count(tmp_path: Path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({f"{number:06}": b"" for number in range(66_000)}))
    with zipfile.ZipFile(path) as found:
        assert len(found.namelist()) == 66_000


def test_files_beyond_4_gigabytes_are_found(tmp_path: Path):
    class Far(ZipStream):
        """As if five gigabytes were before it."""

    with ExitStack() as spools:
        stream = Far(spools)
        stream._offset = begin = 5 * 10**9
        source = BytesIO(b"far")
        chunks = list(stream.file("far", source, examine(source)))
        end = list(stream.end())
    path = tmp_path / "a.zip"
    with path.open("wb") as file:
        file.seek(begin)  # nothing is written there: the file is sparse
        file.write(b"".join([*chunks, *end]))
    with zipfile.ZipFile(path) as found:
        assert found.read("far") == b"far"


def test_the_same_files_give_the_same_bytes():
    assert zipped(FILES) == zipped(FILES)
    assert zipped(FILES) != zipped(dict(reversed(FILES.items())))


def test_a_source_that_changes_meanwhile_is_refused():
    with ExitStack() as spools:
        stream, source = ZipStream(spools), BytesIO(b"before")
        found = examine(source)
        source.seek(0)
        source.write(b"after!")
        with pytest.raises(IntegrityFailure) as refused:
            list(stream.file("a", source, found))
    assert refused.value.code == "BQC-EXP-004"


def test_a_bag_is_verified_by_sha256sum(tmp_path: Path):
    with ExitStack() as spools:
        bag = Bag("bag", spools)
        chunks = [*bag.payload("x/a", b"a"), *bag.payload("b", BytesIO(b"bb")), *bag.tag("t", b"")]
        chunks += bag.end(
            {"Source-Organization": "Site"}, ["more"], lambda text: f"over {len(text)}\n"
        )
    (tmp_path / "bag.zip").write_bytes(b"".join(chunks))
    with zipfile.ZipFile(tmp_path / "bag.zip") as found:
        found.extractall(tmp_path)
    folder = tmp_path / "bag"
    for name in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
        subprocess.run(["sha256sum", "-c", "--quiet", "--strict", name], cwd=folder, check=True)
    assert "Payload-Oxum: 3.2\n" in (folder / "bag-info.txt").read_text()
    text, _, signature = (folder / "bundle.note").read_text().rpartition("\n\n")
    assert text.split("\n")[::2] == ["batchqc/bundle/1", "more"]
    assert signature == f"over {len(text) + 1}\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [("UCM-P1.csv", "UCM-P1.csv"), ("../a", "=2E.=2Fa"), ("µ=%", "=C2=B5=3D=25"), (".", "=2E")],
)
def test_no_name_leads_out_of_its_folder(text: str, name: str):
    assert safe_name(text) == name


@pytest.mark.parametrize("name", VERIFIER)
def test_a_wheel_is_made_again_of_what_is_installed(name: str):
    file, data = wheel(name)
    assert wheel(name) == (file, data)
    with zipfile.ZipFile(BytesIO(data)) as found:
        (record,) = (one for one in found.namelist() if one.endswith(".dist-info/RECORD"))
        listed = [line.split(",")[0] for line in found.read(record).decode().splitlines()]
        assert listed == found.namelist()
        assert not [one for one in listed if one.endswith((".pyc", "INSTALLER"))]


@pytest.mark.parametrize("wheel_tag", ["Tag: py3-none-any\n", ""])
def test_what_is_not_installed_as_it_was_published_is_not_handed_out(
    wheel_tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    about = tmp_path / "altered-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: altered\nVersion: 1\n")
    (about / "WHEEL").write_text(f"Wheel-Version: 1.0\n{wheel_tag}")
    (about / "RECORD").write_text("altered.py,sha256=AAAA,1\n")
    (tmp_path / "altered.py").write_text("#")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotFound) as refused:
        wheel("altered")
    assert refused.value.code == "BQC-EXP-002"


@pytest.mark.parametrize("name", ["attachment-1-a.csv", "Attachment-1-a.csv"])
def test_no_file_of_an_upload_is_named_like_its_attachment(name: str):
    """Two files of one name would be one in the bundle, which then does not verify."""
    beside = name_in_upload("a.csv", 1)
    assert beside == "attachment-1-a.csv"
    assert name_in_upload(name).lower() != beside
    assert name_in_upload("a.csv") == "a.csv"
