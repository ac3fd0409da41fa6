"""Figures of a series in a terminal: value, interval, n and method, and what is assumed."""

from batchqc.cli.show import say
from batchqc.documents.plots.figures import said_of
from batchqc.documents.trend_pages.of_profiles import said_of as said_of_profiles
from batchqc.statistics.lot_profiles import Profiles
from batchqc.statistics.phase_values import Part


def tell_part(part: Part) -> None:
    """One part: its figures as a table, and what is said of it."""
    say(f"\n{part.title}")
    for one in part.figures:
        say(f"  {said_of(one)}")
    assumed = dict.fromkeys(each for one in part.figures for each in one.assumptions)
    limited = dict.fromkeys(each for one in part.figures for each in one.limitations)
    if assumed:
        say(f"  Assumed: {'; '.join(assumed)}")
    for said in (*part.said, *limited):
        say(f"  {said}")


def tell_profiles(found: Profiles) -> None:
    """Lots by all attributes together: method, n, and those that are odd."""
    for said in said_of_profiles(found):
        say(said)
