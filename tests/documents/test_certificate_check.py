"""The independent checker, attacked."""

import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import shake_256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from batchqc.core.certificates import CertificateContent, content_sha256
from batchqc.documents import certificate_pages
from batchqc.documents.certificate_check import (
    CheckReport,
    check,
    extract_signature,
    extract_signatures,
)
from batchqc.documents.certificate_pages import read_pages
from batchqc.documents.coa_layout import render
from batchqc.documents.pades import SealKey, seal
from batchqc.documents.pki import DOCUMENT_SIGNING
from batchqc.documents.signing_keys import FileKey
from batchqc.errors import InvalidInput
from tests.documents.certificate_content import certificate_content, earlier_content
from tests.documents.conftest import Site, sealed_by
from tests.documents.external import openssl_accepts, pdfsig
from tests.documents.long_term import with_evidence
from tests.documents.tamper import resealed, with_container
from tests.documents.test_pades import accepted_by_pyhanko

fuzzed = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def checked(pdf: bytes, site: Site, **expected: str) -> CheckReport:
    return check(pdf, root_pem=site.root_pem, at=site.sealed_at, **expected)


def failures(report: CheckReport) -> dict[str, str]:
    """The checks that failed by themselves: not those that rest on one of them."""
    return {
        one.name: one.reason
        for one in report.checks
        if not one.ok and not one.reason.startswith("not examined")
    }


@pytest.mark.requirement("5.10")
def test_the_sealed_certificate_passes_every_check(
    sealed: bytes, site: Site, content: CertificateContent
):
    sha256 = content_sha256(content)
    report = checked(sealed, site, lot="UCM-P2-T1", number="COA-2026-000017", content_sha256=sha256)
    assert failures(report) == {}
    assert report.passed
    assert len({one.name for one in report.checks}) == len(report.checks) == 22
    assert (report.number, report.lot) == ("COA-2026-000017", "UCM-P2-T1")
    assert report.content_sha256 == sha256


def test_without_checks_nothing_has_passed():
    assert not CheckReport((), "", "", "").passed


@pytest.mark.requirement("1.01")
def test_no_changed_byte_passes(sealed: bytes, site: Site):
    gap, resume = extract_signature(sealed).byte_range[1:3]
    container = range(gap, gap + 2 * len(extract_signature(sealed).cms), 17)
    ends = [*range(gap - 40, gap + 3), *range(resume - 3, resume + 60)]
    places = [*range(0, len(sealed), 1499), *container, *ends, len(sealed) - 1]
    for place in places:
        for changed_to in {b"0", b"A", b" ", bytes([sealed[place] ^ 1])}:
            if changed_to != sealed[place : place + 1]:
                changed = sealed[:place] + changed_to + sealed[place + 1 :]
                assert not checked(changed, site).passed, (place, changed_to)


@fuzzed
@given(data=st.data())
def test_no_edit_passes_or_raises(sealed: bytes, site: Site, data: st.DataObject):
    changed = sealed
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(changed)))
        removed = data.draw(st.sampled_from([0, 1, 2, 16, 900, 9000]))
        inserted = data.draw(
            st.binary(max_size=24)
            | st.just(changed[start : start + removed][::-1])
            | st.sampled_from([b"/ByteRange [0 1 2 3]", b"%%EOF\n", b"\x00", b"<<>>", b"endobj"])
        )
        changed = changed[:start] + inserted + changed[start + removed :]
    assert checked(changed, site).passed == (changed == sealed)


@fuzzed
@given(der=st.data())
def test_no_edit_of_the_container_passes_or_raises(sealed: bytes, site: Site, der: st.DataObject):
    container = bytearray(extract_signature(sealed).cms)
    for _ in range(der.draw(st.integers(1, 4))):
        container[der.draw(st.integers(0, len(container) - 1))] = der.draw(st.integers(0, 255))
    changed = with_container(sealed, bytes(container))
    assert checked(changed, site).passed == (changed == sealed)


