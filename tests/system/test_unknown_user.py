"""Whether a user id is known cannot be told by how long a wrong password takes."""

import subprocess
import sys

_CHECK = """
from argon2 import extract_parameters
from batchqc.actions import passwords
made = extract_parameters(passwords.HASHER.hash("any password"))
print(extract_parameters(passwords._ANY_HASH) == made, passwords._belongs(passwords._ANY_HASH, ""))
"""


def test_what_an_unknown_user_is_compared_with_costs_as_much_and_fits_nothing():
    # In a process of its own: tests make passwords that cost less.
    found = subprocess.run(
        [sys.executable, "-c", _CHECK], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["True", "False"]
