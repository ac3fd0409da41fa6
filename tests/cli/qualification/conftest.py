"""An installation to qualify: records of a house, a seal, and the settings that name them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from batchqc.cli.workplace import Workplace
from batchqc.documents.log_key import create_log_key
from batchqc.documents.pki import PkiFiles
from batchqc.settings import Settings
from tests.records.house import House

WAITS_FOR_NO_DISK = {"sqlite": frozenset[str](), "postgresql": frozenset({"IQ-IN-10"})}
"""What fails of an installation on a database of tests: see tests.databases."""


def place_of(engine: Engine, house: House, pki: PkiFiles, folder: Path) -> Workplace:
    """The installation in a folder; its clock is that of the house."""
    folder.mkdir()
    keys = shutil.copytree(pki.seal_p12.parent, folder / "keys")
    create_log_key(keys / "log.key", name="lakeside/batchqc")
    (keys / "components.key").write_text("0" * 64)
    (folder / "trust").mkdir()
    settings = Settings.in_folder(folder).model_copy(
        update={
            "database": engine.url.render_as_string(hide_password=False),
            "store": house.archive.root,
            "seal_passphrase": SecretStr("seal on the server"),
        }
    )
    return Workplace.at(settings, now=house.now)


@pytest.fixture
def place(house: House, pki: PkiFiles, tmp_path: Path) -> Iterator[Workplace]:
    found = place_of(house.engine, house, pki, tmp_path / "site")
    yield found
    found.engine.dispose()