@fuzzed
@given(pdf=st.binary(max_size=400) | st.binary(max_size=100).map(lambda end: b"%PDF-1.7\n" + end))
def test_no_random_bytes_pass_or_raise(site: Site, pdf: bytes):
    report = checked(pdf, site)
    assert not report.passed
    assert all(one.reason for one in report.checks)
    with pytest.raises(InvalidInput) as refusal:
        extract_signature(pdf)
    assert refusal.value.code == "BQC-CRT-020"


@fuzzed
@given(root=st.binary(max_size=200))
def test_no_random_root_passes_or_raises(sealed: bytes, site: Site, root: bytes):
    pem = site.root_pem
    for text in (root, pem[: len(root)], root + pem[60:]):
        assert not check(sealed, root_pem=text, at=site.sealed_at).passed
    check(sealed, root_pem=pem[:60] + root + pem[60:], at=site.sealed_at)


@pytest.mark.parametrize("junk", [b"\n", b" ", b"\0", b"\n% a comment\n"])
def test_nothing_may_follow_the_end(sealed: bytes, site: Site, junk: bytes, tmp_path: Path):
    found = failures(checked(sealed + junk, site))
    assert list(found) == ["coverage"]
    assert found["coverage"].startswith("the signature does not cover the whole file")
    # Others say that the signature is valid: it is, of a part.
    path = tmp_path / "continued.pdf"
    path.write_bytes(sealed + junk)
    assert "Signature is Valid" in pdfsig(path, site.nss)
    assert accepted_by_pyhanko(sealed + junk, site.files.root_pem)


def test_nothing_may_hide_in_the_padding(sealed: bytes, site: Site, tmp_path: Path):
    resume = extract_signature(sealed).byte_range[2]
    changed = sealed[: resume - 2] + b"7" + sealed[resume - 1 :]
    assert accepted_by_pyhanko(changed, site.files.root_pem)
    report = checked(changed, site)
    assert failures(report) == {"coverage": "something is hidden behind the signature"}


def test_the_case_of_a_digit_matters(sealed: bytes, site: Site):
    extracted = extract_signature(sealed)
    gap, resume = extracted.byte_range[1:3]
    changed = sealed[:gap] + sealed[gap:resume].lower() + sealed[resume:]
    assert openssl_sees_the_same(changed, sealed)
    assert not checked(changed, site).passed


def openssl_sees_the_same(one: bytes, other: bytes) -> bool:
    contents = [
        PdfReader(BytesIO(pdf)).root_object["/AcroForm"]["/Fields"][-1].get_object()["/V"]
        for pdf in (one, other)
    ]
    return bool(contents[0]["/Contents"] == contents[1]["/Contents"])


def test_a_certificate_without_its_signature_is_refused(sealed: bytes, rendered: bytes, site: Site):
    without = {"coverage": "the file holds 0 signatures instead of one or two"}
    assert failures(checked(rendered, site)) == without
    rewritten = PdfWriter(clone_from=BytesIO(sealed))
    del rewritten.root_object["/AcroForm"]
    target = BytesIO()
    rewritten.write(target)
    assert not checked(target.getvalue(), site).passed


def test_a_rewritten_certificate_is_refused(sealed: bytes, site: Site):
    target = BytesIO()
    PdfWriter(clone_from=BytesIO(sealed)).write(target)
    assert not checked(target.getvalue(), site).passed


def test_the_valid_certificate_of_another_lot_is_refused(site: Site, fonts: Path, tmp_path: Path):
    other = certificate_content(number="COA-2026-000018")
    other["lot"]["id"] = "UCM-P3-T1"
    pdf = sealed_by(site, render(other, fonts=fonts), other)
    # To everyone who does not ask which lot it is, this is a perfect certificate.
    path = tmp_path / "other.pdf"
    path.write_bytes(pdf)
    assert accepted_by_pyhanko(pdf, site.files.root_pem)
    assert "Total document signed" in pdfsig(path, site.nss)
    assert openssl_accepts(extract_signature(pdf), site.files.root_pem, tmp_path)
    assert checked(pdf, site, lot="UCM-P3-T1", number="COA-2026-000018").passed
    report = checked(pdf, site, lot="UCM-P2-T1", number="COA-2026-000017", content_sha256="0" * 64)
    assert failures(report) == {
        "number": "this is certificate COA-2026-000018, not certificate COA-2026-000017",
        "lot": "this is lot UCM-P3-T1, not lot UCM-P2-T1",
        "content": f"this is content {content_sha256(other)}, not content {'0' * 64}",
    }


