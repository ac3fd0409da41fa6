"""Uploads: the list, a new one, what is read of a file that is wrong and of one that is right."""

from playwright.sync_api import FilePayload

from batchqc.cli.demo_cast import ANALYST, SECOND_ANALYST
from tests.web.shots.stage import Stage, send

LOT = "UCM-P5-T1"
_DAY = "2026-02-02"
_HEAD = (
    "lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,started_at,measured_at,"
    "analyst,instrument_id,run_id,method_id,result_type,comment"
)
_VIAB = f"{ANALYST},VCB-001,VIAB-260202-01,SOP-QC-014 v3,reportable,simulated"
_ENDO = f"{SECOND_ANALYST},PTS-001,ENDO-260202-01,SOP-QC-040 v4,reportable,simulated"
_FROM = f"{_DAY}T11:45:00+07:00"
_TO = f"{_DAY}T12:00:00+07:00"
RIGHT = (
    _HEAD,
    f"{LOT},{LOT}-S01,A1,VIAB,viability,1,95.2,%,{_FROM},{_TO},{_VIAB}",
    f"{LOT},{LOT}-S01,A2,ENDO,endotoxin,1,<0.05,EU/mL,,{_DAY}T15:00:00+07:00,{_ENDO}",
)
WRONG = (
    _HEAD,
    f'{LOT},{LOT}-S01,A1,VIAB,viability,1,"95,2",%,{_FROM},02.02.2026 12:00,{_VIAB}',
    f"{LOT},{LOT}-S01,A2,ENDO,endotoxin,1,0.05,EU,,{_DAY} 15:00,{_ENDO}",
    f"UCM-P5-T9,{LOT}-S01,A1,VIAB,viability,2,95.4,%,{_FROM},{_TO},{_VIAB}",
)


def prepare(address: str) -> None:
    """Register a lot that has no result yet."""
    sample = {
        "id": f"{LOT}-S01", "stage": "release", "container": "cryovial, 2 mL",
        "taken_at": f"{_DAY}T10:30:00+07:00",
    }  # fmt: skip
    lot = {
        "id": LOT, "product": "UC-MSC", "manufactured_on": _DAY, "expires_on": "2028-02-02",
        "donors": ["DNR-UC-01"], "samples": [sample],
    }  # fmt: skip
    send(address, ANALYST, "POST", "/lots", json=lot)


def _file(lines: tuple[str, ...]) -> FilePayload:
    data = "".join(f"{line}\r\n" for line in lines).encode()
    return {"name": "first_days.csv", "mimeType": "text/csv", "buffer": data}


def tour(stage: Stage) -> None:
    """As an analyst sees it; nothing is recorded."""
    page = stage.page
    stage.sign_in(SECOND_ANALYST)
    stage.take("uploads", "/uploads")
    stage.take("upload", "/uploads/U-2026-000010")
    stage.take("upload-refused", "/uploads/U-2026-000008")
    stage.take("upload-new", "/uploads/new")
    page.get_by_label("Choose the file of results").set_input_files(_file(WRONG))
    page.get_by_text("It is refused as it is").wait_for()
    stage.take("upload-wrong")
    page.get_by_label("Choose the mended file").set_input_files(_file(RIGHT))
    page.get_by_text("It can be recorded").wait_for()
    stage.take("upload-right")
