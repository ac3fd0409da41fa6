"""``batchqc donor``: donations, tests, consents, and everything on record of a donor."""

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer

from batchqc.actions.consents import record_consent, withdraw_consent
from batchqc.actions.donations import (
    NewDonation,
    pool_donations,
    register_donation,
)
from batchqc.actions.donor_export import accompanying_records, as_text
from batchqc.actions.donor_panels import evaluate_donor
from batchqc.actions.donor_tests import NewTests, record_tests
from batchqc.actions.registers import the_donor
from batchqc.cli.register import Code, donors
from batchqc.cli.show import say, table
from batchqc.cli.spec_tools import day_of
from batchqc.cli.workplace import Reason, User, at_keyboard, workplace
from batchqc.core.donation_ids import IdKind
from batchqc.core.permissions import Permission
from batchqc.records.transaction import reading, transaction

app = donors  # registering them, and their eligibility, stand beside this

Day = Annotated[str, typer.Option(help="A date of the site, as YYYY-MM-DD.")]
Document = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="The paper; its hash is recorded.")
]


@app.command("donation")
def donation(  # noqa: PLR0913 - a donation is this much
    context: typer.Context,
    code: Code,
    donation: Annotated[str, typer.Argument(help="Its identification.")],
    *,
    kind: Annotated[IdKind, typer.Option(help="What the identification is.")],
    donated_on: Day,
    establishment: Annotated[str, typer.Option(help="Where it was given.")],
    address: Annotated[str, typer.Option(help="Of the establishment.")],
    tissue: Annotated[str, typer.Option(help="Such as: umbilical cord")],
    age: Annotated[str, typer.Option(help='Of the donor then, such as "34 years".')] = "",
    sex: Annotated[str, typer.Option(help="Of the donor.")] = "",
    tested: Annotated[str, typer.Option(help="donor, or birth mother")] = "donor",
    user: User,
) -> None:
    """Register what a donor gave."""
    place = workplace(context)
    new = NewDonation(
        code, kind, donation, day_of(donated_on), establishment, address, tissue, age, sex, tested
    )
    actor = at_keyboard(place, user).acting(Permission.KEEP_DONOR_RECORDS)
    with transaction(place.engine, actor, place.now()) as tx:
        said = register_donation(tx, new).donation
    say(f"Donation {said} of donor {code} is registered. Next: batchqc donor test {code} {said}")


@app.command("test")
def test(  # noqa: PLR0913 - the tests of a specimen are this much
    context: typer.Context,
    code: Code,
    donation: Annotated[str, typer.Argument(help="Of which donation.")],
    results: Annotated[
        list[str], typer.Argument(help='Marker and result, such as "HBsAg=nonreactive".')
    ],
    *,
    person: Annotated[str, typer.Option(help="Whose specimen: donor, or birth mother")],
    specimen: Annotated[str, typer.Option(help="Its id.")],
    taken_at: Annotated[str, typer.Option(help="Such as 2026-04-02T09:00-05:00.")],
    laboratory: Annotated[str, typer.Option(help="Who tested.")],
    statement: Annotated[str, typer.Option(help="CLIA certificate, or what is equivalent.")],
    kit: Annotated[str, typer.Option(help="Kit, and its licence.")],
    document: Document,
    user: User,
) -> None:
    """Record the tests of a specimen. The donor's eligibility is to be determined anew."""
    place = workplace(context)
    pairs = tuple(
        (marker, result) for marker, _, result in (one.rpartition("=") for one in results)
    )
    new = NewTests(
        code, donation, person, specimen, taken_at, laboratory, statement, kit,
        _sha256(document), pairs,
    )  # fmt: skip
    actor = at_keyboard(place, user).acting(Permission.KEEP_DONOR_RECORDS)
    with transaction(place.engine, actor, place.now()) as tx:
        count = len(record_tests(tx, place.archive, new))
    say(f"{count} results of donation {donation} are recorded.")
    say(f"Next: batchqc donor eligibility {code}, for what was determined before counts no more.")


@app.command("consent")
def consent(  # noqa: PLR0913 - a consent is this much
    context: typer.Context,
    code: Code,
    version: Annotated[str, typer.Argument(help="Of the consent form.")],
    scopes: Annotated[list[str], typer.Argument(help="clinical, commercial, research, genetic")],
    *,
    given_on: Day,
    document: Document,
    user: User,
) -> None:
    """Record the consent that a donor gave; it counts instead of an earlier one."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_DONOR_RECORDS)
    with transaction(place.engine, actor, place.now()) as tx:
        record_consent(
            tx,
            donor=code,
            version=version,
            scopes=tuple(scopes),
            given_on=day_of(given_on),
            document_sha256=_sha256(document),
        )
    say(f"Consent {version} of donor {code} is recorded.")


@app.command("withdraw")
def withdraw(
    context: typer.Context, code: Code, *, withdrawn_on: Day, user: User, reason: Reason
) -> None:
    """Record that a donor withdrew the consent: no new lot, and no release of those in work."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_DONOR_RECORDS)
    with transaction(place.engine, actor, place.now()) as tx:
        withdraw_consent(
            tx, place.archive, donor=code, withdrawn_on=day_of(withdrawn_on), reason=reason
        )
    say(f"The consent of donor {code} is withdrawn.")


@app.command("pool")
def pool(  # noqa: PLR0913 - a pool is this much
    context: typer.Context,
    pool: Annotated[str, typer.Argument(help="The identification of the pool.")],
    donations: Annotated[list[str], typer.Argument(help="Donations, two at the least.")],
    *,
    kind: Annotated[IdKind, typer.Option(help="What the identification is.")],
    pooled_on: Day,
    user: User,
    reason: Reason,
) -> None:
    """Put donations together under an identification of their own."""
    place = workplace(context)
    actor = at_keyboard(place, user).acting(Permission.KEEP_DONOR_RECORDS)
    with transaction(place.engine, actor, place.now()) as tx:
        said = pool_donations(
            tx, kind=kind, pool=pool, donations=tuple(donations), pooled_on=day_of(pooled_on),
            reason=reason,
        ).pool  # fmt: skip
    say(f"Pool {said} of {len(donations)} donations is registered.")


@app.command("evaluate")
def evaluate(
    context: typer.Context,
    code: Code,
    panel: Annotated[str, typer.Option(help="The panel to hold the records against.")],
) -> None:
    """What stands against determining a donor to be eligible."""
    place = workplace(context)
    with reading(place.engine) as session:
        reference, found = evaluate_donor(
            session, place.archive, donor=code, panel=panel, now=place.now()
        )
    said = [
        *(("problem", one) for one in found.problems),
        *(("remark", one) for one in found.remarks),
    ]
    table((reference, "What is said"), said, empty=f"{reference} is fulfilled.")


@app.command("records")
def records(
    context: typer.Context,
    code: Code,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Everything on record of a donor, to accompany what comes from it; no name is in it."""
    with reading(workplace(context).engine) as session:
        found = accompanying_records(session, the_donor(session, code))
    say(json.dumps(found, indent=2, ensure_ascii=False) if as_json else as_text(found))


def _sha256(document: Path) -> str:
    return hashlib.sha256(document.read_bytes()).hexdigest()
