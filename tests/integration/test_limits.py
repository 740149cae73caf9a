"""Ceilings: connections, lines, memory; and clients that mean no good.

SPDX-License-Identifier: ISC
"""
import json
import os
import time
from pathlib import Path

import pytest

from support.client import Client, ServerError, compact, new_job
from support.program import BUILD, run
from support.waiting import SLOW, wait_for
from test_web import scrape


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
        job = client.push()
        assert client.fetch()["jid"] == job["jid"]
        assert SLOW > 1 or memory(server.program.pid) - before < 100_000


# ---- room for jobs ----

def test_too_many_jobs_are_refused(start_server):
    """limits.jobs counts every job, wherever it is. A push that does not fit
    is refused whole, and one that fits again is taken."""
    s = start_server(config="limits: {jobs: 10}\n", web="127.0.0.1:0")
    with s.client(wid="roomy001") as c:
        for _ in range(4):
            c.push()
        c.push(at="2099-01-01T00:00:00Z")
        failing = c.fetch()["jid"]
        c.fail(failing)
        held = c.fetch()["jid"]
        answer = c.call("PUSHB " + json.dumps([new_job() for _ in range(6)]))
        assert isinstance(answer, ServerError)
        assert answer.text == "ERR no room: there are 5 jobs, and limits.jobs is 10"
        assert c.size() == 2
        assert c.pushb([new_job() for _ in range(5)]) == {}
        assert c.error("PUSH " + compact(new_job())).startswith("ERR no room: there are 10 jobs")
        # What is wrong with a job is told all the same.
        assert "jobtype" in c.error('PUSH {"jid":"12345678","args":[]}')
        c.ack(held)
        c.push()
        assert c.error("PUSH " + compact(new_job())).startswith("ERR no room")
    s.restart()
    with s.client() as c:
        assert c.error("PUSH " + compact(new_job())).startswith("ERR no room: there are 10 jobs")
        c.mutate("clear", "retries")
        c.push()


def test_jobs_may_take_so_much_of_the_disk(start_server):
    """At limits.disk pushes are refused and nothing else: what works jobs off
    goes on, the room that it makes is used again, and what was acknowledged
    is there."""
    s = start_server(config="limits: {disk: 4M}\n")
    path, kept = s.data, []
    with s.client(wid="disk0001") as c:
        def push(n):
            for _ in range(n):
                job = new_job("t", "x" * 10_000)
                answer = c.call("PUSH " + compact(job))
                if answer != "OK":
                    return answer
                kept.append(job["jid"])
            return None
        refusal = push(2000)
        assert refusal.text == "ERR no room: the jobs have reached limits.disk"
        assert isinstance(c.call("PUSHB " + json.dumps([new_job()])), ServerError)
        assert sum(f.stat().st_size for f in path.glob("faktotum.db*")) < 24_000_000
        assert "no more jobs are taken" in s.program.output()

        done = set()
        while len(done) < len(kept) - 20:
            jid = c.fetch()["jid"]
            c.ack(jid)
            done.add(jid)
        wait_for("room again", lambda: push(1) is None, 20)
        assert "jobs are taken again" in s.program.output()
        assert push(50) is None
    s.kill9()
    s.start()
    with s.client() as c:
        left = [c.fetch()["jid"] for _ in range(c.size())]
        assert left == [j for j in kept if j not in done]


def test_untaken_answers_have_a_ceiling(start_server):
    """Workers that fetch large jobs and read none of them cannot take all
    memory: above limits.memory a FETCH is refused, in an error, and jobs stay
    where they are."""
    s = start_server(config="limits: {line: 8M, memory: 16M}\n")
    with s.client() as c:
        for _ in range(12):
            c.push(new_job("big", "x" * 7_000_000))
        deaf, began = [], b""
        while began != b"-ERR ":
            assert len(deaf) < 12, "none was refused"
            d = s.client(wid=f"deaf{len(deaf):04d}", receive=4096)
            deaf.append(d)
            d.send("FETCH default\r\n")
            began = d.socket.recv(5)
        assert deaf[-1].socket.recv(100).startswith(b"no room: answers that nobody takes")
        assert c.sets()["working"] == len(deaf) - 1 > 1
        assert c.size() == 12 - c.sets()["working"]
        c.push()
        for d in deaf:
            d.close()
        wait_for("the jobs to be back", lambda: c.size() == 13)
        assert c.fetch() is not None


