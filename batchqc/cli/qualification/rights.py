"""Operation: who may do what. Real people of every role ask for every action."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from batchqc.actions.accounts import change_role
from batchqc.actions.approval import approve_specification
from batchqc.actions.people import register_person
from batchqc.actions.received import ReceivedFile
from batchqc.actions.registers import register_product
from batchqc.actions.uploads import upload_results
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo import own_password
from batchqc.cli.demo_story import Story, signing
from batchqc.cli.qualification.protocol import Doing, Finding, counted, data_of
from batchqc.core.permissions import Permission, Role
from batchqc.errors import BatchqcError, NotPermitted
from batchqc.records.audit import entry_count
from batchqc.records.transaction import Transaction, reading, transaction

_QP, _AUDITOR = "quy.phan", "minh.bui"


@dataclass(frozen=True, slots=True)
class Rights:
    """The people of the scratch installation."""

    story: Story

    def doings(self) -> dict[str, Doing]:
        """The checks of this section, by id."""
        return {
            "OQ-PE-01": self._matrix,
            "OQ-PE-02": self._actions,
            "OQ-PE-03": self._segregated,
        }

    def _matrix(self) -> Finding:
        self._appoint_qp()
        people = {role: name for name, (_, roles) in cast.PEOPLE.items() for role in roles}
        people |= {Role.QP: _QP, Role.ADMIN: cast.ADMIN}
        wanted = data_of("permissions")
        unknown = sorted(wanted.keys() ^ {one.value for one in Permission})
        lines = [(f"action {name}", "in matrix and software", "in one only") for name in unknown]
        for permission in Permission:
            allowed = wanted.get(permission.value, [])
            for role in Role:
                expected = "allowed" if {"all", role.value} & set(allowed) else "refused"
                got = "allowed" if self._may(people[role], permission) else "refused"
                lines.append((f"{role.value}: {permission.value}", expected, got))
        return counted(lines, source="permissions.toml")

    def _may(self, user_id: str, permission: Permission) -> bool:
        try:
            self.story.acting(user_id, permission)
        except NotPermitted:
            return False
        return True

    def _appoint_qp(self) -> None:
        def appoint(tx: Transaction) -> None:
            register_person(
                tx, user_id=_QP, name="Quy Phan", roles=(Role.QP,), password=cast.FIRST_PASSWORD,
                terms=cast.TRAINED,
            )  # fmt: skip

        self.story.do(cast.ADMIN, Permission.MANAGE_ACCOUNTS, appoint)
        own_password(self.story, _QP)

    def _actions(self) -> Finding:
        archive = self.story.place.archive
        file = ReceivedFile(name="oq.csv", size=1, data=b"x", client="batchqc validate")
        before = self._entries()
        asked = (
            (_AUDITOR, "uploads", lambda tx: upload_results(tx, archive, file=file)),
            (cast.ANALYST, "registers a product", lambda tx: register_product(tx, **cast.PRODUCT)),
            (
                cast.ADMIN,
                "approves a specification",
                lambda tx: approve_specification(
                    tx, archive, specification="UC-MSC-REL", version=1, impact="",
                    credentials=signing(cast.ADMIN, "Only to see who may"),
                ),
            ),
        )  # fmt: skip
        lines = []
        for user_id, what, action in asked:
            got = _code(partial(self._reads, user_id, action))
            lines.append((f"{user_id} {what}", "BQC-ACC-009", got))
        lines.append(("entries recorded meanwhile", "0", str(self._entries() - before)))
        return counted(lines)

    def _reads(self, user_id: str, action: Callable[[Transaction], object]) -> None:
        """Try an action in a transaction that was opened for reading."""
        actor = self.story.acting(user_id, Permission.READ)
        with transaction(self.story.place.engine, actor, self.story.place.now()) as tx:
            action(tx)

    def _segregated(self) -> Finding:
        asked = (
            (f"{cast.ADMIN} makes themself QA", cast.ADMIN, Role.QA),
            (f"{cast.APPROVER}, of QA, becomes administrator", cast.APPROVER, Role.ADMIN),
        )
        lines = []
        for what, user_id, role in asked:
            got = _code(partial(grant_role, self.story, user_id, role))
            lines.append((what, "refused", "refused" if got.startswith("BQC-ACC-") else got))
        return counted(lines)

    def _entries(self) -> int:
        with reading(self.story.place.engine) as session:
            return entry_count(session)


def grant_role(story: Story, user_id: str, role: Role) -> None:
    """Give somebody of the cast one more role."""
    story.do(
        cast.ADMIN,
        Permission.MANAGE_ACCOUNTS,
        lambda tx: change_role(
            tx, user_id=user_id, role=role, granted=True,
            reason="Qualification of the installation", terms=cast.TRAINED,
        ),
    )  # fmt: skip


def _code(asking: Callable[[], object]) -> str:
    """The code of the refusal, or that there was none."""
    try:
        asking()
    except BatchqcError as refusal:
        return refusal.code
    return "allowed"
