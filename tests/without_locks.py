"""Whether each forced interleaving fails once its locks are taken out; says which does not.

python tests/without_locks.py
"""

import os
import re
import subprocess
import sys

TESTS = ("tests/records/test_interleaved.py", "tests/records/test_log_interleaved.py")


def main() -> int:
    """0 where nothing passes without locks."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rp", "-n", "2", "--tb=no", *TESTS],
        env=os.environ | {"BATCHQC_WITHOUT_LOCKS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = re.findall(r"^PASSED .*", run.stdout, re.MULTILINE)
    failed = re.search(r"(\d+) failed", run.stdout)
    print(*passed, f"{failed[1] if failed else 0} fail without locks, {len(passed)} pass", sep="\n")
    return int(bool(passed) or failed is None or " error" in run.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
