"""Certificates that somebody tampered with: each is refused, and for the right reason.

Beside each stands what openssl says of its last seal alone. Where that is satisfied, the note says
why a certificate needs more.
"""

import base64
import hashlib
import importlib.util
import json
import subprocess
import venv
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents import standalone
from batchqc.documents.certificate_check import check_all
from batchqc.documents.coa_layout import render
from batchqc.documents.standalone import script
from batchqc.documents.verifier import chains
from batchqc.documents.verifier.case import Case, Question
from batchqc.documents.verifier.chains import (
    check_purpose,
    check_validity,
    path_to_root,
    read_roots,
)
from batchqc.documents.verifier.containers import (
    check_binding,
    check_digest,
    check_signature,
    read_container,
)
from batchqc.documents.verifier.examination import examine
from batchqc.documents.verifier.findings import Failed
from batchqc.documents.verifier.meaning import DATA_FILE, check_data
from batchqc.documents.verifier.revocation import read_evidence, standing_of
from batchqc.documents.verifier.signatures import Extracted
from batchqc.documents.verifier.tokens import read_stamp
from tests.documents import tamper
from tests.documents.certificate_content import certificate_content
from tests.documents.conftest import Site, make_site, sealed_by
from tests.documents.external import openssl_accepts
from tests.documents.logged import ORIGIN, OwnLog, own_log
from tests.documents.long_term import (
    Stamps,
    answered,
    revocation_list,
    root_of,
    sealed_at_level,
    timestamp_service,
    with_evidence,
)
from tests.documents.tamper import flipped, naively, updated
from tests.documents.test_certificate_check import failures, fuzzed

DAY = timedelta(days=1)
NUMBER, LOT = "COA-2026-000017", "UCM-P2-T1"


@dataclass(frozen=True)
class Desk:
    """An auditor with a certificate, its proof, and what is held in trust; and its attacker."""

    site: Site
    impostor: Site
    stamps: Stamps
    log: OwnLog
    fonts: Path
    folder: Path

    def content(self, **changes: object) -> CertificateContent:
        at = self.site.sealed_at.isoformat()
        position = {"origin": ORIGIN, "size": 3, "root": "0" * 64}
        return certificate_content(issued={"utc": at, "shown": at}, log=position, **changes)

    def rendered(self, content: CertificateContent) -> bytes:
        return render(content, fonts=self.fonts)

    @cached_property
    def sealed(self) -> bytes:
        """With two seals."""
        content = self.content()
        return sealed_by(self.site, self.rendered(content), content)

    @cached_property
    def lists(self) -> list[bytes]:
        owners = (root_of(self.site), self.stamps.root)
        return [revocation_list(one, at=self.site.sealed_at) for one in owners]

    @cached_property
    def kept(self) -> bytes:
        """With timestamps and revocation lists inside (B-LTA)."""
        content = self.content()
        pdf = self.rendered(content)
        return sealed_at_level(
            self.site, pdf, content, level="B-LTA", stamps=self.stamps, lists=self.lists
        )

    def proof(self, pdf: bytes, content: CertificateContent, *, late: timedelta) -> bytes:
        """The proof of its issue, in a checkpoint that was stamped so much later."""
        at = self.site.sealed_at + timedelta(minutes=1)
        told = {"number": content["number"], "at": at, "standing": "counts"}
        note = self._note(self.log.proof(pdf, content_sha256(content), **told))
        answer = answered(self.stamps, note, at=at + late)
        return self.log.proof(pdf, content_sha256(content), **told, answer=answer)

    def _note(self, proof: bytes) -> bytes:
        return json.loads(proof)["issue"]["proof"].partition("\n\n")[2].encode()

    @cached_property
    def question(self) -> Question:
        """What an auditor asks of the certificate, whichever of its forms."""
        return Question(
            self.site.root_pem,
            self.site.sealed_at + timedelta(hours=20),
            number=NUMBER,
            lot=LOT,
            tsa_roots=self.stamps.root.pem,
            log_keys=self.log.keys,
        )

    @cached_property
    def proven(self) -> Question:
        """What is asked of the sealed certificate, with its proof."""
        return self.asked(self.sealed)

    @cached_property
    def earlier(self) -> "Desk":
        """The same, with the site's clock two years behind."""
        return replace(self, site=replace(self.site, sealed_at=self.site.sealed_at - 700 * DAY))

    def asked(self, pdf: bytes, *, dated_back: bool = False) -> Question:
        """The same with the proof of a document; who dates one back has an entry for it, too."""
        content = (self.earlier if dated_back else self).content()
        proof = self.proof(pdf, content, late=timedelta(minutes=5))
        return replace(self.question, proofs=(proof,))


