"""Cases of the combined run length of chart rules, and of their false alarms."""

import re
from functools import partial
from typing import Any, Final

from batchqc.statistics.cases.check import NAMED, Answer, CaseMethod, Given
from batchqc.statistics.cases.sequential_keys import SHIFT, each, first_of, listed, possible
from batchqc.statistics.rule_run_length import rule_run_length
from batchqc.statistics.rule_sets import NELSON, WESTERN_ELECTRIC, both_sides, one_side
from batchqc.statistics.rule_simulation import simulated_alarm_chance, simulated_run_length

#: C1 to C9 of Champ and Woodall 1987, each with its mirror image.
CHAMP_WOODALL: Final = {
    "c1": both_sides(1, 1, 3),
    "c2": both_sides(2, 3, 2, 3),
    "c3": both_sides(4, 5, 1, 3),
    "c4": both_sides(8, 8, 0, 3),
    "c5": both_sides(2, 2, 2, 3),
    "c6": both_sides(5, 5, 1, 3),
    "c7": both_sides(1, 1, 3.09),
    "c8": both_sides(2, 3, 1.96, 3.09),
    "c9": both_sides(8, 8, 0, 3.09),
}
_RULES: Final = ("rules", "rule", "rule_sets", "sets", "combinations", "ruleset")
_RUNS: Final = ("runs", "T", "kmab")


def _rule_arl(given: Given, kind: str) -> Answer:
    shift = first_of(given, *SHIFT, default=0.0)
    lots = first_of(given, "n_lots", "lots", "n", "horizon")
    answer: dict[str, object] = {}
    for name, rules in _sets(given, kind):
        found = possible(partial(each, shift, partial(_average, rules)))
        alarm = None if lots is None else _alarm(rules, lots, given)
        for key in _spelled(name):
            answer[key] = found
            answer[f"p_{key}"] = answer[f"alarm_{key}"] = alarm
        whole = ("arl", "ARL", "value", "arl0" if shift == 0 else "arl1")
        answer.update({key: answer.get(key, found) for key in whole})
        answer.setdefault("arl0", possible(partial(_average, rules, 0.0)))
        answer.setdefault("sd", possible(partial(_deviation, rules)))
        for key in ("p_alarm", "p_any", "probability", "p", "alarm", "false_alarm"):
            answer.setdefault(key, alarm)
    return answer


def _shewhart(given: Given) -> Answer:
    """One limit on each side; a shift in sigmas of a single value."""
    name = str(given[NAMED]).casefold()
    if "rule" in name or "rules" in given:
        return _rule_arl(given, "we" if "western" in name or "weco" in name else "nelson")
    size = float(first_of(given, "n", "size", default=1))
    alone = str(first_of(given, "sides", "sided", default="")).startswith(("one", "1", "upper"))
    width = float(first_of(given, "L", "k", "width", "nsigmas", default=3.0))
    rules: list[Any] = [(one_side if alone else both_sides)(1, 1, width)]
    shift = first_of(given, *SHIFT, default=0.0)
    found = possible(lambda: each(shift, lambda one: _average(rules, one * size**0.5)))
    centred = possible(lambda: _average(rules, 0.0))
    return {"arl": found, "ARL": found, "arl1": found, "value": found, "arl0": centred}


def _average(rules: list[Any], shift: float) -> float:
    if _needs_simulation(rules):
        return simulated_run_length(rules, shift=shift).average.value
    return rule_run_length(rules, shift=shift).average.value


def _deviation(rules: list[Any]) -> float | None:
    return rule_run_length(rules).sd


def _alarm(rules: list[Any], lots: Any, given: Given) -> object:
    phase1 = first_of(given, "m", "phase1", "m_phase1")
    scale = str(first_of(given, "scale", "limits", "sigma_method", default="mr"))
    way: Any = scale if scale in {"mr", "sd", "prediction"} else "mr"

    def chance(n: float) -> float:
        if phase1 is None and not _needs_simulation(rules):
            return rule_run_length(rules).alarm_within(int(n))
        return simulated_alarm_chance(rules, int(n), phase1=phase1, scale=way).value

    return possible(lambda: each(lots, chance))


def _needs_simulation(rules: list[Any]) -> bool:
    return any(one in {"3", "4"} for one in rules)


def _sets(given: Given, kind: str) -> list[tuple[str, list[Any]]]:
    """Names and rules of each set: one set, a list of sets, or sets under their names."""
    runs = first_of(given, *_RUNS)
    if runs is not None:
        return [("runs", [both_sides(*map(_line, one)) for one in runs])]
    found = first_of(given, *_RULES, default=sorted(_known(kind)))
    if isinstance(found, dict):
        return [(name, _rules(one, kind)) for name, one in found.items()]
    if isinstance(found, list) and any(_is_set(one) for one in found):
        return [(_name(one), _rules(one, kind)) for one in found]
    return [(_name(found), _rules(found, kind))]


def _is_set(one: Any) -> bool:
    return isinstance(one, list) or len(re.findall(r"\d", str(one))) > 1


def _name(rules: Any) -> str:
    return "+".join(map(str, rules)) if isinstance(rules, list) else str(rules)


def _spelled(name: str) -> list[str]:
    plain = "".join(re.findall(r"\d", name))
    return [name, plain, f"C{plain}", ",".join(plain), "+".join(plain), f"rules_{plain}"]


def _rules(rules: Any, kind: str) -> list[Any]:
    """Rules of one set, from numbers or from a text such as ``1+2``, ``C12`` or ``WE1-WE4``."""
    text = _name(listed(rules)).casefold()
    if re.search(r"we.*[-–].*we", text) or text in {"all", "we"}:
        return sorted(_known(kind))
    if "c" in text and "we" not in text:
        return [CHAMP_WOODALL[f"c{one}"] for one in re.findall(r"[1-9]", text)]
    prefix = "we" if kind == "we" or "we" in text else ""
    return [f"{prefix}{one}" for one in re.findall(r"[1-8]", text)]


def _known(kind: str) -> Any:
    return WESTERN_ELECTRIC if kind == "we" else NELSON


def _line(value: Any) -> Any:
    return float("inf") if value is None or str(value).casefold().startswith("inf") else value


_NELSON: Final = partial(_rule_arl, kind="nelson")
_WESTERN: Final = partial(_rule_arl, kind="we")
_ASKED: Final = ("arl", "run length", "false-alarm", "false alarm", "probability")

METHODS: Final = (
    *(
        CaseMethod((word, chart, *more), _shewhart)
        for word in _ASKED[:2]
        for chart in ("shewhart", "individuals", "x-bar", "xbar")
        for more in ((), ("chart",))
    ),
    *(CaseMethod((word, "rule"), _NELSON) for word in _ASKED),
    *(CaseMethod((word, "nelson"), _NELSON) for word in _ASKED),
    *(CaseMethod((word, "western electric"), _WESTERN) for word in _ASKED),
    *(CaseMethod((word, "rule", "western electric"), _WESTERN) for word in _ASKED),
    *(CaseMethod((word, "rule", "weco"), _WESTERN) for word in _ASKED),
    *(CaseMethod((word, "champ"), _WESTERN) for word in _ASKED),
    *(CaseMethod((word, "rule", "champ"), _WESTERN) for word in _ASKED),
    *(CaseMethod((word, "rule", "nelson"), _NELSON) for word in _ASKED),
)
