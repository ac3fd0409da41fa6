"""What a file was seen to say, printed for people, in a preview and after a commit alike."""

from typing import Final

from batchqc.actions.uploads import UploadReport
from batchqc.cli.show import facts, say, table
from batchqc.core.verdicts import word
from batchqc.intake.contract import Reading
from batchqc.intake.table import DELIMITERS

MOST_VALUES: Final = 500  # a terminal holds no more; the API answers all of them


def print_report(report: UploadReport) -> None:
    """Print what was read, what it makes of the lots, and what is wrong."""
    read = report.reading
    facts(
        [
            ("Upload", report.number + (" (these bytes came before)" * report.answered_before)),
            ("SHA-256", report.sha256),
            ("Contract", read.contract),
            ("Written as", _dialect(read)),
            ("Rows read", f"{read.rows_read:,}"),
            ("Results", f"{read.results:,}"),
            ("Columns used", ", ".join(read.columns_used)),
            ("Columns not used", ", ".join(read.columns_unused) or "none"),
            ("Supersedes", "\n".join(read.supersedes) or "nothing"),
            ("Assumed", "; ".join(read.assumed) or "nothing"),
        ]
    )
    if read.counted is not None:
        say("The file is large: values and verdicts are not printed. See: batchqc lot show LOT")
        say("What fails in it is investigated once you run: batchqc investigation sweep")
    else:
        _print_values(read)
        _print_verdicts(report)
    rows = [
        (one.code, one.row, one.column, one.text, one.message, one.hint) for one in read.problems
    ]
    table(("Code", "Row", "Column", "Text", "Problem", "What to do"), rows, empty="No problem.")


def _dialect(read: Reading) -> str:
    dialect = read.dialect
    if dialect is None:
        return "as read before" if read.counted else "no table"
    if not dialect.delimiter:
        return f"{dialect.encoding}, XML"
    delimiter = DELIMITERS.get(dialect.delimiter, dialect.delimiter)
    separated = f"columns separated by {delimiter}"
    said = f"{dialect.encoding}, {separated}, rows end in {dialect.line_end}"
    return f"{said}, with a sep= line" if dialect.has_sep_line else said


def _print_values(read: Reading) -> None:
    rows = [
        (
            one.cell.row,
            one.cell.line,
            one.cell.column,
            f"{one.lot} {one.sample}",
            f"{one.run.test} {one.analyte} {one.replicate}",
            f"{one.text} {one.unit}".strip(),
            one.measured_at.isoformat(),
            one.run.run,
            one.result_type,
        )
        for one in read.parsed[:MOST_VALUES]
    ]
    columns = ("Row", "Line", "Column", "Sample", "Test", "Value", "Measured", "Run", "Type")
    table(columns, rows, empty="No value can be read.")
    if len(read.parsed) > MOST_VALUES:
        say(f"{len(read.parsed) - MOST_VALUES:,} more values are not printed.")


def _print_verdicts(report: UploadReport) -> None:
    rows = [
        (
            f"{one.lot} {one.stage}",
            one.verdict.criterion.title,
            one.verdict.derivation.result,
            word(one.verdict.outcome),
            one.verdict.sentence,
        )
        for one in report.outlook
    ]
    empty = "No verdict is touched." if report.accepted else "No verdict: the file has an error."
    table(("Lot", "Criterion", "Result", "Verdict", "Why"), rows, empty=empty)
