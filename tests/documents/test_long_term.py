"""Timestamps, evidence and revocation: what a certificate proves years later."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from batchqc import clock
from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents.certificate_check import CheckReport, check_all
from batchqc.documents.coa_layout import render
from batchqc.documents.pki import DOCUMENT_SIGNING
from batchqc.documents.verifier.case import Question
from batchqc.documents.verifier.chains import path_to_root
from batchqc.documents.verifier.containers import encoded
from batchqc.documents.verifier.examination import examine
from batchqc.documents.verifier.findings import Failed
from batchqc.documents.verifier.signatures import extract
from tests.documents.certificate_content import certificate_content
from tests.documents.conftest import Site
from tests.documents.long_term import (
    LEVELS,
    Authority,
    Stamps,
    asn1,
    authority,
    revocation_list,
    root_of,
    sealed_at_level,
    timestamp_service,
    with_evidence,
)
from tests.documents.tamper import updated
from tests.documents.test_certificate_check import failures, fuzzed

DAY = timedelta(days=1)
YEAR = 365 * DAY


@pytest.fixture(scope="module")
def stamps(site: Site) -> Stamps:
    return timestamp_service(since=site.sealed_at - DAY, until=site.sealed_at + 20 * YEAR)


@pytest.fixture(scope="module")
def lists(site: Site, stamps: Stamps) -> list[bytes]:
    return [revocation_list(one, at=site.sealed_at) for one in (root_of(site), stamps.root)]


@pytest.fixture(scope="module")
def dated(site: Site) -> CertificateContent:
    """Content that was frozen when the site seals."""
    at = site.sealed_at.isoformat()
    return certificate_content(issued={"utc": at, "shown": at})


@pytest.fixture(scope="module")
def levels(
    site: Site, stamps: Stamps, lists: list[bytes], dated: CertificateContent, fonts: Path
) -> dict[str, bytes]:
    """The certificate at every level."""
    drawn = render(dated, fonts=fonts)
    return {
        one: sealed_at_level(site, drawn, dated, level=one, stamps=stamps, lists=lists)
        for one in LEVELS
    }


def asked(site: Site, stamps: Stamps, *, at: datetime | None = None, **more: object) -> Question:
    moment = at or site.sealed_at + DAY
    return replace(Question(site.root_pem, moment, tsa_roots=stamps.root.pem), **more)


def said(report: CheckReport, name: str) -> str:
    return next(one.reason for one in report.checks if one.name == name)


@pytest.mark.requirement("5.10")
def test_every_level_holds_and_says_what_it_proves(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    made = {level: check_all(pdf, asked(site, stamps)) for level, pdf in levels.items()}
    assert {level: failures(one) for level, one in made.items()} == {one: {} for one in LEVELS}
    assert all(one.passed for one in made.values())
    assert said(made["B-B"], "timestamp") == "not examined: the file bears no timestamp"
    assert said(made["B-T"], "timestamp").startswith("2, the first of ")
    assert said(made["B-LTA"], "timestamp").startswith("3, the first of ")
    assert "by its own word" in said(made["B-B"], "time")
    assert "at the latest" in said(made["B-T"], "time")
    assert said(made["B-T"], "revocation").startswith("not examined")
    assert said(made["B-LT"], "revocation").startswith("not revoked, as was said on")


def test_openssl_accepts_the_timestamps(
    levels: dict[str, bytes], site: Site, stamps: Stamps, tmp_path: Path
):
    (stamp,) = extract(levels["B-LTA"]).timestamps
    for name, data in {"tsa.pem": stamps.root.pem, "of": stamp.signed, "token": stamp.cms}.items():
        (tmp_path / name).write_bytes(data)
    command = [
        "openssl",
        "ts",
        "-verify",
        "-token_in",
        "-in",
        "token",
        "-data",
        "of",
        "-CAfile",
        "tsa.pem",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert b"Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("level", "years", "failing"),
    [
        ("B-B", 11, ["validity"]),
        ("B-T", 11, []),
        ("B-LTA", 11, []),
        ("B-LTA", 21, ["timestamp"]),
    ],
)
def test_a_seal_that_ran_out_holds_by_a_timestamp_that_did_not(
    levels: dict[str, bytes], site: Site, stamps: Stamps, level: str, years: int, failing: list[str]
):
    question = asked(site, stamps, at=site.sealed_at + years * YEAR)
    assert list(failures(check_all(levels[level], question))) == failing
    blind = check_all(levels[level], replace(question, tsa_roots=b""))
    assert list(failures(blind)) == ["validity"]


def test_a_timestamp_service_that_ran_out_is_told_as_that_and_as_no_change(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    at = site.sealed_at + 21 * YEAR
    found = failures(check_all(levels["B-T"], asked(site, stamps, at=at)))
    assert "ran out on " in found["timestamp"]
    assert found["timestamp"].endswith("it proves no time any more; that is no sign of a change")


def test_an_archive_timestamp_carries_it_on(levels: dict[str, bytes], site: Site, stamps: Stamps):
    later = site.sealed_at + 19 * YEAR
    newer = timestamp_service(since=later - YEAR, until=later + 20 * YEAR)
    certificates = [newer.root.certificate, newer.certificate]
    renewed = with_evidence(
        levels["B-LTA"], certificates=certificates, stamper=newer.at(later),
        lists=[revocation_list(newer.root, at=later)],
    )  # fmt: skip
    both = stamps.root.pem + newer.root.pem
    question = asked(site, stamps, at=later + 5 * YEAR, tsa_roots=both)
    assert failures(check_all(renewed, question)) == {}
    assert list(failures(check_all(levels["B-LTA"], question))) == ["timestamp"]
    # An archive timestamp that was added years later does not say that anything was dated back.
    late = with_evidence(levels["B-B"], stamper=stamps.at(site.sealed_at + YEAR))
    report = check_all(late, asked(site, stamps, at=site.sealed_at + 2 * YEAR))
    assert failures(report) == {}
    assert "it was there on" in said(report, "time")


def test_timestamps_by_nobody_who_is_trusted_prove_nothing(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    stranger = timestamp_service(since=site.sealed_at - DAY)  # of the same names
    found = failures(check_all(levels["B-T"], asked(site, stranger)))
    assert list(found) == ["timestamp"]
    assert "the signature is not by" in found["timestamp"]


def test_a_timestamp_before_the_time_that_a_seal_states_is_told(
    site: Site, stamps: Stamps, dated: CertificateContent, fonts: Path
):
    drawn = render(dated, fonts=fonts)
    ahead = site.sealed_at - timedelta(minutes=30)
    early = replace(stamps)
    pdf = sealed_at_level(site, drawn, dated, level="B-B", stamps=stamps)
    pdf = with_evidence(pdf, stamper=early.at(ahead))
    assert list(failures(check_all(pdf, asked(site, stamps)))) == ["time"]


REVOKED = [
    # before the seal was made; after it, for a reason that says nothing against it; and for one
    # that does
    (-1, None, True),
    (+5, None, False),
    (+5, x509.ReasonFlags.cessation_of_operation, False),
    (+5, x509.ReasonFlags.key_compromise, True),
]


@pytest.mark.requirement("5.10")
@pytest.mark.parametrize(("days", "reason", "refused"), REVOKED)
def test_a_revoked_seal_is_refused_unless_it_was_proven_before(
    levels: dict[str, bytes],
    site: Site,
    stamps: Stamps,
    days: int,
    reason: x509.ReasonFlags | None,
    refused: bool,
):
    given = revocation_list(
        root_of(site),
        at=site.sealed_at + 10 * DAY,
        revoked=site.key.certificate,
        since=site.sealed_at + days * DAY,
        reason=reason,
    )
    question = asked(site, stamps, at=site.sealed_at + 20 * DAY, crls=(given,))
    found = failures(check_all(levels["B-LT"], question))
    assert list(found) == (["revocation"] if refused else [])
    if not refused:
        assert "it was there before" in said(check_all(levels["B-LT"], question), "revocation")
    # Without a timestamp nothing shows that it was sealed before.
    found = failures(check_all(levels["B-B"], question))
    assert list(found) == ["revocation"]
    assert "the seal was revoked on" in found["revocation"]
    pem = x509.load_der_x509_crl(given).public_bytes(Encoding.PEM)
    assert failures(check_all(levels["B-B"], replace(question, crls=(pem,)))) == found


@pytest.mark.requirement("5.10")
def test_the_stamp_of_the_review_does_not_date_the_release(
    site: Site, stamps: Stamps, lists: list[bytes], dated: CertificateContent, fonts: Path
):
    """Reviewed in its day; released by a seal that was revoked, or had run out, by then."""
    drawn = render(dated, fonts=fonts)
    revoked = revocation_list(
        root_of(site), at=site.sealed_at + 40 * DAY, revoked=site.key.certificate,
        since=site.sealed_at + 30 * DAY,
    )  # fmt: skip

    def found(late: timedelta, *crls: bytes, allowed: timedelta) -> dict[str, str]:
        made = {"level": "B-T", "stamps": stamps, "lists": lists, "late": late}
        pdf = sealed_at_level(site, drawn, dated, **made)
        at = site.sealed_at + late + DAY
        return failures(check_all(pdf, asked(site, stamps, at=at, crls=crls, late=allowed)))

    assert found(DAY, revoked, allowed=7 * DAY) == {}
    assert list(found(60 * DAY, allowed=7 * DAY)) == ["time"]
    assert list(found(60 * DAY, revoked, allowed=YEAR)) == ["revocation"]
    assert list(found(11 * YEAR, allowed=12 * YEAR)) == ["validity"]


@pytest.mark.requirement("5.10")
def test_the_earlier_of_the_times_counts_since_when_a_seal_is_doubted(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    """RFC 5280, 5.3.2: the key may have been stolen long before it was revoked."""
    for doubted, refused in ((-1 * DAY, True), (+4 * DAY, False)):
        given = revocation_list(
            root_of(site),
            at=site.sealed_at + 10 * DAY,
            revoked=site.key.certificate,
            since=site.sealed_at + 5 * DAY,
            doubted=site.sealed_at + doubted,
        )
        question = asked(site, stamps, at=site.sealed_at + 20 * DAY, crls=(given,))
        found = failures(check_all(levels["B-LT"], question))
        assert list(found) == (["revocation"] if refused else [])


PARTS = [
    {"only_contains_user_certs": True},
    {"only_contains_ca_certs": True},
    {"only_contains_attribute_certs": True},
    {"indirect_crl": True},
    {"only_some_reasons": frozenset([x509.ReasonFlags.key_compromise])},
]


@pytest.mark.parametrize("named", PARTS, ids=lambda one: next(iter(one)))
def test_a_list_of_a_part_is_no_answer(
    levels: dict[str, bytes], site: Site, stamps: Stamps, named: dict[str, Any]
):
    point = [x509.UniformResourceIdentifier("http://127.0.0.1/crl")]
    without: dict[str, Any] = {
        "full_name": point, "relative_name": None, "only_contains_user_certs": False,
        "only_contains_ca_certs": False, "only_contains_attribute_certs": False,
        "indirect_crl": False, "only_some_reasons": None,
    }  # fmt: skip
    for more, problem in ((named, "a revocation list is of a part only"), ({}, None)):
        part = x509.IssuingDistributionPoint(**without | more)
        given = revocation_list(root_of(site), at=site.sealed_at + DAY, part=part)
        question = asked(site, stamps, at=site.sealed_at + 2 * DAY, crls=(given,))
        found = failures(check_all(levels["B-T"], question))
        assert found.get("revocation") == problem


def test_openssl_refuses_a_revoked_seal_too(levels: dict[str, bytes], site: Site, tmp_path: Path):
    taken_back = revocation_list(
        root_of(site), at=site.sealed_at, revoked=site.key.certificate, since=site.sealed_at
    )
    pem = x509.load_der_x509_crl(taken_back).public_bytes(Encoding.PEM)
    (tmp_path / "trust.pem").write_bytes(site.root_pem + pem)
    extracted = extract(levels["B-B"]).seals[-1]
    (tmp_path / "of").write_bytes(extracted.signed)
    (tmp_path / "sig").write_bytes(extracted.cms)
    command = (
        "openssl cms -verify -cades -binary -inform DER -in sig -content of -CAfile trust.pem"
        " -purpose any -crl_check -out /dev/null"
    )
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False)
    assert b"certificate revoked" in done.stderr


def test_lists_that_say_nothing_are_not_taken_for_an_answer(
    levels: dict[str, bytes], site: Site, impostor: Site, stamps: Stamps
):
    """Of another issuer; of before the seal, and run out; and forged under the issuer's name."""
    other = revocation_list(stamps.root, at=site.sealed_at)
    old = revocation_list(root_of(site), at=site.sealed_at - 400 * DAY)
    of_the_impostor = revocation_list(root_of(impostor), at=site.sealed_at)
    for one in (other, old, of_the_impostor):
        report = check_all(levels["B-B"], asked(site, stamps, crls=(one,)))
        assert said(report, "revocation").startswith("not examined")
    forged = bytearray(revocation_list(root_of(site), at=site.sealed_at))
    forged[-3] ^= 1
    found = failures(check_all(levels["B-B"], asked(site, stamps, crls=(bytes(forged),))))
    assert list(found) == ["revocation"]
    unreadable = check_all(levels["B-B"], asked(site, stamps, crls=(b"no list",)))
    assert failures(unreadable) == {"evidence": "a revocation list or answer cannot be read"}


