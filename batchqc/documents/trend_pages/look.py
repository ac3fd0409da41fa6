"""The one style sheet of the pages: light, dense, printable; nothing is fetched from elsewhere."""

from typing import Final

STYLE_SHEET: Final = """\
:root { color-scheme: light; }
body { font: 15px/1.45 "DejaVu Sans", Verdana, Arial, sans-serif; color: #1a1d21;
  background: #fff; margin: 0 auto; max-width: 1180px; padding: 12px 20px 60px; }
h1 { font-size: 22px; margin: 10px 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 28px 0 6px; overflow-wrap: anywhere; }
p { max-width: 90ch; overflow-wrap: anywhere; }
a { color: #0a4d8c; }
a:focus-visible, .wide:focus-visible { outline: 3px solid #b33c00; outline-offset: 2px; }
figure { margin: 0 0 8px; }
figure svg { max-width: 100%; height: auto; }
figcaption, .quiet { color: #4d545c; font-size: 13px; max-width: 110ch; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #4d545c; padding: 4px 0; }
th, td { border-bottom: 1px solid #d5d9dd; padding: 3px 8px; text-align: left;
  vertical-align: top; max-width: 46ch; overflow-wrap: break-word; }
thead th { border-bottom: 2px solid #1a1d21; }
tr.marked td, tr.marked th { font-weight: bold; }
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  figure, tr { break-inside: avoid; }
  .wide { overflow: visible; }
}
"""
