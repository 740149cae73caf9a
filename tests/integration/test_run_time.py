"""Deadlines: who is stopped when, and that all of it is dead afterwards.

SPDX-License-Identifier: ISC
"""
import os
import time

import pytest

from support.waiting import wait_for


def alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def pids(path):
    return [int(p) for p in path.read_text().split()] if path.exists() else []


def run_until_timeout(bench, text, timeout="1s", grace="1s", **handler):
    """Runs a handler that hangs; returns (FAIL, seconds)."""
    bench.run({"t": dict(handler, exec=[bench.script("h", text)], timeout=timeout, grace=grace)})
    began = time.monotonic()
    return bench.failed(bench.push("t")), time.monotonic() - began


def test_timeout(bench):
    """TERM at the deadline ends an ordinary program: Timeout."""
    fail, took = run_until_timeout(bench, "echo started >&2; exec sleep 60")
    assert fail["errtype"] == "Timeout"
    assert 0.9 <= took < 59


def test_timeout_is_a_failure_even_with_exit_zero(bench):
    """A program that answers TERM by exit 0 did not finish its job."""
    fail, _ = run_until_timeout(bench, "trap 'exit 0' TERM; sleep 60 & wait")
    assert fail["errtype"] == "Timeout"


def test_program_that_ignores_term_is_killed(bench):
    """KILL after the grace, to the whole group."""
    out = bench.scratch / "pids"
    fail, took = run_until_timeout(bench,
        f"trap '' TERM; echo $$ >{out}; (trap '' TERM; sleep 60) & echo $! >>{out}\n"
        "while :; do sleep 1; done")
    assert fail["errtype"] == "Timeout"
    assert 1.8 <= took < 59
    assert len(pids(out)) == 2
    wait_for("the group to be dead", lambda: not any(alive(p) for p in pids(out)), 3)


def test_stopped_program_is_killed(bench):
    """A program that stopped itself does not get TERM handled; KILL works."""
    fail, took = run_until_timeout(bench, "kill -STOP $$")
    assert fail["errtype"] == "Timeout"
    assert took < 59


def test_program_that_closes_everything_is_timed(bench):
    """Closed output is not the end of a program."""
    fail, took = run_until_timeout(bench, "exec <&- >&- 2>&-; exec sleep 60")
    assert fail["errtype"] == "Timeout"
    assert took >= 0.9


def test_grandchild_that_holds_the_output(bench):
    """A background process that keeps the pipe open delays the outcome by at
    most 2 s, and is killed."""
    out = bench.scratch / "pid"
    bench.run({"t": bench.script("h", f"sleep 60 & echo $! >{out}; exit 0")})
    began = time.monotonic()
    bench.acked(bench.push("t"))
    assert time.monotonic() - began < 59
    wait_for("the grandchild to be dead", lambda: not any(alive(p) for p in pids(out)), 3)


def test_leftover_without_output_is_killed(bench):
    """What a handler leaves in its process group dies with it: nothing runs
    on after the reservation."""
    out = bench.scratch / "pid"
    bench.run({"t": bench.script("h", f"sleep 60 </dev/null >/dev/null 2>&1 & echo $! >{out}")})
    bench.acked(bench.push("t"))
    wait_for("the left-over to be dead", lambda: not any(alive(p) for p in pids(out)), 5)


def test_output_after_the_end_is_read(bench):
    """What a program wrote before it ended is logged to the last byte, even
    if the pipe is full at its end."""
    bench.run({"t": {"exec": [bench.script("h", "seq 5000; echo the-very-last-line")],
        "log_rate": 1000000}})
    bench.acked(bench.push("t"))
    bench.supervisor.says("the-very-last-line")


def test_handler_is_stopped_before_the_reservation_ends(bench):
    """Other workers overrun their reservation and the job runs twice at
    once. Here the deadline is the reservation less grace and margin."""
    out = bench.scratch / "timeout"
    bench.run({"t": {"exec": [bench.script("h", f'echo "$FAKTORY_TIMEOUT" >{out}')],
        "timeout": "1h", "grace": "10s"}})
    bench.acked(bench.push("t", reserve_for=70))
    # It begins with the question, which may have waited for the job.
    assert 30 <= int(out.read_text()) <= 55


def test_a_grace_that_the_reservation_cuts_is_told(bench):
    """A reservation too short for the handler's grace: both fit into it, and
    the log says what is left of the grace."""
    out = bench.scratch / "timeout"
    bench.run({"t": {"exec": [bench.script("h", f'echo "$FAKTORY_TIMEOUT" >>{out}')],
        "grace": "60s"}}, shutdown={"grace": "60s"})
    long, short = bench.push("t", reserve_for=600), bench.push("t", reserve_for=60)
    bench.acked(long, short)
    assert sorted(map(int, out.read_text().split()))[0] <= 28
    bench.supervisor.says(f"jid={short} type=t  its reservation of 60 s is too short for the grace of "
        "its handler: between TERM and KILL there are 27.5 s, not 60.0")
    assert f"jid={long} type=t  its reservation" not in bench.supervisor.output()


def test_configured_timeout_wins_when_shorter(bench):
    """timeout: is a limit of its own, below the reservation."""
    out = bench.scratch / "timeout"
    bench.run({"t": {"exec": [bench.script("h", f'echo "$FAKTORY_TIMEOUT" >{out}')],
        "timeout": "30s"}})
    bench.acked(bench.push("t", reserve_for=600))
    assert 29 <= int(out.read_text()) <= 30


@pytest.mark.slow(50)
def test_reservation_ends_a_handler_in_time(bench):
    """With a reservation of 60 s and no timeout: TERM before the end of the
    reservation, FAIL accepted by the server, nothing expired there."""
    bench.run({"t": {"exec": [bench.script("h", "exec sleep 300")], "grace": "5s"}})
    began = time.monotonic()
    jid = bench.push("t", reserve_for=60)
    fail = bench.failed(jid, limit=70)
    assert fail["errtype"] == "Timeout"
    assert 45 <= time.monotonic() - began <= 59
    wait_for("the retry", lambda: bench.client.sets()["retries"] == 1)
    assert bench.client.faktory()["tasks"]["Busy"]["reaped"] == 0


def test_step_between_term_and_kill_is_used(bench):
    """A program may use its grace to tidy up, and what it says is logged."""
    fail, _ = run_until_timeout(bench, "trap 'echo tidy; exit 9' TERM; sleep 60 & wait",
        grace="5s")
    assert fail["errtype"] == "Timeout"
    bench.supervisor.says("tidy")


def test_many_timeouts_at_once(bench):
    """Ten hanging handlers end together and free their slots."""
    bench.run({"t": {"exec": [bench.script("h", "trap '' TERM; while :; do sleep 1; done")],
        "timeout": "1s", "grace": "500ms"}, "quick": bench.script("quick", "exit 0")},
        concurrency=10)
    jids = [bench.push("t") for _ in range(10)]
    for jid in jids:
        assert bench.failed(jid)["errtype"] == "Timeout"
    bench.acked(bench.push("quick"))
    assert bench.supervisor.children() == []
    assert os.path.exists(f"/proc/{bench.supervisor.pid}")
