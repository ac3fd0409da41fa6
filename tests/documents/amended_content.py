"""Parts of certificates that came later: changes, series, where to ask; and the mark of a copy."""

from batchqc.documents.coa_marks import COPY, SUPERSEDED, Marked

PAGE = "https://certificates.mekong-cells.example/status/COA-2026-000017"
ASKED = {"status": {"page": PAGE}}
CHANGES = [
    {"what": "Viability, post-thaw: result", "before": "89", "after": "96"},
    {"what": "Signature S-2026-000043", "before": "", "after": "Released by Phạm Thu Hà"},
]
AMENDED = {
    "supersedes": {
        "number": "COA-2026-000012",
        "reason": "The wrong file was uploaded.",
        "changes": CHANGES,
    },
}


def points(*values: str) -> list[dict[str, str]]:
    """A lot a day, this one last; a value may begin with its qualifier."""
    return [
        {
            "lot": "UCM-P2-T1" if number == len(values) else f"UCM-P1-T{number}",
            "manufactured_on": f"2026-02-{number:02}",
            "qualifier": "<" if value.startswith("<") else "",
            "value": value.removeprefix("<"),
        }
        for number, value in enumerate(values, 1)
    ]


SERIES = {
    "criterion": "viability",
    "title": "Viability, post-thaw",
    "unit": "%",
    "points": points("95.1", "96.2", "94.8", "95.9", "96.4", "95.0", "95.7", "97.0", "96"),
    "limits": {
        "limit_set": 2,
        "sha256": "4c" * 32,
        "n": 8,
        "method": "prediction",
        "lower": "93.2145",
        "centre": "95.6375",
        "upper": "",
    },
    "said": "",
}
BARE = {
    "criterion": "pbmc-inhibition",
    "title": "Inhibition of PBMC proliferation",
    "unit": "%",
    "points": points("<20", "31.5", "19.5"),
    "limits": None,
    "said": "No control limits are approved for this series.",
}
TRENDS = {"trends": [SERIES, BARE]}
PRINTED = {"copy": 1, "recipient": "A", "when": "2026-04-02", "by": "giang.do"}
SINCE = {"number": "COA-2026-000018", "when": "2026-04-01"}
BOTH = Marked((COPY, SUPERSEDED), (("superseded_says", SINCE), ("copy_says", PRINTED)))
