"""Addresses, folders and secrets, read once from the environment; and where bundled files are.

Nothing here changes a decision: what does is a versioned record in the database.
"""

import os
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from batchqc.documents.malware import ADDRESS
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.documents.timestamps import Service
from batchqc.documents.token_key import Token
from batchqc.errors import InvalidInput, NotFound

PREFIX: Final = "BATCHQC_"
SECRETS: Final = f"{PREFIX}SECRETS"
"""The variable that names a folder with a file for each setting that is not to stand in the
environment, such as ``batchqc_seal_passphrase``; what the environment says counts first."""

_BESIDE: Final = (f"{PREFIX}HOME", f"{PREFIX}USER", f"{PREFIX}SCRATCH")
"""What the command line reads beside the settings."""
_NEAR: Final = 0.88
"""How alike a name is to that of a setting where it is taken for a slip."""


class LogFormat(StrEnum):
    """How lines of the log are written."""

    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """Every setting, each read from ``BATCHQC_<NAME>``, else from its file of the secrets."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # blank is not set
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    database: str = Field(
        default="sqlite:///batchqc.db",
        description="SQLAlchemy address of the database",
        repr=False,  # it may hold a password
        json_schema_extra={"secret": "with a password"},
    )
    store: Path | str = Field(
        default=Path("store"),
        description="write-once store, shared by all servers: a folder, or s3://bucket/prefix",
    )
    store_endpoint: str = Field(default="", description="address of the S3 service; blank is AWS's")
    store_region: str = Field(default="", description="region of the S3 bucket")
    seal: Path = Field(
        default=Path("keys/seal.p12"), description="PKCS#12 file of the site's seal key"
    )
    seal_passphrase: SecretStr | None = Field(
        default=None, description="passphrase of the seal key"
    )
    token_module: Path | None = Field(
        default=None, description="PKCS#11 library of the token with the seal key; blank is none"
    )
    token_label: str = Field(default="", description="label of that token")
    token_key: str = Field(default="seal", description="label of the seal key in that token")
    seal_level: Level = Field(
        default=Level.B_B, description="level of PAdES that every certificate reaches"
    )
    root: Path | None = Field(
        default=None, description="PEM file of the site's root; blank is root.pem beside the seal"
    )
    revocation_list: Path | None = Field(
        default=None, description="list of revoked seals; blank is root.crl beside the seal"
    )
    webhook_key: Path = Field(
        default=Path("keys/webhook.key"), description="file of the key of the webhooks' secrets"
    )
    webhook_private: bool = Field(
        default=False, description="whether webhooks may have addresses of private networks"
    )
    component_key: Path = Field(
        default=Path("keys/components.key"), description="key of the secrets of authenticators"
    )
    code_drift: int = Field(
        default=1, ge=0, le=1, description="steps of 30 s beside now whose codes count too: 1 or 0"
    )
    log_key: Path = Field(
        default=Path("keys/log.key"),
        description="file of the key of the transparency log, shared by all servers",
    )
    timestamp_url: str = Field(default="", description="RFC 3161 timestamp service; blank is none")
    timestamp_root: Path | None = Field(
        default=None, description="PEM file of the root of the timestamp service"
    )
    witness: Path | None = Field(
        default=None, description="folder of the witness that holds checkpoints; blank is none"
    )
    trust: Path = Field(
        default=Path("trust"), description="folder of root.pem, which auditors are given"
    )
    oidc_issuer: str = Field(
        default="",
        description="issuer of single sign-on, as its discovery document says; blank is none",
    )
    oidc_client: str = Field(default="", description="client id at the issuer")
    oidc_secret: SecretStr = Field(default=SecretStr(""), description="client secret")
    oidc_redirect: str = Field(
        default="",
        description="page to which the issuer sends people back: https://HOST/sign-in/return",
    )
    upload_limit: int = Field(
        default=50_000_000,
        ge=1,
        description="largest upload in bytes; the command line reads a larger file in portions",
    )
    attachment_limit: int = Field(default=20_000_000, ge=1, description="largest document in bytes")
    malware_scanner: str = Field(
        default="", pattern=ADDRESS, description="clamd, HOST:PORT or its socket; blank is none"
    )
    specification_folder: Path | None = Field(
        default=None, description="the site's folder of specification files, to compare"
    )
    waiting: Path = Field(
        default=Path("waiting"),
        description="folder, shared by all servers, of files that wait behind a preview",
    )
    log_format: LogFormat = Field(
        default=LogFormat.TEXT, description="how servers and workers log, to standard error"
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="bearer token of whoever reads /metrics; blank is nobody",
    )
    proxies: str = Field(
        default="127.0.0.1",
        description="addresses or networks of the proxies that are believed whom they ask for,"
        " separated by commas",
    )
    clock_required: bool = Field(
        default=False,
        description="whether to serve only while the system says that its clock is synchronised",
    )
    disk_required: bool = Field(
        default=True,
        description="whether to serve only by a database that waits for its disk before it says"
        " that something is recorded; false is for trials, whose records do not count",
    )
    environment: str = Field(
        default="Production", description="what the pages call this installation"
    )
    idle_minutes: int = Field(
        default=15, ge=3, le=480, description="minutes without work until a page locks, 3 to 480"
    )
    session_hours: int = Field(default=8, ge=1, le=24, description="until a session ends, 1 to 24")
    session_idle_minutes: int = Field(
        default=30, ge=0, le=1440, description="minutes unused until a session is over; 0 is never"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, the environment, and the folder of secrets where it names one."""
        folder = os.environ.get(SECRETS)
        files = (SecretsSettingsSource(settings_cls, folder),) if folder else ()
        return (init_settings, env_settings, *files)

    @property
    def token(self) -> Token | None:
        """The token that holds the seal key, where one does; ``seal`` names its certificates."""
        module = self.token_module
        return None if module is None else Token(module, self.token_label, self.token_key)

    @property
    def sealing(self) -> Sealing:
        """How far seals prove themselves, and whom the site trusts for it."""
        beside = self.seal.parent
        root = RootFiles(
            self.root or beside / "root.pem", self.revocation_list or beside / "root.crl"
        )
        return Sealing(self.seal_level, root, Service(self.timestamp_url, self.timestamp_root))

    @classmethod
    def in_folder(cls, folder: Path, *, alone: bool = False) -> Self:
        """Settings of a folder that holds everything; ``alone``: and nothing of the environment."""
        rest = {name: one.default for name, one in cls.model_fields.items()} if alone else {}
        keys = folder / "keys"
        own = {
            "database": f"sqlite:///{folder / 'batchqc.db'}", "store": folder / "store",
            "seal": keys / "seal.p12", "webhook_key": keys / "webhook.key",
            "component_key": keys / "components.key", "log_key": keys / "log.key",
            "trust": folder / "trust", "waiting": folder / "waiting",
        }  # fmt: skip
        return cls(**(rest | own))


