"""The product quality review: what it counts, that it is the same again, and who signs it."""

import hashlib
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from batchqc.actions.corrections import request_correction
from batchqc.actions.limit_sets import NewLimits, approve_limits, propose_limits
from batchqc.actions.lots import NewLot, NewSample, register_lot
from batchqc.actions.quality_reviews import (
    annex,
    check_period,
    content_of_review,
    keep_review,
    make_review,
    read_review,
    review_content,
    the_review,
)
from batchqc.actions.registers import register_donor
from batchqc.actions.trends import Trends
from batchqc.core.permissions import Permission
from batchqc.core.quality_reviews import Period
from batchqc.core.signatures import Refusal
from batchqc.core.trends import Attribute
from batchqc.documents.review_chart import series_of
from batchqc.documents.trend_pages.of_lots import control_series
from batchqc.errors import Conflict, IntegrityFailure, InvalidInput, NotFound, NotPermitted
from batchqc.records.quality_reviews import QualityReviewReading, quality_review_by, reading_of
from batchqc.settings import bundled
from tests.actions import test_potency as potency
from tests.actions.versions import SHIPPED, version
from tests.cast import TAKEN_AT
from tests.plates import method_file, plate, swapped
from tests.records.donors import DIN, consent, donate, take_tests
from tests.records.house import (
    ANA,
    DON,
    DONOR,
    EXPIRES_ON,
    LOT,
    MADE_ON,
    PASSWORD,
    PRODUCT,
    QA1,
    QA2,
    House,
    adopt,
    good,
    signing,
    table,
)
from tests.records.laboratory import adopt_method

FONTS = bundled("reports") / "fonts"
VIABILITY = Attribute(PRODUCT, "release", "", "viability")
LONG_NAME = "MSC-" + "9" * 36
MAY = Period(date(2025, 5, 1), date(2025, 5, 31))
EVER = Period(date(2025, 1, 1), date(2026, 6, 1))


def content(house: House, period: Period = MAY) -> dict[str, Any]:
    with house.reading() as session:
        found = review_content(session, house.archive, product=PRODUCT, period=period)
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def rows(found: Mapping[str, Any], name: str) -> Sequence[Sequence[str]]:
    tables = {one["name"]: one["rows"] for one in (*found["tables"], *found["annex"])}
    return tables[name]  # type: ignore[no-any-return]


def make_lots(house: House, values: Sequence[str], donors: Sequence[str] = (DONOR,)) -> list[str]:
    """Lots made a day apart from the first of the house on, each with its viability."""
    names = [f"GEN-25-{number:04d}" for number in range(len(values))]
    names[0] = LONG_NAME
    lines = []
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        for number, (name, value) in enumerate(zip(names, values, strict=True)):
            sample = NewSample(f"GEN-S-{number:04d}", "release", "cryovial", TAKEN_AT.isoformat())
            made_on = MADE_ON - timedelta(days=number % 3)
            register_lot(tx, NewLot(name, PRODUCT, made_on, EXPIRES_ON, tuple(donors), (sample,)))
            lines.append(
                good("viability")
                | {"lot_id": name, "sample_id": sample.id, "value": value, "run_id": f"V-{number}"}
            )
    report = house.upload(table(lines))
    assert report.accepted, report.reading.problems
    return names


@pytest.mark.requirement("9.09")
def test_a_plate_that_is_not_suitable_counts_as_an_invalid_run(house: House):
    adopt_method(house, method_file())
    good_run = potency.send(house, plate(0.8))
    bad_run = potency.send(house, swapped(plate(0.4)), run_id="PBMC-PLATE-0")
    assert potency.reasons(house, potency.fit(house, good_run)) == []
    assert potency.reasons(house, potency.fit(house, bad_run))
    assert rows(content(house, EVER), "runs") == [
        ["PBMC", "SOP-QC-031", "2", "1", "1", "0", "0"],
    ]  # fmt: skip


