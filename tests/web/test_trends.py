"""Trends at a browser: looked at by pointer and keys, limits and reviews made and signed."""

import csv
from io import StringIO

import pytest
from playwright.sync_api import expect

from batchqc.core.trends import Attribute
from batchqc.records.quality_reviews import listed_quality_reviews
from batchqc.records.trends import limit_sets_of, newest_product
from tests.actions.test_trends import make, propose
from tests.api.test_trends import SLASHED, lot_of_slashed
from tests.records.house import ANA, AUD, LOT, PASSWORD, PRODUCT, QA1, QA2
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.trends import ODD, OF, REVIEW, add_trends, keep

WHY = "Eight lots are of one process"


def sets(site: Served) -> list[tuple[int, str]]:
    """The limit sets of viability: number, and who approved it."""
    of = Attribute(PRODUCT, "release", "", "viability")
    with site.house.reading() as session:
        return [
            (row.number, by.signature.person.user_id if by else "")
            for row, by in limit_sets_of(session, PRODUCT, of)
        ]


def readers(site: Served) -> list[tuple[str, str]]:
    """Who read each quality review, and why."""
    with site.house.reading() as session:
        found = listed_quality_reviews(session, product="", before=None, limit=99)[::-1]
        return [(one.natural_key, read.signature.reason if read else "") for one, read in found]


def sign(visitor: Visitor, act: str, *, reason: str = WHY, password: str = PASSWORD) -> None:
    visitor.page.get_by_label("Reason").fill(reason)
    visitor.page.get_by_label("Password", exact=True).fill(password)
    visitor.press(act)


@pytest.mark.requirement("9.02")
def test_a_lot_that_is_odd_is_found_from_the_map_by_keys_alone(served: Served):
    add_trends(served.house)
    with served.visitor(ANA) as visitor:
        page = visitor.page
        visitor.go("/")
        page.keyboard.press("g")
        page.keyboard.press("t")
        expect(visitor.heading("Trends")).to_be_visible()
        expect(page.get_by_text("1 trend alert", exact=True)).to_be_visible()
        expect(visitor.heading("Each criterion, alerts first")).to_be_visible()
        first = page.get_by_role("list", name="Each criterion").get_by_role("link").first
        expect(first).to_have_text("Viability")
        told = page.get_by_role("link", name=f"{ODD} Viability 60 % does not conform")
        expect(told).to_have_attribute("href", f"/lots/{ODD}?show=viability")
        page.get_by_role("region", name="Lots against criteria", exact=True).focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("link", name="TRD-26-001, Identity, CD73+, 97.1 %")).to_be_focused()
        visitor.link("Viability").first.click()
        expect(visitor.heading("Viability")).to_be_visible()


@pytest.mark.requirement("9.02")
def test_points_of_a_chart_tell_of_themselves_and_lead_to_their_lot_by_keys(served: Served):
    with served.visitor(ANA) as visitor:
        page = visitor.page
        visitor.go(OF)
        chart = page.get_by_role("region", name="Control chart", exact=True)
        chart.focus()
        page.keyboard.press("ArrowLeft")
        point = page.get_by_role("link", name=f"{ODD}, 60 %, FAIL").first
        expect(point).to_be_focused()
        expect(page.get_by_text("trend alert: limit set 1, Nelson 1")).to_be_visible()
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("link", name="TRD-26-008, 89 %, FAIL").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(chart).to_be_focused()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        expect(visitor.heading(ODD)).to_be_visible()
        expect(page.get_by_role("link", name=f"{ODD}, 60 %, FAIL").first).to_have_attribute(
            "aria-current", "true"
        )


