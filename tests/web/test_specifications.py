"""A specification is written, read, compared, assessed, approved and withdrawn at a browser."""

import csv
import re
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import expect

from batchqc.actions.methods import import_method
from batchqc.actions.specifications import the_version, withdraw_specification
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Refusal
from batchqc.records.specifications import approval_of, version_by
from tests.records.house import PASSWORD, QA1, QA2, SPEC, House, adopt, draft_in_review, signing
from tests.records.laboratory import METHOD_FILE
from tests.web.browsing import Visitor
from tests.web.conftest import Served
from tests.web.documents import NAME, others, second_version, text_of
from tests.web.looking import point_of

HERE = f"/specifications/{NAME}/2"
WHY = "Limits agree with the validation"


def imported(house: House) -> list[tuple[int, str]]:
    """Which versions of the specification are on record, and by whom."""
    with house.reading() as session:
        found = (version_by(session, NAME, number) for number in (1, 2, 3))
        return [(one.version, one.author) for one in found if one is not None]


def approvers(house: House, version: int = 2) -> list[str]:
    with house.reading() as session:
        approval = approval_of(session, the_version(session, NAME, version))
        return [approval.signature.person.user_id] if approval else []


def sign(visitor: Visitor, button: str, *, password: str = PASSWORD, reason: str = WHY) -> None:
    visitor.page.get_by_label("Reason").fill(reason)
    visitor.page.get_by_label("Password", exact=True).fill(password)
    visitor.press(button)


def write_and_submit(spec: Visitor, house: House, folder: Path) -> None:
    """From a file with mistakes to a version in review; what is not confirmed is not stored."""
    spec.page.keyboard.press("g")
    spec.page.keyboard.press("s")
    spec.link("New version").click()
    spec.press("Check it")
    expect(spec.page.get_by_text("Choose a file, or paste its text.")).to_be_visible()
    wrong = folder / "second.toml"
    wrong.write_text(text_of(2).replace(">= 70", "about 70").replace('"%"', '"percents"', 1))
    spec.page.get_by_label("Drop a TOML file here").set_input_files(wrong)
    spec.press("Check it")
    told = spec.page.get_by_role("alert").first
    expect(told).to_contain_text("2 things are wrong")
    expect(told).to_contain_text("criteria.viability.accept")
    line = 1 + wrong.read_text().splitlines().index('accept   = "about 70"')
    expect(told.get_by_role("link", name=f"line {line}")).to_be_visible()
    expect(spec.button("Import it")).to_have_count(0)
    spec.page.get_by_label("Or paste its text").fill(text_of(2))
    spec.press("Check it")
    expect(spec.heading("Import second.toml?")).to_be_visible()
    expect(spec.page.get_by_role("row", name="Viability")).to_contain_text("≥ 70 %")
    assert imported(house) == [(1, SPEC)]
    spec.press("Import it")
    expect(spec.page.get_by_text("UC-MSC-REL v2 is imported.")).to_be_visible()
    assert imported(house) == [(1, SPEC), (2, SPEC)]
    spec.link("Submit for review").click()
    expect(spec.page.get_by_text("An imported version is never edited")).to_be_visible()
    spec.press("Submit for review")
    expect(spec.page.get_by_text("UC-MSC-REL v2 is in review.")).to_be_visible()
    expect(spec.page.get_by_text("Who may approve it: QA.")).to_be_visible()


