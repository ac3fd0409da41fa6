"""Cases of relative potency in the spellings that a source may use."""

import pytest

from batchqc.statistics.cases.case import Case, Tolerance
from batchqc.statistics.cases.check import check
from batchqc.statistics.cases.methods import METHODS
from tests.statistics import assay_data

PARALLEL = "parallel-line assay: ANOVA validity, relative potency, Fieller 95 % CI"
LABELS, DOSES, ZONES, (ROWS, COLUMNS) = assay_data.nystatin()
LATIN = {"sample": LABELS, "dose": DOSES, "y": ZONES, "transform": "identity"}
SQUARE = {"anova": {"prep": [1, 11.1111], "row": [5, 412.0], "col": [5, 218.667],
                    "resid": [20, 415.333]}}  # fmt: skip
RYEGRASS = {"dose": assay_data.RYEGRASS_DOSE, "y": assay_data.RYEGRASS}
QUANTAL = {
    "dose": [1, 1.6, 2.5, 4] * 2, "n": [12, 12, 12, 11, 11, 12, 11, 11],
    "responders": [0, 3, 6, 10, 0, 4, 8, 10], "preparation": ["S"] * 4 + ["T"] * 4,
    "assumed_potency": 140,
}  # fmt: skip
LOGIT = {"potency_published": [162.9, 121.1, 221.1]}


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        (PARALLEL, LATIN | {"blocks": [ROWS, COLUMNS]}, SQUARE),
        (PARALLEL, LATIN | {"blocks": {"row": ROWS, "column": COLUMNS}}, SQUARE),
        (PARALLEL, LATIN | {"blocks": list(zip(ROWS, COLUMNS, strict=True))}, SQUARE),
        (PARALLEL, LATIN | {"row": ROWS, "col": COLUMNS}, SQUARE),
        ("quantal assay, logit model", QUANTAL, LOGIT),
        ("quantal assay, relative potency", QUANTAL | {"link": "logit"}, LOGIT),
        ("five-parameter log-logistic fit", RYEGRASS, {"f": 0.46794}),
        ("log-logistic fit", RYEGRASS | {"model": "LL.5()"}, {"f": 0.46794}),
        (
            "log-logistic fit",
            RYEGRASS | {"model": "c+(d-c)/(1+exp(b*(ln x-ln e)))^f"},
            {"f": 0.46794},
        ),
        ("log-logistic fit", RYEGRASS | {"model": "d/(1+exp(b*(ln x - ln e)))"}, {"b": 2.47032}),
        ("Weibull fit", RYEGRASS | {"model": "c+(d-c)*exp(-exp(b*(ln x-ln e)))"}, {"e": 3.60013}),
        (
            "Fieller interval, unbounded",
            {"a": 1.2, "b": 0.2, "v11": 0.04, "v12": 0.0, "v22": 0.09, "t": 2.1},
            {"estimate": 6.0, "lower": None, "upper": None, "bounded": False},
        ),
    ],
)
def test_the_spelling_does_not_matter(method, given, expected):
    given = {key: [list(one) if isinstance(one, tuple) else one for one in value]
             if isinstance(value, list) else value for key, value in given.items()}  # fmt: skip
    case = Case("one", method, "", given, expected, Tolerance(rel=4e-4), {})
    assert [line for line in check(case, METHODS) if not line.holds] == []