def test_a_wrong_root_with_the_same_names_is_refused(sealed: bytes, site: Site, impostor: Site):
    report = check(sealed, root_pem=impostor.root_pem, at=site.sealed_at)
    assert list(failures(report)) == ["issuer"]
    assert report.lot == ""


def test_the_seal_is_not_its_own_root(sealed: bytes, site: Site):
    pem = site.key.certificate.public_bytes(Encoding.PEM)
    report = check(sealed, root_pem=pem, at=site.sealed_at)
    assert failures(report) == {"root": "the given root is no certificate authority"}


@pytest.mark.parametrize(
    ("years", "failing"), [(-1, ["time", "validity"]), (11, ["validity"]), (31, ["validity"])]
)
def test_an_expired_or_future_seal_is_refused(
    sealed: bytes, site: Site, years: int, failing: list[str]
):
    at = site.sealed_at + timedelta(days=366 * years)
    report = check(sealed, root_pem=site.root_pem, at=at)
    assert list(failures(report)) == failing
    assert "is valid from" in failures(report)["validity"]


def test_a_moment_without_zone_fails_instead_of_guessing(sealed: bytes, site: Site):
    naive = datetime(2026, 3, 20)  # noqa: DTZ001 - the mistake under test
    report = check(sealed, root_pem=site.root_pem, at=naive)
    assert list(failures(report)) == ["time", "validity"]


def test_a_page_replaced_by_an_update_is_refused(sealed: bytes, site: Site, tmp_path: Path):
    writer = PdfWriter(BytesIO(sealed), incremental=True)
    writer.pages[0].merge_page(PdfReader(BytesIO(sealed)).pages[1])
    target = BytesIO()
    writer.write(target)
    updated = target.getvalue()
    assert updated.startswith(sealed)
    path = tmp_path / "updated.pdf"
    path.write_bytes(updated)
    told = pdfsig(path, site.nss)
    assert "Signature is Valid" in told
    assert "Not total document signed" in told
    found = failures(checked(updated, site))
    assert list(found) == ["coverage"]
    assert found["coverage"].startswith("the signature does not cover the whole file")


def test_a_certificate_rolled_back_to_its_review_is_refused(
    reviewed: bytes, sealed: bytes, site: Site, tmp_path: Path
):
    assert sealed.startswith(reviewed[:1000])
    rolled_back = sealed[: sum(extract_signatures(sealed)[0].byte_range[2:])]
    first, same = extract_signatures(sealed)[0], extract_signatures(rolled_back)[0]
    assert (same.signed, same.cms) == (first.signed, first.cms)
    # To everyone who does not ask for both seals, this is a whole and valid document.
    path = tmp_path / "rolled-back.pdf"
    path.write_bytes(rolled_back)
    assert accepted_by_pyhanko(rolled_back, site.files.root_pem)
    assert "Total document signed" in pdfsig(path, site.nss)
    assert failures(checked(rolled_back, site)) == {"field": "the seal QARelease is missing"}


def test_a_release_without_its_review_is_refused(rendered: bytes, site: Site):
    pdf = seal(rendered, site.key, signed_at=site.sealed_at)
    assert accepted_by_pyhanko(pdf, site.files.root_pem)
    assert failures(checked(pdf, site)) == {"field": "the seal QCReview is missing"}


def test_a_review_that_does_not_certify_is_refused(
    rendered: bytes, content: CertificateContent, site: Site
):
    pdf = rendered
    for one in content["seals"]:
        words = {"field": one["field"], "reason": one["says"]}
        pdf = seal(pdf, site.key, **words, signed_at=site.sealed_at)
    assert failures(checked(pdf, site)) == {"field": "QCReview does not certify the document"}