@pytest.fixture(scope="module")
def desk(
    since: datetime, impostor: Site, fonts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    site = make_site(folder, since=since - 730 * DAY)
    site = replace(site, sealed_at=since + timedelta(hours=1))
    stamps = timestamp_service(since=site.sealed_at - 30 * DAY)
    return Desk(site, impostor, stamps, own_log(folder), fonts, folder)


def with_another_lot(desk: Desk) -> bytes:
    content = desk.content(number="COA-2026-000018")
    content["lot"]["id"] = "UCM-P3-T1"
    return sealed_by(desk.site, desk.rendered(content), content)


def by_the_impostor(desk: Desk) -> bytes:
    content = desk.content()
    return sealed_by(desk.impostor, desk.rendered(content), content)


def rolled_back(desk: Desk) -> bytes:
    first = tamper.extract(desk.sealed).seals[0].byte_range
    return desk.sealed[: first[2] + first[3]]


def padded(desk: Desk) -> bytes:
    resume = tamper.extract(desk.sealed).seals[-1].byte_range[2]
    return desk.sealed[: resume - 2] + b"7" + desk.sealed[resume - 1 :]


def sealed_again(desk: Desk) -> bytes:
    """The same number for another result, by who has the key."""
    content = desk.content(conclusion="Lot UCM-P2-T1 complies.")
    return sealed_by(desk.site, desk.rendered(content), content)


def transplanted(desk: Desk) -> bytes:
    """The seal of another certificate."""
    other = tamper.extract(with_another_lot(desk)).seals[-1].cms
    return tamper.with_container(desk.sealed, other)


def signed_thrice(desk: Desk) -> bytes:
    content = desk.content()
    seals = [*content["seals"], {"field": "Extra", "signature": "", "says": "Seen"}]
    pdf = desk.rendered(content)
    return sealed_at_level(
        desk.site, pdf, {**content, "seals": seals}, level="B-B", stamps=desk.stamps
    )


def dated_back(desk: Desk) -> bytes:
    """Sealed now by who has the key, as if two years ago."""
    content = desk.earlier.content()
    return sealed_by(desk.earlier.site, desk.rendered(content), content)


def flipped_stamp(desk: Desk) -> bytes:
    stamp = tamper.extract(desk.kept).timestamps[-1]
    container = flipped(stamp.cms, len(stamp.cms) - 5)
    gap = stamp.byte_range[1]
    digits = container.hex().upper().encode()
    return desk.kept[: gap + 1] + digits + desk.kept[gap + 1 + len(digits) :]


@dataclass(frozen=True)
class Tampering:
    """One way: how the file is made, what refuses it, and what openssl says of the last seal."""

    name: str
    make: Callable[[Desk], bytes]
    check: str
    reason: str
    openssl: bool | None
    why: str = ""


ONLY_A_PART = "openssl is given the bytes that the seal covers, and sees nothing behind them"
ANY_DOCUMENT = "a genuine seal of the site; openssl is not asked of what"

WAYS = [
    Tampering("a byte in a stream", lambda d: flipped(d.sealed, d.sealed.index(b"stream\n") + 99),
              "digest", "the file was changed after sealing", openssl=False),
    Tampering("a byte in the title", lambda d: flipped(d.sealed, d.sealed.rindex(b"/Title") + 12),
              "digest", "the file was changed after sealing", openssl=False),
    Tampering("a byte of the signature", lambda d: tamper.with_container(
                  d.sealed, flipped(c := tamper.extract(d.sealed).seals[-1].cms, len(c) - 5)),
              "signature", "the signature is not by", openssl=False),
    Tampering("junk behind the end", lambda d: d.sealed + b"\n% nothing\n",
              "coverage", "does not cover the whole file", True, ONLY_A_PART),
    Tampering("a page replaced", lambda d: updated(d.sealed, tamper.replace_page),
              "coverage", "after the last seal, object", True, ONLY_A_PART),
    Tampering("pages swapped", lambda d: updated(d.sealed, tamper.swap_pages),
              "coverage", "after the last seal, object", True, ONLY_A_PART),
    Tampering("an annotation", lambda d: updated(d.sealed, tamper.annotate),
              "coverage", "after the last seal, object", True, ONLY_A_PART),
    Tampering("other data inside", lambda d: updated(d.sealed, tamper.replace_data),
              "coverage", "after the last seal, object", True, ONLY_A_PART),
    Tampering("fields removed", lambda d: updated(d.sealed, tamper.remove_fields),
              "coverage", "after the last seal, the form was changed", True, ONLY_A_PART),
    Tampering("a stray object", lambda d: updated(d.sealed, tamper.add_stray),
              "coverage", "after the last seal, object", True, ONLY_A_PART),
    Tampering("written anew without signatures", lambda d: tamper.rewritten(d.sealed, signed=False),
              "coverage", "", openssl=None),
    Tampering("written anew", lambda d: tamper.rewritten(d.sealed, signed=True),
              "coverage", "", openssl=None),
    Tampering("rolled back to the review", rolled_back,
              "field", "the seal QARelease is missing", True, ANY_DOCUMENT),
    Tampering("another lot's certificate", with_another_lot,
              "lot", "this is lot UCM-P3-T1, not lot UCM-P2-T1", True, ANY_DOCUMENT),
    Tampering("a seal under an earlier date", dated_back,
              "time", "back-dated", True, "openssl reads no time from a document"),
    Tampering("something in the padding", padded,
              "coverage", "something is hidden behind the signature", True,
              "openssl stops where the container ends"),
    Tampering("sealed again with other words", sealed_again,
              "log", "another document", True, ANY_DOCUMENT),
    Tampering("the seal of another document", transplanted,
              "digest", "the file was changed after sealing", openssl=False),
    Tampering("another authority of the same names", by_the_impostor,
              "issuer", "the signature is not by", openssl=False),
    Tampering("three signatures", signed_thrice,
              "coverage", "3 signatures", True, ANY_DOCUMENT),
    Tampering("a byte of the kept evidence", lambda d: flipped(
                  d.kept, d.kept.rindex(d.lists[0][:60]) + 30),
              "timestamp", "the timestamp is about other bytes", openssl=False),
    Tampering("a byte of the document timestamp", flipped_stamp,
              "timestamp", "the signature is not by", openssl=False),
    Tampering("a page replaced behind a document timestamp",
              lambda d: updated(d.kept, tamper.replace_page),
              "coverage", "after the last seal, object", True, ONLY_A_PART),
]  # fmt: skip


def stamp_accepted(extracted: Extracted, stamps: Stamps, folder: Path) -> bool:
    """Whether openssl finds a timestamp over these bytes."""
    files = {"token": extracted.cms, "of": extracted.signed, "root": stamps.root.pem}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "token", "-data", "of"]
    done = subprocess.run(
        [*command, "-CAfile", "root"], cwd=folder, capture_output=True, check=False
    )
    return b"Verification: OK" in done.stdout + done.stderr


