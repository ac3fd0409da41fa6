"""Walking from nodes to what they were made of, or to what was made of them, level by level.

Each level is asked for at once, whatever the number of its nodes. An edge comes with the row that
records it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, Final, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from batchqc.core.genealogy import Direction, Edge, NodeKind, id_of, kind_of
from batchqc.core.identifiers import fold
from batchqc.records.base import Row
from batchqc.records.cell_banks import CellBank, Derivation
from batchqc.records.containers import Container, RetainSample
from batchqc.records.donations import Donation, DonationPool, DonationPoolPart
from batchqc.records.registers import DonorRow, LotDonor, LotRow
