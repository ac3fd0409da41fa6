"""Jobs: nothing that was asked for is lost, and nothing is made twice, wherever a job is killed."""

import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from batchqc.actions.accounts import deactivate
from batchqc.actions.certificate_renewals import DUE_DAYS
from batchqc.actions.certificates import Press
from batchqc.actions.export_plan import Asked
from batchqc.actions.exports import EXPORTED
from batchqc.actions.job_kinds import DOINGS, bundle_wanted
from batchqc.actions.job_runs import Run, do_job, fail_job, open_numbers
from batchqc.actions.jobs import ask_again, ask_for, close_job, the_job
from batchqc.actions.log_proofs import the_checkpoint
from batchqc.actions.people import principal
from batchqc.actions.signing import write_signatures
from batchqc.core.jobs import TRIES, WHO_ASKS, Kind, State
from batchqc.core.open_work import Work
from batchqc.core.permissions import Permission
from batchqc.core.signatures import Meaning
from batchqc.documents.archive import FolderArchive
from batchqc.errors import (
    BatchqcError,
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    SigningUnavailable,
    StoreUnavailable,
)
from batchqc.records.audit_search import entries_after
from batchqc.records.decisions import certificate_by, issue_of
from batchqc.records.jobs import (
    JobStep,
    JobsWanted,
    job_by,
    job_lines,
    newest_progress,
    newest_step,
    steps_of,
)
from batchqc.records.people import person_by
from batchqc.records.quality_reviews import quality_review_by
from batchqc.records.transaction import transaction
from tests.actions.state import counts, grown
from tests.actions.test_certificates import NUMBER, issue
from tests.actions.test_open_work import told
from tests.records.full_house import POST_THAW
from tests.records.house import (
    ADM,
    AUD,
    LOT,
    PRODUCT,
    QA1,
    QA2,
    SPEC,
    House,
    draft_in_review,
    signing,
)
from tests.records.working import work_off, workshop

REVIEW = {"product": PRODUCT, "first": "2025-01-01", "last": "2025-05-01"}


def ask(house: House, kind: Kind, wanted: dict[str, object], by: str = QA1) -> str:
    with house.acting(by, WHO_ASKS[kind]) as tx:
        return ask_for(tx, kind, wanted).job.natural_key  # type: ignore[arg-type]


def newest(house: House, number: str) -> JobStep:
    with house.reading() as session:
        job = job_by(session, number)
        assert job
        return newest_step(session, job)


def states(house: House, number: str) -> list[str]:
    with house.reading() as session:
        job = job_by(session, number)
        assert job
        return [one.state for one in steps_of(session, job)]


def entries_of(house: House, number: str) -> list[dict[str, str]]:
    """Who did what in the trail, of all that is filed under a job."""
    with house.reading() as session:
        found = [json.loads(entry.text) for _, entry in entries_after(session, 0, limit=10_000)]
    return [one for one in found if f"job:{number}" in one["subjects"]]


class Killed(BaseException):
    """The process ends here."""


def killed_at(doing: Callable[[Run], None], moment: str) -> Callable[[Run], None]:
    """What a job does, by a process that dies before or after it commits."""

    def dies(run: Run) -> None:
        if moment == "before":
            raise Killed
        doing(run)
        raise Killed

    return dies


def die(house: House, press: Press, number: str, kind: Kind, moment: str) -> None:
    doings = {kind: killed_at(DOINGS[kind], moment)}
    with pytest.raises(Killed):
        do_job(workshop(house, press, "host:that dies"), doings, number)


def test_a_review_is_made_by_the_system_for_the_person_who_asked(house: House, press: Press):
    house.now.at += timedelta(days=30)
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW)
    assert states(house, number) == ["queued"]
    work_off(house, press)
    done = newest(house, number)
    assert (done.state, done.executor) == (State.DONE, "host:1")
    with house.reading() as session:
        review = quality_review_by(session, done.link.rpartition("/")[2])
        assert review
        assert review.made_by == QA1
    who = {one["what"]: (one["who"], one["role"]) for one in entries_of(house, number)}
    assert who["job asked for"] == who["quality review made"] == (QA1, "QA")
    assert who["job begun"] == ("system", "system")
    assert house.verify().problems == ()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_job_that_is_killed_is_made_once_all_the_same(house: House, press: Press, moment: str):
    house.now.at += timedelta(days=30)
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW)
    before = counts(house.engine)
    die(house, press, number, Kind.QUALITY_REVIEW, moment)
    work_off(house, press)
    work_off(house, press)
    assert newest(house, number).state == State.DONE
    assert grown(house.engine, before)["quality_review"] == 1