def assess_and_compare(qa: Visitor) -> None:
    """What the version would do to past lots, and what it changes."""
    qa.go("/specifications")
    qa.link("UC-MSC-REL v2").click()
    qa.go(f"{HERE}?did=approval")
    expect(qa.page.get_by_text("Signed:")).to_have_count(0)
    qa.link("Approve").click()
    expect(qa.page.get_by_text("there is no impact report")).to_be_visible()
    expect(qa.button("Sign and approve")).to_have_count(0)
    qa.page.get_by_role("link", name="Assess the impact").last.click()
    qa.press("Assess the impact")
    qa.link("Look at it").click()
    expect(qa.page.get_by_text("Nothing came since")).to_be_visible()
    pdf = qa.context.request.get(f"{qa.address}{HERE}/impact.pdf")
    assert (pdf.headers["content-type"], pdf.body()[:5]) == ("application/pdf", b"%PDF-")
    qa.go(f"{HERE}/differences")
    loose = qa.page.get_by_role("row").filter(has_text="Viability")
    expect(loose).to_contain_text("> 90 % becomes ≥ 70 %")
    expect(loose).to_contain_text("Looser")
    expect(qa.page.get_by_role("row").filter(has_text="added")).to_contain_text("Stricter")
    expect(qa.page.get_by_role("row").filter(has_text="removed")).to_contain_text("Looser")


def approve_twice(qa: Visitor) -> str:
    """Send the same form twice, after it was refused: the hash of what it says is signed."""
    qa.go(f"{HERE}/approval")
    qa.press("Sign and approve")
    expect(qa.page.get_by_text("Type your password.").last).to_be_visible()
    sign(qa, "Sign and approve", password="not my password")
    expect(qa.page.get_by_text("password is wrong").last).to_be_visible()
    expect(qa.page.get_by_label("Reason")).to_have_value(WHY)
    expect(qa.page.get_by_label("Password", exact=True)).to_have_value("")
    signed = qa.page.get_by_role("definition").filter(has_text=re.compile("^[0-9a-f]{64}$"))
    record = signed.last.inner_text()
    form = {
        name: qa.page.locator(f"input[name={name}]").last.input_value()
        for name in ("token", "key", "seen", "impact")
    } | {"reason": WHY, "password": PASSWORD}
    for _ in range(2):
        answer = qa.context.request.post(
            f"{qa.address}{HERE}/approval", form=form, headers={"Origin": qa.address},
            max_redirects=0,
        )  # fmt: skip
        assert (answer.status, answer.headers["location"]) == (303, f"{HERE}?did=approval")
    return record


@pytest.mark.requirement("2.03")
def test_a_version_goes_from_a_file_to_its_approval_by_two_people(site: Served, tmp_path: Path):
    house = site.house
    with site.visitor(SPEC) as spec:
        write_and_submit(spec, house, tmp_path)
        spec.go(f"{HERE}/approval")
        expect(spec.page.get_by_text("you imported UC-MSC-REL v2")).to_be_visible()
        expect(spec.button("Sign and approve")).to_have_count(0)
    with site.visitor(QA1) as qa:
        assess_and_compare(qa)
        record = approve_twice(qa)
        qa.go(f"{HERE}?did=approval")
        expect(qa.page.get_by_text("Signed: UC-MSC-REL v2 is approved.")).to_be_visible()
        expect(qa.page.get_by_text(record)).to_be_visible()
        assert approvers(house) == [QA1]
        with house.reading() as session:
            approval = approval_of(session, the_version(session, NAME, 2))
            assert approval is not None
            assert approval.signature.record_sha256 == record


@pytest.fixture(scope="module")
def shelf(served: Served) -> Served:
    """Version 1 ends, version 2 waits for the day on which version 3 is in force already."""
    house = served.house
    second_version(house)
    adopt(house, text_of(3, effective="2026-10-01").encode())
    with house.acting(QA2, Permission.APPROVE_SPECIFICATION) as tx:
        signed = withdraw_specification(
            tx, specification=NAME, version=3, from_day=date(2026, 12, 1),
            credentials=signing(QA2, "The method is replaced"),
        )  # fmt: skip
        assert not isinstance(signed, Refusal)
    draft_in_review(house, text_of(4, effective="2026-10-01").encode(), "v4.toml")
    others(house)
    return served


@pytest.fixture(scope="module")
def qa(shelf: Served) -> Iterator[Visitor]:
    with shelf.visitor(QA1) as visitor:
        yield visitor


