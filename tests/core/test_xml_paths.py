"""Places in XML documents: the whole way, or no path."""

import pytest

from batchqc.core.xml_paths import Step, XmlPath, xml_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a/b-c", XmlPath((Step("a"), Step("b-c")))),
        ("/a/g:b/@c", XmlPath((Step("a"), Step("g:b")), "c", from_root=True)),
        ("@name", XmlPath(attribute="name")),
        ("../../@name", XmlPath(attribute="name", up=2)),
        (
            """g[@full='All "A"\\P1/P2'][@kind="x"]/n""",
            XmlPath((Step("g", (("full", 'All "A"\\P1/P2'), ("kind", "x"))), Step("n"))),
        ),
        ('p[@name=""]/@count', XmlPath((Step("p", (("name", ""),)),), "count")),
    ],
)
def test_a_path_is_read(text: str, path: XmlPath):
    assert xml_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "a/", "a//b", "//a", "a/..", "../a", "/@a", "/../@a", ".", "*/@", "a/@", "a@b",
        "a[1]", "a[b=1]", 'a[@b="c]', "a[@b=c]", 'a[@b="c"]d', "a b", "a/@b/c", "count(a)",
        "*", "a/*", "a|b", "a/text()", "$a", "!a",
    ],
)  # fmt: skip
def test_what_searches_counts_or_is_cut_is_no_path(text: str):
    assert xml_path(text) is None


def test_a_step_is_an_element_whose_attributes_say_what_it_states():
    step = Step("p", (("name", "CD73+"), ("kind", "gate")))
    assert step.matches("p", {"name": "CD73+", "kind": "gate", "count": "1"})
    assert not step.matches("q", {"name": "CD73+", "kind": "gate"})
    assert not step.matches("p", {"name": "CD73+"})
    assert not step.matches("p", {"name": "CD73", "kind": "gate"})