def timestamp_holds(extracted: Extracted, stamps: Stamps) -> bool:
    try:
        read_stamp(extracted.cms, extracted.signed, pool=(), roots=read_roots(stamps.root.pem))
    except Failed:
        return False
    return True


def cryptography_holds(extracted: Extracted, desk: Desk, crls: tuple[bytes, ...] = ()) -> bool:
    """Whether our own checks of signature and chain hold, of one seal and nothing around it."""
    try:
        seal = read_container(extracted.cms)
        check_digest(seal, extracted.signed)
        check_signature(seal)
        check_binding(seal)
        check_purpose(seal.certificate)
        path = path_to_root(seal.certificate, (), read_roots(desk.site.root_pem))
        check_validity(path, desk.question.at)
        said = standing_of(path[0], path[1], read_evidence(crls), at=desk.question.at)
    except Failed:
        return False
    return not any(one.revoked_at for one in said)


@pytest.mark.requirement("5.10")
def test_the_certificate_itself_holds_in_each_form(desk: Desk):
    for pdf in (desk.sealed, desk.kept):
        report = check_all(pdf, desk.asked(pdf))
        assert failures(report) == {}
        assert report.passed
    assert report.complete


def issued(name: str, by: str, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> bytes:
    """A certificate (DER) of which only what it may is in question; all have the same key."""
    subject, issuer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, by)
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=is_authority,
                crl_sign=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("is_authority", [True, False])