def test_a_rounding_rule_has_the_name_that_its_readers_give_it(qa: Visitor):
    qa.go(f"/specifications/{NAME}/1")
    expect(qa.page.get_by_role("row").filter(has_text="pbmc-inhibition")).to_contain_text("USP")
    expect(qa.page.get_by_role("row").filter(has_text="cd73")).to_contain_text("absolute")


def test_where_a_limit_turns_stands_with_its_point_below_the_others(qa: Visitor):
    qa.go(f"/specifications/{NAME}/1")
    last = [
        qa.page.get_by_role("row").filter(has_text=name).get_by_text(text, exact=True)
        for name, text in (("cd73", "94"), ("kynurenine", "9.9"))
    ]
    assert len({point_of(one) for one in last}) == 1


def test_the_list_names_gaps_and_overlaps_and_its_csv_holds_what_it_shows(qa: Visitor):
    qa.go("/specifications")
    expect(qa.page.get_by_text("Gap: from 1 Dec 2026 on no version applies.")).to_be_visible()
    overlap = "Overlap: UC-MSC-REL v4 would begin on the day of UC-MSC-REL v3"
    expect(qa.page.get_by_text(overlap)).to_be_visible()
    first = qa.page.get_by_role("row").filter(has=qa.link("UC-MSC-REL v1"))
    expect(first).to_contain_text("1 Oct 2026")  # where it ends
    qa.page.get_by_label("State").select_option("In review")
    qa.press("Show")
    expect(qa.link("UC-MSC-REL v4")).to_be_visible()
    expect(qa.link("UC-MSC-REL v1")).to_have_count(0)
    answer = qa.context.request.get(f"{qa.address}{qa.link('CSV').get_attribute('href') or ''}")
    rows = list(csv.DictReader(StringIO(answer.text())))
    assert [(one["version"], one["state"], one["lots"]) for one in rows] == [
        ("2", "in review", "0"), ("4", "in review", "0"),
    ]  # fmt: skip
    whole = qa.context.request.get(f"{qa.address}/specifications.csv").text()
    assert [one["lots"] for one in csv.DictReader(StringIO(whole))] == ["0", "0", "0", "1"]
    for path in ("/specifications?page=9", "/profiles?page=9"):
        qa.go(path)
        expect(qa.heading("The list ends before this page")).to_be_visible()
    for wrong in ("page=0", "order=sideways", "stage=nothing", "pages=2"):
        assert qa.go(f"/specifications?{wrong}").status == 422


def test_what_is_not_so_any_more_is_not_signed_and_whoever_wrote_it_does_not_approve(
    shelf: Served, qa: Visitor
):
    qa.go(f"{HERE}/withdrawal")
    expect(qa.page.get_by_text("This is not what comes next.")).to_be_visible()
    qa.go(f"/specifications/{NAME}/4/approval")
    with shelf.visitor(QA2) as other:
        other.go(f"/specifications/{NAME}/4/impact")
        other.press("Assess the impact")
        other.link("Look at it").click()
        expect(other.page.get_by_text("Nothing came since")).to_be_visible()
        qa.page.reload()
        other.press("Assess it anew")
        expect(other.link("Look at it")).to_be_visible()
    sign(qa, "Sign and approve")
    told = qa.page.get_by_role("alert").first
    expect(told).to_contain_text("not any more as you saw it")
    expect(qa.button("Sign and approve")).to_have_count(0)
    qa.link("Look at it again").click()
    qa.link("Approve").click()
    sign(qa, "Sign and approve")
    expect(qa.page.get_by_role("alert").first).to_contain_text("from the same day")
    assert approvers(shelf.house, 4) == []


