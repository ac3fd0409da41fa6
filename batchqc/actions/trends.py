"""Series of lots in memory, apart by product: who waits, waits for lots of the same product.

To read a product for the first time takes long where it has thousands of lots.
"""

from collections.abc import Iterable
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from batchqc.actions.trends_of_product import TrendsOfProduct
from batchqc.core.trends import Attribute
from batchqc.documents.archive import Archive

if TYPE_CHECKING:
    from batchqc.statistics.growing_series import LotLook
    from batchqc.statistics.lot_series import Trend


class Trends:
    """The series that a process was asked for; one object serves all its threads."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._lock = Lock()
        self._products: dict[str, TrendsOfProduct] = {}

    @property
    def read(self) -> int:
        """Lots that were judged so far, once for each attribute; for who measures."""
        return sum(one.read for one in list(self._products.values()))

    def of(self, session: Session, archive: Archive, attribute: Attribute) -> "Trend":
        """A series as the records have it now.

        Raises:
            NotFound: no lot is judged by such a criterion.
            IntegrityFailure: a specification or limit set cannot be read.
        """
        return self._of(attribute.product).of(session, archive, attribute)

    def prepare(self, session: Session, archive: Archive, attributes: Iterable[Attribute]) -> None:
        """Read series that are not held yet: those of one product, stage and market together.

        For who is about to look at several. What cannot be read is told to who looks at it.
        """
        for product, some in groupby(sorted(attributes), key=lambda one: one.product):
            self._of(product).prepare(session, archive, some)

    def lot(
        self, session: Session, archive: Archive, attribute: Attribute, lot: int
    ) -> "LotLook | None":
        """One lot of a series, by its surrogate id, as the whole judges it; ``None``: not of it.

        Raises:
            NotFound: no lot is judged by such a criterion.
            IntegrityFailure: a specification or limit set cannot be read.
        """
        return self._of(attribute.product).lot(session, archive, attribute, lot)

    def read_ahead(self, session: Session, archive: Archive, attribute: Attribute) -> None:
        """Read what a series lacks, for who looks at one of its lots in a moment.

        A session that is older than what is held reads nothing: it would keep nothing of it.
        """
        self._of(attribute.product).read_ahead(session, archive, attribute)

    def page(self, session: Session, archive: Archive, attribute: Attribute, *, kind: str) -> bytes:
        """The page data of a series, ``json``, ``csv`` or ``svg``, made once for each state of it.

        Raises:
            NotFound: no lot is judged by such a criterion.
            IntegrityFailure: a specification or limit set cannot be read.
        """
        return self._of(attribute.product).page(session, archive, attribute, kind=kind)

    def _of(self, product: str) -> TrendsOfProduct:
        with self._lock:
            return self._products.setdefault(product, TrendsOfProduct())
