"""What a mutant is."""

from pathlib import Path
from typing import NamedTuple


class Mutant(NamedTuple):
    """One change of one decision: of ``old``, where it stands first, into ``new``.

    ``module`` is one of ``batchqc/core``, or stands with its folder. ``tests`` are files below
    ``tests`` that must notice; without any, these are the tests of the rules.
    """

    module: str
    old: str
    new: str
    tests: tuple[str, ...] = ()

    def path(self, tree: Path) -> Path:
        """The module in a tree."""
        module = self.module if "/" in self.module else f"core/{self.module}"
        return tree / "batchqc" / f"{module}.py"

    def made_of(self, source: str) -> str:
        """The module with the change."""
        return source.replace(self.old, self.new, 1)
