"""``batchqc configuration``: every setting, as a page of the guide."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from batchqc.cli.show import say
from batchqc.settings import PREFIX, SECRETS, Settings

_TYPES: Final[dict[type, str]] = {
    str: "text", SecretStr: "text", int: "whole number", bool: "true or false", Path: "path",
}  # fmt: skip
_ABOVE: Final = f"""\
# Configuration

What a process is told from outside: addresses, folders and secrets. Nothing here changes a
decision; what does is a record in the database, with who set it and why. This page is what
`batchqc configuration` prints.

Each setting is an environment variable; a blank one is not set. Secrets need not stand there:
`{SECRETS}` names a folder with a file for each of them, named as the variable in small letters,
such as `{PREFIX.lower()}seal_passphrase` (as Docker and Kubernetes lay secrets). Where both are
there, the variable counts. A value that cannot be is refused at the start (BQC-SYS-020), and is
not repeated; so is a name that is nearly that of a setting, as `{PREFIX}SEAL_LEVELS` would be.
With `--home` or `BATCHQC_HOME`, database, store, keys, trust and waiting files are those of that
folder, whatever is set here. `BATCHQC_USER` is who acts at the command line. Where the store is S3,
boto3 finds its credentials by itself, such as in the file that `AWS_SHARED_CREDENTIALS_FILE` names.

| Variable | Type | Default | Secret | What it is |
|---|---|---|---|---|"""


def configuration() -> None:
    """Print every setting: its variable, type, default, and what it is."""
    say(reference())


def reference() -> str:
    """The page, in Markdown."""
    return "\n".join((_ABOVE, *_rows()))


def _rows() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        secret = "yes" if SecretStr in _kinds(field) else _more(field).get("secret", "")
        cells = (f"`{PREFIX}{name.upper()}`", _type(field), _default(field), secret,
                 field.description or "")  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _kinds(field: FieldInfo) -> tuple[Any, ...]:
    """The types that a value may have; a setting that may be blank has a default of ``None``."""
    return tuple(one for one in get_args(field.annotation) if one is not NoneType) or (
        field.annotation,
    )


def _type(field: FieldInfo) -> str:
    kinds = _kinds(field)
    return " or ".join(
        ", ".join(f"`{value}`" for value in one) if issubclass(one, StrEnum) else _TYPES[one]
        for one in kinds
    )


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _more(field: FieldInfo) -> dict[str, str]:
    found = field.json_schema_extra
    return {name: str(one) for name, one in found.items()} if isinstance(found, dict) else {}