def test_a_revoked_timestamp_service_proves_nothing(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    given = revocation_list(
        stamps.root, at=site.sealed_at, revoked=stamps.certificate, since=site.sealed_at
    )
    found = failures(check_all(levels["B-T"], asked(site, stamps, crls=(given,))))
    assert list(found) == ["timestamp"]
    assert "the timestamp service was revoked" in found["timestamp"]


def answer(
    site: Site, by: Authority, status: ocsp.OCSPCertStatus, *, who: x509.Certificate | None = None
) -> bytes:
    """What somebody answers about the seal's certificate."""
    root = root_of(site).certificate
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    built = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=site.key.certificate,
            issuer=root,
            algorithm=hashes.SHA1(),  # noqa: S303 - as answers name certificates
            cert_status=status,
            this_update=site.sealed_at,
            next_update=site.sealed_at + 30 * DAY,
            revocation_time=site.sealed_at if revoked else None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, who or by.certificate)
    )
    if who is not None:
        built = built.certificates([who])
    return built.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def responder(
    by: Authority, site: Site, *purposes: x509.ObjectIdentifier, until: datetime | None = None
) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Answers")])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(site.sealed_at - DAY)
        .not_valid_after(until or clock.now() + YEAR)
        .add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    )
    return Authority(key, built.sign(by.key, hashes.SHA256()))


