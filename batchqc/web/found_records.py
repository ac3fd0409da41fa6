"""Records besides lots that the palette finds: a public number as a whole, donors, cell banks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy.orm import Session

from batchqc.records.bank_lines import BanksWanted, bank_rows
from batchqc.records.corrections import correction_by
from batchqc.records.decisions import certificate_by
from batchqc.records.deviations import newest_deviation
from batchqc.records.donor_lines import DonorsSought, DonorsWanted, donor_rows
from batchqc.records.investigations import investigation_by
from batchqc.records.look_backs import look_back_by
from batchqc.records.quality_reviews import quality_review_by
from batchqc.records.uploads import upload_by
from batchqc.web.navigation import gettext_later as _

_FEW: Final = 3
#: By its number: what it is, where its page is, and how it is found.
_NUMBERED: Final[tuple[tuple[str, str, Callable[[Session, str], Any]], ...]] = (
    (_("Certificate"), "/certificates/", certificate_by),
    (_("Investigation"), "/investigations/", investigation_by),
    (_("Upload"), "/uploads/", upload_by),
    (_("Correction"), "/corrections/", correction_by),
    (_("Look-back"), "/look-backs/", look_back_by),
    (_("Quality review"), "/quality-reviews/", quality_review_by),
)


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record: its id, what it is, and its page."""

    id: str
    kind: str
    path: str


def records_like(session: Session, text: str) -> list[FoundRecord]:
    """What has this as its number, and the first donors and cell banks whose id has it in it."""
    return [*_numbered(session, text), *_named(session, text)] if text else []


def _numbered(session: Session, text: str) -> Iterator[FoundRecord]:
    number = text.upper()
    for kind, path, find in _NUMBERED:
        if find(session, number) is not None:
            yield FoundRecord(number, kind, path + number)
    deviation = newest_deviation(session, text)
    if deviation is not None:
        own = deviation.deviation
        yield FoundRecord(own, _("Deviation"), f"/deviations/{quote(own, safe='')}")


def _named(session: Session, text: str) -> Iterator[FoundRecord]:
    sought = DonorsSought(DonorsWanted(text=text), limit=_FEW)
    for donor in donor_rows(session, sought)[:_FEW]:
        yield FoundRecord(donor.code, _("Donor"), f"/donors/{quote(donor.code, safe='')}")
    for bank in bank_rows(session, BanksWanted(text=text), after=None, limit=_FEW):
        yield FoundRecord(bank.bank, _("Cell bank"), f"/banks/{quote(bank.bank, safe='')}")
