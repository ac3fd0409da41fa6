"""One realistic certificate content, and ways to change it.

Measured values of lot P2-T1 (viability, surface markers, endotoxin) are those that J Transl Med
2020 (s12967-020-02568-6) published in its table 2; potency, dates and people are invented.
"""

from copy import deepcopy
from typing import cast

from batchqc.core.certificates import (
    CertificateContent,
    CorrectionPart,
    Moment,
    Provenance,
    ResultLine,
    SignaturePart,
    seals_of,
)

FLOW = (
    "U-2026-000123",
    "flow_cytometry.csv",
    "9f2c41d07b3e5a6688f1c02d4be97a1350c6e8d2f47b19a3c5e0d78146fb2a90",
)
SAFETY = (
    "U-2026-000124",
    "safety.csv",
    "41b7d9e3c0a85f6217e4b3d89c05fa62e1738db4065cfa9e82d7136b0fc5a4e8",
)
POTENCY = (
    "U-2026-000125",
    "pbmc_inhibition.csv",
    "c7e05b1a94f2d8630e6ab9c15d74f3208be61c9d5a0f72e4839db5c06a1e7f42",
)
DONOR = (
    "U-2026-000121",
    "donor.csv",
    "0a94c3f7e61b5d28f0937ce4a2b86d15f3c07ea9d4521b68ec07f93a5d8b2c64",
)

STATEMENTS = [
    "Specimen: this certificate was made for demonstration and releases nothing.",
    "Potency results and all dates are simulated; the other results are published values.",
]


def moment(day: str, clock: str) -> Moment:
    """A moment in Ho Chi Minh City, seven hours ahead of UTC."""
    hours, minutes, seconds = clock.split(":")
    return {
        "utc": f"{day}T{int(hours) - 7:02}:{minutes}:{seconds}.000000Z",
        "shown": f"{day} {clock} +07:00",
    }


def line(criterion: str, **changes: object) -> ResultLine:
    """One passing line; ``changes`` replace its fields."""
    upload, file, sha256 = cast("tuple[str, str, str]", changes.pop("upload", FLOW))
    result = cast("str", changes.get("result", "98.5"))
    source: Provenance = {
        "upload": upload,
        "file": file,
        "sha256": sha256,
        "row": cast("int", changes.pop("row", 2)),
        "column": "value",
        "text": result,
    }
    base: ResultLine = {
        "criterion": criterion,
        "title": "Identity, CD73+",
        "category": "identity",
        "test": "FLOW",
        "method": "SOP-QC-021 v4",
        "analyte": criterion,
        "stage": "release",
        "unit": "%",
        "acceptance": "≥ 95 %",
        "accept": {"kind": "limits", "limits": [{"operator": ">=", "limit": "95"}]},
        "rounding": "absolute",
        "result": result,
        "rounded": None,
        "verdict": "PASS",
        "sentence": f"{result} is within the criterion.",
        "n": 1,
        "aggregate": "single value",
        "measured_on": "2026-03-10",
        "external": "",
        "notes": [],
        "provenance": [source],
    }
    return cast("ResultLine", {**base, **changes})


