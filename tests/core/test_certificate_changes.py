"""What an amended certificate says otherwise than the one that it replaces."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from batchqc.core.certificate_changes import changes_between
from tests.documents.certificate_content import (
    CORRECTION,
    certificate_content,
    line,
    moment,
    signature,
)

PENDING = [{"criterion": "ster", "title": "Sterility", "due_on": "2026-03-19"}]

#: What differs by its nature, or says in another form what is compared.
OTHERWISE = {
    ("type",), ("number",), ("issued",), ("seals",), ("audit",), ("supersedes",),
    ("status",), ("trends",), ("lines", "accept"), ("lines", "notes"),
    ("lines", "provenance", "sha256"), ("lines", "criterion"),
    ("signatures", "user_id"), ("signatures", "role"), ("signatures", "reason"),
    ("signatures", "record"), ("signatures", "record_sha256"),
}  # fmt: skip


CORRECTED = (
    "lot UCM-P2-T1, expires_on: “2031-03-05” became “2028-03-04” (Shelf life is two years, not"
    " five: typing error at registration.); requested by Lê Hoàng Nam (nam.le), approved by"
    " Phạm Thu Hà (ha.pham), 2026-03-12 09:30:00 +07:00"
)


def told(before: Any, after: Any) -> list[tuple[str, str, str]]:
    return [(one["what"], one["before"], one["after"]) for one in changes_between(before, after)]


def test_the_same_content_is_no_change():
    number = certificate_content(number="COA-2026-000018", issued=moment("2026-04-01", "10:00:00"))
    assert told(certificate_content(), certificate_content()) == []
    assert told(certificate_content(), number) == []


@pytest.mark.requirement("5.07")
def test_a_result_that_changed_is_told_with_its_verdict_and_where_it_was_read():
    before, after = certificate_content(), certificate_content()
    after["lines"][1] |= {
        "result": "89",
        "verdict": "FAIL",
        "sentence": "89 % is not above 90 %.",
        "provenance": [{**after["lines"][1]["provenance"][0], "upload": "U-2026-000130"}],
    }
    name = "Viability, post-thaw"
    cell = "(flow_cytometry.csv), row 7, value: 96"
    assert told(before, after) == [
        (f"{name}: result", "96", "89"),
        (f"{name}: verdict", "PASS", "FAIL"),
        (f"{name}: read from", f"U-2026-000123 {cell}", f"U-2026-000130 {cell}"),
    ]


def test_why_a_line_was_judged_so_is_told_where_nothing_else_of_it_changed():
    before, after = certificate_content(), certificate_content()
    after["lines"][1]["sentence"] = "Two results, no authorised retest."
    assert told(before, after) == [
        (
            "Viability, post-thaw: how it was judged",
            "96 % is above 90 %.",
            "Two results, no authorised retest.",
        )
    ]


def test_a_line_that_is_new_or_gone_is_told_in_brief():
    before = certificate_content(lines=[line("cd73")])
    after = certificate_content(lines=[line("karyotype", title="Karyotype", verdict=None)])
    assert told(before, after) == [
        ("Karyotype: acceptance criterion", "", "≥ 95 %"),
        ("Karyotype: result", "", "98.5"),
        ("Karyotype: verdict", "", "for information"),
        ("Identity, CD73+: acceptance criterion", "≥ 95 %", ""),
        ("Identity, CD73+: result", "98.5", ""),
        ("Identity, CD73+: verdict", "PASS", ""),
    ]


@pytest.mark.requirement("5.07", "1.33")
def test_corrections_signatures_and_what_is_no_longer_pending_are_told():
    before = certificate_content(pending=PENDING, conclusion="PRELIMINARY.")
    after = certificate_content(
        corrections=[CORRECTION],
        signatures=[*before["signatures"], signature(43, meaning="Corrected", name="Phạm Thu Hà")],
    )
    after["lot"]["expires_on"] = "2028-03-05"
    assert told(before, after) == [
        ("Expires", "2028-03-04", "2028-03-05"),
        ("Verdict of the lot", "preliminary", "complies"),
        ("Conclusion", "PRELIMINARY.", after["conclusion"]),
        ("Correction", "", CORRECTED),
        ("Signature S-2026-000043", "", "Corrected by Phạm Thu Hà, 2026-03-20 14:05:11 +07:00"),
        ("Pending", "Sterility, due on 2026-03-19", ""),
    ]


def test_of_notes_and_statements_one_goes_and_another_comes():
    before = certificate_content(notes=["One.", "Two."])
    after = certificate_content(notes=["Two.", "Three."])
    assert told(before, after) == [("Note", "", "Three."), ("Note", "One.", "")]


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything that a content says."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in items:
        at = (*path, key)
        if isinstance(part, dict | list) and part and "utc" not in part:
            yield from leaves(part, at)
        else:
            yield at


def names(path: tuple[str | int, ...]) -> tuple[str, ...]:
    return tuple(one for one in path if isinstance(one, str))


FULL = certificate_content(
    corrections=[CORRECTION], lines=[line("cd73", external="Pasteur", rounded="9")]
)
PRELIMINARY = certificate_content(pending=PENDING)
COMPARED = [
    path
    for path in (*leaves(FULL), *leaves({"pending": PENDING}))
    if not any(names(path)[: len(other)] == other for other in OTHERWISE)
]


@pytest.mark.requirement("5.07")
@pytest.mark.parametrize("path", COMPARED, ids=lambda path: ".".join(map(str, path)))
def test_nothing_that_a_certificate_says_changes_silently(path: tuple[str | int, ...]):
    before = PRELIMINARY if path[0] == "pending" else FULL
    after: Any = copy.deepcopy(before)
    *way, last = path
    part = after
    for step in way:
        part = part[step]
    old = part[last]
    if isinstance(old, dict):
        part[last] = moment("2031-01-01", "10:00:00")
    elif isinstance(old, bool):
        part[last] = not old
    elif isinstance(old, int):
        part[last] = old + 1
    elif isinstance(old, list):
        part[last] = ["Something new."]
    else:
        part[last] = f"{old} otherwise"
    assert changes_between(before, after)


def test_most_of_a_certificate_is_compared():
    assert len(COMPARED) > 60
