"""What a verifier says of documents that are renditions of a certificate, and in which language."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchqc.core.certificates import content_sha256
from batchqc.documents.certificate_check import CheckReport, check_all
from batchqc.documents.coa_layout import render
from batchqc.documents.verifier.case import Question
from batchqc.documents.verifier.command import as_json, as_text
from tests.documents.certificate_content import certificate_content
from tests.documents.conftest import Site, sealed_by
from tests.documents.logged import own_log
from tests.documents.test_certificate_check import failures

NUMBER = "COA-2026-000017"
FOR_A_CLINIC = {
    "of": NUMBER,
    "content_sha256": "0" * 64,
    "recipient": "Clinic",
    "made": {"utc": "2026-03-06T08:00:00.000000Z", "shown": "2026-03-06 15:00 +0700"},
    "withheld": [{"category": "identity", "lines": 2}, {"category": "purity", "lines": 1}],
}
GERMAN = {
    "id": "COA-DE", "version": 1, "sha256": "0" * 64, "language": "de", "paper": "A4",
    "address": [], "contact": [], "titles": {}, "footnotes": [],
}  # fmt: skip


def examined(site: Site, fonts: Path, **changes: Any) -> CheckReport:
    content = certificate_content(**changes)
    pdf = sealed_by(site, render(content, fonts=fonts), content)
    return check_all(pdf, Question(site.root_pem, site.sealed_at))


def test_a_rendition_says_that_it_is_one(site: Site, fonts: Path):
    report = examined(site, fonts, rendition=FOR_A_CLINIC)
    assert failures(report) == {}
    said = f"a rendition of certificate {NUMBER} for Clinic; results withheld: 3"
    assert report.rendition == said
    assert f"x.pdf is genuine: {said}; lot UCM-P2-T1." in as_text("x.pdf", report)
    assert as_json("x.pdf", report)["rendition"] == said


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rendition": {**FOR_A_CLINIC, "of": "COA-2026-000001"}}, "of another certificate"),
        ({"rendition": {**FOR_A_CLINIC, "recipient": ""}}, "for nobody"),
    ],
)
def test_data_that_do_not_fit_the_document_are_refused(
    site: Site, fonts: Path, changes: dict[str, Any], why: str
):
    found = failures(examined(site, fonts, **changes))
    assert list(found) == ["data"]
    assert why in found["data"]


def test_a_document_in_another_language_than_its_data_is_refused(
    site: Site, fonts: Path, tmp_path: Path
):
    wrong = tmp_path / "words"
    wrong.mkdir()
    (wrong / "de.toml").write_bytes((fonts.parent / "words" / "fr.toml").read_bytes())
    (tmp_path / "fonts").symlink_to(fonts)
    (tmp_path / "colour").symlink_to(fonts.parent / "colour")
    found = failures(examined(site, tmp_path / "fonts", layout=GERMAN))
    assert list(found) == ["data"]
    assert "in another language" in found["data"]


def test_the_log_proves_the_certificate_and_not_its_rendition(
    site: Site, fonts: Path, tmp_path: Path
):
    log, content = own_log(tmp_path), certificate_content(rendition=FOR_A_CLINIC)
    pdf = sealed_by(site, render(content, fonts=fonts), content)
    told = {"number": NUMBER, "at": site.sealed_at}
    for standing, failing in (("counts", []), ("superseded by COA-2026-000018", ["status"])):
        proof = log.proof(b"the certificate", content_sha256(content), standing=standing, **told)
        question = Question(site.root_pem, site.sealed_at, proofs=(proof,))
        report = check_all(pdf, replace(question, log_keys=log.keys))
        assert list(failures(report)) == failing
        assert next(one.reason for one in report.checks if one.name == "log") == (
            "not examined: the log proves the certificate, and this is a rendition of it"
        )