def _lines() -> list[ResultLine]:
    safety = {"category": "safety", "upload": SAFETY}
    potency = {"category": "potency", "upload": POTENCY, "method": "SOP-QC-033 v2"}
    donor = {
        "category": "donor",
        "upload": DONOR,
        "method": "SOP-DO-003 v5",
        "test": "DONOR",
        "unit": "",
        "stage": "donor",
    }
    return [
        line(
            "donor-source",
            title="Donor source",
            acceptance="umbilical cord or Wharton's jelly",
            result="umbilical cord",
            sentence="“umbilical cord” is one of the accepted words.",
            measured_on="2026-01-12",
            **donor,
        ),
        line(
            "viability",
            title="Viability, post-thaw",
            category="quantity",
            test="VIAB",
            method="SOP-QC-014 v3",
            stage="post-thaw",
            acceptance="> 90 %",
            result="96",
            sentence="96 % is above 90 %.",
            row=7,
        ),
        line(
            "cd73",
            title="Identity, CD73+",
            result="98.5",
            sentence="98.5 % is at least 95 %.",
            row=2,
        ),
        line(
            "cd90", title="Identity, CD90+", result="100", sentence="100 % is at least 95 %.", row=3
        ),
        line(
            "cd105",
            title="Identity, CD105+",
            result="100",
            sentence="100 % is at least 95 %.",
            row=4,
        ),
        line(
            "negative-markers",
            title="Negative markers (CD11b, CD19, CD34, CD45, HLA-DR)",
            category="purity",
            acceptance="≤ 2 %",
            result="0.3",
            sentence="0.3 % is at most 2 %.",
            row=5,
        ),
        line(
            "endotoxin",
            title="Bacterial endotoxins",
            test="LAL",
            method="SOP-QC-040 v6",
            acceptance="≤ 1 EU/mL",
            unit="EU/mL",
            result="<0.1",
            sentence="Every value below 0.1 EU/mL is at most 1 EU/mL.",
            **safety,
        ),
        line(
            "sterility",
            title="Sterility, 14 days",
            test="STER",
            analyte="growth_14d",
            method="SOP-MB-002 v7",
            acceptance="no growth",
            unit="",
            result="no growth",
            sentence="“no growth” is the accepted word.",
            external="Pasteur Institute, Ho Chi Minh City",
            measured_on="2026-03-17",
            **safety,
        ),
        line(
            "mycoplasma",
            title="Mycoplasma",
            test="MYCO",
            method="SOP-MB-009 v2",
            acceptance="not detected",
            unit="",
            result="not detected",
            sentence="“not detected” is the accepted word.",
            **safety,
        ),
        line(
            "pbmc-inhibition",
            title="Inhibition of PBMC proliferation",
            test="PBMC",
            acceptance="≥ 20 %",
            rounding="usp",
            result="19.5",
            rounded="20",
            sentence="19.5 % rounds to 20 %, which is at least 20 %.",
            notes=[1],
            n=3,
            aggregate="mean",
            **potency,
        ),
        line(
            "ido",
            title="IDO activity, kynurenine after IFN-γ",
            test="IDO",
            acceptance="report only",
            unit="µg/mL",
            result="3.42",
            verdict=None,
            sentence="For information: no criterion.",
            **potency,
        ),
    ]


def signature(number: int, **changes: str) -> SignaturePart:
    """One manifestation of an electronic signature."""
    base: SignaturePart = {
        "id": f"S-2026-{number:06}",
        "name": "Nguyễn Thị Minh Anh",
        "user_id": "anh.nguyen",
        "role": "quality assurance",
        "meaning": "Released: I certify that the lot meets its specification",
        "reason": "All results and records reviewed; no open investigation.",
        "signed": moment("2026-03-20", "14:05:11"),
        "record": "decision on lot UCM-P2-T1",
        "record_sha256": "5d1c8f0be92a47d3606fb1e8a9c4725d03f7e61ab85cd290e4f73b16a8c05d9e",
    }
    return cast("SignaturePart", {**base, **changes})


REVIEW = signature(
    41,
    name="Trần Quốc Bảo",
    user_id="bao.tran",
    role="QC reviewer",
    meaning="Reviewed: results are complete and correct",
    reason="Raw data of all four uploads compared.",
    record="results of lot UCM-P2-T1",
)

CORRECTION: CorrectionPart = {
    "subject": "lot UCM-P2-T1",
    "field": "expires_on",
    "before": "2031-03-05",
    "after": "2028-03-04",
    "reason": "Shelf life is two years, not five: typing error at registration.",
    "requested_by": "Lê Hoàng Nam (nam.le)",
    "approved_by": "Phạm Thu Hà (ha.pham)",
    "approved": moment("2026-03-12", "09:30:00"),
}

