"""The registers of the laboratory as files and lots are held against them."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from batchqc.actions.run_validity import approved_methods
from batchqc.core.laboratory import Laboratory, Register, Rule
from batchqc.core.methods import Method
from batchqc.documents.archive import Archive
from batchqc.records.laboratory import instrument_spans, rules_of, training_spans
from batchqc.records.methods import method_approvals
from batchqc.records.people import all_people


def the_laboratory(session: Session, archive: Archive) -> Laboratory:
    """The registers that have a rule, as they stand, with every approved method version."""
    found = laboratory_with(session)
    if found.rule(Register.METHODS) is Rule.OFF:
        return found
    return replace(found, methods=approved_methods(archive, method_approvals(session)))


def laboratory_with(session: Session, methods: Sequence[Method] = ()) -> Laboratory:
    """The registers that have a rule, as they stand, with some approved method versions."""
    rules = {one: rule for one, rule in rules_of(session).items() if rule is not Rule.OFF}
    if not rules:
        return Laboratory()
    return Laboratory(
        rules,
        instrument_spans(session) if Register.INSTRUMENTS in rules else {},
        training_spans(session) if Register.TRAINING in rules else {},
        methods,
        frozenset(one.user_id for one in all_people(session) if one.is_laboratory),
    )
