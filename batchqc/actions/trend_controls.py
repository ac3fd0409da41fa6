"""Controls and standards of the assays of an attribute, each with its own history."""

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from batchqc.actions.specifications import content_of
from batchqc.core.entries import SecondEntry
from batchqc.core.identifiers import fold
from batchqc.core.specifications import leaves
from batchqc.core.trends import Attribute
from batchqc.core.units import canonical_unit
from batchqc.documents.archive import Archive
from batchqc.records.controls import Control, control_results
from batchqc.records.history import typed_runs
from batchqc.records.specifications import approved_by_stage

if TYPE_CHECKING:
    from batchqc.statistics.control_history import ControlHistory

_STANDS = {SecondEntry.NOT_NEEDED, SecondEntry.VERIFIED}


def controls_of(session: Session, archive: Archive, attribute: Attribute) -> list["ControlHistory"]:
    """Every control of the tests that an attribute is measured by, over the lots of all products.

    Another material, method version, site or unit is another history.
    """
    from batchqc.statistics.control_history import control_history  # noqa: PLC0415 - numerics

    void = {run for run, second in typed_runs(session).items() if second not in _STANDS}
    found: dict[Control, tuple[Control, list[tuple[str, str, str]]]] = {}
    for one in control_results(session, _tests(session, archive, attribute), not_of=void):
        _first, results = found.setdefault(_plain(one.control), (one.control, []))
        results.append((f"{one.run.run} {one.run.upload}", one.measured_at[:10], one.value))
    return [
        control_history(_name(control), control.unit, results)
        for control, results in sorted(found.values())
    ]


def _plain(control: Control) -> Control:
    """A control however its material, its analyte and its unit are written."""
    return control._replace(
        material=fold(control.material),
        analyte=fold(control.analyte),
        unit=canonical_unit(control.unit),
    )


def _tests(session: Session, archive: Archive, attribute: Attribute) -> set[str]:
    """The tests of a criterion with all that it is computed from, in every approved version."""
    found = set()
    markets = {attribute.market}
    versions = approved_by_stage(session, product=attribute.product, markets=markets)
    for approved in versions.get(attribute.stage, {}).get(attribute.market, ()):
        specification = content_of(archive, approved.version)
        for one in specification.criteria:
            if one.id == attribute.criterion:
                found |= {each.test for each in leaves(specification, one)}
    return found


def _name(control: Control) -> str:
    material = f"{control.material} " if control.material else ""
    return (
        f"{control.result_type} {material}{control.analyte}, {control.method}, site {control.site}"
    )