@pytest.mark.parametrize("place", [0, 1])
def test_seals_for_other_signatures_than_the_data_say_are_refused(
    rendered: bytes, content: CertificateContent, site: Site, place: int
):
    other = certificate_content()
    other["seals"][place]["says"] = content["seals"][1 - place]["says"]
    pdf = sealed_by(site, rendered, other)
    assert list(failures(checked(pdf, site))) == ["data"]


def test_an_earlier_certificate_with_one_seal_still_verifies(fonts: Path, site: Site):
    earlier = earlier_content()
    drawn = render(earlier, fonts=fonts)
    pdf = seal(drawn, site.key, reason="Certificate issued", signed_at=site.sealed_at)
    report = checked(pdf, site, lot="UCM-P2-T1", content_sha256=content_sha256(earlier))
    assert failures(report) == {}
    review = seal(drawn, site.key, field="QCReview", signed_at=site.sealed_at)
    assert failures(checked(review, site)) == {
        "field": "the signature fields are QCReview, instead of QARelease alone"
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data.replace(b"UCM-P2-T1", b"UCM-P3-T1"), "are not the content"),
        (lambda data: data + b" ", "are not the content"),
        (None, "the files inside are none"),
    ],
)
def test_other_data_inside_than_the_content_are_refused(
    rendered: bytes,
    content: CertificateContent,
    site: Site,
    change: Callable[[bytes], bytes] | None,
    reason: str,
):
    writer = PdfWriter(clone_from=BytesIO(rendered))
    catalog = writer.root_object
    if change is None:
        del catalog["/Names"], catalog["/AF"]
    else:
        file = catalog["/AF"][0].get_object()["/EF"]["/F"].get_object()
        file.set_data(change(file.get_data()))
    target = BytesIO()
    writer.write(target)
    pdf = sealed_by(site, target.getvalue(), content)
    found = failures(checked(pdf, site))
    assert list(found) == ["data"]
    assert reason in found["data"]


def test_a_file_that_is_listed_in_one_place_only_cannot_be_read(
    rendered: bytes, content: CertificateContent, site: Site
):
    writer = PdfWriter(clone_from=BytesIO(rendered))
    del writer.root_object["/AF"]
    target = BytesIO()
    writer.write(target)
    pdf = sealed_by(site, target.getvalue(), content)
    assert list(failures(checked(pdf, site))) == ["document"]


def test_a_page_that_does_not_say_where_it_belongs_is_refused(
    rendered: bytes, content: CertificateContent, site: Site
):
    writer = PdfWriter(clone_from=BytesIO(rendered))
    writer.add_blank_page()
    target = BytesIO()
    writer.write(target)
    pdf = sealed_by(site, target.getvalue(), content)
    assert failures(checked(pdf, site)) == {"pages": "page 1 does not show “Page 1 of 4”"}


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({"/Title": "Invoice 7"}, "number"),
        ({"/Title": "Certificate of analysis "}, "number"),
        ({"/Subject": "UCM-P2-T1"}, "lot"),
        ({"/Subject": "Lot "}, "lot"),
        ({"/Keywords": ""}, "content"),
    ],
)
def test_a_document_that_does_not_name_itself_is_refused(
    rendered: bytes,
    content: CertificateContent,
    site: Site,
    changes: dict[str, str],
    failing: str,
):
    writer = PdfWriter(clone_from=BytesIO(rendered))
    writer.add_metadata(changes)
    target = BytesIO()
    writer.write(target)
    pdf = sealed_by(site, target.getvalue(), content)
    assert list(failures(checked(pdf, site))) == [failing]


def test_the_same_bytes_are_read_once_and_asked_each_time(sealed: bytes, site: Site):
    read_pages.cache_clear()
    assert failures(checked(sealed, site, lot="UCM-P2-T1")) == {}
    assert "lot" in failures(checked(sealed, site, lot="UCM-P9-T9"))
    assert failures(checked(sealed, site)) == {}
    assert (read_pages.cache_info().misses, read_pages.cache_info().hits) == (1, 1)