@pytest.mark.requirement("9.01", "9.09")
def test_a_house_in_which_everything_happened_is_told_table_by_table(full_house: House):
    found = content(full_house, EVER)
    counted = dict(rows(found, "lots_counted"))  # type: ignore[arg-type]
    assert (counted["made"], counted["now released"], counted["now quarantine"]) == ("3", "1", "2")
    assert ["released", "1", "1"] in rows(found, "decisions_counted")
    assert [one[:2] for one in rows(found, "decisions")] == [[LOT, "released"]]
    assert rows(found, "oos_by_test") == [["FLOW", "1", "0", "0", "1", "0"]]
    (oos,) = rows(found, "oos")
    assert oos[1:4] == ["MSC-26-0099", "cd73", "FLOW"]
    assert [one[0] for one in rows(found, "deviations")] == ["DEV-26-001"]
    (correction,) = rows(found, "corrections")
    assert correction[1:6] == [f"lot:{LOT}", "expires_on", "2027-05-18", "2027-05-17", "approved"]
    assert rows(found, "certificates_counted") == [
        ["numbered", "1"], ["superseding an earlier one", "0"], ["withdrawn", "1"],
    ]  # fmt: skip
    assert rows(found, "holds")[0][:2] == [LOT, "QA"]
    assert rows(found, "donors")[0][0] == DONOR
    assert {one[0] for one in rows(found, "specifications")} == {"UC-MSC-REL v1", "UC-MSC-THAW v1"}
    assert any(one[:2] == ["ENDO", "SOP-QC-040"] for one in rows(found, "runs"))
    assert any(one[0] == "MSC-26-0099" for one in rows(found, "missing"))
    assert rows(found, "pending") == []
    assert found["damaged"] == []


def test_criteria_of_one_title_are_counted_apart(house: House):
    title = 'title    = "Identity, CD90+"'
    assert title in SHIPPED.decode()
    adopt(house, version(2, "2025-05-20", (title, 'title    = "Identity, CD73+"')))
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        made_on = MADE_ON + timedelta(days=1)
        register_lot(tx, NewLot("MSC-26-0077", PRODUCT, made_on, EXPIRES_ON, (DONOR,), ()))
    found = {one[2]: one[3:] for one in rows(content(house), "verdicts") if "v2" in one[1]}
    assert found["Identity, CD73+ (cd73)"] == ["0", "0", "0", "1", "0"]
    assert found["Identity, CD73+ (cd90)"] == ["0", "0", "0", "1", "0"]
    assert "Viability" in found


def test_what_happened_outside_the_period_does_not_count(full_house: House):
    found = content(full_house, MAY)
    assert len(rows(found, "lots")) == 3
    for name in ("decisions", "oos", "deviations", "corrections", "amendments", "holds", "runs"):
        assert rows(found, name) == [], name
    later = content(full_house, Period(date(2026, 6, 2), date(2026, 6, 2)))
    assert rows(later, "lots") == rows(later, "decisions") == []
    assert [one[5] for one in rows(later, "oos")] == ["open"]
    assert later["charts"] == []


def test_corrections_of_lots_samples_and_donors_count_and_those_of_other_products_do_not(
    house: House,
):
    with house.acting(DON, Permission.REGISTER_DONOR) as tx:
        register_donor(tx, code="DNR-OTHER", tissue_source="placenta")
    for donor in (DONOR, "DNR-OTHER"):
        with house.acting(DON, Permission.REQUEST_CORRECTION) as tx:
            request_correction(
                tx, subject=f"donor:{donor}", field="tissue_source", after="Wharton's jelly",
                reason="Misread the form",
            )  # fmt: skip
    found = rows(content(house, Period(date(2026, 6, 1), date(2026, 6, 1))), "corrections")
    assert [(one[1], one[5]) for one in found] == [(f"donor:{DONOR}", "waits")]


def test_corrections_of_what_is_on_record_of_a_donor_count_too(house: House):
    donate(house)
    take_tests(house)
    consent(house)
    wanted = {
        f"donation:{DIN}": ("donor_age", "1 days"),
        f"donor_test:{DIN}/1": ("result", "reactive"),
        f"consent:{DONOR}/1": ("version", "2.1"),
    }
    for subject, (field, after) in wanted.items():
        with house.acting(DON, Permission.REQUEST_CORRECTION) as tx:
            request_correction(
                tx, subject=subject, field=field, after=after, reason="Misread the form"
            )
    found = rows(content(house, Period(date(2026, 6, 1), date(2026, 6, 1))), "corrections")
    assert [one[1] for one in found] == list(wanted)


def freeze(house: House, until: str = "") -> dict[str, Any]:
    """Limits from the lots up to one, approved: their content."""
    with house.acting(QA2, Permission.PROPOSE_LIMITS) as tx:
        limits = NewLimits(VIABILITY, "Enough lots are there", until=until)
        row = propose_limits(tx, house.archive, limits)
        stored = json.loads(house.archive.get(row.content_sha))
    with house.acting(QA1, Permission.APPROVE_LIMITS) as tx:
        signed = approve_limits(
            tx, house.archive, attribute=VIABILITY, number=1, credentials=signing(QA1)
        )
        assert not isinstance(signed, Refusal)
    return stored  # type: ignore[no-any-return]


