"""Operation: electronic signatures, and whose are refused."""

from dataclasses import dataclass, replace

from sqlalchemy import func, select

from batchqc.actions.lots import the_lot
from batchqc.actions.reviews import review_lot
from batchqc.actions.signing import Credentials
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_decisions import release
from batchqc.cli.demo_reviews import hand_to_qa, reviews
from batchqc.cli.demo_story import Story
from batchqc.cli.demo_story import signing as components
from batchqc.cli.qualification.lots import COMPLIES, NEXT
from batchqc.cli.qualification.protocol import Doing, Finding, counted
from batchqc.cli.qualification.rights import grant_role
from batchqc.cli.qualification.undone import problems_of, undone, unguard
from batchqc.core.canonical import utc_text
from batchqc.core.permissions import Permission, Role
from batchqc.core.signatures import Refusal
from batchqc.errors import BatchqcError, NotPermitted
from batchqc.records.decisions import dispositions_of
from batchqc.records.people import Attempt
from batchqc.records.signatures import SignatureRow
from batchqc.records.transaction import reading, transaction


@dataclass(frozen=True, slots=True)
class Signing:
    """The people of the scratch installation, who sign."""

    story: Story

    def doings(self) -> dict[str, Doing]:
        """The checks of this section, by id."""
        return {
            "OQ-SG-01": self._wrong_password,
            "OQ-SG-02": self._somebody_else,
            "OQ-SG-03": self._own_work,
            "OQ-SG-04": self._says,
            "OQ-SG-05": self._transferred,
        }

    def _wrong_password(self) -> Finding:
        before = self._counts()
        wrong = replace(components(cast.REVIEWER, "Compared"), password="not my password")  # noqa: S106 - wrong on purpose
        answer = self._review(cast.REVIEWER, wrong)
        after = self._counts()
        return counted(
            [
                ("the answer", "BQC-SIG-001", answer),
                ("signatures made", "0", str(after[0] - before[0])),
                ("attempts on record", "1", str(after[1] - before[1])),
            ]
        )

    def _somebody_else(self) -> Finding:
        answer = self._review(cast.REVIEWER, components(cast.APPROVER, "Compared"))
        return counted([("the answer", "BQC-SIG-003", answer)])

    def _own_work(self) -> Finding:
        story = self.story
        grant_role(story, cast.ANALYST, Role.REVIEWER)
        own = self._review(cast.ANALYST, components(cast.ANALYST, "Compared"))
        reviews(story, [NEXT])
        hand_to_qa(story, [NEXT])
        grant_role(story, cast.REVIEWER, Role.QA)
        try:
            released = release(story, NEXT, by=cast.REVIEWER)
        except NotPermitted as refusal:
            released = refusal.code
        return counted(
            [
                (f"{cast.ANALYST} reviews what they uploaded", "BQC-REV-004", own),
                (f"{cast.REVIEWER} releases what they reviewed", "BQC-REL-002", released),
            ]
        )

    def _says(self) -> Finding:
        with reading(self.story.place.engine) as session:
            decision = dispositions_of(session, the_lot(session, COMPLIES))[-1]
            said = decision.signature.signing
            bound = decision.content_sha
        return counted(
            [
                ("name", cast.PEOPLE[cast.RELEASER][0], said.name),
                ("user id", cast.RELEASER, said.user_id),
                ("role", "QA", said.role),
                ("meaning", "certified", said.meaning.value),
                ("reason", "Complies with its specification", said.reason),
                ("time of the signature, in UTC", "yes", "yes" if utc_text(said.at) else "no"),
                ("hash of what it binds", bound, said.record_sha256),
            ]
        )

    def _transferred(self) -> Finding:
        with reading(self.story.place.engine) as session:
            signature = dispositions_of(session, the_lot(session, COMPLIES))[-1].signature
            number, row_id = signature.natural_key, signature.id
        with undone(self.story.place.engine) as connection:
            unguard(connection, "signature")
            moved = f"UPDATE signature SET record = 'lot:{NEXT}' WHERE id = {row_id}"  # noqa: S608 - ours
            connection.exec_driver_sql(moved)
            problems = problems_of(connection, self.story.place.archive)
        named = any(f"signature:{number}" in one for one in problems)
        finding = counted([(f"{number} on another lot", "seen", "seen" if named else "not seen")])
        return replace(finding, evidence=[finding.evidence, problems])

    def _review(self, user_id: str, credentials: Credentials) -> str:
        """What becomes of a review of the lot that is left open: a code, or that it is signed."""
        place = self.story.place
        actor = self.story.acting(user_id, Permission.REVIEW_RESULTS)
        try:
            with transaction(place.engine, actor, place.now()) as tx:
                done = review_lot(tx, place.archive, lot=NEXT, credentials=credentials)
        except BatchqcError as refusal:
            return refusal.code
        return done.code if isinstance(done, Refusal) else "signed"

    def _counts(self) -> tuple[int, int]:
        """How many signatures and attempts are on record."""
        with reading(self.story.place.engine) as session:
            signatures = session.scalar(select(func.count()).select_from(SignatureRow)) or 0
            return signatures, session.scalar(select(func.count()).select_from(Attempt)) or 0
