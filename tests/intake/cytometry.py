"""Small files in the shapes that FlowJo and FACSDiva write: invented samples, gates and counts."""

from tests.cast import MSC

_POPULATION = (
    '<Population name="{name}"  annotation=""  owningGroup="All Samples"  expanded="1"  '
    'sortPriority="10"  count="{count}" >'
)


def population(name: str, count: str, *below: str) -> str:
    """A population of a FlowJo workspace with those below it."""
    begin = _POPULATION.format(name=name, count=count)
    inside = "".join(f"\n{one}" for one in below)
    return (
        f'{begin}\n<Graph smoothing="0"  type="Pseudocolor" />\n'
        f"<Subpopulations>{inside}\n</Subpopulations>\n</Population>"
    )


def flowjo_sample(specimen: str, tube: str, **counts: str) -> str:
    """A sample of a FlowJo workspace."""
    gates = population(
        "Cells", "39426",
        population("Debris", "11"),
        population(
            "Single Cells", "37464",
            population(
                "Live", counts.get("live", "34753"),
                population("CD73+", counts.get("cd73", "34058")),
                population("CD90+", counts.get("cd90", "33711")),
            ),
        ),
    )  # fmt: skip
    return f"""<Sample>
<DataSet uri="file:/D:/{tube}.fcs"  sampleID="3" />
<Keywords>
<Keyword name="$TOT"  value="65121              " />
<Keyword name="TUBE NAME"  value="{tube}" />
<Keyword name="$SRC"  value="{specimen}" />
<Keyword name="$DATE"  value="21-MAR-2026" />
</Keywords>
<SampleNode name="{tube}.fcs"  annotation=""  count="{counts.get("every", "65121")}"  sampleID="3" >
<Graph smoothing="0"  type="Pseudocolor" />
<Subpopulations>
{gates}
</Subpopulations>
</SampleNode>
</Sample>"""


def workspace(*samples: str) -> str:
    """A FlowJo workspace."""
    return """<?xml version="1.0" encoding="UTF-8"?>
 <Workspace version="20.0"  modDate="Sat Mar 21 17:24:55 CDT 2026"  flowJoVersion="10.10.0"
  xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" >
<Groups>
<GroupNode name="All Samples"  count="65121" />
</Groups>
<SampleList>
{samples}
</SampleList>
</Workspace>
""".format(samples="\n".join(samples))


WORKSPACE = workspace(
    flowjo_sample("Compensation Controls", "FITC Stained Control", live="-1"),
    flowjo_sample(f"{MSC}-S01", "panel 1"),
    flowjo_sample(f"{MSC}-S02", "panel 1", cd73="33000", cd90="0"),
)


def tube(name: str, *, events: str = "20000", live: str = "10215", more: str = "10062") -> str:
    """A tube of a FACSDiva experiment."""
    gates = "".join(
        f'<gate fullname="All Events{way}" type="Region_Classifier">\n'
        f"<name>{way[-2:] or 'All Events'}</name>\n<num_events>{count}</num_events>\n</gate>\n"
        for way, count in (
            ("", events),
            ("\\P1", "15000"),
            ("\\P1\\P2", live),
            ("\\P1\\P2\\P3", more),
        )
    )
    return f"""<tube name="{name}">
<date>2026-03-21T16:15:15</date>
<data_begin_date>2026-03-21T16:15:02</data_begin_date>
<data_instrument_serial_number>1</data_instrument_serial_number>
<AcqObjInError>false</AcqObjInError>
<AspiratedError>false</AspiratedError>
<gates>
{gates}</gates>
</tube>
"""


def experiment(*tubes: str) -> str:
    """A FACSDiva experiment, with the counts of its global worksheet, which belong to no tube."""
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<bdfacs version="Version 6.2" release_version="Version 6.2">
<experiment name="MSC 260321">
<date>2026-03-21T16:20:39</date>
<acquisition_worksheets><worksheet_template><gates>
<gate fullname="All Events"><num_events>28095</num_events></gate>
</gates></worksheet_template></acquisition_worksheets>
<specimen name="panel 1">
{"".join(tubes)}</specimen>
</experiment>
</bdfacs>
"""


EXPERIMENT = experiment(tube("Unstained", events="0"), tube(f"{MSC}-S01"))
