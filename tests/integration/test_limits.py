"""Ceilings: connections, lines, memory; and clients that mean no good.

SPDX-License-Identifier: ISC
"""
import os
import time
from pathlib import Path

from support.client import Client, ServerError, compact, new_job
from support.waiting import SLOW, wait_for


def memory(pid):
    """Resident kB; of a sanitized program it says nothing (SLOW)."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def test_too_many_connections_are_refused_before_ok(start_server):
    """A stock server says +OK first, so that the error looks like the answer
    to the first command. Ours refuses before, and takes one when one goes."""
    s = start_server(config="limits: {connections: 3}\n")
    inside = [s.client() for _ in range(3)]
    outside = Client(s.port, hello=None)
    seen = b""
    try:
        line = outside.line()
        if line.startswith(b"+HI"):
            outside.send('HELLO {"v":2}\r\n')
            line = outside.line()
        seen = line
        assert outside.closed()
    except (EOFError, ConnectionError):
        pass
    assert seen.startswith(b"-ERR too many connections"), seen
    outside.close()
    inside[0].push()
    inside.pop().close()

    def let_in():
        try:
            with s.client() as c:
                return c.size() == 1
        except (EOFError, OSError, AssertionError, ServerError):
            return False
    wait_for("a free place", let_in, 5)
    for c in inside:
        c.close()


def test_refused_connections_leak_nothing(start_server):
    """A thousand refused or broken handshakes leave no descriptor behind."""
    s = start_server(config="limits: {connections: 5}\n")
    with s.client() as c:
        c.push()
        before = s.program.descriptors()
        for i in range(1000):
            other = Client(s.port, hello=None)
            if i % 3 == 0:
                other.send("HELLO nonsense\r\n")
            other.close()
        wait_for("the descriptors to be closed",
            lambda: s.program.descriptors() <= before, 10)
        assert c.size() == 1


def test_many_connections(server, client):
    """Five hundred workers wait at once, each gets its job."""
    crowd = [server.client(wid=f"crowd{i:04d}") for i in range(500)]
    assert client.info()["server"]["connections"] == 501
    assert client.pushb([new_job() for _ in crowd]) == {}
    for c in crowd:
        c.send("FETCH default\r\n")
    assert all(c.reply() is not None for c in crowd)
    for c in crowd:
        c.close()
    wait_for("them to be gone", lambda: client.info()["server"]["connections"] == 1)


def test_over_long_line_is_refused(start_server):
    """limits.line is what one command may take: told, then closed, and the
    memory is not kept."""
    s = start_server(config="limits: {line: 64K}\n")
    with s.client() as c:
        c.push(new_job("fits", "x" * 60_000))
        try:
            c.send(b"PUSH " + b"x" * 10_000_000)
        except ConnectionError:
            pass
        try:
            assert c.reply().code == "ERR"
        except (EOFError, ConnectionError):
            pass
    with s.client() as c:
        assert c.size() == 1
        assert SLOW > 1 or memory(s.program.pid) < 100_000


def test_over_long_hello_is_closed(server):
    """Who has not said HELLO cannot make the server hold megabytes."""
    with server.client(hello=False) as c:
        began = time.monotonic()
        try:
            for _ in range(64):
                c.send(b"HELLO {" + b" " * 1_000_000)
        except ConnectionError:
            pass
        try:
            while c.file.read(4096):
                pass
        except ConnectionError:
            pass
        assert time.monotonic() - began < 3 * SLOW
    with server.client() as c:
        assert c.size() == 0


def test_unfinished_lines_have_a_common_ceiling(start_server):
    """Many clients with half a command each cannot take all memory:
    limits.memory holds for them together, and the others are served."""
    s = start_server(config="limits: {line: 16M, memory: 32M}\n")
    hogs = [s.client() for _ in range(10)]
    for hog in hogs:
        hog.socket.settimeout(0.5)
        try:
            hog.send(b"PUSH " + b"x" * 8_000_000)
        except (TimeoutError, OSError):
            pass
    with s.client() as c:
        c.push()
        assert c.size() == 1
    assert SLOW > 1 or memory(s.program.pid) < 150_000
    for hog in hogs:
        hog.close()


def test_deep_json_is_refused(client):
    """Nesting costs stack in careless parsers; here it is an error."""
    deep = "[" * 100_000 + "]" * 100_000
    assert client.error('PUSH {"jid":"12345678","jobtype":"t","args":%s}' % deep) \
        .startswith("ERR invalid JSON")
    client.push(new_job("t", [[[[[[[[[[1]]]]]]]]]]))
    assert client.size() == 1


def test_noise_harms_nobody(server, client):
    """Random bytes, before and after the handshake: closed or answered with
    an error, and everyone else is served."""
    for i in range(60):
        with server.client(hello=i % 2 == 0) as c:
            try:
                c.send(os.urandom(2000) + b"\n" + os.urandom(100) + b"\r\n")
                c.socket.settimeout(0.05)
                while c.socket.recv(4096):
                    pass
            except OSError:
                pass
    client.push()
    assert client.fetch() is not None


def test_client_that_never_reads(server, client):
    """Answers nobody reads do not grow without end, and block no one."""
    before = memory(server.program.pid)
    for _ in range(20):
        client.push(new_job("big", "x" * 1_000_000, queue="big"))
    with server.client() as deaf:
        deaf.socket.settimeout(1)
        try:
            while True:
                deaf.send("INFO\r\n" * 1000)
        except (TimeoutError, OSError):
            pass
        began = time.monotonic()
        job = client.push()
        assert client.fetch()["jid"] == job["jid"]
        assert time.monotonic() - began < 2 * SLOW
        assert SLOW > 1 or memory(server.program.pid) - before < 100_000


def test_half_a_command_then_eof_is_not_executed(server, client):
    """A PUSH whose line end never came is no PUSH."""
    with server.client() as c:
        c.send("PUSH " + compact(new_job()))
    wait_for("it to be gone", lambda: client.info()["server"]["connections"] == 1)
    assert client.size() == 0