@pytest.mark.slow(64)
def test_who_takes_no_answer_is_closed(start_server):
    """Thirty seconds without a byte taken: closed, and the job is where it
    was, uncounted. Who reads slowly but does read is left alone."""
    s = start_server(web="127.0.0.1:0")
    with s.client() as c:
        first = c.push(new_job("big", "x" * 20_000_000, queue="a"))["jid"]
        c.push(new_job("big", "y" * 9_000_000, queue="b"))
        deaf = s.client(wid="deaf0001", receive=4096)
        deaf.send("FETCH a\r\n")
        slow = s.client(wid="slow0001", receive=65536)
        slow.send("FETCH b\r\n")
        wait_for("both to be on their way", lambda: c.sets()["working"] == 2)

        read = []

        def back():
            c.beat("deaf0001")  # they live, they only do not read
            c.beat("slow0001")
            read.append(slow.socket.recv(40_000))
            return c.size("a") == 1
        wait_for("the job to be back", back, 90, step=0.5)
        assert c.sets()["working"] == 1
        job = c.fetch("a")
        assert job["jid"] == first and "failure" not in job
        assert "it has taken nothing of its answer" in s.program.output()
        while not read[-1].endswith(b"\r\n"):
            read.append(slow.socket.recv(1_000_000))
        assert b"".join(read).count(b"y") > 9_000_000 - 10
        deaf.close()
        slow.close()


def test_vanished_peers_are_looked_for(server, client):
    """TCP keep-alive is on for every connection: a peer whose host is gone is
    found, though it says nothing."""
    client.push()
    mine = "%04X" % client.socket.getsockname()[1]
    here = "%04X" % server.port

    def timers():
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return [r[5].split(":")[0] for r in rows
            if r[1].endswith(":" + here) and r[2].endswith(":" + mine)]
    # 01 until the last answer is known to have arrived.
    wait_for("the keep-alive timer", lambda: timers() == ["02"])


def test_half_a_command_then_eof_is_not_executed(server, client):
    """A PUSH whose line end never came is no PUSH."""
    with server.client() as c:
        c.send("PUSH " + compact(new_job()))
    wait_for("it to be gone", lambda: client.info()["server"]["connections"] == 1)
    assert client.size() == 0


def test_a_job_that_is_too_large_is_refused_alone(start_server):
    """limits.job: refused before +OK with the setting's name, the size and
    the limit; to the byte; in PUSHB only that one; the connection lives on,
    as it does not for a line above limits.line."""
    s = start_server(config="limits: {job: 1K, line: 8K}\n", web="127.0.0.1:0")
    with s.client() as c:
        job = new_job("t", "")
        fits = 1024 - len(compact(job))
        job["args"] = ["x" * fits]
        assert len(compact(job)) == 1024
        assert c.call("PUSH " + compact(job)) == "OK"
        job["args"] = ["x" * (fits + 1)]
        answer = c.call("PUSH " + compact(job))
        assert answer.text == "ERR the job is too large: 1025 bytes, and limits.job is 1024"
        # White space around a job is not the job's.
        job["args"] = ["x" * fits]
        assert c.call("PUSH   " + compact(job) + "  ") == "OK"
        small, large = new_job(), new_job("t", "x" * 2000)
        size = len(compact(large))
        assert c.pushb([small, large, new_job()]) == {
            large["jid"]: f"the job is too large: {size} bytes, and limits.job is 1024"}
        assert c.size() == 4
        c.send("PUSH " + "x" * 10000 + "\r\n")
        assert "longer than" in c.reply().text
        assert c.closed()
    page = scrape(s)
    assert page.value("faktotum_server_jobs_too_large_total") == 2


def test_a_job_cannot_be_larger_than_its_line(tmp_path):
    """A limit that could never apply is a mistake at load, with its place."""
    config = tmp_path / "s.yaml"
    config.write_text("limits: {job: 65M}\n")
    done = run([BUILD / "faktotum-server", "-c", config, "--check"])
    assert done.returncode == 78
    assert ("s.yaml:1:15: limits.job: 65M is more than limits.line, expected at most 64M"
        in done.stderr.decode())
