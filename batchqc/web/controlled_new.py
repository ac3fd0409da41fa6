"""A new version of a document: chosen, pasted or begun from another; checked; then imported.

Checking stores nothing. What is imported are the bytes that were checked, by their hash.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, Request, Response
from starlette.datastructures import UploadFile

from batchqc.actions.received import ReceivedFile, check_toml_name
from batchqc.api.doors import Call
from batchqc.api.routes import Routes
from batchqc.api.sent import is_text
from batchqc.api.specification_tools import draft
from batchqc.api.uses import client_of
from batchqc.core.permissions import is_permitted
from batchqc.documents.malware import check_harmless
from batchqc.documents.spec_file import read_specification
from batchqc.documents.spec_lint import PlacedFinding, lint_specification
from batchqc.documents.spec_templates import templates
from batchqc.errors import BatchqcError, InvalidInput
from batchqc.settings import bundled
from batchqc.web.calls import Form, OwnForm, Visit, keyed
from batchqc.web.controlled import Kind
from batchqc.web.controlled_kinds import KINDS
from batchqc.web.forms import NOTHING_SAID, Said, check, said
from batchqc.web.rendering import gone_to, page
from batchqc.web.security import check_form, check_origin
from batchqc.web.specification_reading import by_category
from batchqc.web.wording import _

router = Routes()

_VERSION: Final = re.compile(r"(?m)^(version\s*=\s*)([0-9]+)\b")
_LONGEST_NAME: Final = 200
_AROUND: Final = 2  # lines above and below of one that is wrong


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was read, and everything that is wrong or doubtful in it."""

    name: str
    data: bytes
    problems: Sequence[Any]
    findings: Sequence[PlacedFinding] = ()
    lines: Mapping[int, list[str]] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """The hash of the bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def near(self) -> frozenset[int]:
        """The lines that something is said of, and those around them."""
        return frozenset(
            line for at in self.lines if at for line in range(at - _AROUND, at + _AROUND + 1)
        )

    @property
    def sent(self) -> str:
        """The bytes, as a form carries them."""
        return base64.b64encode(self.data).decode()

    @property
    def text(self) -> str:
        """As it is shown."""
        return self.data.decode("utf-8", "replace")


async def _file_form(request: Request, call: Visit) -> tuple[Form, bytes | None]:
    """The fields of a form with one file, and the bytes of the file, where one was chosen."""
    check_origin(request.headers)
    async with request.form(max_files=1, max_fields=20) as sent:
        chosen = sent.get("file")
        fields = {name: text for name, text in sent.items() if isinstance(text, str)}
        data = None
        if isinstance(chosen, UploadFile) and chosen.filename:
            data, fields["name"] = await chosen.read(), chosen.filename
    if not all(is_text(one) for pair in fields.items() for one in pair):
        raise InvalidInput("BQC-API-008", "the form holds U+0000")
    check_form(call.token, fields.get("token", ""))
    return Form(fields), data


FileForm = Annotated[tuple[Form, bytes | None], Depends(_file_form)]


@router.get("/{kind:document}/new")
def new(
    request: Request,
    call: Visit,
    kind: str,
    template: str = "",
    like: str = "",
) -> Response:
    """Where a file is chosen or pasted, or begun from a template or another version."""
    of, query = KINDS[kind], request.query_params
    typed, name = "", ""
    try:
        if template and kind == "specifications":
            typed, name = _from_template(call, template, query), f"{query.get('id', 'draft')}.toml"
        elif like:
            typed, name = _like(call, of, like)
    except BatchqcError as error:
        return _page(request, call, of, told=said(error))
    return _page(request, call, of, typed=typed, name=name)


@router.post("/{kind:document}/new")
def look(request: Request, call: Visit, sent: FileForm, kind: str) -> Response:
    """Read what was chosen or pasted and say everything that is wrong; nothing is stored."""
    of, (form, data) = KINDS[kind], sent
    call.person.acting(of.importing)
    if data is None:
        # A browser sends lines of a text field with CR LF, whatever was pasted.
        data = form.secret("text").replace("\r\n", "\n").encode()
    name = (form["name"] or "draft.toml")[:_LONGEST_NAME]
    if not data.strip() or not name.isprintable():
        problems = {"file": _("Choose a file, or paste its text.")}
        return _page(request, call, of, told=Said(problems, None, 422))
    try:
        check_toml_name(name)
    except BatchqcError as error:
        return _page(request, call, of, name=name, told=said(error))
    found = _checked(of, data, name)
    status = 422 if found.problems else 200
    told = Said(status=status)
    return _page(request, call, of, typed=found.text, name=name, found=found, told=told)


@router.post("/{kind:document}")
def add(request: Request, call: Visit, form: OwnForm, kind: str) -> Response:
    """Import the bytes that were checked, as the API does."""
    of = KINDS[kind]
    data, name = b"", form["name"][:_LONGEST_NAME]
    try:
        data = _bytes_of(form)
        check({"file": "" if name and name.isprintable() else _("The file has no name.")})
        check_harmless(call.door.settings.malware_scanner, name, [data])
        received = ReceivedFile(name, len(data), data, client_of(request))
        made = json.loads(bytes(of.add(keyed(call, form), received).body))
    except BatchqcError as error:
        found = _checked(of, data, name) if data else None
        return _page(
            request, call, of, typed=found.text if found else "", name=name, found=found,
            told=said(error),
        )  # fmt: skip
    where = f"/{kind}/{quote(made['id'], safe='')}/{quote(str(made['version']), safe='')}"
    return gone_to(request, f"{where}?did=import")


def _bytes_of(form: Form) -> bytes:
    """The bytes that a form carries, where they are those that were checked."""
    try:
        data = base64.b64decode(form["data"], validate=True)
    except binascii.Error:
        data = b""
    if not data or hashlib.sha256(data).hexdigest() != form["sha256"]:
        raise InvalidInput(
            "BQC-WEB-051", _("what was sent is not the file that was checked"),
            hint=_("Nothing was imported. Choose the file again."),
        )  # fmt: skip
    return data


def _checked(of: Kind, data: bytes, name: str) -> Checked:
    problems = of.problems(data, name)
    findings: Sequence[PlacedFinding] = ()
    if of.path == "specifications" and not problems:
        findings = lint_specification(data, file=name).findings
    by_line: dict[int, list[str]] = {}
    for one in problems:
        by_line.setdefault(one.line, []).append(f"{one.key}: {one.message}".removeprefix(": "))
    for placed in findings:
        by_line.setdefault(placed.line, []).append(f"{placed.finding.code}: {placed.finding.why}")
    return Checked(name, data, problems, findings, by_line)


def _from_template(call: Call, template: str, query: Mapping[str, str]) -> str:
    problems = {
        name: "" if query.get(name, "").strip() else _("Say this.")
        for name in ("id", "product", "effective")
    }
    check(problems)
    day = _day(query["effective"])
    made = draft(call, template, query["id"].strip(), query["product"].strip(), day)
    return bytes(made.body).decode()


def _day(text: str) -> date:
    valid = _valid_day(text)
    check({"effective": "" if valid else _("Write a date as 2026-12-31.")})
    return date.fromisoformat(valid)


def _valid_day(text: str) -> str:
    """The text of a date, or "" where it is none: a field for dates takes nothing else."""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        return ""


def _like(call: Call, of: Kind, like: str) -> tuple[str, str]:
    """The text of a version with the next number, where versions are numbers, and a name for it."""
    name, _between, version = like.rpartition("/")
    with call.reading() as session:
        line = of.detail(session, call.door, name, version).line
        text = call.door.archive.get(line.sha256).decode("utf-8", "replace")
    following = _VERSION.sub(lambda found: f"{found[1]}{int(found[2]) + 1}", text, count=1)
    return following, f"{line.id}-next.toml"


def _page(  # noqa: PLR0913 - what was typed, what was found, and what is said of it
    request: Request,
    call: Call,
    of: Kind,
    *,
    typed: str = "",
    name: str = "",
    found: Checked | None = None,
    told: Said = NOTHING_SAID,
) -> Response:
    is_specification = of.path == "specifications"
    content = None
    if found is not None and is_specification:
        content = read_specification(found.data, file=found.name).specification
    with call.reading():
        shipped = templates(bundled("specs")) if is_specification and found is None else ()
    return page(
        request,
        "controlled_new.html",
        status=told.status,
        kind=of,
        path=f"/specifications/{of.path}",
        may_import=is_permitted(call.person.roles, of.importing),
        typed=typed,
        name=name,
        found=found,
        content=content,
        groups=by_category(content) if content else {},
        templates=shipped,
        query=request.query_params,
        day=_valid_day(request.query_params.get("effective", "")),
        **told.content,
    )
