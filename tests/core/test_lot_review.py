"""When QC may hand a lot to QA, and what of the audit trail QA reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from batchqc.core.audit import Link, break_after, next_link
from batchqc.core.audit_review import (
    AFTER,
    OF_PEOPLE,
    ROUTINE,
    TrailEntry,
    performers,
    select_entries,
)
from batchqc.core.dispositions import readiness
from batchqc.core.lot_review import (
    is_open,
    lot_review_says,
    lot_reviewer_problems,
    review_hindrances,
)
from tests.core.test_dispositions import CLOSED_BY, FAILED, MISSING, READY, RUN
from tests.core.world import criterion, measured, verdict_of

PENDING = verdict_of(criterion(interim=("gram",)))
AT = datetime(2026, 1, 5, tzinfo=UTC)


def hindrances(facts) -> list[str]:
    return [one.split(":")[0] for one in review_hindrances(facts, readiness(facts))]


@pytest.mark.requirement("2.06")
def test_qc_hands_over_what_is_complete_also_where_it_fails():
    assert hindrances(READY) == []
    assert hindrances(replace(READY, verdicts=(FAILED,))) == []
    assert hindrances(replace(READY, verdicts=(PENDING,))) == []
    assert hindrances(replace(READY, verdicts=(MISSING,))) == ["Results"]
    undecidable = verdict_of(criterion(interim=("gram",)), measured(">85"))
    assert is_open(undecidable)  # there is a result, and it is not pending any more
    optional = verdict_of(criterion(required=False))
    assert hindrances(replace(READY, verdicts=(optional,))) == []


#: What is QC's to settle before QA has the lot; QA decides over the rest.
OF_QC = {"Specification", "Review", "Investigations", "Corrections", "Records"}


@pytest.mark.requirement("2.06")
@pytest.mark.parametrize("name", CLOSED_BY)
def test_only_the_gates_of_qc_hinder_its_review(name: str):
    assert hindrances(CLOSED_BY[name]) == ([name] if name in OF_QC else [])


def test_who_entered_or_measured_does_not_review_the_lot():
    assert lot_reviewer_problems((RUN,), "rev") == ()
    for person in ("ana", "ben"):
        (said,) = lot_reviewer_problems((RUN,), person)
        assert said.startswith(f"{person} entered or measured run R-1")


@pytest.mark.requirement("1.58")
def test_a_review_stands_while_its_content_stands():
    assert lot_review_says("", "", "").stops == ("QC has not reviewed the lot as a whole",)
    assert lot_review_says("a", "a", "S-1").stops == ()
    assert lot_review_says("a", "b", "S-1").stops == (
        "the lot is no longer what QC reviewed (S-1)",
    )


def entry(sequence: int, what: str, **more) -> TrailEntry:
    facts = {"why": "", "subjects": ("lot:L",), "who": "ana", "paper": ""} | more
    return TrailEntry(sequence, "0" * 64, facts["who"], "analyst", AT, what, facts["why"],
                      facts["subjects"], facts["paper"])  # fmt: skip


@pytest.mark.requirement("1.55")
def test_routine_is_counted_and_everything_else_is_read():
    entries = [entry(n, what) for n, what in enumerate(sorted(ROUTINE), start=1)]
    entries += [entry(90, "correction approved", who="qa1"), entry(91, "nobody classified this")]
    found = select_entries(entries, late={})
    assert [one.entry.sequence for one in found.entries] == [90, 91]
    assert found.routine == dict.fromkeys(sorted(ROUTINE), 1)
    assert performers(found) == {"qa1", "ana"}


#: Of each kind of what is never done for every lot: it opens, changes, stops or repeats something.
EXCEPTIONAL = (
    "correction requested", "correction approved", "correction refused", "lot held", "lot let go",
    "lot rejected", "deviation recorded", "investigation opened", "upload refused",
    "second entry does not match", "consent withdrawn", "donor tests recorded",
    "look-back started", "certificate withdrawn", "policy set", "register rule set",
    "investigation rule set", "signing rule set", "role granted", "role withdrawn",
    "password refused", "account locked", "password reset", "raw data disposed of",
    "containers thawed", "containers broken", "retain sample handed over", "system stop withdrawn",
)  # fmt: skip


@pytest.mark.requirement("1.55")
@pytest.mark.parametrize("what", EXCEPTIONAL)
def test_what_is_not_done_for_every_lot_is_read_and_makes_a_review_out_of_date(what: str):
    (read,) = select_entries([entry(1, what)], late={}).entries
    assert read.because == "not done for every lot"
    assert what not in OF_PEOPLE
    assert (what in AFTER) == (what == "lot rejected")  # the decision is what the review was for


@pytest.mark.requirement("1.54", "1.55")
def test_what_comes_in_after_a_review_makes_it_out_of_date():
    assert not {"upload accepted", "results reviewed", "lot reviewed by QC"} & AFTER


@pytest.mark.requirement("1.55", "1.62")
def test_what_was_signed_on_paper_and_entered_late_is_read():
    late, plain = entry(1, "results reviewed", paper="late entry of F-1"), entry(2, "lot checked")
    (read,) = select_entries([late, plain], late={}).entries
    assert (read.entry, read.because) == (late, "late entry of F-1")


def test_what_is_done_again_superseding_or_late_is_read():
    determined = "donor eligibility determined"
    entries = [
        entry(4, "upload accepted", subjects=("upload:U-3",)),
        entry(3, "upload accepted", why="Wrong gate"),
        entry(2, determined, subjects=("eligibility:D/2", "donor:D")),
        entry(1, determined, subjects=("eligibility:D/1", "donor:D")),
        entry(5, determined, subjects=()),
    ]
    found = select_entries(entries, late={"upload:U-3": "entered 9 days after"})
    assert [(one.entry.sequence, one.because) for one in found.entries] == [
        (2, "determined again"),
        (3, "it supersedes what was on record"),
        (4, "entered 9 days after"),
    ]


def chain(length: int) -> list[Link]:
    links: list[Link] = []
    for number in range(length):
        links.append(next_link(links[-1] if links else None, f"{number:064}"))
    return links


@pytest.mark.requirement("1.01")
def test_the_chain_is_followed_from_the_head_that_qa_signed():
    links = chain(6)
    known = (links[2].sequence, links[2].sha256)
    assert break_after(links, None) == ""
    assert break_after([], None) == ""
    assert break_after(links[2:], known) == ""
    assert "missing" in break_after([], known)
    assert "whose head QA signed" in break_after(links[3:], known)
    assert "whose head QA signed" in break_after([replace(links[2], sha256="0"), *links[3:]], known)
    assert "entry 5 " in break_after([*links[2:4], replace(links[4], previous="0")], known)
    assert "entry 1 " in break_after([replace(links[0], sha256="0")], None)
    assert "entry 2 " in break_after([replace(links[1])], None)


def test_the_time_of_an_entry_does_not_matter_its_place_does():
    late = replace(entry(1, "lot held"), at=AT + timedelta(days=1))
    found = select_entries([entry(2, "lot let go"), late], late={})
    assert [one.entry.what for one in found.entries] == ["lot held", "lot let go"]