def test_a_range_is_an_address_that_the_pointer_draws_and_fields_say(served: Served):
    with served.visitor(ANA) as visitor:
        page = visitor.page
        visitor.go(OF)
        points = [
            page.get_by_role("link", name=f"TRD-26-00{n}, ").first.bounding_box() for n in (3, 5)
        ]
        left, right = (one["x"] + one["width"] / 2 for one in points if one)
        top = points[0]["y"] + 60 if points[0] else 0
        page.mouse.move(left - 6, top)
        page.mouse.down()
        page.mouse.move(right + 6, top)
        page.mouse.up()
        page.wait_for_url("**from=2025-05-22&to=2025-05-24")
        table = page.get_by_role("region", name="The numbers", exact=True)
        lots = table.get_by_role("rowheader").all_inner_texts()
        assert lots == ["TRD-26-005", "TRD-26-004", "TRD-26-003"]
        expect(page.get_by_label("Made from")).to_have_value("2025-05-22")
        page.get_by_label("Made until").fill("2025-05-01")
        visitor.press("Show")
        expect(visitor.heading("No lot was made in these days")).to_be_visible()
        visitor.link("All days").first.click()
        expect(table.get_by_role("rowheader")).to_have_count(10)
        with page.expect_download() as found:
            visitor.link("CSV").click()
        rows = list(csv.DictReader(StringIO(found.value.path().read_text("utf-8-sig"))))
        assert [one["lot"] for one in rows][-1] == ODD
        page.get_by_role("link", name="TRD-26-004, 98 %").hover()
        expect(page.get_by_text("made 23 May 2025").last).to_be_visible()
        for bad in ("last=7", "from=yesterday", "stage=nowhere", "else=1"):
            assert visitor.go(f"{OF}?{bad}").status == 422


def test_the_map_is_a_csv_and_plots_and_tables_are_too(served: Served):
    with served.visitor(AUD) as visitor:
        sheets = {
            "/trends.csv": ODD, f"{OF}/plots/histogram.csv": "Measured",
            "/quality-reviews.csv": REVIEW,
            f"/quality-reviews/{REVIEW}/tables/lots": LOT,
        }  # fmt: skip
        for path, holds in sheets.items():
            answer = visitor.context.request.get(f"{visitor.address}{path}")
            assert (answer.status, answer.headers["content-type"][:8]) == (200, "text/csv"), path
            assert holds in answer.text(), path
        for path in (f"/trends?product={PRODUCT.lower()}", f"/trends/{PRODUCT.lower()}/profile"):
            answer = visitor.context.request.get(f"{visitor.address}{path}")
            assert (answer.status, PRODUCT.lower() in answer.text()) == (200, False), path
        wrong = (f"/trends/{PRODUCT}/none", "/trends.csv?stage=stability", "/quality-reviews/QR-1",
                 f"{OF}/plots/pie.csv", f"{OF}/limits/99", "/trends/NONE/profile")  # fmt: skip
        for path in wrong:
            answer = visitor.context.request.get(f"{visitor.address}{path}")
            assert answer.status in {404, 422}, path
            assert "BQC-" in answer.text(), path


@pytest.mark.requirement("9.04")
def test_limits_are_proposed_and_signed_by_another_person(site: Served):
    lots = make(site.house)
    with site.visitor(QA2) as proposer:
        page = proposer.page
        proposer.go(OF)
        proposer.link("Propose limits").click()
        page.get_by_label("Leave out").fill("nonsense")
        proposer.press("Compute and propose")
        expect(page.get_by_text("Not proposed.")).to_be_visible()
        expect(page.get_by_text('Write each as "lot: cause"').first).to_be_visible()
        page.get_by_label("Reason").fill(WHY)
        page.get_by_label("Leave out").fill(f"{lots[0]}: the incubator failed")
        proposer.press("Compute and propose")
        expect(page.get_by_text("BQC-STA-001")).to_be_visible()  # seven are left
        expect(page.get_by_label("Reason")).to_have_value(WHY)
        assert sets(site) == []
        page.get_by_label("Leave out").fill("")
        page.get_by_label("Nelson 3").uncheck()
        proposer.press("Compute and propose")
        expect(page.get_by_text("Proposed: another person of QA approves it.")).to_be_visible()
        expect(page.get_by_text("Nelson 1, 2, 5")).to_be_visible()
        expect(page.get_by_text("You proposed it")).to_be_visible()
        proposer.go(f"{OF}/limits/1/approval")
        expect(page.get_by_text("You cannot approve this.")).to_be_visible()
        expect(page.get_by_label("Password")).to_have_count(0)
    assert sets(site) == [(1, "")]


