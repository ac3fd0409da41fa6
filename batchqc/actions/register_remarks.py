"""What the registers of the laboratory say of a lot: facts from the records, rules from core."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from batchqc.actions.kept import KeptRows, kept_for
from batchqc.actions.registers_in_force import laboratory_with
from batchqc.actions.run_validity import RunsLookedAt, damaged_siblings
from batchqc.actions.setup import own_site
from batchqc.core.assays import Measurement, RunKey
from batchqc.core.entries import SecondEntry
from batchqc.core.laboratory import Done, Laboratory, Register, Rule
from batchqc.core.register_remarks import Found, RegistersSay, Reviewed, Used, against
from batchqc.core.runs import Validity
from batchqc.core.superseding import same_run
from batchqc.core.verdicts import Verdict
from batchqc.documents.archive import Archive
from batchqc.errors import IntegrityFailure, InvalidInput, NotPermitted
from batchqc.records.base import Row
from batchqc.records.entries import EntryVerification
from batchqc.records.laboratory import (
    LaboratoryCertificate,
    Material,
    MaterialUse,
    certificates_for,
    materials_by,
    rule_rows,
    uses_in,
)
from batchqc.records.methods import with_siblings
from batchqc.records.people import all_people
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import Transaction
from batchqc.records.uploads import AssayRun, Review, measurements_of, supersedings_of


@dataclass(frozen=True, slots=True)
class RegistersLookedAt:
    """What the registers say of a lot, the records behind it, and what of them is damaged.

    ``kept`` is what stands in them of what it was measured with and by whom, and of who signed.
    """

    against: RegistersSay
    certificates: tuple[LaboratoryCertificate, ...]
    rows: tuple[Row, ...]
    damaged: tuple[str, ...] = ()
    kept: KeptRows = field(default_factory=KeptRows)

    def damage(self, archive: Archive) -> Iterator[str]:
        """What is damaged, certificates too whose bytes somebody changed or removed."""
        yield from self.damaged
        for one in self.certificates:
            try:
                archive.get(one.sha256)
            except (IntegrityFailure, InvalidInput) as failure:
                yield f"{one.key} cannot be read: {failure.message}"


def look_at_registers(
    session: Session,
    *,
    runs: Sequence[AssayRun],
    measurements: Sequence[Measurement],
    signed: Iterable[tuple[AssayRun, SignatureRow]],
    looked: RunsLookedAt,
    verdicts: Iterable[Verdict],
) -> RegistersLookedAt:
    """What the registers say of a lot.

    Args:
        session: only read.
        runs: of the lot, all versions.
        measurements: of these.
        signed: who reviewed, or typed as the second person, which run.
        looked: the validity of the runs.
        verdicts: of every stage; what a verdict rests on counts.
    """
    zone = ZoneInfo(own_site(session).time_zone)
    laboratory = laboratory_with(session, looked.methods)
    kept = certificates_for(session, {run.upload_id for run in runs})
    whole = runs if laboratory.rule(Register.MATERIALS) is Rule.OFF else of_every_lot(session, runs)
    uses = uses_in(session, {run.upload_id for run in whole})
    by_hand = tuple(signed)
    folded = {one.material.folded for one in uses if _is_whole(one)}
    materials = materials_by(session, folded) if folded else ()
    own = {run.id for run in runs}
    siblings = [one for one in whole if one.id not in own] if uses else []
    others = list(measurements_of(session, siblings)) if siblings else []
    found = RegistersSay()
    resting = {
        one.run for verdict in verdicts for one in (*verdict.measurements, *verdict.controls)
    }
    if laboratory.rules:
        void = {
            run
            for run, one in looked.validity.items()
            if one.validity is Validity.INVALID and run not in resting
        }
        used = [one for one in uses if _is_whole(one)]
        facts = Found(
            done=frozenset(_done(measurements, zone)),
            used=tuple(_used([*measurements, *others], used, materials, void, zone)),
            reviewed=frozenset(_reviewed(laboratory, measurements, by_hand, zone)),
            uncertified=frozenset(_uncertified(session, measurements, kept)),
        )
        found = against(laboratory, facts)
    named = {one.analyst for one in measurements}
    people = [one for one in all_people(session) if one.user_id in named]
    kept_rows = kept_for(session, measurements, by_hand, materials, zone)
    rows = (
        *rule_rows(session), *kept_rows.rows, *materials, *uses, *kept, *people,
        *siblings, *(supersedings_of(session, siblings) if siblings else ()),
    )  # fmt: skip
    damaged = tuple(damaged_siblings(siblings, others))
    return RegistersLookedAt(found, tuple(kept), rows, damaged, kept_rows)


def of_every_lot(session: Session, runs: Sequence[AssayRun]) -> Sequence[AssayRun]:
    """Some runs with what is stored of them for other lots, in every version of any lot."""
    whole, found = runs, with_siblings(session, runs)
    while len(found) > len(whole):
        newer = filter(None, (one.newer for one in supersedings_of(session, found)))  # removed
        whole = found
        found = with_siblings(session, [*found, *newer])
    return whole


def used_by(session: Session, runs: Sequence[AssayRun]) -> list[tuple[str, Used]]:
    """Every material used in some runs, in any version of them, by its folded id."""
    whole = of_every_lot(session, runs)
    uses = [one for one in uses_in(session, {run.upload_id for run in whole}) if _is_whole(one)]
    materials = materials_by(session, {one.material.folded for one in uses})
    zone = ZoneInfo(own_site(session).time_zone)
    measured = list(measurements_of(session, whole))
    return [
        (use.material.folded, one)
        for use in uses
        for one in _used(measured, [use], materials, frozenset(), zone)
    ]


def signed_for(
    runs: Sequence[AssayRun], reviews: Sequence[Review], verified: Mapping[int, EntryVerification]
) -> Iterator[tuple[AssayRun, SignatureRow]]:
    """Every run that was reviewed, or typed again, with the signature."""
    yield from ((one.assay_run, one.signature) for one in reviews)
    for run in runs:
        if run.upload_id in verified:
            yield run, verified[run.upload_id].signature


def check_training(tx: Transaction, measurements: Iterable[Measurement]) -> list[str]:
    """What the register of training says of the person who signs for results, today.

    Raises:
        NotPermitted: the person is not trained for a method, and the rule refuses that (1.09).
    """
    rule, said = _said_of_methods(tx.session, tx.actor.user_id, tx.now, measurements)
    doubts = list(filter(None, said.values()))
    if doubts and rule is Rule.REFUSE:
        raise _not_trained(tx.actor.user_id, doubts)
    return doubts


def trained_for(
    session: Session,
    runs: Sequence[AssayRun],
    measurements: Sequence[Measurement],
    *,
    person: str,
    now: datetime,
) -> tuple[list[AssayRun], list[str]]:
    """The runs that the person may sign for, and what the register of training says of the person.

    Where the rule refuses, runs by methods without training are left for somebody else.

    Raises:
        NotPermitted: no run by a method of the site is left (1.09).
    """
    rule, said = _said_of_methods(session, person, now, measurements)
    doubts = {method: doubt for method, doubt in said.items() if doubt}
    if not doubts or rule is not Rule.REFUSE:
        return list(runs), list(doubts.values())
    others = {one.run for one in measurements if one.method in doubts}
    if all(one.run in others for one in measurements if one.method in said):
        raise _not_trained(person, doubts.values())
    return [run for run in runs if run.run_key not in others], list(doubts.values())


def _said_of_methods(
    session: Session, person: str, now: datetime, measurements: Iterable[Measurement]
) -> tuple[Rule, dict[str, str]]:
    """The rule, and by method of the site, not of contractors, what speaks against the person."""
    laboratory = laboratory_with(session)
    rule = laboratory.rule(Register.TRAINING)
    if rule is Rule.OFF:
        return rule, {}
    today = now.astimezone(ZoneInfo(own_site(session).time_zone)).date()
    methods = {one.method for one in measurements if one.analyst not in laboratory.contractors}
    return rule, {
        method: laboratory.untrained(person, method, today, what="the review")
        for method in sorted(methods)
    }


def _not_trained(person: str, doubts: Iterable[str]) -> NotPermitted:
    return NotPermitted(
        "BQC-LAB-010",
        f"{person} is not trained for what is to be signed",
        reasons=list(doubts),
        hint="Have QA register the training, or ask a reviewer who is trained.",
    )


def _done(measurements: Iterable[Measurement], zone: ZoneInfo) -> Iterator[Done]:
    for one in measurements:
        day = one.measured_at.astimezone(zone).date()
        yield Done(one.instrument, one.analyst, one.method, one.version, day)


def _used(
    measurements: Iterable[Measurement],
    uses: Iterable[MaterialUse],
    materials: Sequence[Material],
    void: AbstractSet[RunKey],
    zone: ZoneInfo,
) -> Iterator[Used]:
    """Every use in any version of a run, by the newest version's days in all lots of the run."""
    versions: dict[object, list[Measurement]] = defaultdict(list)
    for one in measurements:
        versions[same_run(one.run)].append(one)
    for use in uses:
        key = RunKey(use.upload.natural_key, use.test, use.run)
        if not (whole := versions[same_run(key)]):
            continue  # a run of other lots, or one whose measurements somebody removed
        counting = [
            one for one in whole if not one.superseded_by and one.second is not SecondEntry.MISMATCH
        ]
        yield Used(
            material=use.material.material,
            run=str(key),
            day=max(one.measured_at.astimezone(zone).date() for one in counting or whole),
            expires_on=expiry_of(use.material, materials),
            counts=any(one.run not in void for one in counting or whole),
        )