def test_who_is_no_authority_issues_no_seal_whatever_it_was_issued_by(*, is_authority: bool):
    key = ec.generate_private_key(ec.SECP256R1())
    root, between, leaf = (
        asn1_x509.Certificate.load(one)
        for one in (
            issued("root", "root", key, is_authority=True),
            issued("between", "root", key, is_authority=is_authority),
            issued("leaf", "between", key, is_authority=False),
        )
    )
    if is_authority:
        assert path_to_root(leaf, (between,), (root,)) == (leaf, between, root)
        return
    with pytest.raises(Failed, match="between may not certify"):
        path_to_root(leaf, (between,), (root,))


@pytest.mark.requirement("5.10")
def test_a_seal_is_bound_to_its_certificate_whoever_else_has_its_key(desk: Desk):
    extracted = naively(desk.sealed)
    assert extracted is not None
    seal = read_container(extracted.cms)
    check_binding(seal)
    (other,) = read_roots(desk.site.root_pem)
    with pytest.raises(Failed, match="names another certificate"):
        check_binding(replace(seal, certificate=other))


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_what_was_tampered_with_is_refused_for_the_right_reason(
    desk: Desk, way: Tampering, tmp_path: Path
):
    pdf = way.make(desk)
    is_own = b"/DocTimeStamp" in pdf
    question = desk.asked(desk.kept if is_own else desk.sealed)
    if way.check == "time":  # who dates back writes its own entry, and cannot have it stamped then
        question = desk.asked(pdf, dated_back=True)
    report = check_all(pdf, question)
    found = failures(report)
    assert way.reason in found[way.check], found
    assert not report.passed
    extracted = naively(pdf) if way.openssl is not None else None
    if extracted is None:
        return
    if is_own:
        accepted = stamp_accepted(extracted, desk.stamps, tmp_path)
        assert timestamp_holds(extracted, desk.stamps) == accepted
    else:
        accepted = openssl_accepts(extracted, desk.site.files.root_pem, tmp_path)
        assert cryptography_holds(extracted, desk) == accepted
    assert accepted == way.openssl
    assert bool(way.why) == accepted