def test_a_version_is_withdrawn_with_script_off_from_a_day_that_must_be_named(shelf: Served):
    with shelf.visitor(QA1, java_script_enabled=False) as off:
        off.go(f"/specifications/{NAME}/1")
        assert adopted_state(off) == "In force"
        off.go("/profiles/SITE-COMMA/1")
        off.link("Approve").click()
        sign(off, "Sign and approve", reason="...")
        expect(off.page.get_by_text("at least one real word").last).to_be_visible()
        sign(off, "Sign and approve")
        expect(off.page.get_by_text("Signed: SITE-COMMA v1 is approved.")).to_be_visible()
        off.go("/layouts/COA-DE-A4/1/approval")
        sign(off, "Sign and approve")
        expect(off.page.get_by_text("Signed: COA-DE-A4 v1 is approved.")).to_be_visible()
        expect(off.page.get_by_text("German", exact=True)).to_be_visible()
        off.link("Withdraw").click()
        sign(off, "Sign and withdraw")
        expect(off.page.get_by_text("Signed: COA-DE-A4 v1 is withdrawn.")).to_be_visible()
        off.go("/donor-panels/EU-2006-17/1/approval")
        sign(off, "Sign and approve")
        expect(off.page.get_by_text("Signed: EU-2006-17 v1 is approved.")).to_be_visible()
        off.go("/layouts?state=withdrawn")
        expect(off.link("COA-DE-A4 v1")).to_be_visible()


def adopted_state(visitor: Visitor) -> str:
    return visitor.page.get_by_label("At a glance").locator(".state").inner_text()


def test_what_was_not_checked_is_not_imported_and_what_is_there_is_told(shelf: Served, qa: Visitor):
    assert qa.go(f"/specifications/{NAME}/99").status == 404
    for path in (f"/specifications/{NAME}/two", "/profiles/SITE-COMMA/one", "/methods/NONE/1"):
        assert qa.go(path).status in {404, 422}
    assert qa.go(f"{HERE}/approved").status == 404
    with shelf.visitor(SPEC) as spec:
        spec.go("/specifications/new?template=wj-msc-release&id=&product=MY-MSC&effective=tomorrow")
        expect(spec.page.get_by_text("Say this.")).to_be_visible()
        spec.page.get_by_label("Your id for it").fill("MY-REL")
        spec.page.get_by_label("Judges lots made from").fill("2027-03-01")
        spec.press("Fill in the text")
        expect(spec.page.get_by_label("Or paste its text")).to_contain_text('id        = "MY-REL"')
        spec.press("Check it")
        expect(spec.heading("Import MY-REL.toml?")).to_be_visible()
        sent = {
            name: spec.page.locator(f"input[name={name}]").first.input_value()
            for name in ("token", "key", "name", "data")
        }
        answer = spec.context.request.post(
            f"{spec.address}/specifications", form=sent | {"sha256": "0" * 64},
            headers={"Origin": spec.address},
        )  # fmt: skip
        assert (answer.status, "BQC-WEB-051" in answer.text()) == (422, True)
        spec.go(f"/specifications/new?like={NAME}/1")
        spec.press("Check it")
        spec.press("Import it")
        told = spec.page.get_by_role("alert").first
        expect(told).to_contain_text("an imported version is never edited")


def test_a_method_whose_code_has_a_slash_is_read_and_approved(site: Served):
    data = METHOD_FILE.replace(b'"SOP-QC-040"', b'"SOP/QC/040"', 1)
    with site.house.acting(SPEC, Permission.IMPORT_METHOD) as tx:
        import_method(tx, site.house.archive, data=data, file="method.toml")
    with site.visitor(QA2) as qa:
        qa.go("/methods")
        qa.link("SOP/QC/040 v4").click()
        expect(qa.heading("SOP/QC/040 v4")).to_be_visible()
        assert qa.context.request.get("/methods/SOP%2FQC%2F040/4/file").body() == data
        qa.link("Approve").click()
        sign(qa, "Sign and approve")
        expect(qa.page.get_by_text("Signed: SOP/QC/040 v4 is approved.")).to_be_visible()
