"""The service manager hears READY, STATUS, STOPPING and WATCHDOG.

SPDX-License-Identifier: ISC
"""
import signal
import socket
import time
from pathlib import Path

import pytest

from support.manager import Manager
from support.waiting import at_once, wait_for


def stat_of(pid):
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


@pytest.fixture
def manager(tmp_path, ending):
    m = Manager(tmp_path / "notify")
    ending.insert(0, m)
    return m


def test_ready_and_stopping(bench, manager):
    """READY after the first HELLO, a STATUS for people, STOPPING at once
    when it is told to end."""
    bench.run({"t": bench.script("h", "exit 0")}, env={"NOTIFY_SOCKET": manager.path})
    manager.says("READY=1")
    assert bench.tap.lines("HELLO")
    manager.says("STATUS=")
    bench.supervisor.signal(signal.SIGTERM)
    manager.says("STOPPING=1")
    assert bench.supervisor.wait() == 0


def test_ready_without_a_server(manager, start_supervisor):
    """No server at start is not a failed start: READY all the same, so that
    the unit is not killed while it waits."""
    start_supervisor("tcp://127.0.0.1:1", {"jobs": {"t": {"exec": ["/bin/true"]}}},
        env={"NOTIFY_SOCKET": manager.path})
    manager.says("READY=1")


def test_watchdog(bench, manager):
    """WATCHDOG=1 at least every half of WATCHDOG_USEC, also while jobs run;
    neither variable reaches a handler."""
    out = bench.scratch / "env"
    bench.run({"t": bench.script("h", f"env >{out}; sleep 2")},
        env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1000000"})
    bench.push("t")
    manager.says("READY=1")

    def five():
        before = manager.count("WATCHDOG=1")
        wait_for("five feedings", lambda: manager.count("WATCHDOG=1") >= before + 5)
    at_once(five, limit=4)  # twice in WATCHDOG_USEC
    assert "NOTIFY_SOCKET" not in out.read_text()
    assert "WATCHDOG" not in out.read_text()


def test_the_end_may_take_a_while(bench, manager):
    """A drain longer than the unit's TimeoutStopSec is not killed half-way:
    more time is asked for again and again, and the STATUS says what is waited
    for, until the last program has ended."""
    go = bench.scratch / "go"
    bench.run({"t": bench.script("h", f"until test -e {go}; do sleep 0.05; done")},
        env={"NOTIFY_SOCKET": manager.path})
    jid = bench.push("t")
    manager.says_status("ready; 1 of 4 slots in use")
    bench.supervisor.signal(signal.SIGTERM)
    manager.says("STOPPING=1")
    wait_for("the third EXTEND_TIMEOUT_USEC",
        lambda: manager.count("EXTEND_TIMEOUT_USEC=30000000") >= 3)
    manager.says_status("shutting down, running programs may finish; 1 of 4")
    bench.supervisor.signal(signal.SIGTERM)
    wait_for("the next phase", lambda: any("programs were told to stop; 1 of 4" in l
        for l in manager.listen()))
    assert bench.supervisor.wait() == 0
    assert bench.tap.about("RELEASE", jid)


def test_status_says_why_it_is_not_ready(bench, manager):
    """Without a server, quiet, and at work again: the newest STATUS tells it
    at once, so that `systemctl status` explains itself."""
    bench.run({"t": bench.script("h", "exit 0")}, env={"NOTIFY_SOCKET": manager.path})
    manager.says_status("ready; 0 of 4 slots")
    bench.server.kill9()
    manager.says_status("not connected to the server; 0 of 4")
    bench.server.start()
    manager.says_status("ready; 0 of 4 slots", 30)
    bench.supervisor.signal(signal.SIGTSTP)
    manager.says_status("no more jobs are fetched; 0 of 4")


def test_the_watchdog_is_the_loop(bench, manager):
    """A supervisor that does not turn feeds no watchdog, a program that hangs
    and ignores TERM keeps none from being fed: what is watched is the loop."""
    bench.run({"t": {"exec": [bench.script("h", "trap '' TERM; while :; do sleep 1; done")],
        "timeout": "1s", "grace": "25s"}},
        env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"})
    bench.push("t")
    bench.supervisor.says("started")
    before = manager.count("WATCHDOG=1")
    wait_for("five more feedings", lambda: manager.count("WATCHDOG=1") >= before + 5)

    bench.supervisor.signal(signal.SIGSTOP)
    wait_for("it to stand still", lambda: stat_of(bench.process.pid) == "T")
    before = manager.count("WATCHDOG=1")
    began = time.monotonic()
    while time.monotonic() - began < 1:
        assert manager.count("WATCHDOG=1") == before
        time.sleep(0.05)
    bench.supervisor.signal(signal.SIGCONT)
    wait_for("it to be fed again", lambda: manager.count("WATCHDOG=1") > before)
    for _ in range(3):
        bench.supervisor.signal(signal.SIGTERM)


def test_a_manager_that_hangs_hangs_nobody(bench, manager):
    """A manager that reads nothing, so that its socket is full, stops no job
    and no signal; when it wakes it hears what matters."""
    bench.run({"t": bench.script("h", "exit 0")},
        env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "20000"})
    manager.says("READY=1")
    full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    full.setblocking(False)
    with full, pytest.raises(BlockingIOError):
        while True:
            full.sendto(b"FULL=1", manager.path)
    bench.acked(bench.push("t"), bench.push("t"))
    bench.supervisor.signal(signal.SIGHUP)
    bench.supervisor.says("jobs at work keep their settings")
    manager.heard.clear()
    manager.says("RELOADING=1")
    manager.says("READY=1")


def test_watchdog_of_another_process_is_not_ours(bench, manager):
    """WATCHDOG_PID of someone else: no keep-alive is sent for them."""
    bench.run({"t": bench.script("h", "exit 0")}, env={"NOTIFY_SOCKET": manager.path,
        "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"})
    manager.says("READY=1")
    bench.acked(bench.push("t"))
    assert "WATCHDOG=1" not in manager.listen()
