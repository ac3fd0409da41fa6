"""Who and what the demonstration is about. Everything here is simulated; the values are not."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from batchqc.actions.lots import NewLot, NewSample
from batchqc.actions.setup import NewSite
from batchqc.core.accounts import RoleTraining, Terms
from batchqc.core.permissions import Role
from batchqc.core.specifications import Stage

SIMULATED: Final = (
    "dates",
    "samples",
    "donors",
    "people",
    "instruments",
    "assay runs",
    "PBMC proliferation inhibition",
    "IDO activity",
    "lots whose id begins with SIM",
)
SPECIMEN: Final = (
    "The published lots were released under another specification; nothing is said about them."
)
STATEMENTS: Final = (
    "Demonstration on results published in J Transl Med 2020, s12967-020-02568-6, Table 2.",
    f"Simulated: {', '.join(SIMULATED)}.",
)
SITE: Final = NewSite(
    name="batchqc demonstration site",
    address="1 Simulated Street\nHanoi\nViet Nam",
    time_zone="Asia/Ho_Chi_Minh",
    series="COA",
    specimen=SPECIMEN,
    statements=STATEMENTS,
)
PRODUCT: Final = {
    "code": "UC-MSC",
    "name": "Umbilical cord MSC, cryopreserved",
    "form": "Cell suspension, 1 x 10^6 cells per kg body weight",
    "storage": "Vapour phase of liquid nitrogen, below -150 °C",
}
SPECIFICATION: Final = "uc-msc/uc-msc-release-v1.toml"
PASSWORD: Final = "specimen-only-2026"  # noqa: S105 - printed in the summary, for show
FIRST_PASSWORD: Final = "set-by-the-admin-1"  # noqa: S105 - as above
LABORATORY: Final = ("lab.saigon", "Saigon Contract Laboratory (simulated)")
ADMIN: Final = "ha.admin"
ANALYST: Final = "an.tran"
SECOND_ANALYST: Final = "bao.le"
REVIEWER: Final = "chi.pham"
AUTHOR: Final = "dung.vo"
APPROVER: Final = "em.ngo"
RELEASER: Final = "giang.do"
DONOR_OFFICER: Final = "khanh.ly"
PEOPLE: Final = {
    ANALYST: ("An Tran", (Role.ANALYST,)),
    SECOND_ANALYST: ("Bao Le", (Role.ANALYST,)),
    REVIEWER: ("Chi Pham", (Role.REVIEWER,)),
    AUTHOR: ("Dung Vo", (Role.SPEC_AUTHOR,)),
    APPROVER: ("Em Ngo", (Role.QA,)),
    RELEASER: ("Giang Do", (Role.QA,)),
    DONOR_OFFICER: ("Khanh Ly", (Role.DONOR_OFFICER,)),
    "minh.bui": ("Minh Bui", (Role.AUDITOR,)),
}
TRAINED: Final = Terms(
    training=RoleTraining("TR-2026-01 (simulated)", date(2026, 1, 12), date(2028, 1, 11))
)
AUDIT: Final = Terms(last_day=date(2027, 2, 15))
FILES: Final = (
    "viability.csv",
    "identity_flow.csv",
    "endotoxin.csv",
    "mycoplasma.csv",
    "sterility.csv",
    "potency_pbmc.csv",
    "potency_ido.csv",
)
RETEST: Final = "retest_without_plan.csv"
BEGINS: Final = datetime(2026, 2, 16, 1, 30, tzinfo=UTC)
DAY: Final = timedelta(days=1)
_FIRST_LOT: Final = date(2026, 1, 5)


@dataclass(slots=True)
class StoryClock:
    """The demonstration's time: it runs a second for every look at it."""

    at: datetime = BEGINS

    def __call__(self) -> datetime:
        """The present of the story."""
        self.at += timedelta(seconds=1)
        return self.at

    def next_day(self) -> None:
        """Sleep until the next working day."""
        self.at += DAY


def donors() -> dict[str, str]:
    """Donor codes with their tissue source: one donor for each published patient."""
    return {f"DNR-UC-{number:02d}": "umbilical cord" for number in range(1, 5)}


def lots() -> list[NewLot]:
    """The eight lots, UCM-P1-T1 to UCM-P4-T2, made every second day, each with one sample."""
    found = []
    for place in range(8):
        patient, transplantation = place // 2 + 1, place % 2 + 1
        lot = f"UCM-P{patient}-T{transplantation}"
        made = _FIRST_LOT + 2 * place * DAY
        sample = NewSample(
            id=f"{lot}-S01",
            stage=Stage.RELEASE,
            container="cryovial, 2 mL",
            taken_at=f"{made.isoformat()}T10:30:00+07:00",
        )
        expires = made.replace(year=made.year + 2)
        found.append(NewLot(lot, "UC-MSC", made, expires, (f"DNR-UC-{patient:02d}",), (sample,)))
    return found