def test_a_process_that_was_taken_for_dead_makes_nothing_more(house: House, press: Press):
    house.now.at += timedelta(days=30)
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW)

    def slow(run: Run) -> None:
        work_off_by_another()
        DOINGS[Kind.QUALITY_REVIEW](run)

    def work_off_by_another() -> None:
        do_job(workshop(house, press, "host:2"), DOINGS, number)

    before = counts(house.engine)
    do_job(workshop(house, press), {Kind.QUALITY_REVIEW: slow}, number)
    done = newest(house, number)
    assert (done.state, done.executor) == (State.DONE, "host:2")
    assert grown(house.engine, before)["quality_review"] == 1


@pytest.mark.parametrize(
    "ends",
    [None, SigningUnavailable("BQC-CRT-010", "the token is away"), NotFound("BQC-X", "gone")],
)
def test_a_process_that_was_taken_for_dead_ends_no_job_that_another_is_at(
    house: House, press: Press, ends: BatchqcError | None
):
    house.now.at += timedelta(days=30)
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW)

    def slow(run: Run) -> None:
        die(house, press, number, Kind.QUALITY_REVIEW, "before")  # another is at it: so it looks
        if ends is not None:
            raise ends
        DOINGS[Kind.QUALITY_REVIEW](run)

    assert do_job(workshop(house, press), {Kind.QUALITY_REVIEW: slow}, number) is None
    goes_on = newest(house, number)
    assert (goes_on.state, goes_on.executor) == (State.RUNNING, "host:that dies")
    work_off(house, press)
    assert states(house, number) == ["queued", "running", "running", "running", "done"]


def test_a_process_that_was_taken_for_dead_puts_off_no_job_that_was_asked_for_again(
    house: House, press: Press
):
    house.now.at += timedelta(days=30)
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW)

    def gone(_: Run) -> None:
        raise NotFound("BQC-X", "gone")

    def slow(_: Run) -> None:
        do_job(workshop(house, press, "host:2"), {Kind.QUALITY_REVIEW: gone}, number)
        with house.acting(ADM, Permission.KEEP_JOBS) as tx:
            ask_again(tx, number=number, reason="It is there")
        die(house, press, number, Kind.QUALITY_REVIEW, "before")  # another is at it: so it looks
        raise SigningUnavailable("BQC-CRT-010", "the token is away")

    assert do_job(workshop(house, press), {Kind.QUALITY_REVIEW: slow}, number) is None
    goes_on = newest(house, number)
    assert (goes_on.state, goes_on.executor) == (State.RUNNING, "host:that dies")


def test_what_kills_every_process_is_given_up(house: House, press: Press):
    house.now.at += timedelta(days=30)
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW)
    for _ in range(TRIES):
        die(house, press, number, Kind.QUALITY_REVIEW, "before")
    work_off(house, press)
    assert newest(house, number).state == State.FAILED
    assert f"ended {TRIES} times" in newest(house, number).said
    assert open_numbers(house.engine) == []


def test_a_bundle_lies_in_the_store_and_is_exported_once(house: House, press: Press):
    house.ready()
    house.release()
    issue(house, press)
    asked = Asked(checkpoint=checkpoint(house))
    number = ask(house, Kind.BUNDLE, bundle_wanted(asked), by=AUD)
    die(house, press, number, Kind.BUNDLE, "before")
    die_while_sending(house, press, number)
    work_off(house, press)
    done = newest(house, number)
    assert done.state == State.DONE
    assert "1 lots with 1 certificates" in done.said
    with house.archive.opened(done.result_sha) as stream, zipfile.ZipFile(stream) as file:
        assert file.testzip() is None
    actions = [one["what"] for one in entries_of(house, number)]
    assert actions.count(EXPORTED) == 1
    with house.reading() as session:
        job = job_by(session, number)
        assert job
        at = newest_progress(session, job)
        assert at
        assert (at.done, at.total) == (1, 1)


def die_while_sending(house: House, press: Press, number: str) -> None:
    """The bundle is on record, and no byte of it is kept."""

    shop = workshop(house, press)
    kind = {Kind.BUNDLE: lambda run: DOINGS[Kind.BUNDLE](Dying(run))}
    with pytest.raises(Killed):
        do_job(shop, kind, number)  # type: ignore[arg-type]