@pytest.mark.requirement("9.04")
def test_limits_that_wait_are_signed_as_they_are_shown(site: Served):
    make(site.house)
    propose(site.house)
    with site.visitor(QA1) as qa:
        page = qa.page
        qa.go(OF)
        qa.link("Limit set 1 waits for approval").click()
        sha256 = page.get_by_text("Record, SHA-256").locator("xpath=following::dd[1]").inner_text()
        qa.link("Approve").click()
        expect(page.get_by_text(sha256)).to_be_visible()
        qa.press("Sign and approve")
        expect(page.get_by_text("Type your password.").last).to_be_visible()
        sign(qa, "Sign and approve", password="not my password")
        expect(page.get_by_text("password is wrong").last).to_be_visible()
        expect(page.get_by_label("Reason")).to_have_value(WHY)
        assert sets(site) == [(1, "")]
        sign(qa, "Sign and approve")
        expect(page.get_by_text("Signed: limit set 1 holds.")).to_be_visible()
        assert sets(site) == [(1, QA1)]
        qa.go(f"{OF}/limits/1/approval")
        expect(page.get_by_text("approved it already")).to_be_visible()


def test_a_phase_is_begun_with_a_signed_reason(site: Served):
    lots = make(site.house)
    with site.visitor(QA1) as qa:
        page = qa.page
        qa.go(f"{OF}/limits")
        qa.link("Begin a phase").click()
        page.get_by_label("First lot of the phase").fill("NONE-1")
        sign(qa, "Sign and begin", reason="New medium")
        expect(page.get_by_role("alert").first).to_contain_text("NONE-1")
        page.get_by_label("First lot of the phase").fill(lots[4])
        sign(qa, "Sign and begin", reason="New medium")
        expect(page.get_by_text("Signed: a phase begins.")).to_be_visible()
        expect(page.get_by_role("row", name="Phase 2")).to_contain_text("New medium")


def test_who_may_not_is_told_who_may_and_shown_no_dead_button(served: Served):
    with served.visitor(AUD) as visitor:
        page = visitor.page
        told = {
            OF: "", f"{OF}/limits/new": "Analysts, reviewers and QA propose limits.",
            f"{OF}/limits/2": "QA approves limits.",
            f"{OF}/limits/2/approval": "QA approves limits.",
            f"{OF}/phases/new": "QA begins a phase",
            "/quality-reviews/new": "QA makes and signs them.",
            f"/quality-reviews/{REVIEW}": "QA signs that it was read.",
            f"/quality-reviews/{REVIEW}/reading": "QA signs that it was read.",
        }  # fmt: skip
        for path, who in told.items():
            visitor.go(path)
            expect(page.get_by_text(who).first).to_be_visible()
            buttons = page.get_by_role("main").get_by_role("button").all_inner_texts()
            assert [one for one in buttons if one != "Show"] == [], path
            expect(page.get_by_label("Password")).to_have_count(0)