@pytest.mark.requirement("9.02")
@pytest.mark.requirement("9.04")
def test_the_chart_is_that_of_the_trends_with_frozen_limits_signals_and_false_flags(house: House):
    names = make_lots(house, [*(["93.4", "94.1", "92.2", "95.0"] * 8)[:-1], "60"])
    with house.reading() as session:
        trend = Trends().of(session, house.archive, VIABILITY)
    own = [one.lot.lot for one in trend.lots if one.value is not None]
    stored = freeze(house, own[9])
    found = content(house)
    (chart,) = found["charts"]
    assert (chart["n"], chart["scale"]) == (32, "complement cube root")
    with house.reading() as session:
        trend = Trends().of(session, house.archive, VIABILITY)
    assert series_of(chart["chart"]) == replace(control_series(trend), notes=())
    (phase,) = chart["chart"]["phases"]
    assert phase["upper"][-1] == stored["in_unit"]["upper"]
    assert phase["lower"][9] == ""  # of a lot that the limits came from
    assert names[-1] in {one[2] for one in chart["signals"]}
    assert all(one[1] == "limit set 1" and all(one) for one in chart["signals"])
    expected = {one[1]: one for one in rows(found, "multiplicity")}
    row = expected["limit set 1"]
    assert row[2:4] == ["1, 2, 3, 5", f"{float(stored['run_length']['value']):.6g}"]
    assert row[6] == "22"
    assert float(row[7]) == pytest.approx(22 / float(row[3]), rel=1e-4)
    assert len(rows(found, "signals")) == int(row[5]) == len(chart["signals"])
    assert "Ppk" in {one["name"] for one in chart["figures"]}
    assert all(one["method"] and one["n"] and one["lower"] for one in chart["figures"])
    assert len(rows(found, "results")) == 33  # the lot of the house has no result


@pytest.mark.requirement("9.04")
def test_a_review_shows_the_lots_of_its_period_as_the_whole_series_judges_them(house: House):
    make_lots(house, ["93.4", "94.1", "92.2", "95.0"] * 3)
    whole = content(house)
    last_day = content(house, Period(MADE_ON, MADE_ON))
    (chart,) = last_day["charts"]
    assert chart["n"] == 4
    shown = {one[2]: one for one in rows(last_day, "results")}
    of_whole = {one[2]: one for one in rows(whole, "results")}
    assert shown.items() <= of_whole.items()
    assert {one[10] for one in shown.values() if one[12]} != {""}  # lots before the period count
    none = content(house, Period(date(2025, 6, 1), date(2025, 6, 2)))
    assert none["charts"] == rows(none, "results") == rows(none, "multiplicity") == []


def test_few_lots_have_no_limits_and_a_bound_is_no_number(house: House):
    make_lots(house, ["93.4", ">95", "94.0"])
    (chart,) = content(house)["charts"]
    assert (chart["n"], chart["censored"]) == (2, 1)
    assert [one[4] for one in chart["chart"]["points"]].count(">") == 1
    (phase,) = chart["chart"]["phases"]
    assert (phase["lower"], phase["centre"], phase["upper"]) == ("", "", "")
    assert chart["signals"] == []


@pytest.mark.requirement("9.04")
def test_another_version_of_the_method_is_another_phase(house: House):
    make_lots(house, ["93.4"] * 3)
    with house.acting(ANA, Permission.REGISTER_LOT) as tx:
        sample = NewSample("ZEN-S-NEXT", "release", "cryovial", TAKEN_AT.isoformat())
        register_lot(tx, NewLot("ZEN-NEXT", PRODUCT, MADE_ON, EXPIRES_ON, (DONOR,), (sample,)))
    line = good("viability") | {
        "lot_id": "ZEN-NEXT", "sample_id": "ZEN-S-NEXT", "method_id": "SOP-QC-014 v4",
    }  # fmt: skip
    assert house.upload(table([line])).accepted
    (chart,) = content(house)["charts"]
    first, second = chart["phases"]
    assert second[1] == "method SOP-QC-014 v3 became SOP-QC-014 v4"
    assert (first[2], second[2], second[6]) == ("SOP-QC-014 v3", "SOP-QC-014 v4", "1")


def test_a_limit_set_that_cannot_be_read_leaves_its_chart_out_and_is_told_first(house: House):
    make_lots(house, ["93.4", "94.1", "92.2", "95.0"] * 3)
    freeze(house)
    for path in house.archive.root.rglob("*"):
        if path.is_file() and b"batchqc/limit-set/1" in path.read_bytes():
            path.chmod(0o644)
            path.write_bytes(b"somebody was here")
    found = content(house)
    assert found["charts"] == []
    assert any(f"the trend of {VIABILITY.name} cannot be read" in one for one in found["damaged"])