def _is_whole(use: MaterialUse) -> bool:
    """Whether its material is there; where somebody removed that, the use is damaged."""
    return getattr(use, "material", None) is not None


def expiry_of(used: Material, rows: Iterable[Material]) -> date:
    """The last usable day of a material as its newest row says, and that of the lot it had.

    The earlier of the two counts: a newer lot under the same id does not mend the use of an older.
    """
    own = [one for one in rows if one.folded == used.folded] or [used]
    newest = [one for one in own if one.lot == used.lot][-1:]
    return min(date.fromisoformat(one.expires_on) for one in (*newest, own[-1]))


def _reviewed(
    laboratory: Laboratory,
    measurements: Sequence[Measurement],
    signed: Iterable[tuple[AssayRun, SignatureRow]],
    zone: ZoneInfo,
) -> Iterator[Reviewed]:
    methods: dict[RunKey, set[str]] = defaultdict(set)
    for one in measurements:
        if one.analyst not in laboratory.contractors:
            methods[one.run].add(one.method)
    for run, signature in signed:
        day = signature.at.astimezone(zone).date()
        for method in methods[run.run_key]:
            yield Reviewed(signature.person.user_id, method, day)


def _uncertified(
    session: Session,
    measurements: Iterable[Measurement],
    kept: Iterable[LaboratoryCertificate],
) -> Iterator[tuple[str, str]]:
    """Contract laboratories with results that may count, in an upload without their certificate."""
    names = {one.user_id: one.name for one in all_people(session) if one.is_laboratory}
    there = {(getattr(one.person, "user_id", ""), one.upload.natural_key) for one in kept}
    for one in measurements:
        if one.superseded_by or one.second is SecondEntry.MISMATCH or one.analyst not in names:
            continue
        if (one.analyst, one.run.upload) not in there:
            yield names[one.analyst], one.run.upload
