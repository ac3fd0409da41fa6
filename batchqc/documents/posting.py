"""Posting a message to an address that an administrator registered, and to no other.

An address is https, or http on this very machine. What its name resolves to is looked at before
anything is sent, and the connection goes to what was looked at: a name cannot turn into another
address meanwhile. No redirect is followed, no proxy is asked, and one deadline holds for it all.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from batchqc.documents.deadline import deadline

TIMEOUT: Final = 10
"""Seconds for one message."""
_LONGEST_URL: Final = 500
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""Whose last 32 bits are the address that a NAT64 speaks to (RFC 6052)."""
_UNICAST: Final = IPv6Network("2000::/3")
"""Of which the global unicast addresses are that were ever assigned."""


def url_problem(url: str) -> str | None:
    """Why nothing is posted to an address, as it is written, or ``None``."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        return f"the address cannot be read: {error}"
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return f"the address is at most {_LONGEST_URL} printable ASCII characters without a blank"
    if not host or parts.username or parts.password or parts.fragment:
        return "the address names a host, and neither a user nor a fragment"
    if parts.scheme == "https" or (parts.scheme == "http" and _is_here(host)):
        return None
    return "the address is https, or http on this machine (127.0.0.1, ::1, localhost)"


def post(
    url: str,
    message: bytes,
    headers: Mapping[str, str],
    *,
    may_be_private: bool = False,
    seconds: int = TIMEOUT,
) -> str | None:
    """Post JSON bytes; answers why they were not taken, or ``None``. What is answered is not kept.

    Args:
        url: the address.
        message: the body.
        headers: beside those of HTTP.
        may_be_private: whether its name may resolve to an address of a private network.
        seconds: for connecting, and again for all that follows.
    """
    if problem := url_problem(url):
        return problem
    parts = urlsplit(url)
    try:
        address = _address(parts, may_be_private=may_be_private)
        with socket.create_connection(address, seconds) as plain, deadline(seconds) as hold:
            hold(plain)
            return _status_problem(_posted(parts, plain, message, headers))
    except http.client.HTTPException as error:  # what it says of itself holds what was answered
        return f"no answer: {type(error).__name__}"
    except (OSError, ValueError) as error:
        return f"no answer: {error}" if str(error) else f"no answer: {type(error).__name__}"


def _posted(
    parts: SplitResult, plain: socket.socket, message: bytes, headers: Mapping[str, str]
) -> int:
    """The status of the answer."""
    host = parts.hostname or ""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    content = {"Content-Type": "application/json", "Connection": "close"}
    with closing(kind(host, parts.port)) as connection:
        connection.sock = plain
        if parts.scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        connection.request("POST", path, message, {**content, **headers})
        return connection.getresponse().status


def _status_problem(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered {status}; redirects are not followed"
    return f"answered {status}"


def _address(parts: SplitResult, *, may_be_private: bool) -> tuple[str, int]:
    """Where to connect to.

    Raises:
        ValueError: the name resolves to an address to which nothing is posted.
        OSError: it does not resolve.
    """
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = [one[4][0] for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        address = _plain(ip_address(text))
        if _is_here(host) and not address.is_loopback:
            raise ValueError(f"{host} is {address}, which is not this machine")
        if not (_is_here(host) or may_be_private or _is_public(address)):
            raise ValueError(f"{host} is {address}, which is not a public address")
    return str(found[0]), port


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address of the old protocol that one of the new protocol stands for."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False  # what nobody assigned is nobody's public address
    return address.is_global and not address.is_multicast


def _is_here(host: str) -> bool:
    """Whether a host, as written, is this machine."""
    try:
        return _plain(ip_address(host)).is_loopback
    except ValueError:
        return host == "localhost"