def sha256_of_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def keep(house: House) -> tuple[str, str]:
    """Have the review of May kept: its number and hash."""
    with house.acting(QA1, Permission.KEEP_QUALITY_REVIEW) as tx:
        row = keep_review(tx, house.archive, product=PRODUCT, period=MAY, fonts=FONTS)
        return row.natural_key, row.content_sha


def read(house: House, number: str, sha256: str, password: str = PASSWORD) -> object:
    """Somebody of QA signs a review as read."""
    with house.acting(QA2, Permission.SIGN_QUALITY_REVIEW) as tx:
        who = signing(QA2, password=password)
        return read_review(tx, house.archive, number=number, sha256=sha256, credentials=who)


@pytest.mark.requirement("9.01")
def test_the_same_records_give_the_same_bytes_whoever_asks_and_whenever(house: House):
    make_lots(house, ["93.4", "94.1", "92.2"] * 4)
    with house.reading() as session:
        made = make_review(session, house.archive, product=PRODUCT, period=MAY, fonts=FONTS)
    kept = [keep(house), keep(house)]
    assert [number for number, _ in kept] == ["QR-2026-000001", "QR-2026-000002"]
    with house.reading() as session:
        for number, _ in kept:
            row = the_review(session, number)
            assert house.archive.get(row.content_sha) == made.data
            assert house.archive.get(row.document_sha) == made.document
            assert content_of_review(house.archive, row) == json.loads(made.data)
        assert the_review(session, kept[0][0]).head != the_review(session, kept[1][0]).head
    assert annex(made.content)["lots"].decode("utf-8-sig").count("GEN-25-") == 11


@pytest.mark.requirement("9.01")
def test_a_review_is_signed_once_over_the_hash_of_what_was_read(house: House):
    number, sha256 = keep(house)
    with pytest.raises(InvalidInput, match="not the SHA-256"):
        read(house, number, "0" * 64)
    assert isinstance(read(house, number, sha256, "not the password"), Refusal)
    assert isinstance(read(house, number, sha256), QualityReviewReading)
    with house.reading() as session:
        signed = reading_of(session, the_review(session, number))
        assert signed is not None
        assert signed.signature.record_sha256 == sha256
    with pytest.raises(Conflict, match="signed already"):
        read(house, number, sha256)
    assert house.verify().problems == ()
    again, sha256 = keep(house)
    with house.reading() as session:
        document = the_review(session, again).document_sha
    files = [one for one in house.archive.root.rglob("*") if one.is_file()]
    (path,) = (one for one in files if sha256_of_file(one) == document)
    path.chmod(0o644)
    path.write_bytes(b"another document")
    with pytest.raises(IntegrityFailure):
        read(house, again, sha256)
    assert sum(again in one for one in house.verify().problems) == 1


def test_what_is_still_to_come_is_not_reviewed_and_nobody_else_keeps_one(house: House):
    tomorrow = Period(date(2026, 1, 1), date(2026, 6, 2))
    with house.reading() as session:
        with pytest.raises(InvalidInput, match="what is to come"):
            check_period(session, tomorrow, house.now())
        with pytest.raises(NotFound):
            the_review(session, "QR-2026-000001")
        assert quality_review_by(session, "AR-2026-000001") is None
        with pytest.raises(NotFound, match="no product"):
            review_content(session, house.archive, product="NONE", period=MAY)
    with pytest.raises(NotPermitted), house.acting(ANA, Permission.UPLOAD_RESULTS) as tx:
        keep_review(tx, house.archive, product=PRODUCT, period=MAY, fonts=FONTS)


def test_an_unreadable_specification_is_told_on_the_first_page(house: House):
    make_lots(house, ["93.4"])
    for path in house.archive.root.rglob("*"):
        if path.is_file() and b"UC-MSC-REL" in path.read_bytes()[:400]:
            path.chmod(0o644)
            path.write_bytes(b"somebody was here")
    found = content(house)
    assert found["charts"] == []
    assert any("UC-MSC-REL v1 cannot be read" in one for one in found["damaged"])


@pytest.mark.long
@pytest.mark.only_on("sqlite", "arithmetic over many lots, which no database does")
def test_two_hundred_lots_are_reviewed_within_two_seconds_of_one_core(house: House):
    chance = random.Random(20260101)  # noqa: S311 - the same each time, nothing secret
    make_lots(house, [f"{min(chance.gauss(95, 1.5), 99.9):.1f}" for _ in range(200)])
    best = math.inf
    for _ in range(2):  # the first of a process computes what is computed once
        with house.reading() as session:
            began = time.process_time()
            made = make_review(session, house.archive, product=PRODUCT, period=MAY, fonts=FONTS)
            best = min(best, time.process_time() - began)
    assert best < 2
    (chart,) = made.content["charts"]
    assert chart["n"] == 200
