"""Verifying a file without an account, over HTTP."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import ReasonFlags

from batchqc.documents import pki
from batchqc.documents.pki_life import certificates_in, next_list, open_root, put_list_in_place
from batchqc.documents.revocation import RootFiles
from tests.api.conftest import SEAL_PASSPHRASE, Site
from tests.records.house import AUD, QA1

NUMBER = "COA-2026-000001"


def asked(site: Site, pdf: bytes) -> dict[str, Any]:
    answer = site.http.post("verification", content=pdf)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.requirement("5.10")
def test_a_list_that_nobody_made_anew_still_tells_which_seals_were_revoked(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pki, "SEAL_YEARS", 1)  # so long the list holds
    folder = shutil.copytree(site.keys.root_pem.parent, tmp_path / "keys")
    own = {"seal": folder / site.keys.seal_p12.name, "trust": folder}
    door = site.app.state.door
    site.app.state.door = replace(door, settings=door.settings.model_copy(update=own))
    site.house.ready()
    site.house.release()
    issued = site.send(QA1, "POST", f"/certificates/{NUMBER}/issue")
    assert issued.status_code == 201, issued.text
    pdf = site.send(AUD, "GET", f"/certificates/{NUMBER}/pdf").content
    assert asked(site, pdf)["genuine"]
    files = RootFiles(folder / "root.pem", folder / "root.crl")
    root = open_root(folder / site.keys.root_p12.name, "root passphrase", files)
    seals = certificates_in(own["seal"], SEAL_PASSPHRASE)
    now, stolen = site.house.now.at, ReasonFlags.key_compromise
    put_list_in_place(files, next_list(root, seals, reason=stolen, now=now))
    for later in (timedelta(hours=1), timedelta(days=900)):
        site.house.now.at = now + later
        found = asked(site, pdf)
        assert not found["genuine"]
        (failed,) = [one for one in found["checks"] if one["outcome"] == "failed"]
        assert failed["name"] == "revocation"
        assert failed["reason"].endswith("(key compromise)")
        # Nobody without its records can tell; the site can, of this very file and of no other.
        told = (found["on_record"], found["certificate"], found["here"]["counts"])
        assert (told, found["conclusion"]) == ((True, NUMBER, "counts"), "")
        other = asked(site, pdf + b"\n")
        assert (other["on_record"], other["certificate"]) == (False, "")
    site.tokens.clear()
    of_record = site.get(QA1, f"/certificates/{NUMBER}/verification")
    assert (of_record["genuine"], of_record["on_record"]) == (False, True)
    assert found["notes"] == ["The site has no revocation list that holds today."]
