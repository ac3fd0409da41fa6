"""What the page of one upload shows."""

import json
from typing import Any, Final

from sqlalchemy.orm import Session

from batchqc.actions.entries import is_shown, the_entry
from batchqc.actions.profiles import profile_named
from batchqc.api.doors import Call
from batchqc.errors import BatchqcError
from batchqc.intake.problems import Problem
from batchqc.records.upload_lines import first_runs_in, runs_and_lots_in, superseded_by_runs
from batchqc.records.uploads import Upload, accepted_upload_of, reviews_of, supersedings_of
from batchqc.web.upload_seen import View
from batchqc.web.upload_sheet import LARGEST_SHOWN, sheet

_RUNS: Final = 100


def upload_content(session: Session, call: Call, upload: Upload, view: View) -> dict[str, Any]:
    """Facts, runs, rows with their problems, and what followed; what is hidden is not shown."""
    shown = is_shown(session, upload, call.person.user_id)
    problems = [Problem(**one) for one in json.loads(upload.problems)] if shown else []
    runs = first_runs_in(session, upload, limit=_RUNS)
    counted, lots = runs_and_lots_in(session, upload)
    is_kept = bool(upload.sha256) and shown
    data, missing = _data(call, upload) if is_kept else (None, None)
    is_entry = bool(upload.typed) and counted > 0
    return {
        "upload": upload,
        "is_shown": shown,
        "is_kept": is_kept,
        "missing": missing,
        "runs": runs,
        "runs_counted": counted,
        "lots_counted": lots,
        "reviewed": {one.assay_run_id: one.signature for one in reviews_of(session, runs)},
        "superseded": {one.older_id: one for one in supersedings_of(session, runs)},
        "supersedes": superseded_by_runs(session, runs),
        "entry": the_entry(session, upload.natural_key) if is_entry else None,
        "later": _recorded_later(session, upload),
        "stated": json.loads(upload.stated) if upload.stated else {},
        "sheet": sheet(
            data, problems, profile_named(session, call.door.archive, upload.profile),
            only_problems=view.only_problems(bool(problems)), page=view.page,
        ),
        "here": f"/uploads/{upload.natural_key}",
    }  # fmt: skip


def _data(call: Call, upload: Upload) -> tuple[bytes | None, BatchqcError | None]:
    """The bytes, where they are few enough to be shown, or why the store does not give them."""
    if upload.size > LARGEST_SHOWN:
        return None, None
    try:
        return call.door.archive.get(upload.sha256), None
    except BatchqcError as error:
        return None, error


def _recorded_later(session: Session, upload: Upload) -> str:
    """The number under which the bytes of a refused file were accepted after all, or ""."""
    if upload.accepted or not upload.sha256:
        return ""
    later = accepted_upload_of(session, upload.sha256)
    return later.natural_key if later else ""