def test_answers_about_the_seal_count_by_whom_the_issuer_named(
    levels: dict[str, bytes], site: Site, impostor: Site, stamps: Stamps
):
    good, revoked = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED
    unknown, root = ocsp.OCSPCertStatus.UNKNOWN, root_of(site)
    named = responder(root, site, ExtendedKeyUsageOID.OCSP_SIGNING)
    other = responder(root, site, DOCUMENT_SIGNING)
    review = revocation_list(root, at=site.sealed_at - 400 * DAY)  # of no use; it is not asked

    def told(data: bytes) -> CheckReport:
        pdf = with_evidence(levels["B-T"], answers=[data], lists=[review])
        return check_all(pdf, asked(site, stamps))

    # Nothing is said of the certificate of the review, so the line stays open.
    for one in (answer(site, root, good), answer(site, named, good, who=named.certificate)):
        assert failures(told(one)) == {}
        assert said(told(one), "revocation").startswith("not examined")
    assert "revoked on" in failures(told(answer(site, root, revoked)))["revocation"]
    assert "does not know" in failures(told(answer(site, root, unknown)))["revocation"]
    stranger = answer(site, other, good, who=other.certificate)
    assert "not for answers" in failures(told(stranger))["revocation"]
    gone = responder(root, site, ExtendedKeyUsageOID.OCSP_SIGNING, until=site.sealed_at)
    late = answer(site, gone, good, who=gone.certificate)
    assert "is valid from" in failures(told(late))["revocation"]  # it had run out when it answered
    forged = answer(site, root_of(impostor), good)
    assert "revocation" in failures(told(forged))