def test_one_thing_was_done_and_one_check_says_so(desk: Desk):
    alone = {"digest", "coverage", "field", "issuer", "time"}
    for way in WAYS:
        if way.check in alone:
            pdf = way.make(desk)
            asked = desk.asked(pdf, dated_back=way.check == "time")
            assert set(failures(check_all(pdf, asked))) == {way.check}, way.name


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with cryptography and asn1crypto, without batchqc and without a network."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder / "venv", with_pip=False)
    (packages,) = (folder / "venv").glob("lib/*/site-packages")
    for name in ("cryptography", "asn1crypto", "cffi", "pycparser"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        (packages / name).symlink_to(Path(found.origin).parent)
    backend = importlib.util.find_spec("_cffi_backend")
    if backend is not None and backend.origin is not None:
        (packages / Path(backend.origin).name).symlink_to(backend.origin)
    (packages / "sitecustomize.py").write_text(
        "import socket\ndef no(*_, **__): raise OSError('no network')\nsocket.socket = no\n"
    )
    (folder / "verify.py").write_bytes(script())
    return folder


def run_alone(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [folder / "venv/bin/python", "-I", folder / "verify.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.requirement("5.10")
def test_the_verifier_that_runs_alone_says_the_same_of_each(desk: Desk, alone: Path):
    files = {"sealed": desk.sealed, "kept": desk.kept, **{w.name: w.make(desk) for w in WAYS}}
    for place, pdf in enumerate(files.values()):
        (alone / f"{place}.pdf").write_bytes(pdf)
    question = desk.asked(desk.sealed)
    held = {"root.pem": question.root_pem, "tsa.pem": question.tsa_roots,
            "log.vkey": question.log_keys.encode(), "proof.json": question.proofs[0]}  # fmt: skip
    for name, data in held.items():
        (alone / name).write_bytes(data)
    trust = ["--root", "root.pem", "--tsa-root", "tsa.pem", "--log-key", "log.vkey",
             "--proof", "proof.json", "--lot", LOT, "--number", NUMBER,
             "--at", desk.question.at.isoformat()]  # fmt: skip
    names = [f"{place}.pdf" for place in range(len(files))]
    done = run_alone(alone, *names, *trust, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    for (name, pdf), told in zip(files.items(), json.loads(done.stdout), strict=True):
        mine = [(one.name, one.outcome, one.reason) for one in check_all(pdf, question).checks]
        assert [tuple(one.values()) for one in told["checks"]] == mine[:-1], name
    one = run_alone(alone, "0.pdf", *trust)
    assert one.returncode == 0, one.stdout
    assert f"0.pdf is genuine: certificate {NUMBER}, lot {LOT}." in one.stdout
    assert "--     timestamp   not examined: the file bears no timestamp" in one.stdout
    assert "What is printed on the pages is under the seal" in one.stdout
    strict = run_alone(alone, "0.pdf", *trust, "--strict")
    assert strict.returncode == 1
    assert "0.pdf IS NOT VERIFIED WHOLLY: what was not examined (--) fails, too" in strict.stdout
    assert "is genuine" not in strict.stdout
    refused = run_alone(alone, "2.pdf", *trust)
    assert refused.returncode == 1
    assert "2.pdf DOES NOT VERIFY." in refused.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.pdf"],
        ["x.pdf", "--root", "root.pem"],
        ["verify.py", "--root", "verify.py", "--at", "noon"],
    ],
)
def test_a_command_that_is_not_understood_exits_with_2(alone: Path, arguments: list[str]):
    assert run_alone(alone, *arguments).returncode == 2


def test_the_verifier_that_runs_alone_is_the_same_bytes_each_time():
    once = script()
    assert once == script()
    assert b"import batchqc" not in once
    assert b"from batchqc" not in once
    assert max(map(len, once.decode().splitlines())) <= 102  # docstrings became comments


def test_the_way_without_batchqc_that_the_guide_tells_works(desk: Desk, tmp_path: Path):
    guide = (Path(standalone.__file__).parents[1] / "guide" / "verify.md").read_text("utf-8")
    (recipe,) = [part for part in guide.split("```") if "openssl cms -verify" in part]
    for pdf, holds in ((desk.sealed, True), (WAYS[0].make(desk), False)):
        extracted = naively(pdf)
        assert extracted is not None
        (tmp_path / "COA.pdf").write_bytes(pdf)
        (tmp_path / "root.pem").write_bytes(desk.site.root_pem)
        a, b, c = extracted.byte_range[1:]
        command = recipe.replace("head -c a", f"head -c {a}").replace("head -c c", f"head -c {c}")
        shell = ["bash", "-c", f"a={a} b={b}; {command}"]
        done = subprocess.run(shell, cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode == 0) == holds, done.stderr


def test_a_seal_that_ran_out_is_refused_by_both(desk: Desk, fonts: Path, tmp_path: Path):
    old = make_site(tmp_path, since=desk.site.sealed_at - 11 * 365 * DAY)
    pdf = sealed_by(old, desk.rendered(content := desk.content()), content)
    found = failures(check_all(pdf, replace(desk.asked(pdf), root_pem=old.root_pem, proofs=())))
    assert list(found) == ["validity"]
    extracted = naively(pdf)
    assert extracted is not None
    assert not openssl_accepts(extracted, old.files.root_pem, tmp_path)


@fuzzed
@given(data=st.data())
def test_no_edit_of_a_proof_proves_something_else(desk: Desk, data: st.DataObject):
    question = desk.proven
    proof = bytearray(question.proofs[0])
    for _ in range(data.draw(st.integers(1, 3))):
        proof[data.draw(st.integers(0, len(proof) - 1))] = data.draw(st.integers(0, 255))
    report = examine(desk.sealed, replace(question, proofs=(bytes(proof),)))
    log = next(one for one in report.checks if one.name == "log")
    assert not log.ok or "entry 5 of mekong/batchqc" in log.reason


def test_the_content_cannot_name_a_log_that_is_later_than_its_issue(desk: Desk):
    for part, why in (({"size": 5}, "later than its issue"), ({"origin": "x"}, "another log")):
        content = desk.content()
        content["log"] = {**content["log"], **part}
        pdf = sealed_by(desk.site, desk.rendered(content), content)
        proof = desk.proof(pdf, content, late=timedelta(minutes=5))
        found = failures(check_all(pdf, replace(desk.question, proofs=(proof,))))
        assert why in found["log"]


@pytest.mark.parametrize(("hours", "failing"), [(-1, ["log"]), (24 * 9, ["time"]), (24 * 6, [])])
def test_the_checkpoint_and_its_timestamp_must_agree_with_the_date(
    desk: Desk, hours: int, failing: list[str]
):
    proof = desk.proof(desk.sealed, desk.content(), late=timedelta(hours=hours))
    late = replace(desk.question, at=desk.question.at + 30 * DAY, proofs=(proof,))
    assert [name for name in failures(check_all(desk.sealed, late)) if name in failing] == failing
    assert check_all(desk.sealed, late).passed == (not failing)


@pytest.mark.requirement("5.10")
def test_a_proof_whose_timestamp_ran_out_still_shows_the_entry(desk: Desk):
    """The document is renewed; what stamped the checkpoint is not, and proves no time any more."""
    years = desk.site.sealed_at + 3000 * DAY
    newer = timestamp_service(since=years - DAY)
    renewed = with_evidence(
        desk.kept, certificates=[newer.root.certificate, newer.certificate],
        lists=[revocation_list(newer.root, at=years)], stamper=newer.at(years),
    )  # fmt: skip
    both = desk.stamps.root.pem + newer.root.pem
    late = replace(desk.asked(desk.kept), tsa_roots=both, at=desk.site.sealed_at + 4500 * DAY)
    report = check_all(renewed, late)
    assert failures(report) == {}
    log = next(one for one in report.checks if one.name == "log")
    assert log.reason.endswith("says, which ran out since and proves no time any more")
    # A seal that has run out since needs one that holds.
    alone = replace(desk.proven, tsa_roots=both, at=late.at)
    assert list(failures(check_all(desk.sealed, alone))) == ["validity"]
    # What it says against the date, it still says.
    stamped_late = desk.proof(desk.sealed, desk.content(), late=9 * DAY)
    told = failures(check_all(desk.sealed, replace(alone, proofs=(stamped_late,))))
    assert list(told) == ["time", "validity"]
    changed = json.loads(late.proofs[0])
    answer = base64.b64decode(changed["timestamp"])
    changed["timestamp"] = base64.b64encode(flipped(answer, len(answer) - 5)).decode()
    other = replace(late, proofs=(json.dumps(changed).encode(),))
    assert list(failures(check_all(renewed, other))) == ["log"]


def test_of_a_stolen_key_only_what_is_in_the_log_is_of_the_site(desk: Desk):
    stolen = revocation_list(
        root_of(desk.site),
        at=desk.site.sealed_at + DAY,
        revoked=desk.site.key.certificate,
        since=desk.site.sealed_at + timedelta(hours=5),
        reason=x509.ReasonFlags.key_compromise,
    )
    question = replace(desk.asked(desk.kept), crls=(stolen,), at=desk.question.at + 2 * DAY)
    assert failures(check_all(desk.kept, question)) == {}
    found = failures(check_all(desk.kept, replace(question, proofs=())))
    assert list(found) == ["revocation"]
    assert "only its entry in the log shows" in found["revocation"]


def test_a_proof_that_fails_does_not_save_what_a_stolen_key_sealed(desk: Desk):
    stolen = revocation_list(
        root_of(desk.site),
        at=desk.site.sealed_at + DAY,
        revoked=desk.site.key.certificate,
        since=desk.site.sealed_at + timedelta(hours=5),
        reason=x509.ReasonFlags.key_compromise,
    )
    proof = desk.proof(desk.kept, desk.content(), late=timedelta(hours=-1))
    question = replace(
        desk.question, proofs=(proof,), crls=(stolen,), at=desk.question.at + 2 * DAY
    )
    assert {"log", "revocation"} <= set(failures(check_all(desk.kept, question)))


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("newest_first", [True, False])
def test_a_certificate_that_ended_does_not_count_whichever_proof_is_given_last(
    desk: Desk, *, newest_first: bool
):
    content = content_sha256(desk.content())
    at = desk.site.sealed_at + timedelta(minutes=1)
    told = {"number": NUMBER, "content_sha256": content}
    before = desk.log.proof(desk.sealed, **told, at=at, standing="counts")
    ended = desk.log.proof(desk.sealed, **told, at=at + timedelta(hours=3), standing="withdrawn: x")
    proofs = (ended, before) if newest_first else (before, ended)
    found = failures(check_all(desk.sealed, replace(desk.question, proofs=proofs)))
    assert list(found) == ["status"]
    assert "withdrawn: x" in found["status"]


def test_an_entry_from_before_the_seal_is_told(desk: Desk):
    at = desk.site.sealed_at - timedelta(hours=2)
    told = desk.log.proof(desk.sealed, content_sha256(desk.content()), number=NUMBER, at=at)
    found = failures(check_all(desk.sealed, replace(desk.question, proofs=(told,))))
    assert found == {"time": "it says that it was sealed after its issue"}


@pytest.mark.parametrize(
    ("number", "lot"), [("COA-2026-000002", "L-1"), ("COA-2026-000001", "L-2")]
)
def test_data_that_the_document_names_are_of_its_own_certificate_and_lot(number: str, lot: str):
    """Content and hash agree; the document says of itself that it is another one."""
    data = b'{"number": "COA-2026-1", "lot": {"id": "L-1"}}'
    own = hashlib.sha256(data).hexdigest()
    case = SimpleNamespace(
        kind="2", files={DATA_FILE: data}, content_sha256=own, number=number, lot=lot
    )
    with pytest.raises(Failed, match="of another certificate or lot"):
        check_data(cast("Case", case))


@pytest.mark.requirement("5.10")
def test_authorities_that_certify_each_other_do_not_keep_the_verifier_busy(
    monkeypatch: pytest.MonkeyPatch,
):
    """Thirty of one name and one key are 27,000 ways up, none of which ends."""
    key, checked = ec.generate_private_key(ec.SECP256R1()), list[bool]()
    root = asn1_x509.Certificate.load(issued("root", "root", key, is_authority=True))
    leaf = asn1_x509.Certificate.load(issued("leaf", "one", key, is_authority=False))
    many = [
        asn1_x509.Certificate.load(issued("one", "one", key, is_authority=True)) for _ in range(30)
    ]
    original = chains.check_issued
    monkeypatch.setattr(
        chains, "check_issued", lambda *both: (checked.append(True), original(*both))
    )
    with pytest.raises(Failed):
        path_to_root(leaf, many, (root,))
    assert len(checked) <= 100
