"""What the registers of the laboratory say of a row, as problems of its cells."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from batchqc.core.laboratory import OF_REGISTER, Done, Doubt, Laboratory, Rule
from batchqc.intake.problems import Wrong


class _Said(NamedTuple):
    """How a doubt is told: column, code of the error and of the warning, and what to do."""

    column: str
    error: str
    warning: str
    hint: str


_SAID: Final[Mapping[Doubt, _Said]] = {
    Doubt.UNKNOWN_INSTRUMENT: _Said(
        "instrument_id", "E701", "W701", "Check the id, or have QA register the instrument."
    ),
    Doubt.OVERDUE: _Said(
        "instrument_id", "E702", "W702", "Measure with a calibrated one, or ask QA."
    ),
    Doubt.NOT_TRAINED: _Said("analyst", "E703", "W703", "Have QA register the training, or ask."),
    Doubt.METHOD: _Said("method_id", "E704", "W704", "Check the version, or have QA approve it."),
}


def laboratory_problems(laboratory: Laboratory, done: Done) -> Iterator[tuple[str, Wrong]]:
    """Each problem with its column: an error or a warning, as the rule of the register says."""
    for doubt, message in laboratory.doubts(done):
        said = _SAID[doubt]
        refused = laboratory.rule(OF_REGISTER[doubt]) is Rule.REFUSE
        code = said.error if refused else said.warning
        yield said.column, Wrong(code, message, said.hint)
