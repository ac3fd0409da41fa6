"""Every code can come, says what it means, and comes from one small file."""

import re
from pathlib import Path

import pytest

from batchqc.intake import contract
from batchqc.intake.problems import CODES, MOST_PROBLEMS
from tests.cast import RUN_ON_RECORD
from tests.intake.files import HEADER, STERILITY, file, read

# the size is limited while the file is received; rows are left out by profiles (test_profiles)
BY_THE_DOOR = {"E113", "W607"}
BY_THE_REGISTERS = {f"{kind}70{n}" for kind in "EW" for n in range(1, 5)}  # test_laboratory

PROVOKED = {
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
    "E114": file({"comment": "#"}).replace(b"#", b"x" * 200_000),
    "E115": file() + b"x\n" * MOST_PROBLEMS,
    "E116": b"," * 1000,
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
    "E501": file({"comment": "=1"}),
    "W601": file(STERILITY | {"value": "TNTC"}),
    "W602": file() + b"\n",
    "W603": file()[:-2],
    "W604": file(header=[*HEADER, "more"]),
    "W605": b"lot_id,sample_id,replicate,measured_at,analyst,VIAB.viability [%],FLOW.CD73 [%]\n"
    b"MSC-26-0012,MSC-26-0012-S01,1,2026-03-21T16:56:00-05:00,jdoe,96.9,\n",
    "W606": file().replace(b"\r\n", b"\n", 1),
}


@pytest.mark.parametrize("code", sorted(CODES.keys() - BY_THE_DOOR - BY_THE_REGISTERS))
def test_a_code_comes_from_a_small_file(code):
    reading = read(PROVOKED[code])
    problems = [one for one in reading.problems if one.code == code]
    assert problems
    assert {one.severity for one in problems} == {"error" if code[0] == "E" else "warning"}
    assert all(one.message and one.hint for one in problems)


def test_every_code_in_the_source_is_explained():
    folder = Path(contract.__file__).parent
    source = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    assert set(re.findall(r'"([EW]\d{3})"', source)) == set(CODES)
    assert list(CODES) == sorted(CODES)
