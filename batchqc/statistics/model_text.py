"""A model as text, ``b1*(1-exp(-b2*x))``: read on a whitelist, never executed, derived exactly.

What may stand in a model: numbers, pi, parameters, predictors, ``+ - * / ** ^``, brackets of both
kinds, and ``exp log ln log10 sqrt sin cos tan atan arctan sinh cosh tanh expit``. ``y = model``
and ``log[y] = model`` say what is fitted; a last ``+ e`` is the error. Derivatives are carried
along with the values (forward mode; Griewank and Walther 2008, Evaluating Derivatives, ch. 3).
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from batchqc.errors import InvalidInput

Wide: TypeAlias = NDArray[Any]
#: A value, and its derivatives by parameter; a parameter that is not there has none.
Derived: TypeAlias = tuple[Wide, dict[str, Wide]]

_FUNCTIONS: Final[Mapping[str, tuple[Callable[[Wide], Wide], Callable[[Wide], Wide]]]] = {
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda u: 1 / u),
    "log10": (np.log10, lambda u: 1 / (u * np.log(u.dtype.type(10)))),
    "sqrt": (np.sqrt, lambda u: 0.5 / np.sqrt(u)),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda u: -np.sin(u)),
    "tan": (np.tan, lambda u: 1 / np.cos(u) ** 2),
    "atan": (np.arctan, lambda u: 1 / (1 + u * u)),
    "sinh": (np.sinh, np.cosh),
    "cosh": (np.cosh, np.sinh),
    "tanh": (np.tanh, lambda u: 1 / np.cosh(u) ** 2),
    "expit": (lambda u: 1 / (1 + np.exp(-u)), lambda u: 1 / (2 + np.exp(-u) + np.exp(u))),
}
_ALIASES: Final = {"ln": "log", "arctan": "atan", "alog": "log"}
_LEFT: Final = re.compile(r"^\s*(?:(log|ln)\s*\(\s*y\s*\)|y)\s*=(?!=)", re.IGNORECASE)
_ERROR: Final = re.compile(r"\+\s*e\s*$", re.IGNORECASE)
_NUMBERED: Final = re.compile(r"([A-Za-z_]+)(\d{1,4})")
_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Model:
    """A model that was read.

    Args:
        text: as it was given.
        parameters: their names, b1 b2 ... by number, others in order of appearance.
        log_response: whether the logarithm of y is fitted.
        tree: of the right side.
    """

    text: str
    parameters: tuple[str, ...]
    log_response: bool
    tree: ast.expr

    def at(self, values: Wide, predictors: Mapping[str, Wide]) -> tuple[Wide, Wide]:
        """Fitted values (n) and their derivatives (n x parameters).

        Values that a model does not have (the logarithm of a negative number) are not finite:
        who fits has to look.
        """
        n = next(iter(predictors.values())).size
        known: dict[str, Derived] = {name: (column, {}) for name, column in predictors.items()}
        one = np.ones(n, dtype=values.dtype)
        for name, value in zip(self.parameters, values, strict=True):
            known[name] = (one * value, {name: one})
        with np.errstate(all="ignore"):
            found, slopes = _walk(self.tree, known)
            zero = np.zeros(n, dtype=values.dtype)
            return found + zero, np.stack(
                [slopes.get(name, zero) + zero for name in self.parameters], axis=1
            )


def read_model(text: str, predictors: Sequence[str] = ("x",)) -> Model:
    """Reads a model; the names that are neither predictors nor functions are its parameters.

    Raises:
        InvalidInput: something else stands in it than the whitelist allows.
    """
    plain = " ".join(text.replace("[", "(").replace("]", ")").replace("^", "**").split())
    left = _LEFT.match(plain)
    right = _ERROR.sub("", plain[left.end() :] if left else plain)
    if len(right) > _LONGEST:
        raise InvalidInput("BQC-STA-003", f"a model of {len(right)} characters")
    try:
        tree = ast.parse(right.strip(), mode="eval").body
        names = dict.fromkeys(_names(tree))
    except (SyntaxError, RecursionError, ValueError, MemoryError):
        raise InvalidInput("BQC-STA-003", f"the model {text!r} cannot be read") from None
    found = [name for name in names if name not in predictors and name != "pi"]
    if not found:
        raise InvalidInput("BQC-STA-003", f"the model {text!r} has no parameter")
    numbered = [one for name in found if (one := _NUMBERED.fullmatch(name))]
    if len(numbered) == len(found) and len({one[1] for one in numbered}) == 1:
        found = [one[0] for one in sorted(numbered, key=lambda one: int(one[2]))]
    return Model(text, tuple(found), bool(left and left[1]), tree)


def _names(node: ast.expr) -> list[str]:
    """Parameters and predictors in order of appearance; refuses whatever is not whitelisted."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return []
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            return _names(inner)
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow()):
            return _names(node.left) + _names(node.right)
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if _function(name):
            return _names(inner)
    raise InvalidInput(
        "BQC-STA-003",
        f"{ast.unparse(node)!r} may not stand in a model",
        hint=f"Numbers, names, + - * / **, and one argument each of: {', '.join(_FUNCTIONS)}.",
    )


def _function(name: str) -> str | None:
    lower = name.casefold()
    found = _ALIASES.get(lower, lower)
    return found if found in _FUNCTIONS else None


def _walk(node: ast.expr, known: Mapping[str, Derived]) -> Derived:
    kind = next(iter(known.values()))[0].dtype.type
    match node:
        case ast.Name(id=name):
            return known[name] if name in known else (np.asarray(4 * np.arctan(kind(1))), {})
        case ast.Constant(value=number):
            return np.asarray(kind(repr(number))), {}
        case ast.UnaryOp(op=op, operand=inner):
            value, slopes = _walk(inner, known)
            sign = -1 if isinstance(op, ast.USub) else 1
            return sign * value, {name: sign * slope for name, slope in slopes.items()}
        case ast.BinOp(left=left, op=op, right=right):
            return _combine(op, _walk(left, known), _walk(right, known))
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            value, slopes = _walk(inner, known)
            function, derivative = _FUNCTIONS[str(_function(name))]
            outer = derivative(value) if slopes else value
            return function(value), {one: outer * slope for one, slope in slopes.items()}
        case _:
            raise AssertionError(node)  # pragma: no cover: refused when it was read


def _combine(op: ast.operator, left: Derived, right: Derived) -> Derived:
    (u, du), (v, dv) = left, right
    match op:
        case ast.Add():
            value, by_u, by_v = u + v, np.ones_like(u), np.ones_like(v)
        case ast.Sub():
            value, by_u, by_v = u - v, np.ones_like(u), -np.ones_like(v)
        case ast.Mult():
            value, by_u, by_v = u * v, v, u
        case ast.Div():
            value, by_u, by_v = u / v, 1 / v, -u / (v * v)
        case _:
            value = u**v
            by_u = v * u ** (v - 1) if du else u
            by_v = np.where(u == 0, 0, value * np.log(np.where(u == 0, 1, u))) if dv else v
    slopes = {name: by_u * slope for name, slope in du.items()}
    for name, slope in dv.items():
        slopes[name] = slopes[name] + by_v * slope if name in slopes else by_v * slope
    return value, slopes
