"""Whether who signs is trained for the role in which they sign (requirement 1.09)."""

from typing import Final

from batchqc.actions.role_terms import site_day
from batchqc.core.accounts import untrained
from batchqc.core.laboratory import Register, Rule
from batchqc.core.signatures import Refusal
from batchqc.records.laboratory import rule_of
from batchqc.records.people import Person, grants_of
from batchqc.records.transaction import Transaction

#: What audit entries call a signature that the rule of training flags.
FLAGGED: Final = "signed without training in date"


def check_role_training(tx: Transaction, person: Person) -> Refusal | None:
    """What the rule of training does with a person who signs: refuse, or remark it in an entry."""
    rule = rule_of(tx.session, Register.TRAINING)
    if rule is Rule.OFF:
        return None
    day = site_day(tx.session, tx.now)
    held = [one for one in grants_of(tx.session, person) if one.role == tx.actor.role]
    said = [untrained(person.user_id, one, day) for one in held]
    told = said[0] if said else f"{person.user_id} does not hold the role {tx.actor.role}"
    if told and rule is Rule.REFUSE:
        return Refusal(
            "BQC-ACC-023",
            told,
            "Have an administrator grant the role anew with the record of a training in date.",
        )
    if told:
        tx.audit(FLAGGED, about=[person.key], after={"role": tx.actor.role, "flagged": told})
    return None
