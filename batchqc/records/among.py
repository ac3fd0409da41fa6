"""Whether a column holds one of several values.

PostgreSQL is given them as one array: a statement is the same for any number of them, so it is made
once, and stays prepared. SQLite, which makes a statement for next to nothing, is given a list.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, BindParameter, Boolean, ColumnElement, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


def among(column: Any, name: str) -> ColumnElement[bool]:
    """A condition, given a list of values (texts or integers) under a name when it is asked."""
    return _Among(column, bindparam(name, type_=ARRAY(column.type)))


def constants(values: Iterable[str]) -> BindParameter[list[str]]:
    """Values that the code fixes, for an ``IN``: they stand in the statement as they are.

    PostgreSQL makes one plan for a statement that is asked again and again, whatever it is given
    with it. Which rows are not of some values it then cannot know, and takes them for none.
    """
    fixed = sorted(map(str, values))
    return bindparam(None, fixed, expanding=True, literal_execute=True)


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Among":  # noqa: ARG002 - as its base says
        """Itself: compared with a truth value, as SQLite has none, it would find no index."""
        return self


@compiles(_Among)
def _in_list(element: _Among, compiler: "SQLCompiler", **more: Any) -> str:
    column, values = element.clauses
    given = bindparam(values.key, type_=column.type, expanding=True)
    return compiler.process(column.in_(given), **more)


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: "SQLCompiler", **more: Any) -> str:
    column, values = (compiler.process(one, **more) for one in element.clauses)
    return f"{column} = ANY ({values})"
