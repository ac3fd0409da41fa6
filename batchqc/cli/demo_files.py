"""The files of the demonstration, as its analysts upload them."""

from pathlib import Path

from batchqc.actions.received import ReceivedFile
from batchqc.actions.uploads import UploadReport, upload_results
from batchqc.cli import demo_cast as cast
from batchqc.cli.demo_story import Story
from batchqc.core.permissions import Permission
from batchqc.errors import IntegrityFailure

FOLDER = Path(__file__).parent / "demo_lots"


def upload(story: Story, file: str) -> str:
    """Upload a file that is to be accepted.

    Raises:
        IntegrityFailure: it was refused.
    """
    report = send(story, cast.ANALYST, file)
    if not report.accepted:
        problems = [problem.message for problem in report.reading.problems]
        raise IntegrityFailure("BQC-DEM-002", f"{file} was refused", reasons=problems)
    return f"{report.number}: {len(report.reading.measurements)} results read"


def send(story: Story, user_id: str, file: str, *, retest: str = "") -> UploadReport:
    """Upload a file, whatever becomes of it; ``retest`` is the investigation that it is for."""
    data = (FOLDER / file).read_bytes()
    received = ReceivedFile(
        name=file, size=len(data), data=data, client="batchqc demo", retest=retest
    )
    return story.do(
        user_id,
        Permission.UPLOAD_RESULTS,
        lambda tx: upload_results(tx, story.place.archive, file=received),
    )
