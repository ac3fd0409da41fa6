"""Addresses, folders and secrets, read once from the environment; and where bundled files are.

Nothing here changes a decision: what does is a versioned record in the database.
"""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level, Sealing
from batchqc.documents.timestamps import Service
from batchqc.documents.token_key import Token
from batchqc.errors import NotFound


class Settings(BaseSettings):
    """Every setting, each read from ``BATCHQC_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="BATCHQC_", frozen=True, extra="forbid")

    database: str = Field(
        default="sqlite:///batchqc.db", description="SQLAlchemy address of the database"
    )
    store: Path | str = Field(
        default=Path("store"), description="write-once store: a folder, or s3://bucket/prefix"
    )
    store_endpoint: str = Field(
        default="", description="address of the S3 service; blank is that of AWS"
    )
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
    log_key: Path = Field(
        default=Path("keys/log.key"), description="file of the key of the transparency log"
    )
    timestamp_url: str = Field(
        default="", description="timestamp service (RFC 3161); blank is none"
    )
    timestamp_root: Path | None = Field(
        default=None, description="PEM file of the root of the timestamp service"
    )
    witness: Path | None = Field(
        default=None, description="folder of the witness that holds checkpoints; blank is none"
    )
    trust: Path = Field(
        default=Path("trust"), description="folder of root.pem, which auditors are given"
    )
    oidc_issuer: str = Field(default="", description="issuer of single sign-on; blank is none")
    oidc_client: str = Field(default="", description="client id at the issuer")
    oidc_secret: SecretStr = Field(default=SecretStr(""), description="client secret")
    oidc_redirect: str = Field(default="", description="page to which the issuer sends people back")
    upload_limit: int = Field(default=50_000_000, description="largest upload in bytes")
    attachment_limit: int = Field(
        default=20_000_000, description="largest document of a typed result in bytes"
    )
    specification_folder: Path | None = Field(
        default=None, description="the site's folder of specification files, to compare"
    )
    clock_required: bool = Field(
        default=False,
        description="whether to serve only while the system says that its clock is synchronised",
    )
    environment: str = Field(
        default="Production", description="what the pages call this installation"
    )
    idle_minutes: int = Field(
        default=15, description="minutes without a sign of life until a page locks itself"
    )
    session_hours: int = Field(default=8, description="hours until a session ends")

    @property
    def token(self) -> Token | None:
        """The token that holds the seal key, where one does; ``seal`` names its certificates."""
        if self.token_module is None:
            return None
        return Token(self.token_module, self.token_label, self.token_key)

    @property
    def sealing(self) -> Sealing:
        """How far seals prove themselves, and whom the site trusts for it."""
        beside = self.seal.parent
        root = RootFiles(
            self.root or beside / "root.pem", self.revocation_list or beside / "root.crl"
        )
        return Sealing(self.seal_level, root, Service(self.timestamp_url, self.timestamp_root))

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Settings of a folder that holds everything, such as the demo's."""
        return cls(
            database=f"sqlite:///{folder / 'batchqc.db'}",
            store=folder / "store",
            seal=folder / "keys" / "seal.p12",
            webhook_key=folder / "keys" / "webhook.key",
            component_key=folder / "keys" / "components.key",
            log_key=folder / "keys" / "log.key",
            trust=folder / "trust",
        )


def shipped_profiles() -> Path:
    """The folder of the profiles that batchqc ships."""
    return Path(__file__).parent / "intake" / "profiles"


def shipped_panels() -> Path:
    """The folder of the donor panels that batchqc ships, as proposals."""
    return Path(__file__).parent / "documents" / "donor_panels"


def shipped_potency_methods() -> Path:
    """The folder of the methods of potency assays that batchqc ships, as proposals."""
    return Path(__file__).parent / "documents" / "potency_methods"


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
