"""Cases of mean, standard deviation and autocorrelation."""

from typing import Final

from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.univariate import lag1, mean, standard_deviation


def _univariate(given: Given) -> Answer:
    data = given["y"]
    return {"mean": mean(data), "sd": standard_deviation(data), "r1": lag1(data)}


METHODS: Final = (CaseMethod(("univariate",), _univariate, frozenset({"y"})),)
