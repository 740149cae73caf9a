"""What was acknowledged is on disk: after a stop, and after kill -9.

SPDX-License-Identifier: ISC
"""
import itertools
import signal
import sqlite3
import threading

import pytest

from support.client import ServerError, new_job
from support.waiting import ceiling, wait_for


def stop_politely(server):
    server.restart()


def kill(server):
    server.kill9()
    server.start()


both_ways = pytest.mark.parametrize("again", [stop_politely, kill], ids=["stop", "kill9"])


@both_ways
def test_queues_keep_their_order(server, again):
    """Every queue comes back with its jobs in their order, twice over."""
    with server.client() as c:
        a = [c.push(queue="a") for _ in range(10)]
        more = [new_job(queue="a") for _ in range(300)]
        c.pushb(more)
        a += more
        b = c.push(queue="b")
        assert c.fetch("a")["jid"] == a[0]["jid"]
        c.ack(a[0]["jid"])
    again(server)
    with server.client() as c:
        c.push(queue="b")
        a.append(c.push(queue="a"))
        assert c.faktory()["queues"] == {"a": 310, "b": 2}
    again(server)
    with server.client() as c:
        assert [c.fetch("a")["jid"] for _ in range(310)] == [j["jid"] for j in a[1:]]
        assert c.fetch("b")["jid"] == b["jid"]


@both_ways
def test_what_came_late_into_its_queue_stands_there_late(server, again):
    """Jobs that waited elsewhere stand behind those that were pushed after
    them, in the order in which they came, and what was released is ahead:
    after a start too, however they lie on disk."""
    with server.client() as c:
        late = [c.push(at="2099-01-01T00:00:00Z")["jid"] for _ in range(5)]
        pushed = [c.push()["jid"] for _ in range(5)]
        for jid in late[::-1]:
            c.mutate("requeue", "scheduled", jids=[jid])
        assert c.fetch()["jid"] == pushed[0]
        c.ok('RELEASE {"jid":"%s"}' % pushed[0])
        assert c.size() == 10
    again(server)
    with server.client() as c:
        assert [c.fetch()["jid"] for _ in range(10)] == pushed + late[::-1]


@both_ways
def test_reservations_can_be_settled_after(server, again):
    """ACK and FAIL of jobs that were reserved before work as if nothing had
    happened; nobody else gets them meanwhile."""
    with server.client(wid="w1") as c:
        done, bad = c.push(), c.push()
        c.fetch()
        c.fetch()
    again(server)
    with server.client() as c:
        assert c.sets()["working"] == 2
        assert c.fetch() is None
        c.ack(done["jid"])
        c.fail(bad["jid"], "E", "after")
        info = c.faktory()
        assert info["sets"]["working"] == 0
        assert (info["total_processed"], info["total_failures"]) == (2, 1)
        c.mutate("requeue", "retries", jids=[bad["jid"]])
        assert c.fetch()["failure"]["message"] == "after"


@both_ways
def test_sets_and_counters_come_back(server, again):
    """scheduled, retries, dead, total_processed, total_failures, and the
    names of queues that are empty."""
    with server.client() as c:
        for retry in (5, 5, -1):
            c.push(retry=retry, queue="f")
            c.fail(c.fetch("f")["jid"], "E", "m")
        c.push(queue="g")
        c.ack(c.fetch("g")["jid"])
        c.push(at="2199-01-01T00:00:00Z")
        before = c.faktory()
    again(server)
    with server.client() as c:
        after = c.faktory()
        for key in ("queues", "sets", "total_processed", "total_failures", "total_queues"):
            assert after[key] == before[key], key
        assert after["sets"] == {"dead": 1, "retries": 2, "scheduled": 1, "working": 0}


@both_ways
def test_failures_go_on_counting(server, again):
    """retry_count and failed_at go over a restart: a job cannot gain attempts."""
    with server.client() as c:
        jid = c.push(retry=1)["jid"]
        c.fetch()
        c.fail(jid, "E", "first")
    again(server)
    with server.client() as c:
        c.mutate("requeue", "retries", jids=[jid])
        job = c.fetch()
        assert job["failure"]["retry_count"] == 0
    again(server)
    with server.client() as c:
        c.fail(jid, "E", "second")
        assert (c.sets()["dead"], c.sets()["retries"]) == (1, 0)


@both_ways
def test_bytes_come_back(server, again):
    """The payload is the same to the byte after a restart."""
    text = '"args":[9007199254740993,1.0,"é\\u0000",{"b":1,"a":2}],"custom":{"k":1.50}'
    with server.client() as c:
        c.ok('PUSH {"jid":"12345678","jobtype":"t",%s}' % text)
    again(server)
    with server.client() as c:
        assert text in c.fetch_raw().decode()


