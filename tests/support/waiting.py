"""waiting - for a condition, never for a guessed time.

SPDX-License-Identifier: ISC
"""
import os
import time

# Sanitized programs are several times slower, and so is an emulated machine;
# limits are for hangs, so a generous factor costs nothing when all is well.
SANITIZED = os.path.basename(os.environ.get("FAKTOTUM_BUILD", "")) in ("asan", "tsan")
SLOW = int(os.environ.get("FAKTOTUM_SLOW", 4 if SANITIZED else 1))


def wait_for(what, condition, limit=10, step=0.02):
    """The first true answer of condition(); fails by naming `what`."""
    end = time.monotonic() + limit * SLOW
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"gave up after {limit * SLOW} s waiting for {what}")
        time.sleep(step)