def test_a_large_document_is_not_kept(sealed: bytes, site: Site):
    """Anybody can add certificates to one, as many times as they like."""
    key, owner = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    long = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), shake_256(b"long").digest(1_000_000)
    )
    begin = site.sealed_at - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(owner, owner, key.public_key(), 1, begin, site.sealed_at)
        .add_extension(long, critical=False)
        .sign(key, hashes.SHA256())
    )
    larger = with_evidence(sealed, certificates=[certificate])
    read_pages.cache_clear()
    assert failures(checked(larger, site)) == {}
    assert len(larger) > 1_000_000
    assert read_pages.cache_info().currsize == 0


def test_a_document_that_another_program_reads_differently_is_refused(
    sealed: bytes, site: Site, monkeypatch: pytest.MonkeyPatch
):
    pages = replace(read_pages(sealed), subject="Lot UCM-P3-T1")
    monkeypatch.setattr(certificate_pages, "read_pages", lambda _: pages)
    found = failures(checked(sealed, site))
    assert found == {"pages": "another program reads something else in the file"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            b"/SubFilter /ETSI.CAdES.detached",
            b"/SubFilter /adbe.pkcs7.detached",
            "the signature's format is /adbe.pkcs7.detached, not /ETSI.CAdES.detached",
        ),
        (b"/T (QARelease)", b"/T (QBRelease)", "the signature fields are QCReview, QBRelease"),
    ],
)
def test_a_seal_of_another_form_or_field_is_refused(
    sealed: bytes, site: Site, old: bytes, new: bytes, reason: str
):
    before, found, after = sealed.rpartition(old)
    assert found
    report = failures(checked(resealed(before + new + after, site.key), site))
    assert list(report) == ["field"]
    assert report["field"].startswith(reason)


def test_a_document_without_pages_is_refused(sealed: bytes, site: Site):
    changed = sealed.replace(b"/Kids", b"/Kidz").replace(b"/Pages ", b"/Pagez ")
    # Whoever seals it again must do so from the first seal on.
    changed = resealed(resealed(changed, site.key, which=0), site.key)
    assert failures(checked(changed, site)) == {"document": "the document has no pages"}


def test_a_further_empty_signature_field_is_refused(
    rendered: bytes, content: CertificateContent, site: Site
):
    writer = IncrementalPdfFileWriter(BytesIO(rendered))
    append_signature_field(writer, SigFieldSpec("Extra"))
    target = BytesIO()
    writer.write(target)
    pdf = sealed_by(site, target.getvalue(), content)
    assert list(failures(checked(pdf, site))) == ["coverage"]
    fields = [(field.name, bool(field.contents)) for field in read_pages(pdf).fields]
    assert fields == [("QCReview", True), ("QARelease", True), ("Extra", False)]


def test_only_signature_fields_count_and_a_field_must_be_one():
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    text = DictionaryObject({NameObject("/FT"): NameObject("/Tx")})
    form = DictionaryObject({NameObject("/Fields"): ArrayObject([text])})
    writer.root_object[NameObject("/AcroForm")] = form
    target = BytesIO()
    writer.write(target)
    assert read_pages(target.getvalue()).fields == ()
    form[NameObject("/Fields")] = ArrayObject([NameObject("/Tx")])
    target = BytesIO()
    writer.write(target)
    with pytest.raises(TypeError):
        read_pages(target.getvalue())


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["content_type", "message_digest"], "signed attributes are missing"),
        (
            ["content_type", "content_type", "message_digest", "signing_certificate_v2"],
            "the signed attribute content_type has two values",
        ),
    ],
)
def test_signed_attributes_are_complete_and_unique(
    sealed: bytes, site: Site, names: list[str], reason: str
):
    container = cms.ContentInfo.load(extract_signature(sealed).cms)
    (signer,) = container["content"]["signer_infos"]
    given_ones = {one["type"].native: one for one in signer["signed_attrs"]}
    signer["signed_attrs"] = cms.CMSAttributes([given_ones[name] for name in names])
    found = failures(checked(with_container(sealed, container.dump(force=True)), site))
    assert list(found) == ["container"]
    assert found["container"].startswith(reason)


