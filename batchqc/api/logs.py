"""The log of a server: lines for people, or one JSON object for each line.

Every line has the time in UTC, its level, who wrote it, and the request that it belongs to. What
happened unforeseen has its traceback. The secrets of the settings are blotted out, whatever tells
them; values of SQL statements are not told at all (``records.database``).
"""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import make_url

from batchqc.api.watching import request_id
from batchqc.records.database import password_of
from batchqc.settings import LogFormat, Settings

BLOT: Final = "***"


class Lines(logging.Formatter):
    """A record as a line, or as lines where it has a traceback."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        """Blot out ``secrets``."""
        super().__init__()
        self._secrets = [one for one in secrets if one]

    def format(self, record: logging.LogRecord) -> str:
        """The line; see the class."""
        facts: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": request_id(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        told = {name: self._blotted(one) for name, one in facts.items() if one != ""}
        return self.line(told, self._blotted(trace))

    def _blotted(self, told: Any) -> Any:
        if isinstance(told, str):
            for secret in self._secrets:
                told = told.replace(secret, BLOT)
        return told

    def line(self, facts: dict[str, Any], trace: str) -> str:
        """For people."""
        about = [f"{name}={facts[name]}" for name in ("account", "refusal") if name in facts]
        words = [facts["time"], facts["level"], facts.get("request", "-"), facts["message"], *about]
        return "\n".join(filter(None, (" ".join(words), trace)))


class JsonLines(Lines):
    """A record as one JSON object on one line."""

    def line(self, facts: dict[str, Any], trace: str) -> str:
        """For machines; the traceback is its member ``trace``."""
        return json.dumps(facts | ({"trace": trace} if trace else {}), ensure_ascii=False)


def log_to_standard_error(settings: Settings) -> None:
    """Have everything that this process logs written so."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter_of(settings))
    handler.addFilter(is_not_told)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("batchqc", "uvicorn"):
        logging.getLogger(name).setLevel(logging.INFO)


def formatter_of(settings: Settings) -> Lines:
    """What makes lines of the form that the settings ask for, without their secrets."""
    given = (settings.seal_passphrase, settings.oidc_secret, settings.metrics_token)
    secrets = [one.get_secret_value() for one in given if one is not None]
    secrets.append(password_of(make_url(settings.database)))
    return JsonLines(secrets) if settings.log_format is LogFormat.JSON else Lines(secrets)


def note_told(error: Exception) -> None:
    """That an error is in the log: the server that it is raised to does not tell it again."""
    error.__dict__["batchqc_told"] = True


def is_not_told(record: logging.LogRecord) -> bool:
    """Whether a record tells something new."""
    error = record.exc_info[1] if record.exc_info else None
    is_server = record.name.startswith("uvicorn")
    return not (is_server and getattr(error, "batchqc_told", False))
