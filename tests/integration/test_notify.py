"""The service manager hears READY, STATUS, STOPPING and WATCHDOG.

SPDX-License-Identifier: ISC
"""
import signal
import socket
import time

import pytest

from support.waiting import SLOW, wait_for


class Manager:
    """A fake of systemd's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        while True:
            try:
                self.heard += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.heard

    def says(self, front, limit=10):
        return wait_for(f"{front} from the program",
            lambda: [l for l in self.listen() if l.startswith(front)], limit)

    def close(self):
        self.socket.close()


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
    began = time.monotonic()
    while time.monotonic() - began < 3:
        manager.listen()
        time.sleep(0.05)
    count = manager.listen().count("WATCHDOG=1")
    assert count >= 5 / SLOW, count
    assert "NOTIFY_SOCKET" not in out.read_text()
    assert "WATCHDOG" not in out.read_text()


def test_watchdog_of_another_process_is_not_ours(bench, manager):
    """WATCHDOG_PID of someone else: no keep-alive is sent for them."""
    bench.run({"t": bench.script("h", "exit 0")}, env={"NOTIFY_SOCKET": manager.path,
        "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"})
    manager.says("READY=1")
    bench.acked(bench.push("t"))
    assert "WATCHDOG=1" not in manager.listen()
