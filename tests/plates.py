"""Plates with a known relative potency: methods that analyse them, and the rows of their wells."""

from collections.abc import Sequence

import numpy as np

from batchqc.core.methods import Method
from batchqc.documents.method_file import read_method

DOSES = (1, 3, 10, 30, 100, 300)
METHOD_FILE = """schema = "batchqc/method/1"
id = "{code}"
version = {version}
title = "A plate assay"
effective = 2025-01-01

[analysis]
model = "4PL"
readout = "signal"
readout_unit = "%"
analyte = "{analyte}"
unit = "%"
decimals = 1
reference = "RS-01"
assigned = "100"
doses = ["1", "3", "10", "30", "100", "300"]
replicates = 3
parallelism = "equivalence"
{more}

[analysis.bounds]
"ratio of slope" = "0.6 to 1.67"
"ratio of span" = "0.8 to 1.25"

[analysis.suitability]
"r squared" = ">= 0.98"
"fold response" = ">= 2"
"interval fold" = "<= 1.3"
"reference ed50" = "15 to 27"
"""


STANDARD_CURVE = b"""schema = "batchqc/method/1"
id = "SOP-QC-030"
version = 2
title = "Kynurenine from a standard curve"
effective = 2025-01-01

[analysis]
model = "standard curve"
readout = "absorbance"
readout_unit = "1"
analyte = "kynurenine"
unit = "\xc2\xb5mol/L"
decimals = 1
reference = "KYN-STD"
doses = ["0", "1", "3", "10", "30", "100", "300"]
quantitation = ["1", "300"]
replicates = 2

[analysis.suitability]
"r squared" = ">= 0.98"
"recoveries within 20 %" = ">= 75"
"interval fold" = "<= 1.5"
"""


def method_file(
    code: str = "SOP-QC-031", version: str = "2", *, analyte: str = "inhibition", more: str = ""
) -> bytes:
    """A method whose analysis is a 4PL against the reference RS-01."""
    return METHOD_FILE.format(code=code, version=version, analyte=analyte, more=more).encode()


def method_of_plates(code: str = "SOP-QC-031", version: str = "2", *, more: str = "") -> Method:
    """Such a method, as read."""
    found = read_method(method_file(code, version, more=more), file="plates.toml")
    assert found.method is not None, found.problems
    return found.method


def plate(
    potency: float,
    *,
    seed: int = 1,
    doses: Sequence[int] = DOSES,
    replicates: int = 3,
    slope: float = 1.3,
    noise: float = 1.0,
) -> list[dict[str, str]]:
    """Cells of the wells of reference and sample: a falling 4PL with ED50 20 and known potency.

    Args:
        potency: of the sample, as a share of that of the reference.
        seed: of the scatter.
        doses: of both.
        replicates: wells of each dose.
        slope: of the sample; that of the reference is 1.3.
        noise: standard deviation of a well; the span is 80.
    """
    scatter, rows = np.random.default_rng(seed), []
    kinds = (("standard", "preparation=RS-01;", 1.0, 1.3), ("raw", "", potency, slope))
    for kind, named, share, steep in kinds:
        for dose in doses:
            for replicate in range(1, replicates + 1):
                n = len(rows)
                y = 10 + 80 / (1 + (dose * share / 20) ** steep) + scatter.normal(0, noise)
                place = f"plate=P1;well={'ABCDEFGH'[n // 12]}{n % 12 + 1};dose={dose}"
                rows.append(
                    {
                        "analyte": "signal",
                        "result_type": kind,
                        "aliquot": named + place,
                        "replicate": str(replicate),
                        "value": f"{y:.2f}",
                        "unit": "%",
                    }
                )
    return rows


def curve_plate(*, sample: float) -> list[dict[str, str]]:
    """Cells of a rising standard curve of kynurenine, and of a sample that was diluted twofold.

    Args:
        sample: absorbance of its wells; that of a blank is 0.1, and of the highest standard 1.9.
    """
    scatter, rows = np.random.default_rng(3), []
    standards = [
        (dose, 0.1 + 2.0 / (1 + (dose / 30) ** -1.1) if dose else 0.1)
        for dose in (0, 1, 3, 10, 30, 100, 300)
    ]
    wells = [("standard", f"preparation=KYN-STD;dose={dose};", y) for dose, y in standards]
    for kind, named, y in (*wells, ("raw", "dilution=2;", sample)):
        for replicate in (1, 2):
            n = len(rows)
            place = f"plate=P1;well={'ABCDEFGH'[n // 12]}{n % 12 + 1}"
            rows.append(
                {
                    "analyte": "absorbance",
                    "result_type": kind,
                    "aliquot": named + place,
                    "replicate": str(replicate),
                    "value": f"{y + scatter.normal(0, 0.002):.4f}",
                    "unit": "1",
                }
            )
    return rows


def swapped(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The same plate with the responses of reference and sample exchanged."""
    half = len(rows) // 2
    values = [one["value"] for one in (*rows[half:], *rows[:half])]
    return [one | {"value": value} for one, value in zip(rows, values, strict=True)]
