"""The crash test in short; `make crash` runs twenty rounds.

SPDX-License-Identifier: ISC
"""
import sys

import pytest

from support.program import BUILD, ROOT, run


@pytest.mark.slow(65)
def test_three_rounds_of_kill9_under_load():
    """Server, supervisor, server killed under eight producers: everything
    acknowledged runs, nothing twice but what was in flight at a kill."""
    done = run([sys.executable, ROOT / "tests/fault/crash", "--build-dir", BUILD,
        "--rounds", "3"], limit=300)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
