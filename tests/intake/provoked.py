"""A small file for each code of a problem, and the page of the guide that explains it by them.

    python -m tests.intake.provoked

writes ``batchqc/guide/problems.md`` and its files anew.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from batchqc.actions.uploads import too_large
from batchqc.core.laboratory import Rule
from batchqc.core.retests import Retest
from batchqc.documents.profile_file import read_profile
from batchqc.intake.after_decision import refused_late
from batchqc.intake.contract import Asked, Reading, read_bytes
from batchqc.intake.problems import CODES, MOST_PROBLEMS, Place, shown
from batchqc.intake.register import Register
from batchqc.settings import shipped_profiles
from tests.cast import DECIDED, MSC, RUN_ON_RECORD, register
from tests.intake.cytometry import flowjo_sample, workspace
from tests.intake.files import HEADER, STERILITY, UPLOAD, file
from tests.intake.test_laboratory import CASES, FINE
from tests.intake.test_profiles import STATED
from tests.plates import method_of_plates

GUIDE: Final = Path(__file__).parents[2] / "batchqc" / "guide"
_REGISTERS: Final = {f"{letter}{code}": cells for letter in "EW" for cells, code, _ in CASES}
LATER: Final = {"lot_id": DECIDED, "sample_id": f"{DECIDED}-S01", "value": "81"}
WELL: Final = {"analyte": "signal", "result_type": "raw", "aliquot": "plate=P1;well=B02"}

PROVOKED: Final[Mapping[str, bytes]] = {
    "E100": b"",
    "E101": b"%PDF-1.7",
    "E102": file({"comment": "#"}).replace(b"#", b"\xb5"),
    "E103": file().decode().encode("utf-16-le"),
    "E104": file({"comment": "\0"}),
    "E105": file() + b'"',
    "E106": file() + b"1,2\n",
    "E107": file(header=[*HEADER, "more", "more"]),
    "E108": file()[:-30],
    "E109": file()[: file().index(b"\n") + 1],
    "E110": b"a,b\n1,2\n",
    "E111": b"a|b|c\n",
    "E112": file() + file(),
    "E113": file(),
    "E114": file({"comment": "#"}).replace(b"#", b"x" * 131_073),
    "E115": file() + b"x\n" * MOST_PROBLEMS,
    "E116": b"," * 1000,
    "E117": workspace(flowjo_sample(f"{MSC}-S01", "panel 1", live="347&#53;3")).encode(),
    "E118": workspace(flowjo_sample(f"{MSC}-S01", "panel 1", cd73="-1")).encode(),
    "E201": file({"value": "#REF!"}),
    "E202": file({"value": ""}),
    "E203": file({"value": "x"}),
    "E204": file({"value": "<LOD"}),
    "E205": file({"value": "96,9"}),
    "E206": file({"value": "ND"}),
    "E207": file({"value": "0.969"}),
    "E208": file({"unit": "1"}),
    "E209": file({"value": "969"}),
    "E301": file({"measured_at": "03/04/2026"}),
    "E302": file({"measured_at": "2026-03-04"}),
    "E303": file({"measured_at": "2027-03-04T10:00Z"}),
    "E304": file({"measured_at": "2024-03-04T10:00Z"}),
    "E401": file({"lot_id": "MSC-26-0099"}),
    "E402": file({"sample_id": "1-Mar"}),
    "E403": file({"analyte": "СD73"}),
    "E404": file({"analyte": "CD73"}),
    "E405": file({}, {}),
    "E406": file({"comment": "x" * 501}),
    "E407": file({"run_id": RUN_ON_RECORD.lower()}),
    "E408": file({"run_id": "VCB-260322-01"}),
    "E409": file({"run_id": RUN_ON_RECORD}),
    "E410": file(LATER),
    "E411": file({"result_type": "investigational"}),
    "E412": file(WELL),
    "E501": file({"comment": "=1"}),
    "W401": file(LATER),
    "W601": file(STERILITY | {"value": "TNTC"}),
    "W602": file() + b"\n",
    "W603": file()[:-2],
    "W604": file(header=[*HEADER, "more"]),
    "W605": b"lot_id,sample_id,replicate,measured_at,analyst,VIAB.viability [%],FLOW.CD73 [%]\n"
    b"MSC-26-0012,MSC-26-0012-S01,1,2026-03-21T16:56:00-05:00,jdoe,96.9,\n",
    "W606": file().replace(b"\r\n", b"\n", 1),
    "W607": b",Lymphocytes/Single Cells/Live/CD73+ | Freq. of Parent (%),"
    b"Lymphocytes/Single Cells/Live/CD90+ | Freq. of Parent (%)\n"
    b"MSC-26-0012-S01_001.fcs,98.7 %,99.1 %\nMean,98.7 %,99.1 %\n",
    **{code: file(cells) for code, cells in _REGISTERS.items()},
}

_PROFILES: Final = {
    "E117": "flowjo-workspace",
    "E118": "flowjo-workspace",
    "W607": "flowjo-table",
}

_WHERE: Final = {
    "E408": "uploaded as retests of `OOS-2026-000001`, which is not there",
    "E409": "uploaded to supersede, where the lot of the run is decided",
    "E410": "uploaded as a large file",
    "E411": "uploaded where nothing of the lot is under investigation",
    "E113": "where the limit is set below its size (`BATCHQC_UPLOAD_LIMIT`)",
    **{code: f"under the profile `{name}`" for code, name in _PROFILES.items()},
    **dict.fromkeys((code for code in CODES if code[1:3] == "70" and code[0] == "E"),
                    "where the rule of the register is `refuse`"),
    **dict.fromkeys((code for code in CODES if code[1:3] == "70" and code[0] == "W"),
                    "where the rule of the register is `flag`"),
}  # fmt: skip


def _in_world(code: str, world: Register) -> Register:
    """What must be on record for a code to come."""
    if code in _REGISTERS:
        rule = Rule.REFUSE if code[0] == "E" else Rule.FLAG
        return replace(world, laboratory=replace(FINE, rules=dict.fromkeys(FINE.rules, rule)))
    decided = {name: (rows[0].lot,) for name, rows in world.known.runs.items()}
    changes: dict[str, dict[str, Any]] = {
        "E408": {"retest": Retest("OOS-2026-000001")},
        "E409": {"known": replace(world.known, superseding=True, decided=decided)},
        "E411": {"investigations": {}},
        "E412": {"analysed": (method_of_plates("SOP-QC-014", "3"),)},
    }
    return replace(world, **changes.get(code, {}))


def reading_of(code: str) -> Reading:
    """The example of a code, read in the world in which the code comes."""
    data, world = PROVOKED[code], register()
    if code == "E113":
        return too_large(len(data))
    if code in _PROFILES:
        file_of_profile = f"{_PROFILES[code]}.toml"
        toml = (shipped_profiles() / file_of_profile).read_bytes()
        profile = read_profile(toml, file=file_of_profile).profile
        return read_bytes(
            data, lambda _: world, upload=UPLOAD, profile=profile, asked=Asked(STATED)
        )
    world = _in_world(code, world)
    reading = read_bytes(data, lambda _: world, upload=UPLOAD)
    if code == "E410":
        sentence = "FAIL: 81 %, acceptance > 90 %"
        return refused_late(reading, [(Place(2, 2, "lot_id"), DECIDED, sentence)])
    return reading


def page() -> str:
    """The page of the guide."""
    lines = [
        "# What can be wrong with a file", "",
        "Every problem has a code, a place, what was found and what to do. `E` refuses the file,",
        "`W` is shown and accepted. Each code stands here with a small file in which it comes; the",
        "tests of batchqc read them, against lot, plan and people of an invented laboratory.", "",
    ]  # fmt: skip
    for code, means in CODES.items():
        problem = next(one for one in reading_of(code).problems if one.code == code)
        where = f" {_WHERE[code]}" if code in _WHERE else ""
        place = f"row {problem.row}" if problem.row else "the whole file"
        place += f", column `{problem.column}`" if problem.column else ""
        lines += [
            f"## {code}: {means}", "",
            f"Example: [{name_of(code)}](problems/{name_of(code)}){where}. Told of {place}:", "",
            f"> {shown_whole(problem.message)}", "",
            f"{problem.hint}", "",
        ]  # fmt: skip
    return "\n".join(lines)


def name_of(code: str) -> str:
    """The name of the example of a code."""
    return f"{code}.xml" if PROVOKED[code].startswith(b"<?xml") else f"{code}.csv"


def shown_whole(text: str) -> str:
    """A message as the page can hold it."""
    return " ".join(shown(part) for part in text.split(" "))


def main() -> None:
    """Write the page and its files."""
    folder = GUIDE / "problems"
    folder.mkdir(exist_ok=True)
    for code, data in PROVOKED.items():
        (folder / name_of(code)).write_bytes(data)
    (GUIDE / "problems.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
