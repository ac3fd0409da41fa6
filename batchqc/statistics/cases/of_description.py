"""Cases of normality, outliers, robust estimates and trend."""

from typing import Any, Final

from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.picking import (
    alpha_of,
    confidence_in,
    ends,
    gapless,
    if_estimable,
    needed,
    pick,
    present,
    says,
    under,
)
from batchqc.statistics.dixon import dixon, dixon_critical
from batchqc.statistics.normality import anderson_darling, shapiro_wilk
from batchqc.statistics.outliers import Suspect, grubbs, grubbs_critical, rosner, tukey_fences
from batchqc.statistics.robust import (
    Robust,
    algorithm_a,
    huber_location,
    huber_proposal_2,
    iqr,
    mad,
    qn,
    sn,
)
from batchqc.statistics.trend import mann_kendall, runs_test, sen_slope


def _values(given: Given) -> Any:
    return present(needed(given, "x", "y", "values", "data"))


def _normality(given: Given) -> Answer:
    x = _values(given)
    W, A = if_estimable(lambda: shapiro_wilk(x)), if_estimable(lambda: anderson_darling(x))
    answer = under(W and W.statistic, "W", "w", "shapiro_W") | under(
        W and W.p, "p_W", "p_sw", "sw_p"
    )
    answer |= under(A and A.statistic, "A2", "A", "ad", "AD") | under(
        A and A.modified, "A2_star", "A2_mod"
    )
    answer |= under(A and A.p, "p_A2", "p_ad", "p_A", "p_AD", "ad_p")
    chosen = A if says(given, "anderson") and not says(given, "shapiro") else W
    return answer | under(chosen and chosen.p, "p", "p_value")


def _side(given: Given, default: str) -> str:
    said = str(pick(given, "side", "alternative", "tail", "type", default="")).casefold()
    if (
        pick(given, "two_sided", "two.sided")
        or "two" in said
        or says(given, "two-sided", "two sided")
    ):
        return "two-sided"
    if said in {"max", "upper", "greater", "high", "right"} or says(given, "maximum"):
        return "max"
    if said in {"min", "lower", "less", "low", "left"} or says(given, "minimum"):
        return "min"
    return default


def _grubbs(given: Given) -> Answer:
    """Without a side, the extreme value is tested as if its side had been in question."""
    alpha, side = alpha_of(given), _side(given, "")
    x = present(pick(given, "x", "y", "values", "data"))
    if x is None:
        n = needed(given, "n")
        counts = n if isinstance(n, list) else [n]
        found = [grubbs_critical(one, alpha=alpha, side=side or "two-sided") for one in counts]
        return under(found if isinstance(n, list) else found[0], "critical", "G_crit")
    both = grubbs(x, alpha=alpha)
    own = side or ("max" if both.value == max(x) else "min")
    answer = _of_suspect(grubbs(x, alpha=alpha, side=own), "G")
    return answer | under(both.critical, "critical_two_sided", "critical_2s") | {
        "p_two_sided": both.p}  # fmt: skip


def _of_suspect(found: Suspect, name: str) -> dict[str, object]:
    answer = under(found.statistic, name, "statistic", "ratio", found.statistic.name)
    answer |= under(found.critical, "critical", f"{name}_crit", "crit", "critical_value")
    answer |= under(found.p, "p", "p_value") | under(
        found.outlier, "outlier", "reject", "significant"
    )
    return answer | under(found.place, "index", "place") | under(found.value, "value", "suspect")


def _rosner(given: Given) -> Answer:
    most = int(pick(given, "k", "r", "max_outliers", "n_outliers", "most", default=10))
    x = _values(given)
    found = rosner(x, most, alpha=alpha_of(given))
    answer = under(found.statistics, "R", "R_i", "statistics", "G")
    answer |= under(found.critical, "lambda", "lam", "critical", "lambda_i", "crit")
    answer |= under(found.count, "n_outliers", "count", "outliers_found", "number")
    answer |= under(sorted(found.outliers), "outlier_index", "indices", "index")
    taken = [x[place - 1] for place in found.outliers]
    answer |= under(taken, "outlier_values", "values")
    by_wish = {
        "outliers": taken if any(isinstance(one, float) for one in x) else sorted(found.outliers)
    }
    return answer | by_wish | under(found.count > 0, "outlier")


def _dixon(given: Given) -> Answer:
    alpha, x = alpha_of(given), present(pick(given, "x", "y", "values", "data"))
    ratio, side = pick(given, "ratio", "statistic"), _side(given, "two-sided")
    if x is None:
        n = needed(given, "n")
        counts = n if isinstance(n, list) else [n]
        found = [dixon_critical(one, alpha=alpha, side=side, ratio=ratio) for one in counts]
        return under(found if isinstance(n, list) else found[0], "critical", "Q_crit", "q")
    return _of_suspect(dixon(x, alpha=alpha, side=side, ratio=ratio), "Q")