@pytest.mark.requirement("5.10")
def test_an_answer_that_brings_very_many_certificates_keeps_nobody_busy(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    """Packed, a hundred kilobytes of file hold 200 000: each could be who signed the answer."""
    stranger = authority("Stranger", since=site.sealed_at)
    told = asn1_ocsp.OCSPResponse.load(answer(site, stranger, ocsp.OCSPCertStatus.GOOD))
    basic = told["response_bytes"]["response"].parsed
    parts = ("tbs_response_data", "signature_algorithm", "signature")
    signed = b"".join(basic[one].dump() for one in parts)
    many = encoded(0xA0, encoded(0x30, stranger.certificate.public_bytes(Encoding.DER) * 3000))
    kind = told["response_bytes"]["response_type"].dump()
    said = encoded(0x30, kind, encoded(0x04, encoded(0x30, signed, many)))
    data = encoded(0x30, told["response_status"].dump(), encoded(0xA0, said))
    kept = generic.StreamObject(stream_data=data)
    kept.compress()

    def keep(writer: IncrementalPdfFileWriter) -> None:
        in_store(OCSPs=generic.ArrayObject([writer.add_object(kept)]))(writer)

    pdf = updated(levels["B-B"], keep)
    found = failures(check_all(pdf, asked(site, stamps)))
    assert found == {"evidence": "the answers of issuers are too large"}


def overwrite(number: int, value: generic.PdfObject) -> Callable[[IncrementalPdfFileWriter], None]:
    """An update that says it keeps evidence, in the place of an object of the document."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.objects[0, number] = value
        certificates = generic.ArrayObject([generic.IndirectObject(number, 0, writer)])
        store = generic.DictionaryObject({pdf_name("/Certs"): certificates})
        writer.root["/DSS"] = writer.add_object(store)
        writer.update_root()

    return change


def in_store(**entries: generic.PdfObject) -> Callable[[IncrementalPdfFileWriter], None]:
    def change(writer: IncrementalPdfFileWriter) -> None:
        named = {pdf_name(f"/{key}"): value for key, value in entries.items()}
        writer.root["/DSS"] = writer.add_object(generic.DictionaryObject(named))
        writer.update_root()

    return change


def stream() -> generic.StreamObject:
    return generic.StreamObject(stream_data=b"0\x00")


def first_page(pdf: bytes) -> int:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    return int(writer.root["/Pages"]["/Kids"].raw_get(0).idnum)


def test_what_calls_itself_evidence_changes_nothing_that_is_seen(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    pdf = levels["B-T"]
    changes = {
        "over a page": overwrite(first_page(pdf), stream()),
        "another word in the store": in_store(Open=pdf_name("/Yes")),
        "a certificate that is no stream": in_store(Certs=generic.ArrayObject([pdf_name("/C")])),
        "a catalog that opens something": lambda writer: (
            writer.root.__setitem__("/OpenAction", generic.TextStringObject("x")),
            writer.update_root(),
        ),
        "an extension that leads elsewhere": lambda writer: (
            writer.root.__setitem__("/Extensions", writer.add_object(generic.DictionaryObject())),
            writer.update_root(),
        ),
    }
    for name, change in changes.items():
        found = failures(check_all(updated(pdf, change), asked(site, stamps)))
        assert list(found) == ["coverage"], name


def test_a_timestamp_field_that_can_be_seen_is_refused(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    shown = levels["B-LTA"].replace(b"/Rect [ 0 0 0 0 ]", b"/Rect [ 0 0 9 9 ]")
    assert shown != levels["B-LTA"]
    found = failures(check_all(shown, asked(site, stamps)))
    assert found == {"coverage": "after the last seal, a field was added that is no timestamp"}


def test_a_part_of_a_page_is_not_made_evidence_to_be_rewritten_later(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    def call_it_evidence(writer: IncrementalPdfFileWriter) -> None:
        drawn = writer.root["/Pages"]["/Kids"][0].raw_get("/Contents")
        in_store(Certs=generic.ArrayObject([drawn]))(writer)

    def rewrite(writer: IncrementalPdfFileWriter) -> None:
        drawn = writer.root["/Pages"]["/Kids"][0].raw_get("/Contents")
        writer.objects[0, drawn.idnum] = stream()

    once = updated(levels["B-T"], call_it_evidence)
    for pdf in (once, updated(once, rewrite)):
        found = failures(check_all(pdf, asked(site, stamps)))
        assert found == {"coverage": "after the last seal, a part of it was taken for evidence"}


def test_an_object_that_no_table_names_is_refused_where_it_stands(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    def both(writer: IncrementalPdfFileWriter) -> None:
        writer.add_object(generic.DictionaryObject())
        in_store()(writer)

    pdf = updated(levels["B-T"], both)
    table = pdf.rindex(b"xref\n", 0, pdf.rindex(b"startxref"))
    (number, entry), *_ = re.findall(rb"(\d+) 2\n(\d{10} 00000 n..)", pdf[table:], re.DOTALL)
    shorter = b"%d 1\n" % (int(number) + 1)
    hidden = pdf[:table] + pdf[table:].replace(number + b" 2\n" + entry, shorter)
    found = failures(check_all(hidden, asked(site, stamps)))
    assert found == {"coverage": "after the last seal, something stands that is no object"}


def dictionary(**entries: object) -> generic.DictionaryObject:
    return generic.DictionaryObject({pdf_name(f"/{key}"): one for key, one in entries.items()})


def turn(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]["/Kids"]
    pages[0]["/Rotate"] = generic.NumberObject(180)
    writer.mark_update(pages.raw_get(0))


def cover(writer: IncrementalPdfFileWriter) -> None:
    """One more annotation beside the timestamp's own."""
    note = writer.add_object(dictionary(Type=pdf_name("/Annot"), Subtype=pdf_name("/Square")))
    writer.register_annotation(writer.root["/Pages"]["/Kids"].raw_get(0), note)


def open_with(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/OpenAction"] = generic.TextStringObject("x")
    writer.update_root()


def add_field(writer: IncrementalPdfFileWriter) -> None:
    append_signature_field(writer, SigFieldSpec("Extra"))


def other_form(writer: IncrementalPdfFileWriter) -> None:
    form = writer.root["/AcroForm"]
    writer.root["/AcroForm"] = writer.add_object(generic.DictionaryObject(form))
    writer.update_root()


def nothing_known(writer: IncrementalPdfFileWriter) -> None:
    in_store(VRI=dictionary(AB=dictionary(Open=pdf_name("/Yes"))))(writer)


@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("change", [turn, cover, open_with, add_field, other_form, nothing_known])
def test_nothing_else_may_come_with_evidence_or_a_timestamp(
    levels: dict[str, bytes],
    site: Site,
    stamps: Stamps,
    change: Callable[[IncrementalPdfFileWriter], None],
    stamped: bool,
):
    """Anybody can add evidence, and have a service stamp whatever they like."""
    stamper = stamps.at(site.sealed_at + timedelta(hours=1)) if stamped else None
    for given_lists in ([], [revocation_list(root_of(site), at=site.sealed_at)]):
        changed = with_evidence(levels["B-T"], lists=given_lists, stamper=stamper, change=change)
        found = failures(check_all(changed, asked(site, stamps)))
        assert list(found) == ["coverage"]
        assert found["coverage"].startswith("after the last seal, ")


def test_a_timestamp_brings_its_own_field_to_the_page_and_no_other(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    """An object of the document may not be shown on another page with it."""

    def show(writer: IncrementalPdfFileWriter) -> None:
        place = writer.root["/Pages"]["/Kids"].raw_get(0)
        page = place.get_object()
        seal = writer.root["/AcroForm"]["/Fields"].raw_get(0)
        page["/Annots"] = generic.ArrayObject([seal])
        writer.objects[0, place.idnum] = page

    changed = with_evidence(
        levels["B-T"], stamper=stamps.at(site.sealed_at + timedelta(hours=1)), change=show
    )
    found = failures(check_all(changed, asked(site, stamps)))
    assert found == {"coverage": "after the last seal, the page was changed"}


def behind(pdf: bytes, old: bytes, new: bytes) -> bytes:
    """Something else in the last trailer."""
    head, found, tail = pdf.rpartition(old)
    assert found
    return head + new + tail


def test_the_last_trailer_leads_to_the_same_document(
    levels: dict[str, bytes], site: Site, stamps: Stamps
):
    pdf = levels["B-LT"]
    info = re.findall(rb"/Info (\d+) 0 R", pdf)[-1]
    root = re.findall(rb"/Root (\d+) 0 R", pdf)[-1]
    last = pdf.rindex(b"xref\n", 0, pdf.rindex(b"startxref"))
    stuffed = pdf[:last] + b"%% more words\n" + pdf[last:]
    for changed in (
        behind(pdf, b"/Info " + info, b"/Info " + root),
        behind(pdf, b"/Root " + root, b"/Root " + info),
        behind(pdf, b"/Size ", b"/More 1\n/Size "),
        behind(stuffed, b"startxref\n%d" % last, b"startxref\n%d" % (last + 14)),
        behind(pdf, b"/Root " + root + b" 0 R\n", b""),
        behind(levels["B-LTA"], b"/SigFlags 3", b"/SigFlags 1"),
    ):
        assert changed != pdf
        assert list(failures(check_all(changed, asked(site, stamps)))) == ["coverage"]


@fuzzed
@given(data=st.data())
def test_no_changed_byte_makes_another_certificate(
    levels: dict[str, bytes],
    site: Site,
    stamps: Stamps,
    dated: CertificateContent,
    data: st.DataObject,
):
    """Any byte of the file with all its evidence: it is refused, or says the very same."""
    pdf = levels[data.draw(st.sampled_from(["B-LT", "B-LTA"]))]
    tail = extract(pdf).ends[0]
    place = data.draw(st.integers(0, len(pdf) - 1) | st.integers(tail - 9000, len(pdf) - 1))
    changed = pdf[:place] + bytes([data.draw(st.integers(0, 255))]) + pdf[place + 1 :]
    report = examine(changed, asked(site, stamps))
    if report.passed:
        told = (report.number, report.lot, report.content_sha256)
        assert told == (dated["number"], dated["lot"]["id"], content_sha256(dated))
        assert extract(changed).seals[-1].signed == extract(pdf).seals[-1].signed


def issued_by(by: Authority, site: Site, *, may: bool, length: int | None = None) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"No. {x509.random_serial_number()}"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    ) | {"key_cert_sign": may}  # fmt: skip
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(site.sealed_at)
        .not_valid_after(site.sealed_at + YEAR)
        .add_extension(x509.BasicConstraints(ca=may, path_length=length), critical=True)
    )
    if may:
        built = built.add_extension(x509.KeyUsage(**usage), critical=True)
    return Authority(key, built.sign(by.key, hashes.SHA256()))


def test_a_path_leads_over_authorities_and_nothing_else(site: Site):
    root = authority("Another root", since=site.sealed_at)
    middle = issued_by(root, site, may=True, length=0)
    leaf = issued_by(middle, site, may=False)
    below = issued_by(leaf, site, may=False)
    inner = issued_by(middle, site, may=True)
    deep = issued_by(inner, site, may=False)
    pool = [asn1(one.certificate) for one in (middle, leaf, inner)]
    roots = (asn1(root.certificate),)
    found = path_to_root(asn1(leaf.certificate), pool, roots)
    assert [one.serial_number for one in found] == [
        one.certificate.serial_number for one in (leaf, middle, root)
    ]
    for one, why in ((below, "may not certify"), (deep, "may not certify authorities")):
        with pytest.raises(Failed, match=why):
            path_to_root(asn1(one.certificate), pool, roots)
