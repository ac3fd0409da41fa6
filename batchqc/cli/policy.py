"""``batchqc policy``: what the site decides about its own procedure."""

from typing import Annotated

import typer

from batchqc.actions.policies import set_policy
from batchqc.cli.show import say, table
from batchqc.cli.workplace import Reason, User, at_keyboard, raise_refusal, workplace
from batchqc.core.permissions import Permission
from batchqc.core.policies import Policy, choices
from batchqc.records.policies import policies_of, policy_rows
from batchqc.records.transaction import reading, transaction

app = typer.Typer(help="Policies of the site: who certifies, what may be supplied by exception.")


@app.command("list")
def list_(context: typer.Context) -> None:
    """What each policy is now, what it may be, and who said so."""
    with reading(workplace(context).engine) as session:
        now = policies_of(session)
        said = {row.policy: f"{row.signature.name}: {row.reason}" for row in policy_rows(session)}
        rows = [
            (policy, now[policy], " | ".join(choices(policy)), said.get(policy, "at first"))
            for policy in Policy
        ]
    table(("Policy", "Is", "May be", "Who said so"), rows, empty="")


@app.command("set")
def set_(
    context: typer.Context,
    policy: Annotated[Policy, typer.Argument(help="Which.")],
    value: Annotated[str, typer.Argument(help="What it is from now on.")],
    user: User,
    reason: Reason,
) -> None:
    """Set a policy from now on, with your signature."""
    place = workplace(context)
    keyboard = at_keyboard(place, user, to=f'sign the policy "{policy}"')
    with transaction(place.engine, keyboard.acting(Permission.SET_POLICY), place.now()) as tx:
        row = set_policy(tx, policy=policy, value=value, credentials=keyboard.signing(reason))
    raise_refusal(row)
    say(f'"{policy}" is {value} from now on.')