def _tukey(given: Given) -> Answer:
    rule = str(pick(given, "quartiles", "quantile", default="linear"))
    x = _values(given)
    found = tukey_fences(x, k=float(pick(given, "k", default=1.5)), quartiles=rule)
    answer = under(found.quartiles[0], "q1", "Q1") | under(found.quartiles[1], "q3", "Q3")
    answer |= under([*found.inner], "fences", "inner", "inner_fences")
    answer |= under(found.inner[0], "lower", "lower_fence", "lif")
    answer |= under(found.inner[1], "upper", "upper_fence", "uif")
    answer |= under([*found.outer], "outer", "outer_fences")
    return answer | {"outliers": [x[place - 1] for place in found.outside],
                     "index": [*found.outside], "far": [*found.far]}  # fmt: skip


def _robust(given: Given) -> Answer:
    x, k = _values(given), float(pick(given, "k", default=1.5))
    A = if_estimable(lambda: algorithm_a(x))
    H = if_estimable(lambda: huber_proposal_2(x, k=k))
    answer = _of_robust(A, "A", "algA", "algorithm_a", "iso13528", "algA_mean")
    answer |= _of_robust(H, "huber", "hubers", "huber2", "proposal2")
    chosen = H if says(given, "huber") and not says(given, "algorithm a") else A
    answer |= under(chosen and chosen.location, "mu", "location", "mean", "x_star", "robust_mean",
                    "x*")  # fmt: skip
    answer |= under(
        chosen and chosen.scale, "s", "scale", "sd", "s_star", "robust_sd", "s*", "sigma"
    )
    answer |= under(chosen and chosen.standard_uncertainty, "u", "u_x", "se")
    answer |= under(H and H.location, "huber_mu") | under(H and H.scale, "huber_s")
    scaled = if_estimable(lambda: mad(x))
    answer |= under(scaled, "mad", "MAD", "mad_scaled", "sMAD", "mad_sd")
    answer |= {"mad_raw": if_estimable(lambda: mad(x, scaled=False)),
               "huber_location": if_estimable(lambda: huber_location(x, k=k)),
               "iqr": if_estimable(lambda: iqr(x, scaled=False))}  # fmt: skip
    answer |= under(if_estimable(lambda: iqr(x)), "iqr_sd", "iqr_scaled", "niqr", "nIQR")
    answer |= under(if_estimable(lambda: qn(x)), "qn", "Qn") | under(
        if_estimable(lambda: sn(x)), "sn", "Sn"
    )
    return answer


def _of_robust(found: Robust | None, *names: str) -> dict[str, object]:
    location, scale = found and found.location, found and found.scale
    answer: dict[str, object] = {}
    for name in names:
        answer |= under(location, f"{name}_mean", f"{name}_location", f"{name}_mu", f"{name}_x")
        answer |= under(scale, f"{name}_sd", f"{name}_scale", f"{name}_s")
    return answer


def _trend(given: Given) -> Answer:
    y = pick(given, "y", "values", "data", "x")
    time = pick(given, "t", "time", "month", "year", "x" if "y" in given else "t")
    rows = gapless({"y": y, "t": list(range(1, len(y) + 1)) if time is None else time})
    y, time = rows["y"], rows["t"]
    answer: dict[str, object] = {"n": len(y)}
    found = if_estimable(lambda: mann_kendall(y, time))
    if found:
        answer |= under(found.S, "S", "s") | under(found.variance, "varS", "var_S", "var", "VarS")
        answer |= under(found.z, "z", "Z") | under(found.p, "p", "p_value", "p_normal")
        answer |= under(found.exact_p, "p_exact", "exact_p") | {"tau": found.tau}
    level = confidence_in(given, 0.95)
    sen = sen_slope(y, time, confidence=level)
    answer |= under(sen.slope, "slope", "sen_slope", "theil_sen", "sen")
    answer |= under(sen.intercept, "intercept", "sen_intercept")
    answer |= under(ends(sen.slope), "ci", "ci95", "ci90", "slope_ci", "slope_ci95", "sen_ci95")
    return answer | {"lower": sen.slope.lower, "upper": sen.slope.upper}


def _runs(given: Given) -> Answer:
    found = runs_test(_values(given), centre=pick(given, "center", "centre", "threshold", "median"))
    answer = under(found.runs, "runs", "n_runs", "R") | under(found.z, "z", "Z", "statistic")
    answer |= under(found.p, "p", "p_value") | under(found.exact_p, "p_exact", "exact_p")
    answer |= under(found.expected, "expected", "mean_runs", "mean") | under(
        found.variance, "variance", "var"
    )
    return answer | {"n1": found.above, "n2": found.below}


METHODS: Final = (
    *(CaseMethod((word,), _normality) for word in ("shapiro", "anderson", "normality")),
    CaseMethod(("shapiro-wilk", "anderson-darling"), _normality),
    CaseMethod(("grubbs",), _grubbs),
    *(CaseMethod((word,), _rosner) for word in ("rosner", "esd", "extreme studentized")),
    CaseMethod(("dixon",), _dixon),
    CaseMethod(("tukey",), _tukey),
    CaseMethod(("fences",), _tukey),
    *(CaseMethod((word,), _robust) for word in ("huber", "algorithm a", "robust", "13528", "qn",
                                                "median absolute deviation")),
    *(CaseMethod((word,), _trend) for word in ("mann-kendall", "mann kendall", "theil", "sen slope",
                                               "sen's", "kendall")),
    *(CaseMethod((word,), _runs) for word in ("runs test", "wald-wolfowitz")),
)  # fmt: skip
