"""Stopping: quiet, drain, TERM, KILL, report, END, in one timeline.

SPDX-License-Identifier: ISC
"""
import signal
import time

import pytest

from support.waiting import wait_for


def long_job(bench, text="exec sleep 60", shutdown="1s", grace="1s", **settings):
    """Starts a supervisor with one job running; returns its jid."""
    mark = bench.scratch / "started"
    bench.run({"t": {"exec": [bench.script("h", f"touch {mark}; {text}")], "grace": grace},
        "quick": {"exec": [bench.script("quick", "exit 0")], "grace": "0s"}},
        shutdown={"grace": shutdown}, **settings)
    jid = bench.push("t")
    wait_for("the job to start", mark.exists)
    return jid


def ended_with_end(bench):
    """Whether each conversation was ended politely."""
    return len(bench.tap.lines("END")) >= 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_when_idle(bench, number):
    """TERM and INT with nothing to do: quick, END, exit 0."""
    bench.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    bench.supervisor.signal(number)
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    assert ended_with_end(bench)


def test_drain(bench):
    """A running job may end within the grace; its ACK is not lost, and no
    new job is fetched meanwhile."""
    go = bench.scratch / "go"
    jid = long_job(bench, f"while [ ! -e {go} ]; do sleep 0.05; done", shutdown="10m")
    bench.supervisor.signal(signal.SIGTERM)
    wait_for("it to say that it is leaving", lambda: any(
        b.get("current_state") in ("quiet", "terminate") for b in bench.tap.sent("BEAT")))
    bench.asks_no_more()
    later = bench.push("quick")
    bench.beats()
    assert not bench.tap.about("ACK", later)
    beats = len(bench.tap.sent("BEAT"))
    wait_for("beats to go on", lambda: len(bench.tap.sent("BEAT")) >= beats + 2)
    go.touch()
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    assert bench.tap.about("ACK", jid)
    assert ended_with_end(bench)
    assert bench.client.fetch()["jid"] == later


def test_interrupted_job_is_failed_as_shutdown(bench):
    """When the grace is over: TERM, its grace, KILL, FAIL Shutdown, exit 0."""
    bench.tap.stock = True
    jid = long_job(bench, "trap '' TERM; while :; do sleep 1; done")
    began = time.monotonic()
    bench.supervisor.signal(signal.SIGTERM)
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    assert 1.8 <= time.monotonic() - began < 60
    assert bench.failed(jid)["errtype"] == "Shutdown"
    assert bench.client.sets()["retries"] == 1
    assert bench.client.sets()["working"] == 0


def test_second_signal_shortens(bench):
    """A second TERM does not wait for the drain: TERM to the handlers now."""
    bench.tap.stock = True
    jid = long_job(bench, shutdown="60s")
    began = time.monotonic()
    bench.supervisor.signal(signal.SIGTERM)
    time.sleep(0.3)
    assert bench.supervisor.alive()
    bench.supervisor.signal(signal.SIGTERM)
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    assert time.monotonic() - began < 59
    assert bench.failed(jid)["errtype"] == "Shutdown"


def test_third_signal_kills(bench):
    """A handler that ignores TERM, with a long grace: the third signal ends
    it at once, and its FAIL is still told."""
    bench.tap.stock = True
    jid = long_job(bench, "trap '' TERM; while :; do sleep 0.1; done", shutdown="60s", grace="50s")
    began = time.monotonic()
    for _ in range(3):
        bench.supervisor.signal(signal.SIGTERM)
        time.sleep(0.3)
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    assert time.monotonic() - began < 49
    assert bench.failed(jid)["errtype"] == "Shutdown"


def test_job_that_a_fetch_still_delivers_is_not_lost(bench):
    """TERM while FETCH waits, and a job comes in just then: it is acked,
    failed, or back in its queue, never left reserved."""
    bench.run({"t": bench.script("h", "exit 0")}, shutdown={"grace": "10s"})
    bench.acked(bench.push("t"))
    wait_for("a FETCH under way", lambda: bench.tap.requests[-1][2].startswith(("FETCH", "BEAT")))
    bench.supervisor.signal(signal.SIGTERM)
    jid = bench.push("t")
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    sets = bench.client.sets()
    assert sets["working"] == 0
    told = len(bench.tap.about("ACK", jid)) + len(bench.tap.about("FAIL", jid))
    assert told + bench.client.size() == 1


