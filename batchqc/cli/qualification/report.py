"""The content of the validation report: results, their trace, and what the whole comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from batchqc import __version__
from batchqc.cli.qualification.protocol import Outcome, Result, sections, shortened
from batchqc.core.canonical import utc_text
from batchqc.documents.validation_report import CONTENT_TYPE
from batchqc.settings import requirements

QUALIFIED: Final = "QUALIFIED"
_MOST: Final = 420
#: Said on the first page: what a site does itself.
LEFT_OUT: Final = (
    "Performance qualification: the site's own products, methods, people and files.",
    "The machine, its network, and the drill with the site's own backups (batchqc drill).",
    "Pages in a browser; every release passes their tests before it is published.",
)


def is_qualified(results: Sequence[Result]) -> bool:
    """Whether every check was done and passed; without any, nothing is qualified."""
    return bool(results) and all(one.finding.outcome is Outcome.PASS for one in results)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when the checks were done."""

    site: str
    time_zone: str
    environment: Mapping[str, str]
    began: datetime
    ended: datetime


def content_of(results: Sequence[Result], setting: Setting, *, sealed: bool) -> dict[str, Any]:
    """Everything that the report says, ready to be hashed."""
    zone = ZoneInfo(setting.time_zone)
    at = setting.ended.astimezone(zone)
    return {
        "type": CONTENT_TYPE,
        "site": setting.site,
        "software": f"batchqc {__version__}",
        "verdict": QUALIFIED if is_qualified(results) else "NOT QUALIFIED",
        "because": because(results),
        "made_at": utc_text(setting.ended),
        "shown_at": f"{at:%Y-%m-%d %H:%M %z}",
        "sealed": sealed,
        "environment": {
            **setting.environment,
            "Begun": f"{setting.began.astimezone(zone):%Y-%m-%d %H:%M:%S %z}",
            "Ended": f"{at:%Y-%m-%d %H:%M:%S %z}",
        },
        "left_out": list(LEFT_OUT),
        "sections": [
            _section(name, title, [one for one in results if one.check.section == name])
            for name, title in sections().items()
        ],
        "trace": trace(results),
    }


def because(results: Sequence[Result]) -> str:
    """Why, in one sentence."""
    if is_qualified(results):
        return f"All {len(results)} checks were done and passed."
    lacking = {
        word: [one.check.id for one in results if one.finding.outcome is outcome]
        for word, outcome in (("failed", Outcome.FAIL), ("could not be done", Outcome.NOT_TESTED))
    }
    told = [f"{len(ids)} {word}: {', '.join(ids)}" for word, ids in lacking.items() if ids]
    return f"Of {len(results)} checks {'; '.join(told) or 'none was done'}."


def trace(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Each requirement that a check proves, with its checks and the worst of their outcomes."""
    titles = requirements()
    found: dict[str, list[Result]] = {}
    for one in results:
        for requirement in one.check.requirements:
            found.setdefault(requirement, []).append(one)
    return [
        {
            "id": name,
            "title": titles[name]["title"],
            "checks": [one.check.id for one in found[name]],
            "outcome": _worst(found[name]).value,
        }
        for name in titles
        if name in found
    ]


def _worst(results: Sequence[Result]) -> Outcome:
    outcomes = {one.finding.outcome for one in results}
    worst = (Outcome.FAIL, Outcome.NOT_TESTED)
    return next((one for one in worst if one in outcomes), Outcome.PASS)


def _section(name: str, title: str, results: Sequence[Result]) -> dict[str, Any]:
    shown = [shortened(one, _MOST) for one in results]
    return {
        "id": name,
        "title": title,
        "passed": sum(one.finding.outcome is Outcome.PASS for one in shown),
        "failed": sum(one.finding.outcome is Outcome.FAIL for one in shown),
        "not_tested": sum(one.finding.outcome is Outcome.NOT_TESTED for one in shown),
        "checks": [
            {
                "id": one.check.id,
                "title": one.check.title,
                "requirements": list(one.check.requirements),
                "does": one.check.does,
                "expected": one.check.expected,
                "observed": one.finding.observed,
                "outcome": one.finding.outcome.value,
                "evidence": one.finding.evidence,
                "evidence_sha256": one.evidence_sha256,
            }
            for one in shown
        ],
    }
