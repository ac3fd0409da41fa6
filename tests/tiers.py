"""Which of the two tiers of tests this is: ``make test``, or ``make long``."""

import os
from typing import Final

LONG: Final = bool(os.environ.get("BATCHQC_LONG"))