def test_flush_is_durable(server):
    """What was flushed does not come back."""
    with server.client() as c:
        c.push()
        c.push(at="2199-01-01T00:00:00Z")
        c.ok("FLUSH")
        c.push(queue="after")
    kill(server)
    with server.client() as c:
        assert c.faktory()["queues"] == {"after": 1}
        assert c.sets()["scheduled"] == 0


def test_nothing_acknowledged_is_lost_by_kill9(server):
    """Four producers push until the server is killed, three times over;
    every +OK that arrived stands for a job that is there afterwards."""
    acknowledged, lock = set(), threading.Lock()

    def produce():
        try:
            with server.client() as c:
                while True:
                    jobs = [new_job() for _ in range(7)]
                    c.push(jobs[0])
                    with lock:
                        acknowledged.add(jobs[0]["jid"])
                    if c.pushb(jobs[1:]) == {}:
                        with lock:
                            acknowledged.update(j["jid"] for j in jobs[1:])
        except (EOFError, OSError, ServerError):
            pass

    for round in range(3):
        before = len(acknowledged)
        producers = [threading.Thread(target=produce) for _ in range(4)]
        for t in producers:
            t.start()
        while len(acknowledged) < before + 500:
            assert any(t.is_alive() for t in producers)
        server.kill9()
        for t in producers:
            t.join()
        server.start()
    with server.client() as c:
        size = c.size()
        found = {c.fetch()["jid"] for _ in range(size)}
    assert acknowledged <= found


def test_stop_answers_what_is_under_way(server):
    """SIGTERM while clients push: each job that was answered is there, each
    client is answered or sees the end, and the server exits 0."""
    acknowledged = []

    def produce():
        try:
            with server.client() as c:
                while True:
                    acknowledged.append(c.push()["jid"])
        except (EOFError, OSError, ServerError):
            pass

    t = threading.Thread(target=produce)
    t.start()
    while len(acknowledged) < 50:
        assert t.is_alive()
    assert server.program.stop() == 0, server.program.output()
    t.join(ceiling(60))
    assert not t.is_alive()
    server.start()
    with server.client() as c:
        found = {c.fetch()["jid"] for _ in range(c.size())}
    assert set(acknowledged) <= found


def test_stop_with_waiting_fetches_is_quick(server):
    """A blocked FETCH does not hold up the end, and costs no job."""
    waiting = [server.client(wid=f"w{i}") for i in range(5)]
    for c in waiting:
        c.send("FETCH default\r\n")
    assert server.program.stop(limit=5) == 0
    for c in waiting:
        assert c.file.read() in (b"", b"$-1\r\n")
        c.close()
    server.start()


@pytest.mark.parametrize("behind", ['PUSH {"jid":"too-late-1","jobtype":"t","args":[]}', "FETCH full"],
    ids=["PUSH", "FETCH"])
def test_what_was_sent_behind_is_refused_at_the_stop(server, behind):
    """A FETCH that waits is answered with nothing. What stands behind it, a
    FETCH of a queue with jobs too, is not done, and its client is told in a
    stock server's words."""
    waiting = server.client(wid="w1")
    with server.client() as c:
        c.push(queue="full")
    waiting.send(f"FETCH default\r\n{behind}\r\nINFO\r\n")
    with server.client() as c:
        asked = itertools.count(6)  # three HELLOs, a PUSH and the FETCH, and each INFO
        wait_for("the FETCH", lambda: c.info()["server"]["command_count"] >= next(asked))
    server.program.signal(signal.SIGTERM)
    assert waiting.reply() is None
    assert waiting.reply().text == "ERR shutdown in progress"
    assert waiting.closed()
    waiting.close()
    assert server.program.wait() == 0
    server.start()
    with server.client() as c:
        assert c.faktory()["queues"] == {"full": 1}
        assert c.sets()["working"] == 0


def test_data_can_be_read_while_the_server_runs(server):
    """Operators look into the file with tools they know; a reader neither
    blocks nor breaks the server."""
    with server.client() as c:
        c.push(queue="seen")
        path = next(server.data.glob("*.db"))
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        rows = db.execute("SELECT * FROM v_queues").fetchall()
        assert any("seen" in row for row in rows), rows
        c.push(queue="seen")
        db.close()


def test_files_are_private(server):
    """Payloads are nobody else's business: 0700 and 0600."""
    with server.client() as c:
        c.push()
    assert server.data.stat().st_mode & 0o077 == 0
    for path in server.data.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
