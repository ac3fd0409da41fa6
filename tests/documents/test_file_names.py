"""How a name ends and how the bytes begin: together they tell of one kind, or contradict."""

import codecs

import pytest

from batchqc.documents.file_names import misnamed, misnamed_toml

TABLE = b"lot_id,value\nMSC-26-0012,93.40\n"
PDF = b"%PDF-1.7\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
WORKBOOK = b"PK\x03\x04" + bytes(range(200))
OLDER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20)
XML = b'<?xml version="1.0"?>\n<Workspace/>'
UNKNOWN = bytes(range(128, 256))

FITTING = [
    ("results.csv", TABLE), ("RESULTS.CSV", TABLE), ("results.tsv", TABLE), ("results.tab", TABLE),
    ("results.txt", TABLE), ("results.dat", TABLE), ("results", TABLE), ("export.2026-03", TABLE),
    ("results.csv", codecs.BOM_UTF8 + TABLE), ("results.csv", TABLE.decode().encode("utf-16")),
    ("results.csv", UNKNOWN), ("results.csv", b"<0.5,x\n"), ("results.csv", b"<LOD,x\n"),
    ("results.csv", b""), ("results.pdf", b""), ("results.pdf", b" \n"),
    ("paper.pdf", PDF), ("paper.PDF", PDF), ("paper.pdf. ", PDF), ("paper", PDF),
    ("a.csv.pdf", PDF),
    ("photo.png", PNG), ("photo.jpg", JPEG), ("photo.JPEG", JPEG),
    ("scan.tif", b"II*\x00" + bytes(20)), ("scan.tiff", b"MM\x00*" + bytes(20)),
    ("table.xlsx", WORKBOOK), ("files.zip", WORKBOOK), ("table.xls", OLDER), ("table.XLS", TABLE),
    ("panel.xml", XML), ("panel.wsp", XML), ("panel.txt", XML), ("panel.dat", XML),
    ("panel.xml", codecs.BOM_UTF8 + XML), ("panel.xml", XML.decode().encode("utf-16")),
    ("panel.xml", b"\n<Workspace version='20'>"), ("panel.xml", b"<!-- by hand --><a/>"),
    ("facts.json", b' {"a": 1}'), ("facts.json", b"[1]"), ("own.toml", b'id = "x"\n'),
]  # fmt: skip

CONTRADICTORY = [
    ("results.pdf", TABLE), ("results.xlsx", TABLE), ("results.doc", TABLE), ("results.png", TABLE),
    ("results.zip", TABLE), ("results.xml", TABLE), ("results.json", TABLE),
    ("results.docx", TABLE),
    ("results.pdf. ", TABLE), ("results.gz", TABLE), ("results.rtf", TABLE), ("a.csv.pdf", TABLE),
    ("results.pdf", UNKNOWN),
    ("paper.csv", PDF), ("paper.txt", PDF), ("paper.tsv", PDF), ("paper.png", PDF),
    ("paper.xml", PDF), ("paper.json", PDF), ("own.toml", PDF),
    ("photo.jpg", PNG), ("photo.png", JPEG), ("photo.pdf", JPEG), ("photo.csv", PNG),
    ("table.csv", WORKBOOK), ("table.xls", WORKBOOK), ("table.xlsx", OLDER),
    ("table.pdf", WORKBOOK),
    ("panel.csv", XML), ("panel.xls", XML), ("panel.csv", XML.decode().encode("utf-16")),
    ("panel.json", XML), ("x.csv", b"\x1f\x8b" + bytes(9)), ("x.csv", b"{\\rtf1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data"), FITTING)
def test_a_name_that_fits_or_promises_nothing_is_none_to_refuse(name: str, data: bytes):
    assert misnamed(name, data) == ""


@pytest.mark.parametrize(("name", "data"), CONTRADICTORY)
def test_a_name_that_ends_like_something_else_is_told(name: str, data: bytes):
    assert misnamed(name, data).startswith(f"{name} ends like ")


def test_what_is_promised_and_what_is_found_are_both_said():
    assert misnamed("r.csv", PDF) == "r.csv ends like a table as text, and holds a PDF document"
    assert misnamed("r.pdf", TABLE) == "r.pdf ends like a PDF document, and is none"


@pytest.mark.parametrize("name", ["own.toml", "OWN.TOML", "own.txt", "own", "v1.0", "a.draft"])
def test_a_controlled_document_is_named_as_text_or_as_nothing_else(name: str):
    assert misnamed_toml(name) == ""


@pytest.mark.parametrize("name", ["own.pdf", "own.csv", "own.XML", "own.json", "own.xlsx"])
def test_a_controlled_document_named_as_anything_else_is_told(name: str):
    assert misnamed_toml(name).startswith(f"{name} ends like ")
