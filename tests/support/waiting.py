"""waiting - for a condition, never for a guessed time.

SPDX-License-Identifier: ISC
"""
import os
import time

# Sanitized programs are several times slower, and so is an emulated machine;
# limits are for hangs, so a generous factor costs nothing when all is well.
SANITIZED = os.path.basename(os.environ.get("FAKTOTUM_BUILD", "")) in ("asan", "tsan")
SLOW = int(os.environ.get("FAKTOTUM_SLOW", 4 if SANITIZED else 1))

LEAST = 30  # s; a wait that ends by its condition costs nothing by a high ceiling


def ceiling(limit):
    """How long to wait for what was thought to take at most `limit` s."""
    return max(limit * SLOW, LEAST)


def at_once(attempt, limit=1.0, tries=5):
    """That attempt() is answered now and not by a timer that comes later than
    `limit` s. A busy machine may hold up one try, and not all."""
    took = []
    while not took or took[-1] >= limit and len(took) < tries:
        began = time.monotonic()
        attempt()
        took.append(time.monotonic() - began)
    assert took[-1] < limit, took


def wait_for(what, condition, limit=LEAST, step=0.02):
    """The first true answer of condition(); fails by naming `what`."""
    limit = ceiling(limit)
    end = time.monotonic() + limit
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"gave up after {limit} s waiting for {what}")
        time.sleep(step)
