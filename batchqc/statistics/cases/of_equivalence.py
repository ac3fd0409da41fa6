"""Cases of comparability: equivalence of means, ratio of variances, quality range."""

from collections.abc import Callable
from typing import Any, Final

from scipy import stats

from batchqc.errors import InvalidInput
from batchqc.statistics.cases.check import Answer, CaseMethod, Given
from batchqc.statistics.cases.picking import (
    alpha_of,
    confidence_in,
    ends,
    gapless,
    levels,
    needed,
    pick,
    present,
    says,
    under,
    whole,
)
from batchqc.statistics.equivalence import (
    Equivalence,
    Group,
    Margin,
    one_sample,
    paired,
    two_groups,
    two_sample,
)
from batchqc.statistics.equivalence_power import (
    Design,
    detectable_margin,
    pairs_needed,
    power,
    values_needed,
)
from batchqc.statistics.figures import Figure
from batchqc.statistics.mean_ratio import ratio_of_means
from batchqc.statistics.precision_ratio import variance_ratio, variance_ratio_of
from batchqc.statistics.quality_range import pass_probability, quality_range

_FIRST: Final = ("a", "test", "new", "x", "post", "after", "T", "alternative", "x1", "site1",
                 "process_b", "group1", "receiving")  # fmt: skip
_SECOND: Final = ("b", "reference", "ref", "old", "y", "pre", "before", "R", "current", "x2",
                  "site2", "process_a", "group2", "sending", "historical")  # fmt: skip


def _tost(given: Given) -> Answer:
    log = _is_log(given)
    alpha = pick(given, "alpha")
    level = confidence_in(given, 0.9)
    alpha = float(alpha) if alpha is not None else _tail(level)
    margin = _margin(given)
    pairs = bool(pick(given, "paired")) or says(given, "paired", "split")
    rows = gapless(given) if pairs else given
    first, second = present(pick(rows, *_FIRST)), present(pick(rows, *_SECOND))
    if first is None and pick(given, "mean_a", "mean1", "m1") is not None:
        groups = _groups(given)
        return _of_tost(two_groups(*groups, margin, alpha=alpha, pooled=_pooled(given)))
    differences = pick(given, "d", "diffs", "differences")
    target = pick(given, "mu", "target", "mu0", "nominal", "reference_value")
    if differences is not None:
        return _of_tost(one_sample(differences, 0.0, margin, alpha=alpha))
    if target is not None or (second is None and first is not None):
        found = one_sample(first if first is not None else second, float(target or 0), margin,
                           alpha=alpha, log=log)  # fmt: skip
    elif pairs:
        found = paired(first, second, margin, alpha=alpha, log=log)
    else:
        found = two_sample(first, second, margin, alpha=alpha, log=log, pooled=_pooled(given))
    return _of_tost(found)


def _difference(given: Given) -> Answer:
    """Without a margin: difference, its interval, and the test of no difference."""
    level = confidence_in(given, 0.9 if says(given, "accuracy") else 0.95)
    pairs = bool(pick(given, "paired")) or says(given, "paired", "split")
    rows = gapless(given) if pairs else given
    how: dict[str, Any] = {"alpha": _tail(level), "log": _is_log(given)}
    first, second = present(pick(rows, *_FIRST)), present(pick(rows, *_SECOND))
    if second is None:
        found = one_sample(first, float(pick(given, "mu", "mu0", default=0.0)), 1.0, **how)
    elif pairs:
        found = paired(first, second, 2.0, **how)
    else:
        found = two_sample(first, second, 2.0, pooled=_pooled(given), **how)
    t = found.difference.value / found.se
    answer = _of_tost(found)
    lost = ("p_lower", "p_upper", "t_lower", "t_upper", "t1", "t2", "equivalent", "pass")
    kept = {key: one for key, one in answer.items() if key not in lost}
    p = float(2 * stats.t.sf(abs(t), found.difference.df))
    return kept | under(t, "t", "statistic", "t_stat") | under(p, "p", "p_value")


def _groups(given: Given) -> tuple[Group, Group]:
    first, second = (
        Group(float(needed(given, f"mean_{name}", f"mean{k}", f"m{k}")),
              float(needed(given, f"sd_{name}", f"sd{k}", f"s{k}")),
              int(needed(given, f"n_{name}", f"n{k}", "n")))
        for k, name in ((1, "a"), (2, "b"))
    )  # fmt: skip
    return first, second


