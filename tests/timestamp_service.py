"""A timestamp service (RFC 3161) on this machine, with a root of its own: certomancer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from asn1crypto.pem import armor
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_CONFIGURATION = """
keysets:
  own:
    path-prefix: .
    keys:
      root: {path: root.key}
      tsa: {path: tsa.key}
pki-architectures:
  own:
    keyset: own
    entity-defaults: {country-name: AT, organization-name: Timestamps}
    entities:
      root: {common-name: Timestamp root}
      tsa: {common-name: Timestamp service}
    certs:
      root:
        subject: root
        issuer: root
        validity: {valid-from: "2020-01-01T00:00:00+0000", valid-to: "2060-01-01T00:00:00+0000"}
        extensions:
          - {id: basic_constraints, critical: true, value: {ca: true}}
          - id: key_usage
            critical: true
            smart-value: {schema: key-usage, params: [key_cert_sign, crl_sign]}
      tsa:
        subject: tsa
        issuer: root
        validity: {valid-from: "2020-01-01T00:00:00+0000", valid-to: "2060-01-01T00:00:00+0000"}
        extensions:
          - id: key_usage
            critical: true
            smart-value: {schema: key-usage, params: [digital_signature]}
          - id: extended_key_usage
            critical: true
            value: [time_stamping]
    services:
      time-stamping:
        tsa: {signing-cert: tsa}
"""


@dataclass(frozen=True)
class TimestampService:
    """Where it is, and the root that vouches for it."""

    url: str
    root: Path


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@contextmanager
def timestamp_service(folder: Path) -> Iterator[TimestampService]:
    """The service, while the block lasts."""
    from certomancer.integrations.animator import (  # noqa: PLC0415 - a slow import
        Animator,
        AnimatorArchStore,
    )
    from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig  # noqa: PLC0415

    for name in ("root", "tsa"):
        key = rsa.generate_private_key(65537, 2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (folder / f"{name}.key").write_bytes(pem)
    file = folder / "service.yml"
    file.write_text(_CONFIGURATION)
    configured = CertomancerConfig.from_file(str(file), key_search_dir=str(folder))
    architecture = configured.get_pki_arch(ArchLabel("own"))
    root = folder / "root.pem"
    der = architecture.get_cert(CertLabel("root")).dump()
    root.write_bytes(armor("CERTIFICATE", der))
    animator = Animator(AnimatorArchStore({ArchLabel("own"): architecture}), with_web_ui=False)
    server = make_server("127.0.0.1", 0, animator, handler_class=_Silent)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield TimestampService(f"http://127.0.0.1:{server.server_port}/own/tsa/tsa", root)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
