"""What every part of the demonstration works with."""

from dataclasses import dataclass
from pathlib import Path

from batchqc.actions.evaluation import LotCase, study
from batchqc.actions.lots import the_lot
from batchqc.actions.people import principal
from batchqc.actions.signing import Credentials
from batchqc.cli import demo_cast as cast
from batchqc.cli.workplace import Workplace
from batchqc.core.permissions import Permission
from batchqc.records.transaction import Actor, reading


@dataclass(frozen=True, slots=True)
class Story:
    """Where the story takes place, its clock, and who acts in it."""

    folder: Path
    place: Workplace
    clock: cast.StoryClock

    def acting(self, user_id: str, permission: Permission) -> Actor:
        """A person of the cast in the role that allows ``permission``."""
        with reading(self.place.engine) as session:
            zone = cast.SITE.time_zone
            person = principal(session, user_id=user_id, time_zone=zone, now=self.clock.at)
        return person.acting(permission)

    def case(self, lot: str) -> LotCase:
        """All that is known about a lot."""
        with reading(self.place.engine) as session:
            row = the_lot(session, lot)
            return study(session, self.place.archive, lot=row, now=self.clock.at)


def signing(user_id: str, reason: str) -> Credentials:
    """Both components of a signature of the cast."""
    return Credentials(user_id, cast.PASSWORD, reason)
