"""The results of a lot drawn: its strip of signs, and a row of the table for each criterion.

A lot has very many of these, so each is written in one piece. What is not ours is escaped.
"""

from collections.abc import Iterable

from markupsafe import Markup, escape

from batchqc.web.lot_results import Line
from batchqc.web.numbers import number
from batchqc.web.pictures import icon, verdict
from batchqc.web.rendering import signs
from batchqc.web.wording import counted as ngettext
from batchqc.web.wording import worded as _


def strip(lines: Iterable[Line], shows: str) -> Markup:
    """A sign for each line, which leads to it.

    Args:
        lines: in the order of the specification.
        shows: the address of a line, but for its id.
    """
    return _ours(_in_strip(one, shows) for one in lines)


def rows(lines: Iterable[Line], shows: str, chosen: Line | None, decimals: int) -> Markup:
    """A row of the table for each line of a category.

    Args:
        lines: of the category.
        shows: the address of a line, but for its id.
        chosen: the line that is shown beside the table.
        decimals: how many characters the column of results leaves from a point on.
    """
    return _ours(_row(one, shows, decimals, is_chosen=one is chosen) for one in lines)


def _in_strip(one: Line, shows: str) -> str:
    title, there = escape(one.verdict.criterion.title), escape(shows + one.id)
    outcome = escape(one.verdict.outcome or _("for information"))
    return (
        f'<li><a class="{one.sign}" href="{there}" title="{title}" aria-label="{title}: {outcome}"'
        f' hx-get="{there}" hx-target="#result" hx-swap="innerHTML" hx-push-url="true">'
        f"{icon(one.sign)}</a></li>"
    )


def _row(one: Line, shows: str, decimals: int, *, is_chosen: bool) -> str:
    there, words = escape(shows + one.id), "" if one.is_number else " words"
    at, current = (" data-chosen", ' aria-current="true"') if is_chosen else ("", "")
    accepts = escape(signs(one.verdict.derivation.acceptance))
    return (
        f'<tr class="{one.sign}" data-sign="{one.sign}"{at}><th scope="row"><a href="{there}"'
        f' hx-get="{there}" hx-target="#result" hx-swap="innerHTML" hx-push-url="true"{current}>'
        f"{escape(one.verdict.criterion.title)}</a></th>\n"
        f'<td class="accepts mono">{accepts}</td>\n'
        f'<td class="right result{words}">{_result(one, decimals)}</td>\n'
        f'<td class="wide-only">{_replicates(one)}</td>\n'
        f'<td class="nowrap">{verdict(one.sign)}</td></tr>\n'
    )


def _result(one: Line, decimals: int) -> str:
    if not one.result:
        return f'<span class="quiet">{_("none yet")}</span>'
    return number(one.result, decimals) if one.is_number else escape(one.result)


def _replicates(one: Line) -> str:
    """Drawn on the range, else their number, where there are any."""
    if one.dots:
        said = ngettext("%(num)s replicate", "%(num)s replicates", one.dots.count)
        return (
            '<svg class="dots" viewBox="0 0 88 18" width="88" height="18" role="img"'
            f' aria-label="{said}">{one.dots.shapes}</svg>'
        )
    if not one.verdict.measurements:
        return ""
    said = ngettext("%(num)s reading", "%(num)s readings", len(one.verdict.measurements))
    return f'<span class="quiet">{said}</span>'


def _ours(parts: Iterable[str]) -> Markup:
    return Markup("".join(parts))  # noqa: S704 - of what was escaped
