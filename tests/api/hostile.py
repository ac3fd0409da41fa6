"""Text that would run: in a spreadsheet, a template, HTML, SQL, a path or a header."""

from typing import Final

from batchqc.records.schema import METADATA
from tests.records.house import House

EVALUATED: Final = "1787569"
"""What 1337 * 1337 is."""
HOSTILE: Final = (
    "=1337*1337+cmd|'/C calc'!A0 {{1337*1337}} ${1337*1337} %{1337*1337} #{1337*1337}"
    " <img src=x onerror=alert(1)> \"' OR '1'='1'; DROP TABLE lot; -- ../../../etc/passwd %0d%0a"
)


def sizes(house: House) -> dict[str, int]:
    """How many rows each table has."""
    with house.engine.connect() as connection:
        return {
            name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one()  # noqa: S608
            for name in METADATA.tables
        }