class Dying:
    """A try whose process dies as soon as it tells how far it is."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getattr__(self, name: str) -> object:
        return getattr(self._run, name)

    def tell(self, done: int, _: int) -> None:
        if done:
            raise Killed


def checkpoint(house: House) -> int:
    with house.reading() as session:
        return the_checkpoint(session).size


def test_an_impact_report_is_kept_of_a_draft(house: House, press: Press):
    specification, version = draft_in_review(house, POST_THAW, "thaw.toml")
    wanted = {"specification": specification, "version": version}
    number = ask(house, Kind.IMPACT, wanted, by=SPEC)
    before = counts(house.engine)
    work_off(house, press)
    assert newest(house, number).link == f"/specifications/{specification}/{version}/impact"
    assert grown(house.engine, before)["impact_report"] == 1


def test_pending_certificates_are_issued_once_a_key_can_be_used(house: House, press: Press):
    house.ready()
    house.release()

    def no_key() -> object:
        raise SigningUnavailable("BQC-CRT-010", "the token is away")

    number = ask(house, Kind.ISSUE, {})
    work_off(house, replace(press, seal_key=no_key))  # type: ignore[arg-type]
    waits = newest(house, number)
    assert waits.state == State.WAITING
    assert f"{NUMBER}: the token is away" in waits.said
    work_off(house, press)
    assert newest(house, number).state == State.WAITING  # not before it is due
    house.now.at += timedelta(minutes=1)
    work_off(house, press)
    done = newest(house, number)
    assert (done.state, done.said) == (State.DONE, "1 certificates were issued")
    with house.reading() as session:
        row = certificate_by(session, NUMBER)
        assert row
        issued = issue_of(session, row)
        assert issued
        assert issued.issued_by == QA1


def test_a_store_that_is_out_of_reach_is_waited_for(house: House, press: Press):
    def not_mounted(_: Run) -> None:
        raise StoreUnavailable("BQC-ARC-004", "the store does not answer")

    number = ask(house, Kind.SCRUB, {"sample": 0, "since": ""})
    due = do_job(workshop(house, press), {Kind.SCRUB: not_mounted}, number)
    assert due is not None
    assert newest(house, number).state == State.WAITING
    house.now.at = due
    work_off(house, press)
    assert newest(house, number).state == State.DONE


def test_a_database_that_went_away_meanwhile_ends_no_job(house: House, press: Press):
    """As in a fail-over: nobody has to ask for the job again."""
    number = ask(house, Kind.SCRUB, {"sample": 0, "since": ""})

    def away(_: Run) -> None:
        raise OperationalError("SELECT", {}, ConnectionError("server closed the connection"))

    due = do_job(workshop(house, press), {Kind.SCRUB: away}, number)
    assert states(house, number) == ["queued", "running", "waiting"]
    assert due is not None
    house.now.at = due
    work_off(house, press)
    assert newest(house, number).state == State.DONE


def test_certificates_wait_for_a_store_that_is_out_of_reach(house: House, press: Press):
    class Away(FolderArchive):
        def put_stream(self, chunks: Iterable[bytes]) -> str:  # noqa: ARG002 - as its base has it
            raise StoreUnavailable("BQC-ARC-004", "the store does not answer")

    house.ready()
    house.release()
    number = ask(house, Kind.ISSUE, {})
    away = replace(workshop(house, press), archive=Away(house.archive.root))
    assert do_job(away, DOINGS, number) is not None
    waits = newest(house, number)
    assert (waits.state, waits.said) == (
        State.WAITING, f"BQC-ARC-004: {NUMBER}: the store does not answer",
    )  # fmt: skip
    house.now.at += timedelta(minutes=1)
    work_off(house, press)
    assert newest(house, number).state == State.DONE


def test_a_service_that_never_answers_leaves_a_job_in_my_work(house: House, press: Press):
    house.ready()
    house.release()

    def no_key() -> object:
        raise SigningUnavailable("BQC-CRT-010", "the token is away")

    number = ask(house, Kind.ISSUE, {})
    for _ in range(TRIES):
        work_off(house, replace(press, seal_key=no_key))  # type: ignore[arg-type]
        house.now.at += timedelta(hours=2)
    assert newest(house, number).state == State.FAILED
    [item] = told(house, Work.JOB)
    assert item.startswith(f"{number} (issue of pending certificates) failed: BQC-CRT-010")
    with house.acting(QA2, Permission.KEEP_JOBS) as tx:
        ask_again(tx, number=number, reason="The token is back")
    assert told(house, Work.JOB) == []
    work_off(house, press)
    assert newest(house, number).state == State.DONE


def test_a_failed_job_is_closed_with_a_reason_and_nothing_else_is(house: House, press: Press):
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW | {"product": "NONE"})
    with house.acting(QA1, Permission.KEEP_JOBS) as tx, pytest.raises(Conflict) as refused:
        close_job(tx, number=number, reason="Asked for by mistake")
    assert refused.value.code == "BQC-JOB-004"
    house.now.at += timedelta(days=30)
    work_off(house, press)
    assert newest(house, number).said.startswith("BQC-")
    with house.acting(QA1, Permission.KEEP_JOBS) as tx, pytest.raises(InvalidInput):
        close_job(tx, number=number, reason="")
    with house.acting(QA1, Permission.KEEP_JOBS) as tx:
        close_job(tx, number=number, reason="Asked for by mistake")
    assert told(house, Work.JOB) == []
    assert states(house, number) == ["queued", "running", "failed", "closed"]
    fail_job(workshop(house, press), number, "too late")
    assert newest(house, number).state == State.CLOSED


def test_a_scrub_reads_all_that_records_name(house: House, press: Press):
    number = ask(house, Kind.SCRUB, {"sample": 0, "since": ""})
    die(house, press, number, Kind.SCRUB, "before")
    work_off(house, press)
    done = newest(house, number)
    assert done.state == State.DONE
    assert done.said.endswith("files were read again; 0 are missing or damaged")
    assert done.said[0] != "0"


def test_a_job_that_is_over_is_not_begun_again_whoever_takes_it(house: House, press: Press):
    number = ask(house, Kind.RENEWAL, {"within": DUE_DAYS})
    for _ in range(2):
        assert do_job(workshop(house, press), DOINGS, number) is None
        assert states(house, number) == ["queued", "running", "done"]


def test_nothing_is_renewed_where_nothing_is_due(house: House, press: Press):
    number = ask(house, Kind.RENEWAL, {"within": DUE_DAYS})
    work_off(house, press)
    assert newest(house, number).said == "0 certificates were renewed"


def test_who_lost_the_role_meanwhile_gets_nothing(house: House, press: Press):
    house.now.at += timedelta(days=30)
    number = ask(house, Kind.QUALITY_REVIEW, REVIEW)
    with house.acting(ADM, Permission.MANAGE_ACCOUNTS) as tx:
        deactivate(tx, user_id=QA1, reason="Left the company")
    before = counts(house.engine)
    work_off(house, press)
    assert newest(house, number).state == State.FAILED
    assert "quality_review" not in grown(house.engine, before)


def test_only_who_may_do_it_may_ask_for_it(house: House):
    with house.acting(AUD, Permission.EXPORT_RECORDS) as tx, pytest.raises(NotPermitted):
        ask_for(tx, Kind.QUALITY_REVIEW, REVIEW)


def test_a_job_is_seen_by_who_asked_and_by_who_keeps_jobs(house: House):
    wanted = {"specification": "UC-MSC-REL", "version": 1}
    number = ask(house, Kind.IMPACT, wanted, by=SPEC)
    with house.reading() as session:
        for who, may in ((SPEC, True), (QA1, True), (ADM, True), (AUD, False)):
            person = principal(session, user_id=who, time_zone="UTC", now=house.now())
            if may:
                assert the_job(session, number, person=person).natural_key == number
            else:
                with pytest.raises(NotPermitted) as refused:
                    the_job(session, number, person=person)
                assert refused.value.code == "BQC-JOB-003"
        with pytest.raises(NotFound):
            the_job(session, "JOB-2026-999999", person=person)
        own = job_lines(session, JobsWanted(SPEC), behind=None, limit=9)
        assert [one.job.natural_key for one in own] == [number]
        assert job_lines(session, JobsWanted(QA1), behind=None, limit=9) == []


def test_a_job_signs_for_nobody(house: House):
    actor = replace(house.actor(QA1, Permission.KEEP_QUALITY_REVIEW), job="job:JOB-2026-000001")
    with transaction(house.engine, actor, house.now()) as tx:
        person = person_by(tx.session, QA1)
        assert person
        records = [(f"lot:{LOT}", "0" * 64)]
        with pytest.raises(NotPermitted) as no:
            write_signatures(tx, person, signing(QA1), meaning=Meaning.REVIEWED, records=records)
    assert no.value.code == "BQC-JOB-001"


def test_what_is_not_committed_was_never_asked_for(house: House):
    def dies() -> None:
        with house.acting(QA1, Permission.KEEP_QUALITY_REVIEW) as tx:
            ask_for(tx, Kind.QUALITY_REVIEW, REVIEW)
            raise Killed

    with pytest.raises(Killed):
        dies()
    assert open_numbers(house.engine) == []
