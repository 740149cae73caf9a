"""What the service manager hears of the job server, and what it hands it.

SPDX-License-Identifier: ISC
"""
import ctypes
import os
import re
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from support.client import Client
from support.manager import Manager
from support.ports import free_port
from support.program import Program, run
from support.server import SERVER, Server
from support.waiting import at_once, ceiling, wait_for


@pytest.fixture
def manager(tmp_path, ending):
    m = Manager(tmp_path / "notify")
    ending.insert(0, m)
    return m


@pytest.fixture
def watched(tmp_path, ending, manager):
    """Starts a server that the fake manager listens to."""
    def start(**env):
        s = Server(tmp_path / "server", env={"NOTIFY_SOCKET": manager.path, **env})
        ending.append(s)
        return s
    return start


def test_ready_means_that_clients_are_welcome(watched, manager):
    """READY comes when the store is open and the port listens, not before: a
    unit that is ordered after the server may connect at once."""
    server = watched()
    manager.says("READY=1")
    with server.client() as c:
        c.push()
    manager.says_status(r"listening at 127\.0\.0\.1:\d+; 1 jobs in 1 queues, 0 reserved")
    server.kill9()
    manager.heard.clear()
    refused = run([SERVER, "--listen", f"127.0.0.1:{server.port}", "--data", "/dev/null/x", "--web", "off"],
        env={"NOTIFY_SOCKET": manager.path})
    assert refused.returncode == 73
    assert "READY=1" not in manager.listen()


def test_a_large_store_is_read_with_patience(watched, manager):
    """While many jobs are read at the start the manager hears that it takes a
    while more: a start is not cut off by TimeoutStartSec."""
    server = watched()
    manager.says("READY=1")
    with server.client() as c:
        for _ in range(1030):
            c.push()
    assert server.program.stop() == 0
    manager.heard.clear()
    server.start()
    manager.says("READY=1")
    heard = manager.heard
    loading = heard.index("STATUS=reading the store: 1024 jobs so far")
    assert heard[loading - 1] == "EXTEND_TIMEOUT_USEC=30000000"
    assert loading < heard.index("READY=1")


def test_stopping_finishes_what_is_under_way(watched, manager):
    """TERM: the manager hears STOPPING and how long it may take, a FETCH that
    waits is answered with nothing, nobody is let in any more."""
    server = watched()
    manager.says("READY=1")
    waiting = [server.client(wid=f"w{i}") for i in range(3)]
    other = server.client()
    for c in waiting:
        c.send("FETCH default\r\n")
    other.push(queue="elsewhere")  # behind the FETCHes
    server.program.signal(signal.SIGTERM)
    for c in waiting + [other]:
        assert c.file.read() == (b"" if c is other else b"$-1\r\n")
        c.close()
    assert server.program.wait() == 0
    manager.says("STOPPING=1")
    heard = manager.heard[manager.heard.index("STOPPING=1"):]
    assert heard[1] == "EXTEND_TIMEOUT_USEC=30000000"
    assert re.match("STATUS=stopping: 4 clients", heard[2])
    with pytest.raises(ConnectionRefusedError):
        server.client()
    server.start()