def test_what_is_sent_twice_is_done_once_and_a_page_of_another_session_does_nothing(site: Served):
    make(site.house)
    propose(site.house)
    keep(site.house)
    with site.visitor(QA1) as qa:
        request, origin = qa.context.request, {"Origin": qa.address}
        typed = {"reason": WHY, "password": PASSWORD, "product": PRODUCT, "first": "2025-05-01",
                 "last": "2025-05-20", "lot": "TRD-26-004"}  # fmt: skip
        for path in (f"{OF}/limits/new", f"{OF}/limits/1/approval", f"{OF}/phases/new",
                     "/quality-reviews/new", f"/quality-reviews/{REVIEW}/reading"):  # fmt: skip
            qa.go(path)
            form = typed | {
                one.get_attribute("name") or "": one.input_value()
                for one in qa.page.get_by_role("main").locator("input[type=hidden]").all()
            }
            told = [
                request.post(f"{qa.address}{path}", form=form, headers=origin, max_redirects=0)
                for _ in range(2)
            ]
            assert [one.status for one in told] == [303, 303], path
            assert told[0].headers["location"] == told[1].headers["location"], path
            if told[0].headers["location"].startswith("/jobs/"):
                qa.go(told[0].headers["location"])
                expect(qa.link("Look at it")).to_be_visible()
            forged = form | {"token": "0" * 64}
            answer = request.post(f"{qa.address}{path}", form=forged, headers=origin)
            assert (answer.status, "BQC-WEB-001" in answer.text()) == (403, True), path
    assert sets(site) == [(1, QA1), (2, "")]
    assert readers(site) == [(REVIEW, WHY), ("QR-2026-000002", "")]
    with site.house.reading() as session:
        assert newest_product(session) == PRODUCT
        (newer, none), (older, read) = listed_quality_reviews(
            session, product=PRODUCT, before=None, limit=5
        )
        assert (newer.natural_key, none, older.natural_key) == ("QR-2026-000002", None, REVIEW)
        assert read is not None
        assert listed_quality_reviews(session, product="NONE", before=None, limit=5) == []
        assert listed_quality_reviews(session, product="", before=newer, limit=5) == [(older, read)]


@pytest.mark.requirement("9.01")
def test_a_review_is_made_read_and_signed_with_script_off(site: Served):
    with site.visitor(QA1, java_script_enabled=False) as qa:
        page = qa.page
        qa.go("/quality-reviews")
        expect(qa.heading("There is no review yet")).to_be_visible()
        qa.link("Make a review").click()
        page.get_by_label("First day").fill("2025-05-01")
        page.get_by_label("Last day").fill("2099-05-31")
        qa.press("Make and keep")
        expect(page.get_by_text("Choose one.").first).to_be_visible()
        page.get_by_label("Product", exact=True).select_option(PRODUCT)
        qa.press("Make and keep")
        expect(page.get_by_text("BQC-PQR-001")).to_be_visible()
        expect(page.get_by_label("Product", exact=True)).to_have_value(PRODUCT)
        page.get_by_label("Last day").fill("2025-05-31")
        qa.press("Make and keep")
        qa.link("Look at it").click()  # the page of the job loads itself anew until it is done
        (number,) = (one for one, _ in readers(site))
        answer = qa.context.request.get(f"{qa.address}/quality-reviews/{number}/pdf")
        assert answer.body().startswith(b"%PDF")
        qa.link("Sign as read").click()
        sign(qa, "Sign as read", reason="...")
        expect(page.get_by_text("at least one real word").last).to_be_visible()
        assert readers(site) == [(number, "")]
        sign(qa, "Sign as read", reason="Nothing follows from it")
        expect(page.get_by_text(f"Signed: {number} is read.")).to_be_visible()
        assert readers(site) == [(number, "Nothing follows from it")]
        expect(qa.link("Sign as read")).to_have_count(0)
        qa.go(f"/quality-reviews/{number}/reading")
        expect(page.get_by_text("signed it already")).to_be_visible()


def test_pages_of_a_product_whose_code_has_a_slash_are_reached_by_their_links(site: Served):
    lot_of_slashed(site.house)
    with site.visitor(QA1) as visitor:
        visitor.go(f"/trends?product={SLASHED}")
        visitor.link("Viability").first.click()
        expect(visitor.heading("Viability")).to_be_visible()
        assert "/trends/UC%2FMSC/viability" in visitor.page.url
        visitor.link("Limits and phases").first.click()
        expect(visitor.page.get_by_text(SLASHED).first).to_be_visible()
        assert "/trends/UC%2FMSC/viability/limits" in visitor.page.url
