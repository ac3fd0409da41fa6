"""A certified OpenID provider in a process of its own, and a person with a browser at its pages."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

CLIENT, SECRET, REDIRECT = "batchqc", "the secret of the client", "http://127.0.0.1:9/return"
FOLDER: Final = Path(__file__).parents[1] / "provider"


@contextmanager
def providing(redirect: str = REDIRECT, *, logout: str = "") -> Iterator[str]:
    """Its issuer, while it runs; it sends people back to ``redirect``, and tells ``logout``."""
    assert (FOLDER / "node_modules").is_dir(), "type: make provider"
    process = subprocess.Popen(
        ["node", FOLDER / "provider.js", CLIENT, SECRET, redirect, logout],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        issuer = process.stdout.readline().strip()
        assert issuer, "the provider did not start"
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


class Browser:
    """A browser with its cookies, and somebody who fills in the provider's own pages."""

    def __init__(self) -> None:
        self._http = httpx.Client(follow_redirects=False)
        self.pages: list[str] = []
        """The prompts that were answered, such as ``login``."""

    def visit(self, address: str, login: str) -> dict[str, str]:
        """Go to an address, answer what is asked, and come back with what the provider sends."""
        answer = self._http.get(address)
        for _ in range(12):
            if answer.status_code in {302, 303}:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(REDIRECT):
                    return dict(parse_qsl(urlsplit(target).query))
                answer = self._http.get(target)
            else:
                answer = self._submit(answer, login)
        raise AssertionError(answer.text)

    def sign_out(self, issuer: str) -> None:
        """End the sign-in at the provider, by its own page."""
        page = self._http.get(f"{issuer}/session/end")
        action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
        secret = re.search(r'name="xsrf" value="(\w+)"', page.text)
        assert action, page.text
        assert secret, page.text
        sent = {"xsrf": secret[1], "logout": "yes"}
        done = self._http.post(urljoin(str(page.url), action[1]), data=sent)
        assert done.status_code in {200, 302, 303}, done.text

    def _submit(self, page: httpx.Response, login: str) -> httpx.Response:
        assert page.status_code == 200, page.text
        action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
        assert action, page.text
        sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        self.pages.append(sent.get("prompt", "other"))
        if sent.get("prompt") == "login":
            sent |= {"login": login, "password": "any"}
        return self._http.post(urljoin(str(page.url), action[1]), data=sent)

    def close(self) -> None:
        """Close what is open."""
        self._http.close()
