"""Profiles of XML documents: what is wrong with one is told at once, with its line and key."""

import pytest

from batchqc.core.xml_paths import Step, XmlPath
from batchqc.documents.profile_file import read_profile

GOOD = """schema = "batchqc/profile/1"
id = "SITE-XML"
version = 1
title = "An export"

[file]
layout = "xml"

[xml]
row = "/doc/tube"

[xml.places]
"Tube" = "@name"
"Live" = 'gate[@name="Live"]/n'
"Zone" = "/doc/zone"

[xml.skip]
"Tube" = ["Blank"]

[xml.require]
"Tube" = ["A", "B"]

[xml.refuse]
"Live" = ["-1"]

[columns]
sample_id = "Tube"
replicate = { fixed = "1" }
measured_at = { asked = true }
analyst = { asked = true }
run_id = { label = "Zone" }

[[results]]
column = "Live"
test = "FLOW"
analyte = "live"
unit = "{cells}"
"""


def told(text: str) -> list[str]:
    return [str(one) for one in read_profile(text.encode(), file="p.toml").problems]


def test_a_profile_says_where_its_columns_stand():
    profile = read_profile(GOOD.encode(), file="p.toml").profile
    assert profile is not None
    elements = profile.elements
    assert elements.row == XmlPath((Step("doc"), Step("tube")), from_root=True)
    assert elements.places["Tube"] == XmlPath(attribute="name")
    assert (elements.skip, elements.require) == ({"Tube": ("Blank",)}, {"Tube": ("A", "B")})
    assert elements.refuse == {"Live": ("-1",)}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('row = "/doc/tube"', "", "xml.row: expected text"),
        ('row = "/doc/tube"', 'row = "doc/tube"', "line 10: xml.row: expected a path, such as /"),
        ('row = "/doc/tube"', 'row = "/doc/@tube"', "line 10: xml.row: expected a path, such as /"),
        ('row = "/doc/tube"', 'row = "/doc/tube"\nrows = 2', "line 11: xml.rows: unknown key"),
        ('"@name"', '"//@name"', "line 13: xml.places.Tube: expected a path"),
        ('"@name"', "3", "xml.places.Tube: expected a path"),
        ('"Zone" = "/doc/zone"', '"Zone " = "/doc/zone"', "expected a name that can be shown"),
        ('"Zone" = "/doc/zone"', f'"{"Z" * 61}" = "/doc/zone"', "a name of at most 60"),
        ('"Zone" = "/doc/zone"', '"Zone" = "zone"', '[xml.places] has no "Zone" from the root'),
        ('column = "Live"', 'column = "Zone"', '[xml.places] has no "Zone" below the row'),
        ('sample_id = "Tube"', 'sample_id = "Tubes"', '[xml.places] has no "Tubes" below the row'),
        ('"Tube" = ["Blank"]', '"Zone" = ["Blank"]', "skip.Zone: expected the name of a place"),
        ('"Tube" = ["A", "B"]', '"Tube" = "A"', "xml.require.Tube: expected a list of texts"),
        ('"Live" = ["-1"]', '"Dead" = ["-1"]', "refuse.Dead: expected the name of a place"),
        ('layout = "xml"', 'layout = "xml"\ndelimiter = ";"', "an XML document has none"),
        ('layout = "xml"', 'layout = "page"', 'xml: belongs to layout = "xml": remove it'),
        ('layout = "xml"', 'layout = "wide"', 'xml: layout "wide" is a contract: remove it'),
        ("[columns]", "[header]\nrow = 1\n[columns]", "layout xml has no header row"),
    ],
)
def test_what_is_wrong_is_told_where_it_is(old: str, new: str, said: str):
    assert old in GOOD
    found = told(GOOD.replace(old, new, 1))
    assert any(said in one for one in found), found


def test_tables_that_are_none_and_no_table_at_all_are_told():
    places = GOOD[GOOD.index("[xml]") : GOOD.index("[columns]")]
    assert any("expected a table [xml.places]" in one for one in told(GOOD.replace(places, "")))
    broken = '[xml]\nrow = "/doc/tube"\nplaces = 3\nskip = 3\n'
    found = told(GOOD.replace(places, broken))
    assert any("xml.places: expected a table [xml.places]" in one for one in found), found
    assert any("xml.skip: expected a table [xml.skip]" in one for one in found), found
