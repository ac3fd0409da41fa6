"""What a certificate says of results that were typed: by whom, and who typed them again."""

from collections.abc import Iterator

from batchqc.actions.evaluation import LotCase
from batchqc.core.entries import SecondEntry
from batchqc.core.verdicts import Verdict


def entry_remarks(case: LotCase, verdict: Verdict) -> Iterator[str]:
    """One remark for each entry that a verdict rests on, and each that was typed and not used."""
    title = verdict.criterion.title
    used = (*verdict.measurements, *verdict.controls)
    uploads = {one.run.upload for one in used if one.second is SecondEntry.VERIFIED}
    computed = {one.run.upload for one in used if one.wells}
    for number, entered_by, verified_by, _ in _second_entries(case):
        if number in uploads:
            did = "computed and declared" if number in computed else "typed"
            yield (
                f"{title}: {did} by {entered_by} ({number}),"
                f" verified by second entry by {verified_by}."
            )
    measured = {(one.stage, one.run.test, one.analyte) for one in used}
    unused = {
        one.run.upload
        for one in case.measurements
        if one.second is SecondEntry.MISMATCH and (one.stage, one.run.test, one.analyte) in measured
    }
    for number, entered_by, verified_by, signature in _second_entries(case):
        if number in unused:
            yield (
                f"{title}: the entry {number} by {entered_by} is not used; {verified_by} typed"
                f" another result ({signature})."
            )


def _second_entries(case: LotCase) -> Iterator[tuple[str, str, str, str]]:
    """Entry, who typed it, who typed it again, and with which signature."""
    for one in case.verifications:
        yield (
            one.upload.natural_key,
            one.upload.uploaded_by,
            one.signature.person.user_id,
            one.signature.natural_key,
        )