def _of_tost(found: Equivalence) -> Answer:
    shown = found.ratio or found.difference
    answer = under(found.difference, "diff", "difference", "mean_diff", "estimate_log", "log_diff",
                   "diff_log", "mean_difference")  # fmt: skip
    answer |= under(shown, "estimate")
    answer |= under(ends(shown), "ci90", "ci", "ci95", "ci80", "interval", "ratio_ci90")
    answer |= under(ends(found.difference), "ci90_log", "diff_ci90", "ci_log", "log_ci90")
    answer |= {"lower": shown.lower, "upper": shown.upper}
    answer |= {"p_lower": found.p_lower, "p_upper": found.p_upper, "df": found.difference.df,
               "t_lower": found.t_lower, "t_upper": found.t_upper, "t1": found.t_lower,
               "t2": found.t_upper, "se": found.se, "n": found.difference.n}  # fmt: skip
    answer |= under(found.p, "p", "p_tost", "p_value", "p_max")
    answer |= under(found.equivalent, "equivalent", "equivalence", "conclude_equivalence", "pass")
    if found.ratio:
        answer |= under(found.ratio, "gmr", "ratio", "GMR")
        answer |= under(ends(found.ratio), "gmr_ci90", "gmr_ci", "ci90_gmr", "ci90_ratio")
    return answer


def _margin(given: Given) -> Margin:
    found = pick(given, "margin", "margins", "delta", "theta", "eqbound", "limits", "bounds")
    low = pick(given, "margin_lower", "lower_margin", "theta_lower", "theta1", "low", "low_eqbound")
    high = pick(given, "margin_upper", "upper_margin", "theta_upper", "theta2", "upp", "high",
                "high_eqbound")  # fmt: skip
    if found is None and low is not None and high is not None:
        found = (low, high)
    if found is None:
        raise InvalidInput("BQC-STA-003", "the case gives no margin")
    return (float(found[0]), float(found[1])) if isinstance(found, list | tuple) else float(found)


def _is_log(given: Given) -> bool:
    said = pick(given, "log", "log_scale", "logscale")
    if said is not None:
        return bool(said)
    scale = str(pick(given, "scale", "transform", default=""))
    return scale in {"log", "ln"} or says(given, "log", "gmr", "geometric")


def _pooled(given: Given) -> bool:
    said = pick(given, "pooled", "var_equal", "var.equal", "equal_var")
    return bool(said) if said is not None else says(given, "pooled", "student", "equal var")


def _tail(level: float) -> float:
    """Of the tests that belong to an interval of a confidence."""
    return {0.9: 0.05, 0.95: 0.025, 0.8: 0.1, 0.98: 0.01}.get(level) or (1 - level) / 2


def _power(given: Given) -> Answer:
    rest: dict[str, Any] = {"alpha": alpha_of(given)}
    off = float(pick(given, "difference", "diff", "true_difference", "theta0", default=0.0))

    def one(design: Design) -> Figure:
        return power(design, _margin(given), _sd(given), difference=off, **rest)

    found = _each_design(given, one)
    return under(found, "power", "value")


def _detectable(given: Given) -> Answer:
    target = float(pick(given, "power", "target_power", default=0.8))

    def one(design: Design) -> Figure:
        return detectable_margin(design, sd=_sd(given), target=target, alpha=alpha_of(given))

    found = _each_design(given, one)
    return under(found, "margin", "detectable_margin", "margin_sd", "margins", "delta", "paired")


def _needed(given: Given) -> Answer:
    target = float(pick(given, "power", "target_power", default=0.8))
    off = float(pick(given, "difference", "diff", "theta0", default=0.0))
    single = bool(pick(given, "paired")) or says(given, "paired", "one-sample", "one sample")
    count = pairs_needed if single else values_needed
    margin = _margin(given)
    found = count(margin if isinstance(margin, float) else margin[1], _sd(given), difference=off,
                  target=target, alpha=alpha_of(given))  # fmt: skip
    return under(found, "n", "pairs", "n_per_group", "sample_size")


def _sd(given: Given) -> float:
    return float(pick(given, "sd", "sigma", "s", default=1.0))


def _each_design(given: Given, compute: Callable[[Design], Figure]) -> object:
    n, m = needed(given, "n", "n1", "pairs", "n_new", "n_a"), pick(given, "m", "n2", "n_old", "n_b")
    if isinstance(n, list):
        others = m if isinstance(m, list) else [m] * len(n)
        return [compute(Design(one, other)).value for one, other in zip(n, others, strict=True)]
    return compute(Design(n, m))


def _variances(given: Given) -> Answer:
    level = confidence_in(given, 0.9)
    side = str(pick(given, "side", "alternative", default="two-sided"))
    side = {"greater": "lower", "less": "upper", "two.sided": "two-sided"}.get(side, side)
    first, second = present(pick(given, *_FIRST)), present(pick(given, *_SECOND))
    if isinstance(first, list):
        found = variance_ratio(first, second, confidence=level, side=side)
    else:
        found = variance_ratio_of(*_two_variances(given), df=_two_df(given), confidence=level,
                                  side=side)  # fmt: skip
    both = ends(found.ratio)
    answer = under(found.ratio, "ratio", "F", "variance_ratio", "var_ratio", "estimate")
    answer |= under(both, "ci", "ci90", "ci95", "ci99", *(key for key, _ in levels(given, "ci")))
    answer |= {"lower": found.ratio.lower, "upper": found.ratio.upper, "p": found.p,
               "p_value": found.p, "sd_ratio": found.sd_ratio, "sd_ratio_ci": ends(found.sd_ratio),
               "df": [*found.df], "df1": found.df[0], "df2": found.df[1]}  # fmt: skip
    return answer | under(ends(found.sd_ratio), "sd_ci", "sd_ci90", "sd_ratio_ci90")


