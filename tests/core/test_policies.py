"""What a policy may be, and where the status of a certificate is asked."""

import pytest

from batchqc.core.policies import NO_ADDRESS, ON, Policy, choices, may_be, status_page

ADDRESS = "https://coa.lakeside.example"


@pytest.mark.parametrize(
    "value", [ADDRESS, f"{ADDRESS}:8443", f"{ADDRESS}/batch-qc/v1", NO_ADDRESS]
)
def test_a_public_address_is_one_that_a_code_can_hold(value: str):
    assert may_be(Policy.PUBLIC_ADDRESS, value)


@pytest.mark.parametrize(
    "value",
    [
        *("", "http://coa.example", f"{ADDRESS}/", f"{ADDRESS}?x=1", f"{ADDRESS}#x", "https://"),
        *(f"{ADDRESS}\n", f"{ADDRESS}/a b", "https://user@a.example", "https://" + "a" * 61),
        *("javascript:alert(1)", "https://COA.example", f"{ADDRESS}/a/b/c", "off"),
    ],
)
def test_anything_else_is_no_public_address(value: str):
    assert not may_be(Policy.PUBLIC_ADDRESS, value)


def test_an_address_is_no_value_of_another_policy():
    assert not may_be(Policy.SUPPLY_BY_EXCEPTION, ADDRESS)
    assert may_be(Policy.SUPPLY_BY_EXCEPTION, ON)
    assert choices(Policy.SUPPLY_BY_EXCEPTION) == ("off", "on")
    assert choices(Policy.PUBLIC_ADDRESS) == ("none", "an https address")


@pytest.mark.requirement("5.07")
def test_the_status_page_is_below_the_address_or_nowhere():
    assert status_page(ADDRESS, "COA-2026-000001") == f"{ADDRESS}/status/COA-2026-000001"
    assert status_page(NO_ADDRESS, "COA-2026-000001") == ""
