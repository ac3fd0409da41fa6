"""Who and what a simulated site is: people, product, forty results of a lot. All made up."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from batchqc.actions.setup import NewSite
from batchqc.core.permissions import Role

PASSWORD: Final = "simulated-only-2026"  # noqa: S105 - printed, for show
FIRST_PASSWORD: Final = "set-by-the-admin-1"  # noqa: S105 - as above
SIMULATED: Final = "SIMULATED: made up for measurements. No lot, person or result is real."
SITE: Final = NewSite(
    name="Simulated site",
    address="1 Simulated Street",
    time_zone="UTC",
    series="SIMCOA",
    specimen=SIMULATED,
    statements=(SIMULATED,),
)
#: What is made in the years, and what is begun at their end.
MADE, BEGUN = "SIM-MSC", "SIM-NEW"
PRODUCT: Final = {
    "name": "Simulated MSC, cryopreserved",
    "form": "Cell suspension",
    "storage": "Vapour phase of liquid nitrogen, below -150 °C",
}
TISSUE: Final = "umbilical cord"
ADMIN, ANALYST, REVIEWER, AUTHOR = "sim.admin", "sim.analyst", "sim.reviewer", "sim.author"
READER, RELEASER, OFFICER, AUDITOR = "sim.reader", "sim.releaser", "sim.officer", "sim.auditor"
PEOPLE: Final = {
    ANALYST: ("Simulated Analyst", Role.ANALYST),
    REVIEWER: ("Simulated Reviewer", Role.REVIEWER),
    AUTHOR: ("Simulated Author", Role.SPEC_AUTHOR),
    READER: ("Simulated Reader", Role.QA),
    RELEASER: ("Simulated Releaser", Role.QA),
    OFFICER: ("Simulated Officer", Role.DONOR_OFFICER),
    AUDITOR: ("Simulated Auditor", Role.AUDITOR),
}
EFFECTIVE: Final = "1999-12-31"  # occurs nowhere else, so that it is never taken for a day of a lot
_POSITIVE: Final = ("CD73", "CD90", "CD105", "CD29", "CD44", "CD166", "CD13", "CD49e")
_NEGATIVE: Final = (
    "CD45", "CD34", "CD14", "CD19", "HLADR", "CD31", "CD3", "CD11b", "CD20", "CD79a", "CD56",
    "CD133", "CD117", "CD184", "CD271",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attribute:
    """One result of a lot: test, analyte, unit, what is accepted, mean and deviation, bounds.

    A word has its mean and deviation 0 and is the same in every lot.
    """

    test: str
    analyte: str
    unit: str
    accept: str
    mean: str
    deviation: str = "0"
    word: str = ""


ATTRIBUTES: Final = (
    Attribute("VIAB", "VIAB", "%", ">= 70", "92", "3"),
    Attribute("VCC", "VCC", "10*6/mL", "4 to 12", "8", "0.9"),
    *(Attribute("FLOW", one, "%", ">= 90", "98.1", "0.5") for one in _POSITIVE),
    *(Attribute("FLOW", one, "%", "<= 5", "0.9", "0.3") for one in _NEGATIVE),
    Attribute("ENDO", "ENDO", "EU/mL", "<= 0.5", "0.2", "0.04"),
    Attribute("STER", "STER", "", "no growth", "0", word="No growth"),
    Attribute("MYCO", "MYCO", "", "not detected", "0", word="Not detected"),
    Attribute("POT", "IDO", "%{ref}", "50 to 150", "100", "9"),
    Attribute("POT", "PBMC", "%", ">= 20", "55", "6"),
    Attribute("GROW", "PDL", "{PDL}", "<= 20", "13", "1.2"),
    Attribute("GROW", "PDT", "h", "<= 60", "34", "4"),
    Attribute("PHYS", "PH", "[pH]", "6.8 to 7.8", "7.3", "0.08"),
    Attribute("PHYS", "OSMO", "{mosm}/kg", "260 to 340", "300", "7"),
    Attribute("PHYS", "VOL", "mL", "8 to 12", "10", "0.3"),
    Attribute("RES", "BSA", "ng/mL", "<= 50", "11", "3"),
    Attribute("RES", "TRYP", "ng/mL", "<= 10", "2.5", "0.6"),
    Attribute("RES", "DMSO", "%", "<= 10", "7.5", "0.4"),
    Attribute("PART", "P10", "1", "<= 6000", "2100", "300"),
    Attribute("PART", "P25", "1", "<= 600", "150", "35"),
)
FAILS: Final = "VIAB"
"""The analyte that is out of specification in lots that are rejected."""
COLUMNS: Final = (
    "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,measured_at,analyst,"
    "instrument_id,run_id,method_id,result_type,comment"
)


def specification(product: str) -> bytes:
    """The file of the specification of a product."""
    head = [
        'schema = "batchqc/specification/1"', f'id = "{product}-REL"', "version = 1",
        f'product = "{product}"', 'stage = "release"', 'title = "Simulated: release"',
        f"effective = {EFFECTIVE}", 'rounding = "absolute"',
        "[vocabularies.growth]", "version = 1", '"no growth" = []', '"growth" = []',
        "[vocabularies.detection]", "version = 1", '"not detected" = []', '"detected" = []',
    ]  # fmt: skip
    words = {"STER": "growth", "MYCO": "detection"}
    for one in ATTRIBUTES:
        kind = f'vocabulary = "{words[one.test]}"' if one.word else f'unit = "{one.unit}"'
        kind += '\nplausible = "0 to 100"' if one.unit == "%" else ""
        head += [
            f"[criteria.{one.analyte.lower()}]", f'title = "{one.analyte} (simulated)"',
            'category = "quantity"', f'test = "{one.test}"', f'analyte = "{one.analyte}"',
            f'method = "SOP-{one.test}"', kind, f'accept = "{one.accept}"',
        ]  # fmt: skip
    return "\n".join(head).encode()


@dataclass(frozen=True, slots=True)
class SimulatedLot:
    """A lot before its life: the token that all its ids hold, when it begins, its values."""

    token: str
    begins: datetime
    values: dict[str, str]
    product: str = MADE

    @property
    def lot(self) -> str:
        """Its id."""
        return f"SIM-{self.token}"

    @property
    def donor(self) -> str:
        """The code of its donor; it has one of its own."""
        return f"DNR-{self.token}"


def token_of(number: int, begins: datetime) -> str:
    """What the ids of the ``number``-th lot hold: the year in two digits, and the number."""
    return f"{begins:%y}-{number:06d}"


def drawn(chance: Random, *, fails: bool) -> dict[str, str]:
    """Values as a laboratory finds them, within three deviations; or one out of specification."""
    found = {
        one.analyte: one.word or _within(chance, float(one.mean), float(one.deviation))
        for one in ATTRIBUTES
    }
    return found | {FAILS: f"{chance.uniform(52, 64):.2f}"} if fails else found


def calm(number: int, *, fails: bool) -> dict[str, str]:
    """Values of the ``number``-th lot that is lived: no trend signals them."""
    side = 0.5 if number % 2 else -0.5
    found = {
        one.analyte: one.word or f"{float(one.mean) + side * float(one.deviation):.2f}"
        for one in ATTRIBUTES
    }
    return found | {FAILS: "61.50"} if fails else found


def peculiar(*, fails: bool) -> dict[str, str]:
    """Values of which none occurs in another: what a pattern is made from."""
    found = {}
    for place, one in enumerate(ATTRIBUTES, 1011):
        mean = "57" if fails and one.analyte == FAILS else one.mean
        found[one.analyte] = one.word or f"{mean}{'' if '.' in mean else '.'}{place}77"
    return found


def _within(chance: Random, mean: float, deviation: float) -> str:
    drawn = chance.gauss(mean, deviation)
    return f"{min(max(drawn, mean - 3 * deviation), mean + 3 * deviation):.2f}"


def csv_of(one: SimulatedLot, measured_at: datetime) -> bytes:
    """The file that the laboratory uploads."""
    lines = [COLUMNS]
    lines += [
        f"{one.lot},{one.lot}-S01,A1,{each.test},{each.analyte},1,{one.values[each.analyte]},"
        f"{each.unit},{measured_at.isoformat()},{ANALYST},I-1,R-{one.token},SOP-{each.test},"
        "reportable,"
        for each in ATTRIBUTES
    ]
    return ("\n".join(lines) + "\n").encode()
