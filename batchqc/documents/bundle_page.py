"""The index of an auditor's bundle: one page that opens from disk, without a script.

Rows are written while the bundle is; the page is put together at its end.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root{--ink:#1a2230;--soft:#5b6675;--line:#dfe4ea;--paper:#fff;--band:#f5f7fa;--good:#13653f;
--goodbg:#e3f4ea;--bad:#9c1c28;--badbg:#fbe7e8;--wait:#7a5200;--waitbg:#fdf1d8;--link:#0b4fa8}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf1;--soft:#9aa6b5;--line:#313a47;--paper:#12171f;
--band:#1a212b;--good:#7fd8a6;--goodbg:#16392a;--bad:#ff9aa3;--badbg:#451a20;--wait:#f2c566;
--waitbg:#42320f;--link:#86b8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,
"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:76rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.01em}
h2{font-size:1.2rem;margin:2.6rem 0 .8rem}
p{margin:.4rem 0;max-width:64rem}.soft{color:var(--soft)}
a{color:var(--link);text-decoration:none}a:hover,a:focus{text-decoration:underline}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1px;margin:1.6rem 0;
background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden}
dl div{background:var(--paper);padding:.9rem 1.1rem}dt{color:var(--soft);font-size:.82rem}
dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
code{font:.86em/1.4 ui-monospace,"DejaVu Sans Mono",monospace;background:var(--band);
padding:.1em .35em;border-radius:4px;overflow-wrap:anywhere}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th{background:var(--band);text-align:left;font-weight:600;font-size:.8rem;color:var(--soft);
position:sticky;top:0}
th,td{padding:.6rem .9rem;border-bottom:1px solid var(--line);vertical-align:top}
tbody:last-child tr:last-child td{border-bottom:0}
td{font-variant-numeric:tabular-nums}.id{white-space:nowrap}
.files a{margin-right:.8rem;white-space:nowrap}
.mark{display:inline-block;padding:.08rem .55rem;border-radius:99px;font-size:.82rem;
font-weight:600;
white-space:nowrap}.good{color:var(--good);background:var(--goodbg)}
.bad{color:var(--bad);background:var(--badbg)}.wait{color:var(--wait);background:var(--waitbg)}
ol{padding-left:1.3rem}li{margin:.35rem 0}
@media print{main{max-width:none;padding:0}th{position:static}.wide{overflow:visible;border:0}
tr{break-inside:avoid}}
"""


def page_head(facts: Mapping[str, str], counts: Mapping[str, int]) -> str:
    """The page up to the table of certificates.

    Args:
        facts: ``site``, ``asked``, ``log``, ``entries``, ``signed`` of the bundle.
        counts: how many of what.
    """
    said = {name: escape(text) for name, text in facts.items()}
    shown = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{count:,}</dd></div>" for name, count in counts.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Certificates of analysis: {said['site']}</title><style>{_STYLE}</style></head>"
        f'<body><main><h1>Certificates of analysis</h1><p class="soft">{said["site"]}</p>'
        f"<p>Asked for: {said['asked']}.</p><p>As of entry {said['entries']} of the audit trail,"
        f" by the checkpoint of the log <code>{said['log']}</code> that was signed at"
        f" {said['signed']}. What was recorded later is not in here.</p><dl>{shown}</dl>"
        "<h2>Verify first</h2><p>This page proves nothing: whoever changes a bundle changes its"
        ' page. Read <a href="README.txt">README.txt</a>, then run'
        " <code>python verify/verify_bundle.py --root your-root.pem --log-key your-log.vkey</code>"
        " with copies of <code>root.pem</code> and <code>log.vkey</code> that you got from the site"
        ' another way. It needs no network; what it needs is in <a href="wheels/">wheels/</a>.</p>'
        '<h2>Certificates</h2><div class="wide"><table><thead><tr><th>Lot</th><th>Certificate</th>'
        "<th>Status</th><th>Conclusion</th><th>Files</th></tr></thead>\n"
    )


def lot_rows(lot: Mapping[str, Any]) -> str:
    """The rows of a lot, one for each certificate."""
    folder, own = f"data/{lot['folder']}", lot["certificates"]
    rows = []
    for number, one in enumerate(own):
        name = (
            f'<td class="id" rowspan="{len(own)}"><strong>{escape(lot["lot"])}</strong><br>'
            f'<span class="soft">{escape(lot["product"])}</span><br>'
            f'<a href="{folder}/audit.tsv">audit trail</a></td>'
        )
        rows.append(
            f'<tr>{name if number == 0 else ""}<td class="id">{escape(one["number"])}<br>'
            f'<span class="soft">{escape(one["reserved"])}</span></td><td>{_status(one)}</td>'
            f"<td>{_verdict(one)} {escape(one['conclusion'])}</td>"
            f'<td class="files">{_files(folder, one)}</td></tr>'
        )
    return f"<tbody>{''.join(rows)}</tbody>\n"


def sources_head() -> str:
    """Between certificates and what they rest on."""
    return (
        '</table></div><h2>What they rest on</h2><div class="wide"><table><thead><tr><th>Record'
        "</th><th>File as received or approved</th><th>SHA-256</th></tr></thead><tbody>\n"
    )


def source_row(record: str, name: str, path: str, sha256: str, *, is_disposed: bool = False) -> str:
    """The row of an upload, its attachment, or a specification; it may have no bytes."""
    link = f'<a href="data/{path}">{escape(name)}</a>' if sha256 else "too large to be kept"
    if is_disposed:
        link = f"{escape(name)}: disposed of by two people, as the audit trail of the lot tells"
    return (
        f"<tr><td>{escape(record)}</td><td>{link}</td><td><code>{escape(sha256)}</code></td></tr>\n"
    )


def page_end(anchors: Sequence[str]) -> Iterator[str]:
    """The rest of the page; ``anchors`` are paths of trust anchors."""
    links = " · ".join(f'<a href="data/{one}">{escape(one)}</a>' for one in anchors)
    yield "</tbody></table></div><h2>Log and trust anchors</h2><p>"
    yield '<a href="data/log/checkpoints/">checkpoints</a> · '
    yield '<a href="data/log/entries.txt">hashes of every entry</a> · '
    yield '<a href="data/export.json">what was asked for</a> · '
    yield '<a href="data/lots.jsonl">what is in here, for programs</a></p>'
    yield f"<p>{links}</p></main></body></html>\n"


def _status(one: Mapping[str, Any]) -> str:
    if one["status"] == "void":
        return '<span class="mark bad">void</span><br>never sealed'
    if one["withdrawn"]:
        return f'<span class="mark bad">withdrawn</span><br>{escape(one["withdrawn"])}'
    if one["superseded_by"]:
        return f'<span class="mark wait">superseded</span><br>by {escape(one["superseded_by"])}'
    if one["status"] == "pending":
        return '<span class="mark wait">pending</span><br>not sealed yet'
    return '<span class="mark good">issued</span>'


def _verdict(one: Mapping[str, Any]) -> str:
    if one["is_preliminary"]:
        return '<span class="mark wait">preliminary</span>'
    if one["complies"]:
        return '<span class="mark good">complies</span>'
    return '<span class="mark bad">does not comply</span>'


def _files(folder: str, one: Mapping[str, Any]) -> str:
    ends = {"JSON": "json", "CSV": "csv"}
    if one["status"] == "issued":
        ends = {"PDF": "pdf"} | ends | {"proof": "tlog-proof"}
    number = escape(one["number"])
    return "".join(f'<a href="{folder}/{number}.{end}">{name}</a>' for name, end in ends.items())
