"""Results of many lots side by side, as text: digits and qualifiers stay as they were reported."""

from collections.abc import Iterable

import pandas as pd

from batchqc.actions.evaluation import LotCase


def result_table(cases: Iterable[LotCase]) -> pd.DataFrame:
    """Lots in rows, criteria in columns, the reported result in each cell; missing is "".

    Every cell is text (dtype ``str``). Lots of several specifications share the columns of the
    criteria that have the same id.
    """
    table = pd.DataFrame(
        [
            {
                "lot": case.lot.id,
                "made": case.lot.manufactured_on.isoformat(),
                "specification": case.version.reference,
                "disposition": case.disposition.value,
                **{one.criterion.id: one.derivation.result or "" for one in case.verdicts},
            }
            for case in cases
        ],
        dtype="str",
    )
    return table.fillna("").set_index("lot") if len(table) else table