def read_settings(home: Path | None = None) -> Settings:
    """The settings of this process, or of the folder of an installation.

    Raises:
        InvalidInput: BQC-SYS-020 with every variable that is wrong; no value is repeated.
        NotFound: BQC-SYS-021 the folder of secrets is not there.
    """
    folder = os.environ.get(SECRETS)
    if folder and not Path(folder).is_dir():
        raise NotFound(
            "BQC-SYS-021",
            f"there is no folder {folder}, where {SECRETS} says that the secrets are",
            hint="Mount it, or take the variable away.",
        )
    wrong, found = list(_nearly(folder)), None
    try:
        found = Settings() if home is None else Settings.in_folder(home)
    except ValidationError as error:
        said = [f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors()]
        wrong = said + wrong
    if found is None or wrong:
        hint = "`batchqc configuration` tells what each of them is."
        raise InvalidInput("BQC-SYS-020", "the settings are wrong", reasons=wrong, hint=hint)
    return found


def _nearly(folder: str | None) -> Iterator[str]:
    """What is named nearly as a setting, and would be passed over without a word."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    files = (one.name.upper() for one in Path(folder).iterdir()) if folder else ()
    given = {one for one in (*os.environ, *files) if one.startswith(PREFIX)}
    for one in sorted(given - {*known, SECRETS, *_BESIDE}):
        if near := get_close_matches(one, known, n=1, cutoff=_NEAR):
            yield f"{one} is no setting: {near[0]} is"


def shipped_profiles() -> Path:
    """The folder of the profiles that batchqc ships."""
    return Path(__file__).parent / "intake" / "profiles"


def shipped_panels() -> Path:
    """The folder of the donor panels that batchqc ships, as proposals."""
    return Path(__file__).parent / "documents" / "donor_panels"


def shipped_potency_methods() -> Path:
    """The folder of the methods of potency assays that batchqc ships, as proposals."""
    return Path(__file__).parent / "documents" / "potency_methods"


def shipped_cases() -> Path:
    """The folder of the certified and published cases to which the statistics are held."""
    return Path(__file__).parent / "statistics" / "cases" / "published"


def lock_file() -> Path:
    """The lock file: the version of every library with which batchqc was tested."""
    return bundled("specs").parent / "uv.lock"


def requirements() -> dict[str, dict[str, str]]:
    """Every requirement, by its number: its title and its kind, as the guide has them."""
    text = (Path(__file__).parent / "guide" / "requirements.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["requirements"])


def certificate_schema() -> Path:
    """The JSON Schema of what is embedded in certificates."""
    return Path(__file__).parent / "documents" / "schemas" / "certificate-2.schema.json"


def bundled(name: str) -> Path:
    """The folder ``specs``, ``reports`` or ``migrations``, in the wheel or the checkout.

    Raises:
        NotFound: where the installation is damaged.
    """
    package = Path(__file__).parent
    for folder in (package / "_bundled" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise NotFound("BQC-SYS-001", f"{name}/ is missing", hint="Install batchqc again.")
