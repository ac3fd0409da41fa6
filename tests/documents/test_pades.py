"""The seal, judged by pyHanko, poppler and openssl."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto.core import Sequence
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from batchqc.core.certificates import CertificateContent
from batchqc.documents.certificate_check import extract_signature, extract_signatures
from batchqc.documents.pades import load_seal, seal
from batchqc.errors import InvalidInput, SigningUnavailable
from tests.documents.conftest import Site, sealed_by
from tests.documents.external import openssl_accepts, pdfsig, run


def accepted_by_pyhanko(pdf: bytes, root_pem: Path) -> bool:
    """Whether pyHanko finds trusted signatures only, and no change that they forbid."""
    trusted = ValidationContext(
        trust_roots=[load_cert_from_pemder(str(root_pem))], allow_fetching=False
    )
    signatures = PdfFileReader(BytesIO(pdf)).embedded_signatures
    found = [validate_pdf_signature(one, trusted).bottom_line for one in signatures]
    return bool(found) and all(found)


def flipped(pdf: bytes, at: int) -> bytes:
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


@pytest.mark.requirement("5.10", "1.12")
def test_independent_tools_accept_both_seals(sealed: bytes, site: Site, tmp_path: Path):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(sealed)
    told = pdfsig(path, site.nss)
    assert re.findall(r"Signature Field Name: (\w+)", told) == ["QCReview", "QARelease"]
    assert told.count("Signature is Valid.") == 2
    assert told.count("Certificate is Trusted.") == 2
    assert told.count("Signature Type: ETSI.CAdES.detached") == 2
    assert [one.strip(" -") for one in told.splitlines() if "otal document" in one] == [
        "Not total document signed", "Total document signed",
    ]  # fmt: skip
    for extracted in extract_signatures(sealed):
        assert openssl_accepts(extracted, site.files.root_pem, tmp_path)
    assert accepted_by_pyhanko(sealed, site.files.root_pem)
    run("qpdf", "--check", path)
    looked_at = run("mutool", "sign", "-v", path)
    assert looked_at.count("Verifying signature") == 2
    assert "The document is unchanged since signing." in looked_at.splitlines()[-1]


def test_the_first_seal_certifies_and_the_second_changes_nothing(sealed: bytes, site: Site):
    first, second = PdfFileReader(BytesIO(sealed)).embedded_signatures
    for one in (first, second):
        one.compute_integrity_info()
    assert first.docmdp_level is MDPPerm.FILL_FORMS
    assert second.docmdp_level is MDPPerm.NO_CHANGES
    assert first.coverage is SignatureCoverageLevel.ENTIRE_REVISION
    assert first.diff_result.modification_level is ModificationLevel.FORM_FILLING
    assert second.coverage is SignatureCoverageLevel.ENTIRE_FILE
    catalog = PdfReader(BytesIO(sealed)).root_object
    assert catalog["/Perms"]["/DocMDP"] == catalog["/AcroForm"]["/Fields"][0].get_object()["/V"]


def test_a_seal_into_a_field_that_is_drawn_leaves_its_look_alone(sealed: bytes, rendered: bytes):
    before, after = (
        [one.get_object() for one in PdfReader(BytesIO(pdf)).root_object["/AcroForm"]["/Fields"]]
        for pdf in (rendered, sealed)
    )
    for empty, full in zip(before, after, strict=True):
        assert "/V" not in empty
        assert full["/AP"]["/N"].get_data() == b""
        assert (full["/TU"], full["/Rect"]) == (empty["/TU"], empty["/Rect"])
    assert after[0]["/TU"] == (
        "Seal QCReview: Reviewed: results are complete and correct by Trần Quốc Bảo (S-2026-000041)"
    )


@pytest.mark.requirement("1.15")
def test_a_changed_page_is_refused_by_poppler_and_openssl(
    sealed: bytes, site: Site, tmp_path: Path
):
    changed = flipped(sealed, sealed.index(b"stream\n") + 200)
    path = tmp_path / "changed.pdf"
    path.write_bytes(changed)
    assert "Digest Mismatch" in pdfsig(path, site.nss)
    assert not openssl_accepts(extract_signature(changed), site.files.root_pem, tmp_path)


@pytest.mark.requirement("1.15")
def test_a_changed_signature_is_refused_by_poppler_and_openssl(
    sealed: bytes, site: Site, tmp_path: Path
):
    extracted = extract_signature(sealed)
    # The signature value is the last part of the container: this digit lies in its end.
    at = extracted.byte_range[1] + 1 + 2 * (len(extracted.cms) - 10)
    other = b"0" if sealed[at : at + 1] != b"0" else b"1"
    changed = sealed[:at] + other + sealed[at + 1 :]
    path = tmp_path / "changed.pdf"
    path.write_bytes(changed)
    _, _, last = pdfsig(path, site.nss).partition("Field Name: QARelease")
    assert "Signature Validation: Signature is Invalid" in last
    assert not openssl_accepts(extract_signature(changed), site.files.root_pem, tmp_path)


def test_another_root_with_the_same_names_is_not_trusted(
    sealed: bytes, impostor: Site, tmp_path: Path
):
    path = tmp_path / "certificate.pdf"
    path.write_bytes(sealed)
    assert "Certificate is Trusted" not in pdfsig(path, impostor.nss)
    assert not openssl_accepts(extract_signature(sealed), impostor.files.root_pem, tmp_path)
    assert not accepted_by_pyhanko(sealed, impostor.files.root_pem)


def test_the_seal_carries_the_given_time_and_words(rendered: bytes, site: Site):
    words = {"name": "Mekong Cell Therapy Centre", "reason": "Issued", "location": "Viet Nam"}
    hanoi = site.sealed_at.astimezone(tz=datetime.fromisoformat("2026-01-01T00:00+07:00").tzinfo)
    sealed = seal(rendered, site.key, **words, signed_at=hanoi)
    _, field = PdfReader(BytesIO(sealed), strict=True).root_object["/AcroForm"]["/Fields"]
    value = field.get_object()["/V"]
    assert field.get_object()["/T"] == "QARelease"
    assert [value[f"/{key.title()}"] for key in words] == list(words.values())
    assert value["/M"] == f"D:{hanoi:%Y%m%d%H%M%S}+07'00'"
    assert value["/SubFilter"] == "/ETSI.CAdES.detached"


def test_the_seal_adds_to_the_document_and_changes_nothing_in_it(sealed: bytes, rendered: bytes):
    assert sealed.startswith(rendered)
    before, after = (PdfReader(BytesIO(pdf), strict=True) for pdf in (rendered, sealed))
    assert after.metadata == before.metadata
    assert [page.extract_text() for page in after.pages] == [
        page.extract_text() for page in before.pages
    ]


def test_a_seal_locks_the_document(sealed: bytes):
    first, field = PdfReader(BytesIO(sealed), strict=True).root_object["/AcroForm"]["/Fields"]
    assert "/Lock" not in first.get_object()
    assert field.get_object()["/Lock"] == {"/Type": "/SigFieldLock", "/Action": "/All", "/P": 1}


def test_a_seal_with_one_certificate_makes_both_signatures(
    rendered: bytes, content: CertificateContent, site: Site
):
    one = replace(site, key=replace(site.key, certifying=site.key.certificate))
    assert accepted_by_pyhanko(sealed_by(one, rendered, content), site.files.root_pem)


def test_a_missing_seal_is_unavailable(tmp_path: Path):
    with pytest.raises(SigningUnavailable) as refusal:
        load_seal(tmp_path / "seal.p12", "seal on the server")
    assert refusal.value.code == "BQC-CRT-010"


@pytest.mark.parametrize("passphrase", ["", "root in the safe", "Seal on the server"])
def test_a_wrong_passphrase_does_not_open_the_seal(site: Site, passphrase: str):
    with pytest.raises(SigningUnavailable) as refusal:
        load_seal(site.files.seal_p12, passphrase)
    assert refusal.value.code == "BQC-CRT-011"


def test_a_damaged_seal_does_not_open(site: Site, tmp_path: Path):
    path = tmp_path / "seal.p12"
    path.write_bytes(site.files.seal_p12.read_bytes()[:-100])
    with pytest.raises(SigningUnavailable) as refusal:
        load_seal(path, "seal on the server")
    assert refusal.value.code == "BQC-CRT-011"


def test_the_root_is_no_seal(site: Site):
    with pytest.raises(SigningUnavailable) as refusal:
        load_seal(site.files.root_p12, "root in the safe")
    assert refusal.value.code == "BQC-CRT-012"


def test_a_key_without_its_certificate_is_no_seal(tmp_path: Path):
    path = tmp_path / "seal.p12"
    key = ec.generate_private_key(ec.SECP256R1())
    data = pkcs12.serialize_key_and_certificates(
        b"seal", key, None, None, BestAvailableEncryption(b"seal")
    )
    path.write_bytes(data)
    with pytest.raises(SigningUnavailable) as refusal:
        load_seal(path, "seal")
    assert refusal.value.code == "BQC-CRT-012"


@pytest.mark.parametrize("days", [-1, 3654])
def test_an_expired_or_future_seal_seals_nothing(rendered: bytes, site: Site, days: int):
    with pytest.raises(SigningUnavailable) as refusal:
        seal(rendered, site.key, signed_at=site.sealed_at + timedelta(days=days))
    assert refusal.value.code == "BQC-CRT-013"


@pytest.mark.parametrize("pdf", [b"", b"not a PDF", b"%PDF-1.7\n"])
def test_what_is_no_document_is_not_sealed(site: Site, pdf: bytes):
    with pytest.raises(InvalidInput) as refusal:
        seal(pdf, site.key, signed_at=site.sealed_at)
    assert refusal.value.code == "BQC-CRT-002"


def test_a_sealed_document_is_not_sealed_again(sealed: bytes, site: Site):
    with pytest.raises(InvalidInput) as refusal:
        seal(sealed, site.key, signed_at=site.sealed_at)
    assert refusal.value.code == "BQC-CRT-002"


def test_the_seal_is_known_by_the_hash_of_its_certificate(site: Site, impostor: Site):
    assert len(site.key.sha256) == 64
    assert site.key.sha256 != impostor.key.sha256
    assert site.key.valid_at(site.sealed_at)
    assert not replace(site.key).valid_at(datetime(1999, 12, 31, tzinfo=UTC))


def test_a_seal_encodes_what_it_says_a_few_times_and_not_a_thousand(
    rendered: bytes, site: Site, monkeypatch: pytest.MonkeyPatch
):
    encoded, encode = [], Sequence._set_contents

    def counted(one: Sequence, **how: bool) -> None:
        encoded.append(type(one))
        encode(one, **how)

    monkeypatch.setattr(Sequence, "_set_contents", counted)
    seal(rendered, site.key, signed_at=site.sealed_at)
    assert 20 < len(encoded) < 300


def test_importing_the_module_does_not_load_pyhanko():
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, batchqc.documents.pades; print('pyhanko' in sys.modules)",
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout.strip() == "False"