_CONTENT: CertificateContent = {
    "type": "batchqc/certificate/2",
    "number": "COA-2026-000017",
    "specimen": "For show only; the lot was never made.",
    "statements": STATEMENTS,
    "issuer": {
        "name": "Mekong Cell Therapy Centre",
        "address": ["12 Nguyễn Văn Trỗi", "Phú Nhuận, Ho Chi Minh City", "Viet Nam"],
        "time_zone": "Asia/Ho_Chi_Minh",
    },
    "issued": moment("2026-03-20", "14:06:02"),
    "supersedes": None,
    "product": {
        "code": "UC-MSC",
        "name": "Umbilical cord MSC",
        "form": "Cryopreserved cell suspension, 10 mL bag, 5 × 10⁶ cells/mL",
        "storage": "at or below -150 °C, vapour phase of liquid nitrogen",
    },
    "lot": {
        "id": "UCM-P2-T1",
        "manufactured_on": "2026-03-05",
        "expires_on": "2028-03-04",
        "samples": [
            {
                "id": "UCM-P2-T1-R1",
                "stage": "release",
                "container": "cryovial 3 of 40",
                "taken": moment("2026-03-05", "16:20:00"),
            },
            {
                "id": "UCM-P2-T1-P1",
                "stage": "post-thaw",
                "container": "bag 2 of 12",
                "taken": moment("2026-03-09", "10:05:00"),
            },
        ],
    },
    "donors": [
        {
            "code": "D-0031",
            "tissue_source": "umbilical cord",
            "eligibility": "eligible, determined 2026-01-12",
        },
    ],
    "specification": {
        "id": "UC-MSC-REL",
        "version": 3,
        "title": "Umbilical cord MSC, cryopreserved drug product: release",
        "effective": "2026-01-15",
        "sha256": "b84e02f97c1d35a6e0f8d94b27c6135ae9d70b48f2c51e6739ad80f46c2be157",
    },
    "decision_rule": (
        "Simple acceptance: a result is compared with its criterion as reported, or rounded once "
        "where the criterion names a rule. Measurement uncertainty is not considered."
    ),
    "lines": _lines(),
    "notes": [
        "The criterion names the rounding rule of the USP General Notices: 19.5 is compared as 20."
    ],
    "conclusion": "Lot UCM-P2-T1 complies with specification UC-MSC-REL, version 3.",
    "complies": True,
    "signatures": [
        REVIEW,
        signature(42),
    ],
    "seals": seals_of(REVIEW, signature(42)),
    "corrections": [],
    "audit": {
        "sequence": 318,
        "head": "e2b6f1c08d947a53b0c6e81fd5924a7703ebc65d19f8a240b7e35c9d16f08ab4",
    },
    "software": {
        "batchqc": "0.1.0",
        "contract": "long/1",
        "vocabularies": ["growth/1", "detection/1"],
    },
}


def earlier_content(**changes: object) -> CertificateContent:
    """Content as it was frozen before it had data for machines and two seals."""
    content = certificate_content(type="batchqc/certificate/1", **changes)
    del content["seals"]
    for one in content["lines"]:
        del one["accept"]
    return content


def certificate_content(**changes: object) -> CertificateContent:
    """A fresh copy of the content; ``changes`` replace its top-level parts."""
    return cast("CertificateContent", {**deepcopy(_CONTENT), **changes})


KARYOTYPE = (
    "46,XX,t(9;22)(q34;q11.2),inv(16)(p13.1q22),del(5)(q13q33),der(7)t(1;7)(q10;p10)[18]/46,XX[2]"
)


def long_lines(count: int) -> list[ResultLine]:
    """Many lines, among them long units, a long karyotype and every verdict."""
    lines = []
    for number in range(1, count + 1):
        changes: dict[str, object] = {
            "result": f"{number}.50",
            "title": f"Attribute {number} of the extended panel",
            "category": f"panel {(number - 1) // 20 + 1}",
            "row": number,
        }
        if number % 10 == 3:
            changes |= {
                "unit": "pg/10⁶cells/24h/mL-normalised-to-protein",
                "verdict": "CANNOT_JUDGE",
            }
        if number % 10 == 5:
            changes |= {
                "result": KARYOTYPE,
                "unit": "",
                "acceptance": "46,XX or 46,XY, no clonal aberration in at least 20 metaphases",
            }
        if number % 10 == 7:
            changes |= {"verdict": "FAIL"}
        if number % 10 == 9:
            changes |= {"verdict": None}
        lines.append(line(f"attribute-{number}", **changes))
    return lines
