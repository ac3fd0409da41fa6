"""How far the site's seals prove themselves: PAdES B-B, B-T, B-LT or B-LTA (ETSI EN 319 142-1).

B-B is the seal alone and needs no network. With B-T a timestamp service says when each seal was
there at the latest. With B-LT everything that tells whether a certificate was revoked is in the
document too, and with B-LTA a timestamp is over all of that, which is renewed before it expires.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from batchqc.documents.revocation import RootFiles, check_seal
from batchqc.documents.timestamps import Service
from batchqc.errors import SigningUnavailable

if TYPE_CHECKING:
    from batchqc.documents.pades import SealKey


class Level(StrEnum):
    """A level of PAdES, lowest first."""

    B_B = "B-B"
    B_T = "B-T"
    B_LT = "B-LT"
    B_LTA = "B-LTA"

    @property
    def is_stamped(self) -> bool:
        """Whether each seal carries a timestamp."""
        return self is not Level.B_B

    @property
    def has_evidence(self) -> bool:
        """Whether the document holds what tells that no certificate was revoked."""
        return self in {Level.B_LT, Level.B_LTA}


@dataclass(frozen=True, slots=True)
class Sealing:
    """How a site seals: the level that every document reaches, its root, its timestamp service.

    ``service`` is needed above B-B, with its root.
    """

    level: Level
    root: RootFiles
    service: Service | None = None

    @property
    def stamped_by(self) -> Service | None:
        """The service that stamps each seal; ``None`` for B-B.

        Raises:
            SigningUnavailable: BQC-CRT-019 the level needs one and there is none.
        """
        return self.service_for(self.level) if self.level.is_stamped else None

    @property
    def renewed_by(self) -> Service:
        """The service that renews.

        Raises:
            SigningUnavailable: BQC-CRT-019 there is none.
        """
        return self.service_for(Level.B_LTA)

    def service_for(self, level: Level) -> Service:
        """The service that a level above B-B needs.

        Raises:
            SigningUnavailable: BQC-CRT-019 there is none.
        """
        if self.service is None or not self.service.url or self.service.root is None:
            raise SigningUnavailable(
                "BQC-CRT-019",
                f"PAdES {level} needs a timestamp service and its root",
                hint="Set BATCHQC_TIMESTAMP_URL and BATCHQC_TIMESTAMP_ROOT.",
            )
        return self.service

    def check(self, key: "SealKey", at: datetime) -> None:
        """Refuse a seal that is not valid now, or is revoked, before anything is made with it.

        Raises:
            SigningUnavailable: BQC-CRT-013 not valid, BQC-CRT-014 revoked, BQC-CRT-018 nobody can
                tell, BQC-CRT-019 the level lacks its service.
        """
        _ = self.stamped_by
        key.check_valid(at)
        check_seal((key.certificate, key.certifying), self.root, at=at)
