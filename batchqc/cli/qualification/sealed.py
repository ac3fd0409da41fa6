"""Operation: certificates, sealed by the one code and checked by the other."""

import io
import json
from dataclasses import dataclass

from batchqc.cli.demo_decisions import certificate
from batchqc.cli.demo_story import Story
from batchqc.cli.qualification.lots import COMPLIES, NEXT
from batchqc.cli.qualification.protocol import Doing, Finding, counted, held
from batchqc.documents.certificate_check import CheckReport, check
from batchqc.documents.certificate_pages import without_spaces
from batchqc.documents.pki import PkiNames, create_pki

_NUMBER, _PLACES = "COA-2026-000001", 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """The certificate of the released lot of the scratch installation."""

    story: Story

    def doings(self) -> dict[str, Doing]:
        """The checks of this section, by id."""
        return {
            "OQ-CE-01": self._verifies,
            "OQ-CE-02": self._tampered,
            "OQ-CE-03": self._another,
            "OQ-CE-04": self._pages,
        }

    def _verifies(self) -> Finding:
        path = certificate(self.story, COMPLIES, _NUMBER)
        report = self._checked(path.read_bytes())
        told = "; ".join(f"{one.name} {'ok' if one.ok else one.reason}" for one in report.checks)
        return held(report.passed, f"{path.name}: {told}.", told)

    def _tampered(self) -> Finding:
        pdf, lines = self._file(), []
        for number in range(1, _PLACES):
            place = len(pdf) * number // _PLACES
            changed = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
            lines.append((f"byte {place}", "refused", _word(self._checked(changed))))
        return counted(lines)

    def _another(self) -> Finding:
        pdf = self._file()
        files = create_pki(
            self.story.folder / "other",
            names=PkiNames("Another site", "Another root", "Another seal"),
            root_passphrase="for this check only",  # noqa: S106 - of a key that nobody keeps
            seal_passphrase="and for this one",  # noqa: S106 - as above
            crl_url="https://crl.example/other.crl",
            now=self.story.clock.at,
        )
        other = files.root_pem.read_bytes()
        return counted(
            [
                ("as it is", "verifies", _word(self._checked(pdf))),
                (f"as that of {NEXT}", "refused", _word(self._checked(pdf, lot=NEXT))),
                (
                    "as COA-2026-000099",
                    "refused",
                    _word(self._checked(pdf, number="COA-2026-000099")),
                ),
                ("with another root", "refused", _word(self._checked(pdf, root=other))),
            ]
        )

    def _pages(self) -> Finding:
        from pypdf import PdfReader  # noqa: PLC0415 - only who reads pages waits for it

        reader = PdfReader(io.BytesIO(self._file()))
        text = without_spaces("".join(page.extract_text() for page in reader.pages))
        content = json.loads(reader.attachments["certificate.json"][0])
        lines = []
        for one in content["signatures"]:
            for what in (one["name"], one["meaning"], one["signed"]["shown"]):
                there = without_spaces(what) in text
                lines.append((f"{one['id']}: {what}", "printed", "printed" if there else "missing"))
        return counted(lines)

    def _file(self) -> bytes:
        return (self.story.folder / "certificates" / f"{_NUMBER}_{COMPLIES}.pdf").read_bytes()

    def _checked(
        self, pdf: bytes, *, lot: str = COMPLIES, number: str = _NUMBER, root: bytes = b""
    ) -> CheckReport:
        own = root or (self.story.folder / "trust" / "root.pem").read_bytes()
        return check(pdf, root_pem=own, lot=lot, number=number, at=self.story.clock.at)


def _word(report: CheckReport) -> str:
    return "verifies" if report.passed else "refused"