def test_hangup_is_a_reload_that_ends(watched, manager):
    """A manager that waits for the end of a reload hears it: else
    Type=notify-reload waits until its time-out."""
    server = watched()
    manager.says("READY=1")
    manager.heard.clear()
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.program.signal(signal.SIGHUP)
    manager.says("READY=1")
    lines = [l for l in manager.heard if not l.startswith("STATUS")]
    assert lines[0] == "RELOADING=1" and lines[2] == "READY=1"
    name, value = lines[1].split("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(value) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


def stop_store(pid):
    """Stops the thread that writes, and it alone. Returns what lets it go."""
    tid = next(int(t.name) for t in Path(f"/proc/{pid}/task").iterdir()
        if (t / "comm").read_text().strip() == "store")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(PTRACE_SEIZE, tid, None, None) != 0:
        pytest.skip(f"a thread cannot be stopped here: {os.strerror(ctypes.get_errno())}")
    assert libc.ptrace(PTRACE_INTERRUPT, tid, None, None) == 0
    os.waitpid(tid, WALL)
    return lambda: libc.ptrace(PTRACE_DETACH, tid, None, None)


@pytest.mark.slow(21)
def test_the_watchdog_is_the_store_too(watched, manager):
    """A store that does not answer any more stops the feeding although the
    loop turns, so that the manager ends a server that takes no job; before and
    after, it is fed twice in WATCHDOG_USEC."""
    server = watched(WATCHDOG_USEC="1000000")
    manager.says("READY=1")

    def five():
        before = manager.count("WATCHDOG=1")
        wait_for("five feedings", lambda: manager.count("WATCHDOG=1") >= before + 5)
    at_once(five, limit=4)
    let_go = stop_store(server.program.pid)
    # 5 s to the next probe, and 15 s for it.
    def silent():
        fed = manager.count("WATCHDOG=1")
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            if manager.count("WATCHDOG=1") != fed:
                return False
            time.sleep(0.05)
        return True
    wait_for("the feeding to stop", silent, 40)
    with server.client() as c:
        assert c.file  # the loop turns: it greets
    manager.says_status("no write has reached the disk for")
    fed = manager.count("WATCHDOG=1")
    let_go()
    wait_for("it to be fed again", lambda: manager.count("WATCHDOG=1") > fed)


activate = shutil.which("systemd-socket-activate")


@pytest.mark.skipif(not activate, reason="systemd-socket-activate is missing")
def test_the_manager_s_socket_is_used(tmp_path, ending):
    """With a socket of the manager's, that is where the server listens,
    whatever `listen` says; a client that was there before is served."""
    port = free_port()
    p = Program([activate, "-l", f"127.0.0.1:{port}", SERVER, "--listen", "127.0.0.1:1",
        "--data", tmp_path / "data", "--web", "off"], tmp_path / "log")
    ending.append(p)
    p.says("Listening on")
    with Client(port) as c:  # its knocking starts the server
        c.push()
        assert c.size() == 1
    p.says(f"listens at 127.0.0.1:{port}")
    p.says("the service manager holds the socket")


# LISTEN_PID is the pid of the program itself.
AS_THE_MANAGER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_client_waits_while_the_server_starts_again(tmp_path, ending):
    """The port is the manager's: between two servers nobody is refused."""
    held = socket.create_server(("127.0.0.1", 0))
    port = held.getsockname()[1]

    def start(name):
        p = Program([sys.executable, "-c", AS_THE_MANAGER, held.fileno(), SERVER,
            "--data", tmp_path / "data", "--web", "off"], tmp_path / name, pass_fds=(held.fileno(),))
        p.says("listens at")
        return p

    first = start("one.log")
    with Client(port) as c:
        jid = c.push()["jid"]
    assert first.stop() == 0
    with socket.create_connection(("127.0.0.1", port)) as between:
        between.settimeout(ceiling(30))
        second = start("two.log")
        ending.append(second)
        assert between.recv(100).startswith(b"+HI ")
    with Client(port) as c:
        assert c.fetch()["jid"] == jid
    held.close()


@pytest.mark.skipif(not activate, reason="systemd-socket-activate is missing")
@pytest.mark.parametrize("how,why", [
    (["-l", "{0}/sock"], "listens for TCP"),
    (["-l", "127.0.0.1:{1}", "-l", "127.0.0.1:{2}"], "holds 2 sockets, expected one")])
def test_a_socket_that_is_none_of_ours(tmp_path, ending, how, why):
    """Another kind of socket, or several, is refused in words, exit 78."""
    ports = [free_port(), free_port()]
    how = [h.format(tmp_path, *ports) for h in how]
    p = Program([activate, *how, SERVER, "--data", tmp_path / "data", "--web", "off"], tmp_path / "log")
    p.says("Listening on")
    address = how[1]
    knock = socket.socket(socket.AF_UNIX if address.startswith("/") else socket.AF_INET)
    with knock:
        knock.connect(address if address.startswith("/") else ("127.0.0.1", ports[0]))
        assert p.wait() == 78
    assert why in p.output()
