"""LibreOffice Calc without a screen: opens a CSV, types into its cells, and saves it as CSV.

A macro presses the keys, since only what is typed goes through Calc's recognition of numbers and
dates. https://wiki.openoffice.org/wiki/Documentation/DevGuide/Spreadsheets/Filter_Options tells the
filter options: separator, quote, UTF-8, first line, and column/format pairs, where 2 is text.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

_MODULE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Module1"
 script:language="StarBasic">{}</script:module>
"""
_CSV = "Text - txt - csv (StarCalc)"
_WRITTEN = "44,34,76,1"
_TEXT_COLUMNS = _WRITTEN + "," + "/".join(f"{column}/2" for column in range(1, 40))
_FILL = """
Sub Fill
  Dim o(2) As New com.sun.star.beans.PropertyValue
  Dim p(0) As New com.sun.star.beans.PropertyValue
  o(0).Name = "Hidden" : o(0).Value = True
  o(1).Name = "FilterName" : o(1).Value = "{csv}"
  o(2).Name = "FilterOptions" : o(2).Value = "{opened}"
  doc = StarDesktop.loadComponentFromURL("{source}", "_blank", 0, o())
  If {as_text} Then
    text = doc.NumberFormats.queryKey("@", doc.CharLocale, False)
    doc.Sheets.getByIndex(0).NumberFormat = text
  End If
  keys = createUnoService("com.sun.star.frame.DispatchHelper")
  frame = doc.CurrentController.Frame
{typed}
  o(2).Value = "{written}"
  doc.storeToURL("{target}", o())
  doc.close(True)
End Sub
"""
_TYPE = """
  p(0).Name = "ToPoint" : p(0).Value = "{cell}"
  keys.executeDispatch(frame, ".uno:GoToCell", "", 0, p())
  p(0).Name = "StringName" : p(0).Value = "{text}"
  keys.executeDispatch(frame, ".uno:EnterString", "", 0, p())
"""


class Calc:
    """One profile of LibreOffice in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run("--terminate_after_init")  # lays the profile down, over what is there before

    def fill(
        self, data: bytes, typed: Mapping[str, str], *, opened_as_text: bool, cells_are_text: bool
    ) -> bytes:
        """The CSV after somebody opened it, typed texts into cells such as ``G2``, and saved it."""
        source, target = self._folder / "opened.csv", self._folder / "saved.csv"
        source.write_bytes(data)
        target.unlink(missing_ok=True)
        keys = (
            _TYPE.format(cell=cell, text=text.replace('"', '""')) for cell, text in typed.items()
        )
        macro = _FILL.format(
            csv=_CSV,
            opened=_TEXT_COLUMNS if opened_as_text else _WRITTEN,
            written=_WRITTEN,
            as_text=cells_are_text,
            source=source.as_uri(),
            target=target.as_uri(),
            typed="".join(keys),
        )
        module = self._folder / "profile/user/basic/Standard/Module1.xba"
        module.write_text(_MODULE.format(escape(macro)), encoding="utf-8")
        self._run("macro:///Standard.Module1.Fill")
        return target.read_bytes()

    def _run(self, what: str) -> None:
        profile = (self._folder / "profile").as_uri()
        command = ["soffice", f"-env:UserInstallation={profile}", "--headless", "--norestore", what]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "LC_ALL": "C.UTF-8"}
        subprocess.run(command, check=True, capture_output=True, timeout=60, env=environment)
