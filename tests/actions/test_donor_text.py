"""The records of a donor as text, for people."""

from batchqc.actions.donor_export import accompanying_records, as_text
from batchqc.actions.registers import the_donor
from tests.records.house import DONOR, House


def test_of_what_nothing_is_on_record_the_text_says_none(house: House):
    with house.reading() as session:
        text = as_text(accompanying_records(session, the_donor(session, DONOR)))
    assert "donations: none\n" in text
    assert "consents: none\n" in text
    assert not [line for line in text.splitlines() if line.strip() == "evidence:"]
