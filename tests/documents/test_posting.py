"""Posting: only to what may be posted to, once, within its time, wherever a name leads."""

import socket
import time
from pathlib import Path
from threading import Thread

import pytest

from batchqc.documents.posting import post, url_problem
from batchqc.documents.webhook_key import made_key, read_key
from batchqc.errors import SigningUnavailable
from tests.documents.receiver import DIE, DRIP, HANG, own_certificate, receiving
from tests.ports import free_port


@pytest.mark.parametrize(
    "url",
    ["https://erp.example/in?x=1", "http://127.0.0.1:8080/", "http://localhost/x", "http://[::1]/"],
)
def test_an_address_is_https_or_this_machine(url: str):
    assert url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    ["http://erp.example/in", "ftp://erp.example", "https://", "https:///x", "erp.example",
     "https://me:secret@erp.example/", "https://me@erp.example/", "https://erp.example/#a",
     "https://erp.example:99999/", "https://erp .example/", "https://erp.example/\n", "file:///x",
     "http://localhost.evil.example/", "http://10.0.0.1/", "https://erp.example/" + "x" * 500,
     "https://[::1", "https://\u0435rp.example/"],
)  # fmt: skip
def test_any_other_address_is_refused_and_never_connected_to(url: str):
    assert url_problem(url) is not None
    assert post(url, b"{}", {}) == url_problem(url)


def test_a_message_is_posted_once_with_its_headers():
    with receiving() as receiver:
        assert post(receiver.url + "/in?a=b", b'{"a":1}', {"X-Own": "yes"}) is None
    assert receiver.bodies == [b'{"a":1}']
    assert receiver.paths == ["/in?a=b"]
    assert receiver.headers[0]["X-Own"] == "yes"
    assert receiver.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [199, 301, 302, 307, 400, 404, 500, 503])
def test_only_a_2xx_takes_a_message_and_no_redirect_is_followed(status: int):
    with receiving() as receiver:
        receiver.answers = [status]
        problem = post(receiver.url, b"{}", {}, seconds=1)
    assert problem is not None
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize("how", [HANG, DIE, DRIP])
def test_a_receiver_that_hangs_dies_or_drips_is_left_in_time(how: int):
    with receiving() as receiver:
        receiver.answers = [how]
        began = time.monotonic()
        problem = post(receiver.url, b"{}", {}, seconds=1)
        assert time.monotonic() - began < 15  # it would last twice as long
    assert problem is not None
    assert problem.startswith("no answer")


def test_nothing_is_kept_of_the_answer_of_a_service_that_speaks_no_http():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            visitor, _ = server.accept()
            with visitor:
                visitor.recv(65_536)
                visitor.sendall(b"220 inner-host ready, token=s3cret\r\n")

        Thread(target=greet, daemon=True).start()
        problem = post(f"http://127.0.0.1:{server.getsockname()[1]}", b"{}", {}, seconds=5)
    assert problem is not None
    assert problem.startswith("no answer")
    assert "inner-host" not in problem


def test_who_speaks_tls_is_left_in_time_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    certificate = own_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiving(certificate) as receiver:
        assert post(receiver.url, b"{}", {}, seconds=5) is None
        Thread(target=lambda: receiver.over.wait(20) or receiver.over.set(), daemon=True).start()
        for how in (HANG, DRIP):
            receiver.answers = [how]
            began = time.monotonic()
            problem = post(receiver.url, b"{}", {}, seconds=1)
            assert time.monotonic() - began < 5
            assert (problem or "").startswith("no answer")


def test_nobody_at_the_address_is_a_problem():
    assert "no answer" in (post(f"http://127.0.0.1:{free_port()}/", b"{}", {}) or "")


@pytest.mark.parametrize(
    "host",
    ["10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
     "[::ffff:10.0.0.1]", "[fe80::1]", "[fd00::1]", "[2002:0a00:0001::1]", "224.0.0.1",
     "2130706433", "0x7f000001", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a00:1]", "[fec0::1]",
     "[::a9fe:a9fe]"],
)  # fmt: skip
def test_no_private_address_is_connected_to(host: str):
    problem = post(f"https://{host}/", b"{}", {}, seconds=1)
    assert problem is not None
    assert "not a public address" in problem


def test_a_private_address_may_be_allowed_and_is_spoken_to_by_tls():
    with receiving() as receiver:  # speaks no TLS: what matters is that it is connected to
        port = receiver.url.rpartition(":")[2]
        refused = post(f"https://2130706433:{port}/", b"{}", {}, seconds=1)
        tried = post(f"https://2130706433:{port}/", b"{}", {}, seconds=1, may_be_private=True)
    assert "not a public address" in (refused or "")
    assert "no answer" in (tried or "")
    assert "not a public address" not in (tried or "")
    assert receiver.bodies == []


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    path = tmp_path / "keys" / "webhook.key"
    with pytest.raises(SigningUnavailable) as refused:
        read_key(path)
    assert refused.value.code == "BQC-EVT-005"
    assert made_key(path, "a" * 43) == b"a" * 43
    assert made_key(path, "b" * 43) == b"a" * 43
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["webhook.key"]
    path.write_text("short")
    with pytest.raises(SigningUnavailable) as refused:
        read_key(path)
    assert refused.value.code == "BQC-EVT-006"


def test_a_key_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "keys").write_text("no folder, as one that may not be written is none to this end")
    with pytest.raises(SigningUnavailable) as refused:
        made_key(tmp_path / "keys" / "webhook.key", "a" * 43)
    assert refused.value.code == "BQC-EVT-010"
