"""Services on this machine to try signatures with: timestamps, revocation lists, and OCSP.

A root of its own, with an authority under it, vouches for them; both are made in a folder on the
first start and used again later. What they say is worth nothing elsewhere: keys lie in that folder
without a passphrase. Needs the extra ``batchqc[pki-dev]``; certomancer does the work.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from asn1crypto.pem import armor
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from batchqc.errors import InvalidInput

if TYPE_CHECKING:
    from certomancer.registry import PKIArchitecture

_HOST: Final = "127.0.0.1"
_NAME: Final = "own"
_FILE: Final = "services.yml"
_CONFIGURATION: Final = Template("""\
external-url-prefix: $address
keysets:
  own:
    path-prefix: .
    keys:
      root: {path: root.key}
      ca: {path: ca.key}
      tsa: {path: tsa.key}
      ocsp: {path: ocsp.key}
pki-architectures:
  own:
    keyset: own
    entity-defaults: {organization-name: Only to try signatures with}
    entities:
      root: {common-name: "Root of services to try, $address"}
      ca: {common-name: "Authority of services to try, $address"}
      tsa: {common-name: Timestamps to try}
      ocsp: {common-name: OCSP to try}
    certs:
      root:
        subject: root
        issuer: root
        validity: {valid-from: "$since", valid-to: "$root_until"}
        extensions:
          - {id: basic_constraints, critical: true, value: {ca: true}}
          - id: key_usage
            critical: true
            smart-value: {schema: key-usage, params: [key_cert_sign, crl_sign]}
      ca:
        subject: ca
        issuer: root
        validity: {valid-from: "$since", valid-to: "$root_until"}
        extensions:
          - {id: basic_constraints, critical: true, value: {ca: true, path_len_constraint: 0}}
          - id: key_usage
            critical: true
            smart-value: {schema: key-usage, params: [key_cert_sign, crl_sign]}
          - id: crl_distribution_points
            smart-value: {schema: crl-dist-url, params: {crl-repo-names: [root]}}
      tsa:
        subject: tsa
        issuer: ca
        validity: {valid-from: "$since", valid-to: "$tsa_until"}
        extensions:
          - id: key_usage
            critical: true
            smart-value: {schema: key-usage, params: [digital_signature]}
          - {id: extended_key_usage, critical: true, value: [time_stamping]}
          - id: crl_distribution_points
            smart-value: {schema: crl-dist-url, params: {crl-repo-names: [ca]}}
          - id: authority_information_access
            smart-value: {schema: aia-urls, params: {ocsp-responder-names: [ca]}}
      ocsp:
        subject: ocsp
        issuer: ca
        validity: {valid-from: "$since", valid-to: "$root_until"}
        extensions:
          - id: key_usage
            critical: true
            smart-value: {schema: key-usage, params: [digital_signature]}
          - {id: extended_key_usage, value: [ocsp_signing]}
          - {id: ocsp_no_check}
    services:
      time-stamping:
        tsa: {signing-cert: tsa, certs-to-embed: [ca]}
      crl-repo:
        root: {for-issuer: root, signing-key: root, simulated-update-schedule: P30D}
        ca: {for-issuer: ca, signing-key: ca, simulated-update-schedule: P30D}
      ocsp:
        ca: {for-issuer: ca, responder-cert: ocsp, signing-key: ocsp}
""")


@dataclass(frozen=True, slots=True)
class DevServices:
    """A running server: its timestamp service, the root, and where a site's own list is served."""

    url: str
    root: Path
    list_url: str
    _server: WSGIServer

    def serve_forever(self) -> None:
        """Answer until ``stop``."""
        self._server.serve_forever(poll_interval=0.01)

    def stop(self) -> None:
        """End ``serve_forever``, which runs in another thread."""
        self._server.shutdown()