def test_a_root_with_another_kind_of_key_is_refused(sealed: bytes, site: Site):
    key = ed25519.Ed25519PrivateKey.generate()
    root = x509.load_pem_x509_certificate(site.root_pem)
    twin = (
        x509.CertificateBuilder()
        .subject_name(root.subject)
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(root.not_valid_before_utc)
        .not_valid_after(root.not_valid_after_utc)
    )
    for kind in (x509.BasicConstraints, x509.KeyUsage):
        twin = twin.add_extension(
            root.extensions.get_extension_for_class(kind).value, critical=True
        )
    pem = twin.sign(key, None).public_bytes(Encoding.PEM)
    report = check(sealed, root_pem=pem, at=site.sealed_at)
    assert failures(report) == {"issuer": "the key is neither ECDSA nor RSA"}


def issued(
    site: Site,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *,
    purposes: list[x509.ObjectIdentifier],
    signs: bool = True,
    condition: bool = False,
) -> SealKey:
    """A certificate by the site's root that differs from the seal's."""
    data = site.files.root_p12.read_bytes()
    root_key, root, _ = pkcs12.load_key_and_certificates(data, b"root in the safe")
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    assert root is not None
    own = site.key.certificate
    usage = dict.fromkeys(
        [
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ],
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(own.subject)
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(own.not_valid_before_utc)
        .not_valid_after(own.not_valid_after_utc)
        .add_extension(
            x509.KeyUsage(digital_signature=True, content_commitment=signs, **usage), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    )
    if condition:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
            critical=True,
        )
    certificate = builder.sign(root_key, hashes.SHA384())
    return SealKey(FileKey(key), certificate, certificate)


def test_an_rsa_seal_is_accepted_too(rendered: bytes, content: CertificateContent, site: Site):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    other = replace(site, key=issued(site, key, purposes=[DOCUMENT_SIGNING]))
    assert failures(checked(sealed_by(other, rendered, content), site)) == {}


def test_a_seal_with_a_short_key_is_refused(
    rendered: bytes, content: CertificateContent, site: Site
):
    """The root vouched for it, and whoever has time finds its private half."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the attack
    other = replace(site, key=issued(site, key, purposes=[DOCUMENT_SIGNING]))
    found = failures(checked(sealed_by(other, rendered, content), site))
    assert list(found) == ["signature"]
    assert found["signature"].endswith("is too short")


@pytest.mark.parametrize(
    ("unlike", "reason"),
    [
        (
            {"purposes": [ExtendedKeyUsageOID.EMAIL_PROTECTION]},
            "the seal is not meant for documents",
        ),
        ({"signs": False}, "the key is not meant for signatures"),
        ({"condition": True}, "the seal has conditions unknown here: 1.2.3.4"),
    ],
)
def test_a_certificate_of_the_root_for_another_purpose_is_no_seal(
    rendered: bytes, site: Site, unlike: dict[str, Any], reason: str
):
    key = ec.generate_private_key(ec.SECP256R1())
    other = issued(site, key, **{"purposes": [DOCUMENT_SIGNING], **unlike})
    pdf = seal(rendered, other, signed_at=site.sealed_at)
    assert failures(checked(pdf, site)) == {"purpose": reason}


def test_a_certificate_that_replaces_the_signers_is_refused(sealed: bytes, site: Site):
    container = extract_signature(sealed).cms
    twin = issued(site, site.key.key, purposes=[DOCUMENT_SIGNING])
    old, new = (key.certificate.public_bytes(Encoding.DER) for key in (site.key, twin))
    assert old in container
    assert not checked(with_container(sealed, container.replace(old, new)), site).passed


def test_the_checker_leaks_no_warning_and_no_log(
    sealed: bytes, site: Site, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    with caplog.at_level(logging.DEBUG):
        checked(sealed, site)
        checked(sealed[:-300], site)
        checked(b"%PDF-1.7\ngarbage", site)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_the_checker_shares_no_code_with_the_sealer():
    program = (
        "import sys, batchqc.documents.certificate_check\n"
        "print(sorted({'pyhanko', 'reportlab', 'batchqc.documents.pades', 'batchqc.documents.pki'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
