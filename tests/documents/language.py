"""Specifications written as text, and results for their criteria, as short as tests need them."""

from batchqc.core.assays import Measurement
from batchqc.core.criteria import Criterion
from batchqc.core.donors import Donor
from batchqc.core.judging import judge
from batchqc.core.specifications import Specification
from batchqc.core.subjects import Measured
from batchqc.core.verdicts import Verdict
from batchqc.documents.spec_file import read_specification
from tests.core.world import measured

HEAD = """schema = "batchqc/specification/1"
id = "X-REL"
version = 1
product = "X"
stage = "release"
title = "X: release"
effective = 2026-01-15
rounding = "absolute"

[vocabularies.growth]
version = 1
"no growth" = ["negative"]
"growth" = ["positive"]

"""
DONOR = Donor("D-1", "umbilical cord", "eligible")


def table(name: str, accept: str = "> 90", unit: str = "%", **more: object) -> str:
    """One measured criterion, its test and analyte named after it; ``more`` is TOML as text."""
    keys = {"accept": f'"{accept}"', "unit": f'"{unit}"' if unit else "", "category": '"quantity"'}
    keys |= {"title": f'"{name}"', "test": '"T"', "analyte": f'"{name}"', "method": '"SOP-1"'}
    keys |= {key: str(value) for key, value in more.items()}
    lines = [f"{key} = {value}" for key, value in keys.items() if value]
    return "\n".join([f"[criteria.{name}]", *lines, "", ""])


def computed(name: str, formula: str, inputs: str, accept: str, unit: str, more: str = "") -> str:
    """One derived criterion."""
    return (
        f'[criteria.{name}]\ntitle = "{name}"\ncategory = "quantity"\nformula = "{formula}"\n'
        f'inputs = {{ {inputs} }}\nunit = "{unit}"\naccept = "{accept}"\n{more}\n'
    )


def group(name: str, members: str, more: str = "") -> str:
    """One group; ``members`` is TOML such as ``any_of = ["a", "b"]``."""
    return f'[criteria.{name}]\ntitle = "{name}"\ncategory = "potency"\n{members}\n{more}\n'


def told(text: str) -> list[str]:
    """Every problem of a specification whose head is fine."""
    return [str(one) for one in read_specification((HEAD + text).encode(), file="x.toml").problems]


def specification(text: str) -> Specification:
    reading = read_specification((HEAD + text).encode(), file="x.toml")
    assert reading.specification is not None, "\n".join(str(one) for one in reading.problems)
    return reading.specification


def results(criterion: Criterion, *texts: str, **changes: object) -> list[Measurement]:
    """Replicates of one criterion, in its own unit and by its own method."""
    subject = criterion.subject
    assert isinstance(subject, Measured)
    own = {
        "test": subject.test,
        "analyte": subject.analyte,
        "unit": subject.unit,
        "method": subject.method,
    }
    return [measured(text, n, **(own | changes)) for n, text in enumerate(texts, start=1)]


def verdicts(text: str, values: dict[str, tuple[str, ...] | str]) -> dict[str, Verdict]:
    """The verdict of every criterion; ``values`` are results by criterion, ``a@PC`` controls."""
    one = specification(text)
    by_id = {criterion.id: criterion for criterion in one.criteria}
    found: list[Measurement] = []
    for key, value in values.items():
        name, control, aliquot = key.partition("@")
        changes = {"result_type": "control", "aliquot": aliquot} if control else {}
        texts = (value,) if isinstance(value, str) else value
        found += results(by_id[name], *texts, **changes)
    return {verdict.criterion.id: verdict for verdict in judge(one, found, [DONOR])}


def outcomes(text: str, values: dict[str, tuple[str, ...] | str]) -> dict[str, str]:
    """The verdicts as words."""
    return {
        name: verdict.outcome.value if verdict.outcome else "for information"
        for name, verdict in verdicts(text, values).items()
    }