def _two_variances(given: Given) -> tuple[float, float]:
    first = pick(given, "var_alt", "var_a", "var1", "var_new", "var_test", "s2_a", "v1")
    second = pick(given, "var_cur", "var_b", "var2", "var_old", "var_ref", "s2_b", "v2")
    if first is not None and second is not None:
        return float(first), float(second)
    one = float(needed(given, "sd_alt", "sd_a", "sd1", "s1", "sd_new"))
    other = float(needed(given, "sd_cur", "sd_b", "sd2", "s2", "sd_old"))
    return one**2, other**2


def _two_df(given: Given) -> tuple[float, float]:
    df = pick(given, "df1", "df_a", "df_alt"), pick(given, "df2", "df_b", "df_cur")
    if df[0] is not None and df[1] is not None:
        return float(df[0]), float(df[1])
    n = pick(given, "n_alt", "n_a", "n1", "n"), pick(given, "n_cur", "n_b", "n2", "n")
    return float(n[0]) - 1, float(n[1]) - 1


def _mean_ratio(given: Given) -> Answer:
    found = ratio_of_means(
        needed(given, *_FIRST), needed(given, *_SECOND), confidence=confidence_in(given, 0.9),
        pooled=_pooled(given), pairs=bool(pick(given, "paired")) or says(given, "paired"),
    )  # fmt: skip
    both = ends(found)
    answer = under(found, "ratio", "estimate") | under(both, "ci", "ci90", "ci95", "fieller")
    return answer | {
        "lower": found.lower,
        "upper": found.upper,
        "df": found.df,
        "all": whole(found),
    }


def _range(given: Given) -> Answer:
    old, new = needed(given, *_SECOND, "lots"), pick(given, *_FIRST, default=[])
    k = float(pick(given, "k", "multiplier", default=3.0))
    found = quality_range(old, new or old, k=k)
    answer = under(found.centre, "mean", "center", "centre") | under(found.sd, "sd", "s")
    answer |= under(found.centre.lower, "lower", "lo", "lcl")
    answer |= under(found.centre.upper, "upper", "hi", "ucl")
    answer |= under(ends(found.centre), "range", "limits", "quality_range", "interval")
    answer |= under(
        found.share, "share", "fraction", "fraction_inside", "proportion", "inside_share"
    )
    return answer | {"inside": [*found.inside], "outside": [*found.outside],
                     "n_inside": sum(found.inside), "all_inside": all(found.inside)}  # fmt: skip


def _characteristic(given: Given) -> Answer:
    shifts = pick(given, "shift", "shifts", "delta", default=0.0)

    def one(shift: float) -> Figure:
        return pass_probability(
            int(needed(given, "n", "n_ref", "n_reference", "n_old")),
            int(needed(given, "m", "n_new", "n_test")),
            k=float(pick(given, "k", default=3.0)), shift=shift,
            required=float(pick(given, "required", "share", "fraction", default=1.0)),
            sd_ratio=float(pick(given, "sd_ratio", default=1.0)),
        )  # fmt: skip

    found = [one(s).value for s in shifts] if isinstance(shifts, list) else one(shifts)
    return under(found, "p_pass", "pass_probability", "probability", "oc", "power")


METHODS: Final = (
    *(CaseMethod((word,), _tost) for word in ("tost", "equivalence test", "two one-sided")),
    CaseMethod(("tost", "power"), _power),
    CaseMethod(("tost", "power", "detectable"), _detectable),
    CaseMethod(("detectable", "margin"), _detectable),
    CaseMethod(("tost", "sample size"), _needed),
    *(CaseMethod((word,), _variances) for word in ("variance ratio", "precision comparison")),
    *(CaseMethod(("ratio", word), _mean_ratio)
      for word in ("of means", "mean ratio", "fieller", "of two")),
    *(CaseMethod(words, _difference) for words in (
        ("accuracy comparison",), ("t test",), ("t-test",), ("difference", "means"),
        ("confidence interval", "difference"))),
    CaseMethod(("fieller", "mean"), _mean_ratio),
    CaseMethod(("quality range",), _range),
    CaseMethod(("quality range", "operating"), _characteristic),
)  # fmt: skip
