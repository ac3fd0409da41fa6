"""An issuer whose keys the test holds: it says whatever the test wants to be said."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET, REDIRECT = "batchqc", "the secret of the client", "http://127.0.0.1:9/return"


@dataclass
class Issuer:
    """Its address, its key, and what its token endpoint answers next."""

    address: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    rsa: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "two"}))
    metadata: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def token(self, claims: dict[str, Any], key: Any = None, **header: Any) -> str:
        """A token, signed as asked."""
        header = {"alg": "ES256", "kid": "one"} | header
        algorithms = [header["alg"]]
        return jwt.encode(header, claims, key or self.key, algorithms=algorithms)

    def content(self, path: str) -> dict[str, Any]:
        match path:
            case "/jwks":
                keys = [one.as_dict(private=False) for one in (self.key, self.rsa)]
                return {"keys": keys}
            case "/token":
                return self.answer
            case _:
                return {
                    "issuer": self.address,
                    "authorization_endpoint": f"{self.address}/auth",
                    "token_endpoint": f"{self.address}/token",
                    "jwks_uri": f"{self.address}/jwks",
                } | self.metadata


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer that answers on a free port."""
    issuer = Issuer()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(issuer.content(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            issuer.asked.append(self.rfile.read(length).decode())
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    issuer.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
