"""Certificates of every level of PAdES, judged by tools that others wrote; services that fail."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from asn1crypto import crl, pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation import DocumentSecurityStore
from pyhanko.sign.validation.ades import simulate_future_ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from batchqc import clock
from batchqc.core.certificates import CertificateContent
from batchqc.documents.pades import Sealed, renewed
from batchqc.documents.pades_evidence import trust_of, with_evidence
from batchqc.documents.pades_levels import check_archived, check_level, provable_until
from batchqc.documents.pki_life import certificates_in, next_list, open_root, put_list_in_place
from batchqc.documents.revocation import RootFiles
from batchqc.documents.sealing import Level
from batchqc.documents.timestamps import Service
from batchqc.errors import SigningUnavailable
from tests.documents.conformance import FLAVOURS, judged
from tests.documents.conftest import Site
from tests.documents.external import openssl_accepts, pdfsig, run
from tests.documents.leveling import extracted_from, sealed_to, sealing_of
from tests.documents.test_pades import flipped
from tests.timestamp_service import TimestampService, timestamp_service

Make = Callable[[Level, TimestampService], Sealed]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimestampService]:
    with timestamp_service(tmp_path_factory.mktemp("services")) as found:
        yield found


@pytest.fixture(scope="module")
def make(site: Site, rendered: bytes, content: CertificateContent) -> Make:
    return lambda level, by: sealed_to(sealing_of(site, level, by), site.key, rendered, content)


@pytest.fixture(scope="module")
def levels(make: Make, service: TimestampService) -> dict[Level, Sealed]:
    return {level: make(level, service) for level in Level}


@pytest.fixture(scope="module")
def longer(levels: dict[Level, Sealed], site: Site, service: TimestampService) -> Sealed:
    """The highest level with a second timestamp of the document."""
    sealing = sealing_of(site, Level.B_B, service)
    return renewed(levels[Level.B_LTA].document, sealing, clock=clock.now)


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize("level", Level)
def test_independent_tools_accept_the_seals_of_every_level(
    levels: dict[Level, Sealed], level: Level, site: Site, service: TimestampService, tmp_path: Path
):
    pdf = levels[level].document
    path = tmp_path / "certificate.pdf"
    path.write_bytes(pdf)
    told = pdfsig(path, site.nss)
    assert told.count("Signature is Valid.") == 2
    assert told.count("Certificate is Trusted.") == 2
    looked_at = run("mutool", "sign", "-v", path)
    changed = {Level.B_B: 1, Level.B_T: 1, Level.B_LT: 2, Level.B_LTA: 2}[level]
    assert looked_at.count("The signature is valid but there have been edits") == changed
    assert looked_at.count("The document is unchanged since signing.") == 2 - changed
    run("qpdf", "--check", path)
    first, second, *stamps = extracted_from(pdf)
    for one in (first, second):
        assert openssl_accepts(one, site.files.root_pem, tmp_path)
    assert len(stamps) == (level is Level.B_LTA)
    for one in stamps:
        assert one.byte_range[2] + one.byte_range[3] == len(pdf)
        assert stamp_accepted(one.cms, one.signed, service.root, tmp_path)
        assert not stamp_accepted(one.cms, one.signed + b"\n", service.root, tmp_path)
        assert not stamp_accepted(one.cms, one.signed, site.files.root_pem, tmp_path)


def stamp_accepted(token: bytes, data: bytes, root: Path, folder: Path) -> bool:
    """Whether openssl finds a timestamp over these bytes."""
    (folder / "token.der").write_bytes(token)
    (folder / "data.bin").write_bytes(data)
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "token.der", "-data", "data.bin"]
    done = subprocess.run(
        [*command, "-CAfile", root], cwd=folder, capture_output=True, text=True, check=False
    )
    return "Verification: OK" in done.stdout + done.stderr


def test_pdfsig_finds_that_a_timestamp_is_over_the_whole_document(
    levels: dict[Level, Sealed], site: Site, tmp_path: Path
):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(levels[Level.B_LTA].document)
    *_, last = pdfsig(path, site.nss).split("Signature #")
    assert "Field Name: ArchiveTimestamp1" in last
    assert "Total document signed" in last


@pytest.mark.requirement("5.08")
def test_a_document_conforms_at_every_level_and_after_a_renewal(
    levels: dict[Level, Sealed], longer: Sealed, tmp_path: Path
):
    files = {tmp_path / f"{level}.pdf": one.document for level, one in levels.items()}
    files[tmp_path / "renewed.pdf"] = longer.document
    for path, pdf in files.items():
        path.write_bytes(pdf)
    found = judged(files)
    assert len(found) == len(files) * len(FLAVOURS)
    assert {key: one.failed for key, one in found.items() if not one.passed} == {}


def test_what_proves_the_seals_is_in_the_document(levels: dict[Level, Sealed]):
    for level in (Level.B_LT, Level.B_LTA):
        store = DocumentSecurityStore.read_dss(PdfFileReader(BytesIO(levels[level].document)))
        assert len(store.ocsps) == 1
        assert len(store.crls) == 3  # of the site's root, of the service's, of its authority
        names = {one.subject.native.get("common_name") for one in store.load_certs()}
        assert {"Mekong Seal", "Timestamps to try", "OCSP to try"} <= names
    for level in (Level.B_B, Level.B_T):
        assert b"/DSS" not in levels[level].document


@pytest.mark.parametrize("year", [2030, 2040, 2049])
def test_pyhanko_finds_it_provable_for_decades_where_it_is_renewed(
    levels: dict[Level, Sealed], site: Site, service: TimestampService, year: int
):
    for one in PdfFileReader(BytesIO(levels[Level.B_LTA].document)).embedded_regular_signatures:
        assert future(one, site, service, year) is AdESPassed.OK
        assert future(one, site, service, 2055) is not AdESPassed.OK  # the authority has ended
    lower = PdfFileReader(BytesIO(levels[Level.B_T].document)).embedded_regular_signatures
    assert future(lower[0], site, service, year) is not AdESPassed.OK


def future(
    one: Any, site: Site, service: TimestampService, year: int, *, lists: Iterable[bytes] = ()
) -> Any:
    roots = [
        x509.Certificate.load(pem.unarmor(path.read_bytes())[2])
        for path in (site.files.root_pem, service.root)
    ]
    policy = CertValidationPolicySpec(
        SimpleTrustManager.build(trust_roots=roots),
        CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
    )
    offline = RevocationInfoGatheringSpec(
        online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
        certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
    )
    known = LocalKnowledge(known_crls=[CRLContainer(crl.CertificateList.load(x)) for x in lists])
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(policy, offline, local_knowledge=known)
    )
    at = datetime(year, 1, 1, tzinfo=UTC)
    found = asyncio.run(simulate_future_ades_lta_validation(one, spec, at))
    return found.ades_subindic


def test_a_renewed_document_begins_with_the_issued_one_and_proves_itself_longer(
    levels: dict[Level, Sealed], longer: Sealed, service: TimestampService, tmp_path: Path
):
    issued = levels[Level.B_LTA]
    assert longer.document.startswith(issued.document)
    assert longer.document != issued.document
    stamps = extracted_from(longer.document)[2:]
    assert len(stamps) == 2
    for one in stamps:
        assert stamp_accepted(one.cms, one.signed, service.root, tmp_path)
    assert longer.provable_until == provable_until(longer.document)


def test_how_long_a_document_proves_itself_is_told_by_its_newest_certificate(
    levels: dict[Level, Sealed], site: Site
):
    assert levels[Level.B_B].provable_until == site.key.certificate.not_valid_after_utc
    assert provable_until(levels[Level.B_B].document) == levels[Level.B_B].provable_until
    for level in (Level.B_T, Level.B_LT, Level.B_LTA):
        assert levels[level].provable_until.year == 2049


def test_an_older_seal_gets_a_timestamp_and_all_that_proves_it(
    levels: dict[Level, Sealed], site: Site, service: TimestampService
):
    sealing = sealing_of(site, Level.B_B, service)
    found = renewed(levels[Level.B_B].document, sealing, clock=clock.now)
    assert found.document.startswith(levels[Level.B_B].document)
    assert found.provable_until.year == 2049
    again = renewed(found.document, sealing, clock=clock.now)
    assert len(extracted_from(again.document)) == 4


@pytest.mark.parametrize("level", Level)
def test_a_level_that_was_not_reached_is_refused(
    levels: dict[Level, Sealed], site: Site, service: TimestampService, level: Level
):
    of = Service(service.url, service.root)
    trust = trust_of(sealing_of(site, level, service).root, of, clock.now())
    reached = list(Level)[: list(Level).index(level) + 1]
    for wanted in Level:
        if wanted in reached:
            check_level(levels[level].document, trust, level=wanted, at=clock.now())
        else:
            with pytest.raises(SigningUnavailable) as refusal:
                check_level(levels[level].document, trust, level=wanted, at=clock.now())
            assert refusal.value.code == "BQC-CRT-017"
            assert refusal.value.reasons


def test_a_timestamp_must_be_over_the_whole_document(
    levels: dict[Level, Sealed], site: Site, service: TimestampService
):
    of, pdf = Service(service.url, service.root), levels[Level.B_LTA].document
    trust = trust_of(sealing_of(site, Level.B_LTA, service).root, of, clock.now())
    continued = with_evidence(pdf, trust, service=of, archived=False, at=clock.now())
    assert continued.startswith(pdf)
    assert len(continued) > len(pdf)
    for check in (
        lambda: check_level(continued, trust, level=Level.B_LTA, at=clock.now()),
        lambda: check_archived(continued, trust, at=clock.now()),
    ):
        with pytest.raises(SigningUnavailable) as refusal:
            check()
        assert refusal.value.reasons == (
            "the timestamp ArchiveTimestamp1 is not over the whole file",
        )


def test_a_changed_document_reaches_no_level(
    levels: dict[Level, Sealed], site: Site, service: TimestampService
):
    of = Service(service.url, service.root)
    trust = trust_of(sealing_of(site, Level.B_LTA, service).root, of, clock.now())
    pdf = levels[Level.B_LTA].document
    for changed in (flipped(pdf, pdf.index(b"stream\n") + 200), pdf + b"\n%%EOF\n"):
        with pytest.raises(SigningUnavailable, match="does not reach"):
            check_level(changed, trust, level=Level.B_LTA, at=clock.now())


# Services that fail -------------------------------------------------------------------------


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@contextmanager
def answering(application: Any) -> Iterator[str]:
    with make_server("127.0.0.1", 0, application, handler_class=_Silent) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def refusal_of(make: Make, level: Level, service: TimestampService) -> SigningUnavailable:
    with pytest.raises(SigningUnavailable) as refusal:
        make(level, service)
    return refusal.value


def test_a_service_that_is_down_is_named(make: Make, service: TimestampService):
    found = refusal_of(make, Level.B_T, replace(service, url="http://127.0.0.1:9/tsa"))
    assert found.code == "BQC-CRT-016"
    assert "http://127.0.0.1:9/tsa does not answer" in found.message


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Sign in to the hotel</html>", bytes.fromhex("30053003020102"), b"\x30" * 99],
)
def test_a_service_that_answers_something_else_is_named(
    make: Make, service: TimestampService, body: bytes
):
    def application(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/timestamp-reply")])
        return [body]

    with answering(application) as url:
        found = refusal_of(make, Level.B_T, replace(service, url=url))
    assert found.code == "BQC-CRT-016"
    assert url in found.message


def test_an_answer_of_before_is_not_taken_again(make: Make, service: TimestampService):
    """A service in between that answers every request with the first good answer."""
    kept: list[bytes] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        import httpx2  # noqa: PLC0415

        request = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        if not kept:
            headers = {"Content-Type": "application/timestamp-query"}
            kept.append(httpx2.post(service.url, content=request, headers=headers).content)
        start_response("200 OK", [("Content-Type", "application/timestamp-reply")])
        return kept

    with answering(application) as url:
        found = refusal_of(make, Level.B_T, replace(service, url=url))
    assert found.code == "BQC-CRT-016"


@pytest.mark.parametrize("level", [Level.B_T, Level.B_LT, Level.B_LTA])
def test_a_service_of_another_root_is_not_believed(
    make: Make, service: TimestampService, site: Site, level: Level
):
    found = refusal_of(make, level, replace(service, root=site.files.root_pem))
    assert found.code == "BQC-CRT-017"
    assert found.reasons


@pytest.mark.parametrize("level", [Level.B_T, Level.B_LTA])
def test_a_service_whose_certificate_expired_is_not_believed(
    make: Make, tmp_path: Path, level: Level
):
    with timestamp_service(tmp_path / "short", tsa_days=30) as expired:
        found = refusal_of(make, level, expired)
    assert found.code == "BQC-CRT-017"
    assert "expired" in " ".join(found.reasons)


@pytest.mark.parametrize("minutes", [-11, 11])
@pytest.mark.parametrize("level", [Level.B_T, Level.B_LTA])
def test_a_service_whose_clock_is_another_one_is_not_believed(
    make: Make, tmp_path: Path, level: Level, minutes: int
):
    def wrong() -> datetime:
        return clock.now() + timedelta(minutes=minutes)

    with timestamp_service(tmp_path / "wrong", clock=wrong) as service:
        found = refusal_of(make, level, service)
    assert found.code == "BQC-CRT-017"
    if level is Level.B_T:
        assert all("one of both is wrong" in one for one in found.reasons)


@pytest.mark.parametrize("minutes", [-9, 9])
def test_clocks_may_differ_a_little(make: Make, tmp_path: Path, minutes: int):
    def other() -> datetime:
        return clock.now() + timedelta(minutes=minutes)

    with timestamp_service(tmp_path / "other", clock=other) as service:
        assert make(Level.B_T, service).level is Level.B_T


def test_what_was_sealed_before_its_seal_was_stolen_stays_provable_with_timestamps(
    levels: dict[Level, Sealed], site: Site, service: TimestampService, tmp_path: Path
):
    root = open_root(
        site.files.root_p12, "root in the safe",
        RootFiles(site.files.root_pem, site.files.root_crl),
    )  # fmt: skip
    folder = shutil.copytree(site.files.root_pem.parent, tmp_path / "pki")
    files = RootFiles(folder / "root.pem", folder / "root.crl")
    both = certificates_in(site.files.seal_p12, "seal on the server")
    stolen = clock.now() + timedelta(days=30)
    put_list_in_place(files, next_list(replace(root, files=files), both, now=stolen))
    listed = [files.revocation_list.read_bytes()]
    for level, expected in ((Level.B_LTA, AdESPassed.OK), (Level.B_B, None)):
        for one in PdfFileReader(BytesIO(levels[level].document)).embedded_regular_signatures:
            found = future(one, site, service, 2030, lists=listed)
            assert (found is AdESPassed.OK) == (expected is AdESPassed.OK)


def test_a_certificate_of_which_nobody_tells_whether_it_is_revoked_is_not_enough(
    make: Make, tmp_path: Path
):
    with timestamp_service(tmp_path / "silent", tells_revocation=False) as silent:
        assert make(Level.B_T, silent).level is Level.B_T
        found = refusal_of(make, Level.B_LT, silent)
    assert found.code == "BQC-CRT-017"
    assert "revocation" in found.reasons[0].lower()


@pytest.mark.parametrize("url", ["", "here"])
def test_a_level_without_its_service_is_refused_before_anything_is_sealed(site: Site, url: str):
    sealing = replace(sealing_of(site, Level.B_T, None), service=Service(url, None))
    with pytest.raises(SigningUnavailable) as refusal:
        sealing.check(site.key, clock.now())
    assert refusal.value.code == "BQC-CRT-019"
    sealing_of(site, Level.B_B, None).check(site.key, clock.now())


@pytest.mark.parametrize("text", ["", "no certificate", None])
def test_a_root_of_the_service_that_cannot_be_read_is_named(
    make: Make, service: TimestampService, tmp_path: Path, text: str | None
):
    root = tmp_path / "root.pem"
    if text is not None:
        root.write_text(text)
    found = refusal_of(make, Level.B_T, replace(service, root=root))
    assert found.code == "BQC-CRT-019"


def test_what_is_no_document_is_not_renewed(site: Site, service: TimestampService):
    for pdf in (b"", b"as if it were a certificate", b"%PDF-1.7\n"):
        with pytest.raises(SigningUnavailable) as refusal:
            renewed(pdf, sealing_of(site, Level.B_LTA, service), clock=clock.now)
        assert refusal.value.code == "BQC-CRT-017"


def test_nothing_is_renewed_once_the_last_timestamp_has_expired(
    levels: dict[Level, Sealed], site: Site, service: TimestampService
):
    sealing = sealing_of(site, Level.B_LTA, service)
    later = levels[Level.B_LTA].provable_until + timedelta(days=1)
    with pytest.raises(SigningUnavailable):
        renewed(levels[Level.B_LTA].document, sealing, clock=lambda: later)
