"""Houses, their databases and their keys, for every test that asks for them."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine

from batchqc.actions import passwords
from batchqc.actions.certificates import Press
from batchqc.documents.archive import FolderArchive
from batchqc.documents.log_key import LogSigner, create_log_key
from batchqc.documents.pki import PkiFiles, PkiNames, create_pki
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.settings import bundled
from tests.cast import NOW
from tests.databases import Databases
from tests.kinds import KINDS
from tests.records.full_house import full_copy
from tests.records.house import Clock, House, archive_of, furnish, restock


@pytest.fixture(scope="session", autouse=True)
def fast_passwords() -> Iterator[None]:
    """Cheap hashes: argon2 is made to be slow and large, and tests hash thousands of times."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "HASHER", cheap)
        patch.setattr(passwords, "_ANY_HASH", cheap.hash("nobody has this password"))
        yield


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Every database of the session."""
    found = Databases()
    with found.sharing():
        yield found
    found.close()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database: each test that has one runs on both."""
    return str(request.param)


@pytest.fixture
def engine(database: str, databases: Databases) -> Iterator[Engine]:
    """A migrated database without a row."""
    with databases.copy(database) as engine:
        yield engine


@pytest.fixture(scope="session")
def ready_at(tmp_path_factory: pytest.TempPathFactory) -> tuple[FolderArchive, Clock]:
    """What a house has stored once its lot could be released, and when that is."""
    return archive_of(tmp_path_factory.mktemp("ready")), Clock()


@pytest.fixture(scope="session")
def prepare(databases: Databases, ready_at: tuple[FolderArchive, Clock]) -> Callable[[House], None]:
    """What makes a house ready that nobody has done anything in."""
    archive, clock = ready_at

    def make(engine: Engine) -> None:
        clock.at = NOW
        restock(archive)
        House(engine, archive, clock).ready()

    def prepared(own: House) -> None:
        databases.build(own.engine.dialect.name, "ready", make, copy_of="house")
        databases.become(own.engine, "ready")
        shutil.copytree(archive.root, own.archive.root, dirs_exist_ok=True)
        own.now.at, own.now.handed = clock.at, clock.handed

    return prepared


@pytest.fixture
def house(
    database: str, databases: Databases, tmp_path: Path, prepare: Callable[[House], None]
) -> Iterator[House]:
    """A site with its people, product, donor, approved specification, lot and samples."""
    with databases.copy(database, "house", furnish) as engine:
        yield House(engine, archive_of(tmp_path), Clock(), prepare)


@pytest.fixture(scope="session")
def shared_archive(tmp_path_factory: pytest.TempPathFactory) -> FolderArchive:
    """The store of every full house; it only ever grows."""
    return archive_of(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def full_house(
    database: str, databases: Databases, shared_archive: FolderArchive
) -> Iterator[House]:
    """A house with a row in every table; its lot is released."""
    with full_copy(databases, database, shared_archive) as engine:
        yield House(engine, shared_archive, Clock(NOW + timedelta(days=1)))


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> PkiFiles:
    """Root and seal of every house."""
    return create_pki(
        tmp_path_factory.mktemp("pki") / "keys",
        names=PkiNames("Lakeside Cell Therapy", "Lakeside root", "Lakeside seal"),
        root_passphrase="root in the safe",
        seal_passphrase="seal on the server",
        crl_url="http://crl.example.org/root.crl",
        now=NOW - timedelta(days=1),
    )


@pytest.fixture(scope="session")
def log_signer(tmp_path_factory: pytest.TempPathFactory) -> LogSigner:
    """The key of the log of every house."""
    return create_log_key(tmp_path_factory.mktemp("log") / "log.key", name="lakeside/batchqc")


@pytest.fixture(scope="session")
def press(pki: PkiFiles, log_signer: LogSigner) -> Press:
    """What makes the certificates of every house."""
    from batchqc.documents.pades import load_seal  # noqa: PLC0415 - only who seals waits for it

    key = load_seal(pki.seal_p12, "seal on the server")
    sealing = Sealing(Level.B_B, RootFiles(pki.root_pem, pki.root_crl))
    return Press(bundled("reports") / "fonts", lambda: key, lambda: log_signer, sealing)
