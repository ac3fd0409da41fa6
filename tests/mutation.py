"""Mutants of the rules: each changes one decision, and the tests of rules must notice.

    python tests/mutation.py

Run by `make long` on a copy of the tree; what survives is printed, and written into the guide.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from batchqc.clock import now

ROOT = Path(__file__).parents[1]


class Mutant(NamedTuple):
    """``module`` is one of ``batchqc/core``, or stands with its folder."""

    module: str
    old: str
    new: str


MUTANTS = (
    Mutant("verdicts", "if value.is_inside(passing):", "if not value.is_outside(passing):"),
    Mutant("verdicts", "Outcome.FAIL if value.is_outside(passing) else", "Outcome.FAIL if True else"),
    Mutant("verdicts", "if value.is_empty:", "if False:"),
    Mutant("verdicts", "if Outcome.FAIL in outcomes:", "if outcomes == {Outcome.FAIL}:"),
    Mutant("verdicts", "outcomes == {Outcome.PASS} else", "Outcome.PASS in outcomes else"),
    Mutant("verdicts", "return self.outcome is not Outcome.PASS", "return self.outcome is Outcome.FAIL"),
    Mutant("verdicts", "return self.criterion.required\n", "return False\n"),
    Mutant("verdicts", "        if self.counted_in:", "        if False:"),
    Mutant("verdicts", "is not Outcome.PASS:\n            return trend", "is Outcome.FAIL:\n            return trend"),
    Mutant("judging", "[one.result_type, one.run.test", "[REPORTABLE, one.run.test"),
    Mutant("judging", "if one.stage == specification.stage:", "if one.stage:"),
    Mutant("entries", "return not is_number and plain", "return plain"),
    Mutant("entries", "if matches is None:", "if False:"),
    Mutant("unverified", "    if waiting:", "    if False:"),
    Mutant("unverified", "if one.second is not SecondEntry.MISMATCH), key", "if one.second), key"),
    Mutant("results", "is Timing.EARLY for one", "is None for one"),
    Mutant("derived", "is_early = any(one.is_early for one in known.values())", "is_early = False"),
    Mutant("verdicts", "if outcome is Outcome.PASS and result.is_early:", "if False:"),
    Mutant("judging", "early = result.is_early or control.is_early", "early = result.is_early"),
    Mutant("judging", "if one.run == run and one.aliquot", "if one.aliquot"),
    Mutant("judging", "if one.run == run and one.aliquot == subject.control", "if one.run == run"),
    Mutant("judging", "if len(known) < len(names):", "if not known:"),
    Mutant("judging", "if passed >= wanted > 0:", "if passed >= wanted:"),
    Mutant("judging", "if passed >= wanted > 0:", "if passed > wanted > 0:"),
    Mutant("judging", "elif len(members) - failed < wanted:", "elif failed:"),
    Mutant("judging", "missing = all(one.missing", "missing = any(one.missing"),
    Mutant("judging", "        for one in ordered\n", "        for one in specification.criteria\n"),
    Mutant("verdicts", "if limits else []", "if False else []"),
    Mutant("judging", "negative(times(accept.multiple, control.number))", "negative(control.number)"),
    Mutant("criteria", "passing.low + band", "passing.low - band"),
    Mutant("criteria", "passing.high - band", "passing.high"),
    Mutant("acceptance", "if value.is_inside(band.limits", "if not value.is_outside(band.limits"),
    Mutant("derived", "if isinstance(result, NoResult):", "if False:"),
    Mutant("derived", "Interval.exactly(one.unit.scale)", "Interval.exactly(one.unit.scale * 0 + 1)"),
    Mutant("derived", "return all(\n", "return any(\n"),
    Mutant("arithmetic", "if not Interval.exactly(Fraction()).is_outside(b):", "if b.exact == 0:"),
    Mutant("arithmetic", "x.closed and y.closed)", "x.closed or y.closed)"),
    Mutant("arithmetic", "if any(one.low is None or one.low <= 0 for one in possible):", "if False:"),
    Mutant("arithmetic", "variance * 10**4 > (", "variance * 10**4 >= ("),
    Mutant("arithmetic", "/ (len(numbers) - 1)", "/ len(numbers)"),
    Mutant("arithmetic", "return Interval(found - error, found + error", "return Interval(found, found"),
    Mutant("effectivity", "one.effective <= day and", "one.effective < day and"),
    Mutant("effectivity", "newest.withdrawn_from <= day", "newest.withdrawn_from < day"),
    Mutant("effectivity", "return None if ended else newest", "return newest"),
    Mutant("effectivity", "one.withdrawn_from <= one.effective", "one.withdrawn_from < one.effective"),
    Mutant("impact", "if len(rows) == 1 else _key(rows)", "if rows else _key(rows)"),
    Mutant("impact", "key = (key, donors)", "pass"),
    Mutant("impact", "runs.setdefault(one[1], len(runs))", "0"),
    Mutant("impact", "self.before is not self.after", "True"),
    Mutant("impact", "verdict.blocks and not counted", "verdict.blocks"),
    Mutant("impact", "                if subject.needs_start\n", "                if False\n"),
    Mutant("units", '{"EU": 1}', '{"IU": 1}'),
    Mutant("units", 'powers[token["note"][1:-1]] += 1', "pass"),
    Mutant("formulas", "if not other.measures_like(first):", "if False:"),
    Mutant("judging", "if unknown and outcome is not Outcome.FAIL:", "if False:"),
    Mutant("verdicts", "if value in passing else Outcome.FAIL", "if passing else Outcome.FAIL"),
    Mutant("results", "if len(runs) == 1:", "if runs:"),
    Mutant("results", "if len(found) == n:", "if len(found) >= n:"),
    Mutant("results", "if len(found) == n:", "if len(found) <= n:"),
    Mutant("results", "if one.method != subject.method", "if False"),
    Mutant("results", "if canonical_unit(one.unit) != wanted", "if False"),
    Mutant("timing", "elapsed < timedelta(days=subject.planned_days)", "False"),
    Mutant("timing", "elapsed > subject.window", "False"),
    Mutant("timing", "if elapsed is None or elapsed < timedelta():", "if elapsed is None:"),
    Mutant("results", "if amount.is_negative_zero:", "if False:"),
    Mutant("results", "and amount.possible.is_outside(subject.plausible)", "and False"),
    Mutant("runs", "(names[run] in invalid and contents[names[run]] > 1)", "False"),
    Mutant("runs", "and one.moments & taken)", "and False)"),
    Mutant("runs", "if replaced and len(others) == 1 and all", "if replaced and all"),
    Mutant("run_criteria", "if not own and criterion.required:", "if False:"),
    Mutant("superseding", "if own_verdict.outcome is Outcome.FAIL:", "if False:"),
    Mutant("superseding", "if gone := dropped(own):", "if gone := ():"),
    Mutant("judging", "validity if by_validity else {}", "validity"),
    Mutant("judging", "if unverified := why_unverified(own):", "if unverified := '':"),
    Mutant("aggregates", "            return mean(numbers)", "            return extreme(numbers, largest=True)"),
    Mutant("aggregates", "extreme(numbers, largest=False)", "extreme(numbers, largest=True)"),
    Mutant("aggregates", "if len(exact) < len(numbers) or", "if"),
    Mutant("aggregates", "- min(exact) > plan.max_range", "- min(exact) >= plan.max_range"),
    Mutant("aggregates", "        if exceeds:", "        if False:"),
    Mutant("aggregates", "        if exceeds is None:", "        if False:"),
    Mutant("results", "        if value is None:", "        if False:"),
    Mutant("rounding", 'return limit, operator in {"<=", ">="}', "return limit, True"),
    Mutant("rounding", "ROUND_HALF_EVEN if rounding is Rounding.ASTM", "ROUND_HALF_UP if rounding is Rounding.ASTM"),
    Mutant("rounding", 'upward = operator in {">", "<="}', 'upward = operator in {">", ">="}'),
    Mutant("rounding", "else not tie_is_limit", "else tie_is_limit"),
    Mutant("rounding", "if rounding is Rounding.PH_EUR and is_power_of_ten and towards_zero:", "if False:"),
    Mutant("quantities", "self.low > self.high or", "self.low >= self.high or"),
    Mutant("quantities", "return end, all(closed for", "return end, any(closed for"),
    Mutant("dispositions", "if facts.today > facts.lot.expires_on:", "if facts.today >= facts.lot.expires_on:"),
    Mutant("dispositions", "if facts.today > facts.lot.expires_on:", "if False:"),
    Mutant("dispositions", "if verdict.blocks)", "if verdict.outcome is None)"),
    Mutant("dispositions", "if donor.eligibility != ELIGIBLE", "if not donor.eligibility"),
    Mutant("dispositions", "if signer in run.entered_by:", "if signer == run.uploaded_by:"),
    Mutant("dispositions", "if signer in run.reviewed_by:", "if False:"),
    Mutant("dispositions", "if reviewer in run.entered_by:", "if reviewer in run.analysts:"),
    Mutant("dispositions", "if not facts.donors:", "if False:"),
    Mutant("dispositions", "if not facts.runs:", "if False:"),
    Mutant("dispositions", "if not facts.verdicts:", "if False:"),
    Mutant("lot_states", "Disposition.RELEASED: frozenset({", "Disposition.RELEASED: frozenset({Disposition.REJECTED, "),
    Mutant("dispositions", "            facts.damaged,\n", "            (),\n"),
    Mutant("dispositions", "            facts.open_corrections,\n", "            (),\n"),
    Mutant("audit", "if link != expected:", "if link.sha256 != expected.sha256:"),
    Mutant("audit", "if link.sequence != expected.sequence:", "if False:"),
    Mutant("audit", "        previous = link\n", ""),
    Mutant("signatures", '"reason": self.reason,\n', ""),
    Mutant("signatures", '"record": self.record,\n', ""),
    Mutant("permissions", "Permission.RELEASE_LOT: frozenset({Role.QA, Role.QP})", "Permission.RELEASE_LOT: frozenset({Role.QA, Role.QP, Role.ANALYST})"),
    Mutant("canonical", "if len(pairs) != len(value):", "if False:"),
    Mutant("lots", "if changed.expires_on < changed.manufactured_on:", "if False:"),
    Mutant("register_remarks", "if self.day <= self.expires_on:", "if self.day < self.expires_on:"),
    Mutant("register_remarks", "rule is Rule.REFUSE and one.counts else", "rule is Rule.REFUSE else"),
    Mutant("register_remarks", "rule is Rule.REFUSE and one.counts else", "one.counts else"),
    Mutant("register_remarks", "(stops if rule is Rule.REFUSE else beside)", "beside"),
    Mutant("register_remarks", "if laboratory.rule(Register.TRAINING) is Rule.OFF:", "if False:"),
    Mutant("xml_paths", "all(attributes.get(name) == text for", "all(name in attributes for"),
    Mutant("xml_paths", "tag == self.tag and", "True and"),
    Mutant("blocks", "sample=sample,", "sample=aliquot,"),
    Mutant("intake/columns", "or self._is_news(lot):", "or"),
    Mutant("intake/columns", "or fold(sample.lot) != fold(lot.id):", "or False:"),
    Mutant("intake/columns", 'f"{plan.reference} {sample.stage}"', "sample.stage"),
    Mutant("intake/columns", "max(sample.taken_at, made + _SURELY_LATER)", "made"),
    Mutant("intake/columns", "subject=subject) is None)", "subject=subject) or True)"),
    Mutant("intake/columns", " or moment > self.register.now", ""),
    Mutant("intake/columns", "_demand(not any(map(gt,", "_demand(True or any(map(gt,"),
    Mutant("intake/columns", "_demand(not too_early(", "_demand(True or too_early("),
    Mutant("intake/columns", "_demand(not one.plan.subject.needs_start)", "pass"),
    Mutant("intake/columns", "_demand(next(problems, None) is None)", "pass"),
    Mutant("intake/columns", "and self.seen.keys.keys().isdisjoint(new))", ")"),
    Mutant("intake/columns", "_demand(len(new) == len(keys) and", "_demand("),
    Mutant("intake/columns", "not in known)", "not in {})"),
    Mutant("intake/columns", "if self.register.laboratory.rules:", "if False:"),
    Mutant("intake/columns", "_demand(is_replicate(text))", "pass"),
    Mutant("intake/plain", "if '\"' in text or ", "if "),
    Mutant("intake/plain", "if len(flat) - 1 != count * width or", "if"),
    Mutant("merkle", "is_left = bool(place & 1) or place == last", "is_left = bool(place & 1)"),
    Mutant("merkle", "return len(proof) == len(sides) and found == root", "return found == root"),
    Mutant("merkle", "if len(path) != 1 + len(sides):", "if len(path) < 1 + len(sides):"),
    Mutant("merkle", "return (old, new) == (root, later_root)", "return new == later_root"),
    Mutant("merkle", 'sha256(b"\\x00" + data)', "sha256(data)"),
    Mutant("signed_notes", "if not verify(key.public, self.text.encode(), signature):", "if False:"),
    Mutant("signed_notes", "        if not found:", "        if False:"),
    Mutant("signed_notes", "or key.key_id.hex() != key_id:", ":"),
    Mutant("checkpoints", "if found.size < 1 or text != note.text:", "if found.size < 1:"),
    Mutant("stored_tree", "if len(found) < many:", "if not found:"),
    Mutant("intake/plain", "or any(spreadsheet_problems(text, column=name))", ""),
    Mutant("intake/plain", "text[0] == APOSTROPHE or", ""),
    Mutant("intake/plain", "text[0].isspace() or text[-1].isspace()", "False"),
    Mutant("intake/plain", "if name in IDS_AND_CODES and not text.isascii():", "if False:"),
    Mutant("intake/portions", "_LINE_END.search(_unquoted(data[begins:]))", "_LINE_END.search(data[begins:])"),
    Mutant("intake/large", "self._before.rows + count", "self._before.rows"),
    Mutant("intake/large", "in self.register.known.runs:", "in {}:"),
    Mutant("lot_states", "return wanted in DECISIONS[current]", "return True"),
    Mutant("dispositions", "        if signer in run.entered_by:\n            reasons", "        if False:\n            reasons"),
    Mutant("dispositions", "return bool(self.reviewed_by - self.entered_by)", "return bool(self.reviewed_by)"),
    Mutant("dispositions", "for one in facts.lowered if one.by == signer", "for one in facts.lowered if False"),
    Mutant("dispositions", "        if by == signer\n", "        if False\n"),
    Mutant("dispositions", "if donor.eligibility != ELIGIBLE", "if not donor.eligibility"),
    Mutant("dispositions", "    if facts.today > facts.lot.expires_on:\n        return (f", "    if facts.today >= facts.lot.expires_on:\n        return (f"),
    Mutant("lowering", "ladder.index(one.value) > ladder.index(before)", "ladder.index(one.value) < ladder.index(before)"),
    Mutant("lowering", "if one.on >= since and", "if one.on > since and"),
    Mutant("opening", "if row.on >= since and", "if row.on > since and"),
    Mutant("holds", "    if cause is Cause.QA and disposition not in IN_USE:", "    if cause is Cause.QA:"),
    Mutant("holds", "for one in verdicts if one.outcome is Outcome.FAIL", "for one in verdicts if False"),
    Mutant("conditional", "if name in waiting and day < today", "if name in waiting and day <= today"),
    Mutant("after_decision", "(one.blocks and not is_known)", "False"),
    Mutant("after_decision", "in known and not tests & touched", "in known"),
    Mutant("conclusions", "    if signer in known.people:", "    if False:"),
    Mutant("conclusions", "and not any(other.is_original(one) for other in known.others)", "and True"),
    Mutant("conclusions", "(wanted.finding is Finding.RESULT_WAS_LATE) is bool(investigation.runs)", "False"),
    Mutant("retention", "elif today <= (until", "elif today < (until"),
    Mutant("retention", "return max(\n            _years_later(expires_on", "return min(\n            _years_later(expires_on"),
    Mutant("retention", "return max(dates, default=", "return min(dates, default="),
    Mutant("retention", "requested_by.casefold() != approver.casefold()", "requested_by != approver"),
    Mutant("retention", "if rule is None:", "if False:"),
)  # fmt: skip


def survives(mutant: Mutant) -> str:
    """ "" where a test noticed; else what survived."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in ("batchqc", "tests", "specs", "reports", "migrations"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        module = Path("core", mutant.module) if "/" not in mutant.module else Path(mutant.module)
        path = (tree / "batchqc" / module).with_suffix(".py")
        source = path.read_text()
        if mutant.old not in source:
            return f"{mutant.module}: not found: {mutant.old!r}"
        path.write_text(source.replace(mutant.old, mutant.new, 1))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "tests/core",
             "tests/documents/test_language.py", "tests/documents/test_language_of_limits.py",
             "tests/documents/test_language_total.py", "tests/documents/test_impact.py",
             "tests/documents/test_language_of_versions.py", "tests/intake/test_large.py"],
            cwd=tree, capture_output=True, check=False,
            env={**os.environ, "PYTHONPATH": str(tree)},
        )  # fmt: skip
        if done.returncode == 1:
            return ""
        return f"{mutant.module}: {mutant.old!r} -> {mutant.new!r} (exit {done.returncode})"


def main() -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        survivors = [one for one in pool.map(survives, MUTANTS) if one]
    killed = len(MUTANTS) - len(survivors)
    holds = "DOES NOT HOLD" if survivors else "holds"
    first = f"{killed} of {len(MUTANTS)} mutants noticed, limit {len(MUTANTS)}: {holds}"
    lines = [first, *survivors]
    print("\n".join(lines))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    title = "# Mutants of the rules, and of the quick way through a large file"
    when = f"Run {now():%Y-%m-%d} at commit {commit}, by `make long`."
    measured = ROOT / "batchqc" / "guide" / "measured" / "mutation.md"
    measured.write_text("\n".join([title, "", when, "", "```", *lines, "```", ""]))
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
