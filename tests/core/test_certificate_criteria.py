"""What a criterion accepts, as certificates tell it to machines; and for whom they are sealed."""

from decimal import Decimal

import pytest

from batchqc.core.acceptance import (
    Acceptance,
    AtLeast,
    Band,
    Bands,
    Limit,
    Limits,
    Relative,
    ReportOnly,
    Words,
)
from batchqc.core.certificate_criteria import accept_part
from batchqc.core.certificates import UNREVIEWED, seals_of
from tests.documents.certificate_content import REVIEW, signature

ABOVE = Limits("> 90.0", (Limit(">", Decimal("90.0")),))
RANGE = Limits("1.8E8 to 2.2E8", (Limit(">=", Decimal("1.8E8")), Limit("<=", Decimal("2.2E8"))))


@pytest.mark.parametrize(
    ("accept", "part"),
    [
        (ABOVE, {"kind": "limits", "limits": [{"operator": ">", "limit": "90.0"}]}),
        (
            RANGE,
            {
                "kind": "limits",
                "limits": [
                    {"operator": ">=", "limit": "1.8E+8"},
                    {"operator": "<=", "limit": "2.2E+8"},
                ],
            },
        ),
        (Words(("no growth", "negative")), {"kind": "words", "terms": ["no growth", "negative"]}),
        (
            Bands((Band("strong", Limits("< 29", (Limit("<", Decimal(29)),))),), ("strong",)),
            {
                "kind": "classes",
                "bands": [{"name": "strong", "limits": [{"operator": "<", "limit": "29"}]}],
                "terms": ["strong"],
            },
        ),
        (
            Relative("< 0.50 * control", "<", Decimal("0.50")),
            {"kind": "control", "operator": "<", "factor": "0.50"},
        ),
        (AtLeast(2, 3), {"kind": "group", "count": 2, "of": 3}),
        (ReportOnly(), {"kind": "report"}),
    ],
)
def test_a_criterion_keeps_its_operators_and_digits(accept: Acceptance, part: dict[str, object]):
    assert accept_part(accept) == part


def test_a_guard_band_is_told_beside_the_limits():
    part = accept_part(ABOVE, Decimal("1.50"))
    assert part == {**accept_part(ABOVE), "guard": "1.50"}


@pytest.mark.requirement("5.10")
def test_the_seals_name_person_meaning_and_signature():
    assert seals_of(REVIEW, signature(42)) == [
        {
            "field": "QCReview",
            "signature": "S-2026-000041",
            "says": "Reviewed: results are complete and correct by Trần Quốc Bảo (S-2026-000041)",
        },
        {
            "field": "QARelease",
            "signature": "S-2026-000042",
            "says": (
                "Released: I certify that the lot meets its specification by"
                " Nguyễn Thị Minh Anh (S-2026-000042)"
            ),
        },
    ]


def test_a_lot_that_nobody_reviewed_as_a_whole_says_so():
    review, _ = seals_of(None, signature(42))
    assert review == {"field": "QCReview", "signature": "", "says": UNREVIEWED}