def test_tstp_is_quiet(bench):
    """SIGTSTP: no more FETCH, running jobs end, beats go on, the process
    stays. It is the operator's and stays here: told to a server it would be
    repeated for ever, and nobody could take it back."""
    bench.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    bench.supervisor.signal(signal.SIGTSTP)
    bench.supervisor.says("quiet, asked by the operator")
    bench.asks_no_more()
    jid = bench.push("t")
    bench.beats()
    assert not bench.tap.about("ACK", jid)
    assert not any("current_state" in b for b in bench.tap.sent("BEAT"))
    assert bench.supervisor.alive()
    assert bench.client.fetch()["jid"] == jid


def test_quiet_by_the_server(bench):
    """The server's quiet comes with a BEAT and is obeyed on every
    conversation; TERM ends it afterwards as ever."""
    bench.run({"t": bench.script("h", "exit 0")})
    bench.acked(bench.push("t"))
    bench.tap.rule = lambda n, request, reply: \
        b'$17\r\n{"state":"quiet"}\r\n' if request.startswith("BEAT") else reply
    bench.supervisor.says("quiet, asked by the server")
    bench.asks_no_more()
    fetches = len(bench.tap.fetches())
    jid = bench.push("t")
    bench.beats()
    assert len(bench.tap.fetches()) == fetches
    assert not bench.tap.about("ACK", jid)
    assert bench.tap.sent("BEAT")[-1]["current_state"] == "quiet"
    assert bench.supervisor.alive()
    assert bench.supervisor.stop() == 0


@pytest.mark.parametrize("reply", [b'$21\r\n{"state":"terminate"}\r\n',
    b'+{"state":"terminate"}\r\n', b'$22\r\n{"state": "terminate"}\r\n'])
def test_terminate_by_the_server(bench, reply):
    """terminate is TERM by wire, as bulk or simple string, with or without a
    space: drained and exit 0."""
    jid = long_job(bench, "sleep 1", shutdown="10s")
    bench.tap.rule = lambda n, request, r: reply if request.startswith("BEAT") else r
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    assert bench.tap.about("ACK", jid)


def test_no_handler_survives(bench):
    """After the end no process of any handler is alive."""
    out = bench.scratch / "pids"
    long_job(bench, f"sleep 60 & echo $$ $! >{out}; wait", grace="1s")
    wait_for("the pids", lambda: out.exists() and len(out.read_text().split()) == 2)
    bench.supervisor.signal(signal.SIGTERM)
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    for pid in out.read_text().split():
        try:
            with open(f"/proc/{pid}/stat") as f:
                state = f.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        assert state in "ZX", f"{pid} is in state {state}"


def test_stop_while_the_server_is_away(bench):
    """With no server to tell, the end still comes, within its time."""
    bench.run({"t": {"exec": [bench.script("h", "exit 0")], "grace": "1s"}},
        shutdown={"grace": "1s"})
    bench.acked(bench.push("t"))
    bench.server.kill9()
    bench.supervisor.says("server")
    bench.supervisor.signal(signal.SIGTERM)
    bench.supervisor.wait(20)


def test_stop_before_the_first_connection(start_supervisor):
    """TERM while nothing answers at the address: exit 0 at once."""
    s = start_supervisor("tcp://127.0.0.1:1", {"jobs": {"t": {"exec": ["/bin/true"]}}})
    s.says("127.0.0.1:1")
    assert s.stop() == 0


def test_signals_never_cost_an_outcome(bench):
    """HUP, USR1, WINCH, CONT and the like, in the middle of work: every job
    is settled once."""
    bench.run({"t": bench.script("h", "exit 0")}, concurrency=4)
    jids = [bench.push("t") for _ in range(100)]
    for _ in range(50):
        for number in (signal.SIGPIPE, signal.SIGWINCH, signal.SIGCONT, signal.SIGCHLD):
            bench.supervisor.signal(number)
        time.sleep(0.01)
    bench.acked(*jids, limit=60)
    assert sorted(d["jid"] for d in bench.tap.sent("ACK")) == sorted(jids)