@contextmanager
def dev_services(
    folder: Path,
    *,
    port: int,
    now: datetime,
    site_list: Path | None = None,
    tsa_days: int = 1095,
    clock: Callable[[], datetime] | None = None,
) -> Iterator[DevServices]:
    """Services on the loopback address; they answer once ``serve_forever`` is called.

    Args:
        folder: of keys and configuration, made where it does not exist.
        port: 0 takes a free one. A folder of before has its port in its certificates.
        now: the certificates of a new folder begin a day before.
        site_list: the revocation list of the site's root, served under ``/root.crl``.
        tsa_days: how long the certificate of a new timestamp service is valid.
        clock: what time the services tell; else the machine's.

    Raises:
        InvalidInput: BQC-PKI-003 certomancer is not installed, the folder has another port, or
            another program has the port.
    """
    try:
        server = make_server(_HOST, port, _nothing, handler_class=_Silent)
    except OSError as error:
        raise _unavailable(f"port {port}: {error.strerror}") from error
    try:
        address = f"http://{_HOST}:{server.server_port}"
        if not (folder / _FILE).exists():
            _configure(folder, address, now, tsa_days)
        elif address not in (folder / _FILE).read_text("utf-8"):
            known = re.findall(r"127.0.0.1:(\d+)", (folder / _FILE).read_text("utf-8"))
            raise _unavailable(f"{folder} was made for port {' '.join(known)}")
        architecture = _architecture(folder)
        server.set_app(_Application(architecture, site_list, clock))
        root = folder / "root.pem"
        root.write_bytes(armor("CERTIFICATE", _root_of(architecture)))
        yield DevServices(f"{address}/{_NAME}/tsa/tsa", root, f"{address}/root.crl", server)
    finally:
        server.server_close()


class _Application:
    """certomancer, and beside it the list of the site's root."""

    def __init__(
        self,
        architecture: "PKIArchitecture",
        site_list: Path | None,
        clock: Callable[[], datetime] | None,
    ) -> None:
        from certomancer.integrations.animator import (  # noqa: PLC0415 - a slow import
            Animator,
            AnimatorArchStore,
        )
        from certomancer.registry import ArchLabel  # noqa: PLC0415 - an extra

        store = AnimatorArchStore({ArchLabel(_NAME): architecture})
        self._animator = Animator(store, with_web_ui=False)
        self._site_list, self._clock = site_list, clock

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/root.crl" and self._site_list is not None:
            start_response("200 OK", [("Content-Type", "application/pkix-crl")])
            return [self._site_list.read_bytes()]
        if self._clock is not None:
            self._animator.fixed_time = self._clock()
        return self._animator(environ, start_response)


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


def _nothing(_environ: Any, _start_response: Any) -> list[bytes]:
    return []


def _configure(folder: Path, address: str, now: datetime, tsa_days: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = f"{folder} cannot be written: {error.strerror}"
        raise InvalidInput("BQC-CSV-002", said) from error
    for name in ("root", "ca", "tsa", "ocsp"):
        pem = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path = folder / f"{name}.key"
        path.touch(mode=0o600)
        path.write_bytes(pem)
    since = now - timedelta(days=1)
    text = _CONFIGURATION.substitute(
        address=address,
        since=since.isoformat(timespec="seconds"),
        root_until=(since + timedelta(days=30 * 365)).isoformat(timespec="seconds"),
        tsa_until=(since + timedelta(days=tsa_days)).isoformat(timespec="seconds"),
    )
    (folder / _FILE).write_text(text, "utf-8")


def _architecture(folder: Path) -> "PKIArchitecture":
    try:
        from certomancer.registry import (  # noqa: PLC0415 - only who tries services has it
            ArchLabel,
            CertomancerConfig,
        )
    except ImportError as problem:
        raise _unavailable("certomancer is missing: install batchqc[pki-dev]") from problem
    configured = CertomancerConfig.from_file(str(folder / _FILE), key_search_dir=str(folder))
    return configured.get_pki_arch(ArchLabel(_NAME))


def _root_of(architecture: "PKIArchitecture") -> bytes:
    from certomancer.registry import CertLabel  # noqa: PLC0415 - see above

    return bytes(architecture.get_cert(CertLabel("root")).dump())


def _unavailable(why: str) -> InvalidInput:
    return InvalidInput(
        "BQC-PKI-003",
        f"the services to try signatures with cannot be started: {why}",
        hint="Name an empty folder and a free port, or the port that the folder was made for.",
    )
