"""What each kind of job does; each may be killed anywhere, and is begun again from the start.

Bundles, reviews and reports are made of one state of the records and kept with the step that ends
the job. Certificates are issued and renewed one by one, each once; a scrub goes on where it was.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from batchqc.actions.certificate_renewals import due_certificates, renew_certificate
from batchqc.actions.certificates import issue_certificate
from batchqc.actions.export_plan import Asked
from batchqc.actions.exports import EXPORTED, Exporter, export_bundle
from batchqc.actions.impact import assess_impact, keep_impact
from batchqc.actions.job_runs import Doing, Run
from batchqc.actions.quality_reviews import check_period, keep_made, make_review
from batchqc.actions.scrubs import ScrubWanted, scrub
from batchqc.actions.specifications import content_of, the_version
from batchqc.core.jobs import Kind
from batchqc.core.quality_reviews import Period
from batchqc.errors import BatchqcError, Conflict, SigningUnavailable, StoreUnavailable
from batchqc.records.audit import newest_link
from batchqc.records.exports import has_entry_about
from batchqc.records.open_work import pending_certificates
from batchqc.records.transaction import reading


def bundle_wanted(asked: Asked) -> dict[str, Any]:
    """A question for a bundle, as a job has it; its checkpoint is one that there is."""
    return {**asked.content, "checkpoint": asked.checkpoint}


def _bundle(run: Run) -> None:
    shop, wanted = run.shop, run.wanted
    asked = Asked(
        wanted["product"], tuple(wanted["lots"]), _day(wanted["since"]), _day(wanted["until"]),
        wanted["checkpoint"],
    )  # fmt: skip
    with reading(shop.engine) as session:
        is_logged = has_entry_about(session, run.actor.job, EXPORTED)
    exporter = Exporter(run.actor, shop.clock, shop.anchors, shop.press.log_key, is_logged)
    found = export_bundle(shop.engine, shop.archive, exporter, asked)
    counts = found.plan.counts
    run.tell(0, counts["lots"])
    sha256 = shop.archive.put_stream(found.chunks(run.tell))
    with run.acting() as tx:
        said = f"{counts['lots']} lots with {counts['certificates']} certificates, as of entry"
        run.done(
            tx, f"{said} {asked.checkpoint} of the audit trail",
            link=f"/jobs/{run.number}/result", result_sha=sha256,
        )  # fmt: skip


def _quality_review(run: Run) -> None:
    shop, product = run.shop, run.wanted["product"]
    first, last = (date.fromisoformat(run.wanted[one]) for one in ("first", "last"))
    period = Period(first, last)
    with reading(shop.engine) as session:
        check_period(session, period, shop.clock())
        made = make_review(
            session, shop.archive, product=product, period=period, fonts=shop.press.fonts
        )
        link = newest_link(session)
    with run.acting() as tx:
        row = keep_made(tx, shop.archive, made, period=period, link=link)
        number = row.natural_key
        run.done(tx, f"{number} is kept", link=f"/quality-reviews/{number}")


def _impact(run: Run) -> None:
    shop, specification, version = run.shop, run.wanted["specification"], run.wanted["version"]
    with reading(shop.engine) as session:
        draft = content_of(shop.archive, the_version(session, specification, version))
        found = assess_impact(session, shop.archive, draft=draft, tell=run.tell)
    with run.acting() as tx:
        keep_impact(tx, shop.archive, fonts=shop.press.fonts, impact=found)
        said = f"{len(found.flips)} of {found.lots} lots would be judged differently"
        run.done(tx, said, link=f"/specifications/{specification}/{version}/impact")


def _issue(run: Run) -> None:
    shop = run.shop
    with reading(shop.engine) as session:
        numbers = [one.natural_key for one in pending_certificates(session)]

    def issue(number: str) -> None:
        issue_certificate(
            shop.engine, shop.archive, shop.press,
            number=number, actor=run.actor, clock=shop.clock,
        )  # fmt: skip

    _each(run, numbers, issue, "issued")


def _renewal(run: Run) -> None:
    shop = run.shop
    with reading(shop.engine) as session:
        due = due_certificates(session, shop.archive, at=shop.clock(), within=run.wanted["within"])

    def renew(number: str) -> None:
        renew_certificate(
            shop.engine, shop.archive, shop.press.sealing,
            number=number, clock=shop.clock, actor=run.actor,
        )  # fmt: skip

    _each(run, [one.number for one in due], renew, "renewed")


def _scrub(run: Run) -> None:
    shop, sample = run.shop, run.wanted["sample"]
    wanted = ScrubWanted(sample, _day(run.wanted["since"]))
    checked = found = 0
    for part in scrub(shop.engine, shop.archive, wanted, actor=run.actor, clock=shop.clock):
        checked, found = checked + part.checked, found + len(part.found)
        run.tell(checked, sample)
    with run.acting() as tx:
        said = f"{checked} files were read again; {found} are missing or damaged"
        run.done(tx, said, link="/archive/damage" if found else "")


def _each(run: Run, numbers: list[str], do: Callable[[str], None], done: str) -> None:
    """Do something to certificates, to each what can be done, and tell all that cannot.

    Raises:
        SigningUnavailable: a service did not answer for some of them; the others are done.
        StoreUnavailable: the store did not.
        Conflict: BQC-JOB-006 something else is wrong with some of them; the others are done.
    """
    problems = list[BatchqcError]()
    for count, number in enumerate(numbers, 1):
        try:
            do(number)
        except BatchqcError as error:
            problems.append(type(error)(error.code, f"{number}: {error.message}", hint=error.hint))
        run.tell(count, len(numbers))
    for one in problems:
        if isinstance(one, SigningUnavailable | StoreUnavailable):
            raise one
    if problems:
        raise Conflict(
            "BQC-JOB-006",
            f"{len(problems)} of {len(numbers)} certificates could not be {done}",
            reasons=_told(problems),
            hint="Those that could are. See to the others, and have the job tried again.",
        )
    with run.acting() as tx:
        run.done(tx, f"{len(numbers)} certificates were {done}", link="/certificates")


def _told(problems: Iterable[BatchqcError]) -> list[str]:
    return [f"{one.code} {one.message}" for one in problems]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


DOINGS: Final[Mapping[Kind, Doing]] = {
    Kind.BUNDLE: _bundle,
    Kind.QUALITY_REVIEW: _quality_review,
    Kind.IMPACT: _impact,
    Kind.ISSUE: _issue,
    Kind.RENEWAL: _renewal,
    Kind.SCRUB: _scrub,
}
