"""From a stock server's Redis into our store: all of it, as it was, or nothing.

SPDX-License-Identifier: ISC
"""
import json
import re
import signal
import socket
import sqlite3
import time
from pathlib import Path

import pytest

from support.client import compact
from support.program import BUILD, Program, run
from support.redis import Redis, Valve
from support.waiting import SANITIZED, wait_for

SERVER = BUILD / "faktotum-server"
READS = {"exists", "client", "client|list", "scan", "sscan", "type", "llen", "zcard", "lrange",
    "zrange", "get"}
ARGS = '[1.0,9007199254740993,"<gr\\u00fcn>"]'


@pytest.fixture
def redis(tmp_path, ending):
    r = Redis(tmp_path / "stock")
    ending.append(r)
    return r


def job(jid, **members):
    """As a stock server writes it, in its order of members; args verbatim."""
    head = compact({"jid": jid, "queue": members.pop("queue", "default"), "jobtype": "t"})
    rest = compact({"retry": 25, "created_at": "2026-11-24T00:00:00Z", **members})
    return f'{head[:-1]},"args":{ARGS},{rest[1:]}'


def do_import(redis, data, *options, source=None):
    done = run([SERVER, "import", "--data", data, *options, source or redis.scratch])
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def imported(redis, data, *options):
    status, out, err = do_import(redis, data, *options)
    assert status == 0, err
    return out


def row(table, name):
    """(in Redis, set aside, here) of a line of the table."""
    lines = [l for l in table.splitlines() if l.startswith(name + " ")]
    assert len(lines) == 1, table
    return tuple(int(n) for n in lines[0][len(name):].split()[:3])


def jobs_in(data):
    """How many our store has; none when there is no store."""
    if not (data / "faktotum.db").exists():
        return 0
    db = sqlite3.connect(f"file:{data}/faktotum.db?mode=ro", uri=True)
    try:
        return db.execute("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM queues)"
            " + (SELECT count(*) FROM counters)").fetchone()[0]
    finally:
        db.close()


def fill(redis):
    """Something of everything that 1.10 keeps."""
    now = time.time()
    stamp = "2099-01-01T00:00:00.123456789Z"
    failure = {"retry_count": 2, "remaining": 22, "failed_at": "2026-11-24T00:00:00Z",
        "next_at": stamp, "message": "boom", "errtype": "E", "backtrace": ["a", "b"]}
    held = {"job": json.loads(job("held-00001", reserve_for=3600)), "wid": "worker-0001",
        "reserved_at": "2026-11-24T00:00:00Z", "expires_at": stamp}
    redis.calls(
        ("SADD", "queues", "default", "mail", "empty"), ("SADD", "paused", "mail"),
        *(("LPUSH", "q:default", job(f"queued-{i:05}", enqueued_at="2026-11-24T00:00:01Z"))
            for i in range(3000)),
        ("LPUSH", "q:mail", job("mail-00001", queue="mail")),
        ("ZADD", "scheduled", "4070908800.1234567", job("sched-0001", at=stamp)),
        ("ZADD", "scheduled", "4070908801", job("sched-0002", at=stamp)),
        ("ZADD", "retries", "4070908800.5", job("retry-0001", failure=failure)),
        ("ZADD", "dead", now + 86400, job("dead-00001", failure=failure)),
        ("ZADD", "dead", now + 86401, job("dead-00002")),
        ("ZADD", "working", now + 1800, compact(held)),
        ("SET", "processed", 1234), ("SET", "failures", 56),
        ("SET", "processed:2026-11-24", 7), ("SET", "v", 1), ("SET", "other", "x"))


def test_all_of_a_1_10_server(redis, start_server, tmp_path):
    """Each job is in its place and state, in its order and with its bytes; the
    worker that held one can still acknowledge it."""
    fill(redis)
    data = tmp_path / "data"
    table = imported(redis, data)
    assert row(table, "queue default") == (3000, 0, 3000)
    assert row(table, "queue mail") == (1, 0, 1) and "paused" in table
    assert row(table, "working") == (1, 0, 1)
    assert row(table, "scheduled") == (2, 0, 2)
    assert row(table, "retries") == (1, 0, 1)
    assert row(table, "dead") == (2, 0, 2)
    assert row(table, "jobs") == (3007, 0, 3007)
    assert "left alone: other" in table

    s = start_server(data=data)
    with s.client(wid="worker-0001") as c:
        info = c.info()["faktory"]
        assert info["queues"] == {"default": 3000, "mail": 1, "empty": 0}
        assert {k: info["sets"][k] for k in ("scheduled", "retries", "dead", "working")} == {
            "scheduled": 2, "retries": 1, "dead": 2, "working": 1}
        assert info["total_processed"] == 1234 and info["total_failures"] == 56
        c.ack("held-00001")
        assert c.sets()["working"] == 0
        first = c.fetch_raw("default")
        assert b'"args":' + ARGS.encode() + b"," in first
        assert b'"enqueued_at":"2026-11-24T00:00:01Z"' in first
        assert [json.loads(first)["jid"]] + [c.fetch("default")["jid"] for _ in range(2999)] == [
            f"queued-{i:05}" for i in range(3000)]
        assert c.fetch_raw("mail") is None
        c.mutate("requeue", "retries")
        again = c.fetch("default")
        assert again["failure"]["retry_count"] == 2 and again["failure"]["backtrace"] == ["a", "b"]
    db = sqlite3.connect(f"file:{data}/faktotum.db?mode=ro", uri=True)
    assert db.execute("SELECT jid, at FROM v_scheduled").fetchall() == [
        ("sched-0001", "2099-01-01T00:00:00.123Z"), ("sched-0002", "2099-01-01T00:00:01.000Z")]
    db.close()


def test_lists_of_a_1_9_server(redis, start_server, tmp_path):
    """Without the prefix; a 1.10 server that ran on them has begun new lists,
    whose jobs are younger. A list that is named nowhere is a queue too."""
    redis.calls(("SADD", "queues", "default", "scheduled"),
        ("LPUSH", "default", job("old-000001")), ("LPUSH", "default", job("old-000002")),
        ("LPUSH", "q:default", job("new-000001")),
        ("LPUSH", "scheduled", job("named-sched")),
        ("LPUSH", "forgotten", job("forgotten1")))
    data = tmp_path / "data"
    table = imported(redis, data)
    assert row(table, "queue default") == (3, 0, 3) and "before 1.10" in table
    assert row(table, "scheduled") == (0, 0, 0)
    s = start_server(data=data)
    with s.client(wid="worker-0001") as c:
        got = [c.fetch(q)["jid"] for q in ("default", "default", "default", "scheduled",
            "forgotten")]
    assert got == ["old-000001", "old-000002", "new-000001", "named-sched", "forgotten1"]


def fill_oddly(redis):
    redis.calls(("SADD", "queues", "default", "a b"),
        *(("LPUSH", "q:default", x) for x in (job("good-00001"), "nonsense", b"\xff\x00\n\x1b[2J",
            job("good-00002"), "{}")),
        ("ZADD", "scheduled", "inf", job("good-00003")),
        ("ZADD", "retries", "1", job("good-00004", queue="a b")),
        ("ZADD", "working", "4070908800", job("good-00005")))


def test_what_is_no_job_stops_it(redis, tmp_path):
    """It is named with its place, in a terminal's bounds, and nothing is in the
    store; Redis has only been read."""
    fill_oddly(redis)
    changes = redis.call("INFO", "persistence").split(b"changes_since_last_save:")[1].split()[0]
    redis.call("CONFIG", "RESETSTAT")
    data = tmp_path / "data"
    status, out, err = do_import(redis, data)
    assert (status, out) == (65, ""), err
    for place in ("q:default, index 3: invalid JSON", "q:default, index 2: invalid JSON",
            "q:default, index 0: jobs must have", "scheduled, index 0, score inf: ",
            "retries, index 0, score 1: ", "working, index 0, score 4070908800: "):
        assert place in err, err
    assert "6 of what Redis holds" in err and "--skip-bad" in err and "\x1b" not in err
    assert jobs_in(data) == 0
    stats = redis.call("INFO", "commandstats").decode()
    used = {line.split(":")[0][len("cmdstat_"):] for line in stats.splitlines()
        if line.startswith("cmdstat_")}
    assert used - READS <= {"config|resetstat", "info"}, used
    assert b"changes_since_last_save:" + changes in redis.call("INFO", "persistence")


def test_what_is_no_job_is_set_aside(redis, start_server, tmp_path):
    """With --skip-bad the rest comes, and each of them can be put back."""
    fill_oddly(redis)
    data, aside = tmp_path / "data", tmp_path / "aside"
    aside.write_text("")
    assert do_import(redis, data, "--skip-bad", aside)[0] == 73
    assert aside.read_text() == "" and jobs_in(data) == 0
    aside.unlink()
    table = imported(redis, data, "--skip-bad", aside)
    assert row(table, "queue default") == (5, 3, 2)
    assert row(table, "jobs") == (8, 6, 2)
    lines = [json.loads(l) for l in aside.read_text().splitlines()]
    assert aside.stat().st_mode & 0o777 == 0o600
    assert [(l["key"], l["index"]) for l in lines] == [("working", 0), ("q:default", 3),
        ("q:default", 2), ("q:default", 0), ("scheduled", 0), ("retries", 0)]
    assert bytes.fromhex(lines[2]["hex"]) == b"\xff\x00\n\x1b[2J"
    assert lines[1]["bytes"] == "nonsense" and lines[4]["score"] == "inf"
    s = start_server(data=data)
    with s.client() as c:
        assert c.size() == 2


def test_it_is_done_once(redis, start_server, tmp_path):
    """A second run names the first; a store that somebody used is refused."""
    redis.call("LPUSH", "q:default", job("only-00001"))
    data, used = tmp_path / "data", tmp_path / "used"
    imported(redis, data)
    status, out, err = do_import(redis, data)
    assert (status, out) == (73, "") and f"{redis.path} was imported into it at 2" in err
    assert do_import(redis, data, "--merge", source=redis.path)[0] == 73
    s = start_server(data=used)
    with s.client() as c:
        c.push(jid="mine-00001")
    status, _, err = do_import(redis, used)
    assert status == 75 and str(used) in err
    assert s.program.stop() == 0
    status, _, err = do_import(redis, used)
    assert status == 73 and "not empty" in err and "--merge" in err
    imported(redis, used, "--merge")
    s.start()
    with s.client(wid="worker-0001") as c:
        assert [c.fetch()["jid"], c.fetch()["jid"]] == ["mine-00001", "only-00001"]


def test_a_stock_server_that_runs_is_noticed(redis, tmp_path):
    """Whoever else is connected may be it."""
    redis.call("LPUSH", "q:default", job("only-00001"))
    data = tmp_path / "data"
    with redis.connect() as other:
        other.sendall(b"PING\r\n")
        assert other.recv(100) == b"+PONG\r\n"
        status, _, err = do_import(redis, data)
        assert status == 75 and "1 other client:" in err and not data.exists()
        imported(redis, data, "--force")


def fill_much(redis, count=15000, size=2000):
    redis.calls(*(("LPUSH", "q:default", job(f"much-{i:07}", custom={"x": "y" * size}))
        for i in range(count)))


def half_way(redis, ending, then):
    v = Valve(redis, 25 * 1000 * 1000, then)
    ending.append(v)
    return v


def test_a_kill_leaves_it_empty(redis, tmp_path, ending):
    """Killed when much of it had been written, a second run does it all."""
    fill_much(redis)
    data = tmp_path / "data"
    v = half_way(redis, ending, lambda: False)
    p = Program([SERVER, "import", "--data", data, f"127.0.0.1:{v.port}"], tmp_path / "log")
    ending.append(p)
    assert v.reached.wait(120)
    wait_for("its log on disk", lambda: (data / "faktotum.db-wal").stat().st_size > 1000000, 60)
    p.kill9()
    v.close()
    assert jobs_in(data) == 0
    wait_for("the connection to be gone", lambda: b"\n" not in
        redis.call("CLIENT", "LIST").strip(), 60)
    assert row(imported(redis, data), "jobs") == (15000, 0, 15000)


def test_a_redis_that_goes_away(redis, tmp_path, ending):
    """Nothing is kept of what came before."""
    fill_much(redis)
    data = tmp_path / "data"
    v = half_way(redis, ending, lambda: v.shut.set())
    status, _, err = do_import(redis, data, "--force", source=f"127.0.0.1:{v.port}")
    assert status == 69 and "Redis" in err
    assert jobs_in(data) == 0


def test_a_redis_that_changes(redis, tmp_path, ending):
    """A job that is pushed meanwhile, anywhere, takes all of it back."""
    fill_much(redis)
    data = tmp_path / "data"
    v = half_way(redis, ending, lambda: redis.call("LPUSH", "q:new", job("late-00001")))
    status, _, err = do_import(redis, data, "--force", source=f"127.0.0.1:{v.port}")
    assert status == 75 and "changed while it was read" in err, err
    assert jobs_in(data) == 0


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's memory is not ours")
def test_memory_does_not_grow_with_the_jobs(redis, tmp_path, ending):
    """When 90 of 100 MB of jobs have passed through it, it is still small."""
    fill_much(redis, count=25000, size=4000)
    most = []

    def look():
        status = Path("/proc", str(p.pid), "status").read_text()
        most.append(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]))
        return True
    v = Valve(redis, 90 * 1000 * 1000, look)
    ending.append(v)
    p = Program([SERVER, "import", "--force", "--data", tmp_path / "data",
        f"127.0.0.1:{v.port}"], tmp_path / "log")
    ending.append(p)
    assert p.wait(120) == 0, p.output()
    assert most and most[0] < 80 * 1024


def test_places_that_are_none(tmp_path):
    """Each is told apart by its exit status."""
    data = tmp_path / "data"

    def status(*words):
        done = run([SERVER, "import", "--data", data, *words])
        assert done.stderr and not done.stdout and not data.exists()
        return done.returncode
    assert status() == 64
    assert status("host") == 64
    assert status("host:0") == 64
    assert status("a", "b") == 64
    assert status("--nonsense", "a") == 64
    assert status(tmp_path / "missing") == 66
    assert status(tmp_path) == 66
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        assert status("127.0.0.1:%d" % s.getsockname()[1]) == 69
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "redis.sock"))
        assert status(tmp_path) == 69


def test_a_redis_with_a_password(redis, tmp_path):
    """From the environment; a wrong or missing one is told, and not shown."""
    redis.calls(("LPUSH", "q:default", job("only-00001")),
        ("CONFIG", "SET", "requirepass", "s3cret"))

    def attempt(password):
        done = run([SERVER, "import", "--data", tmp_path / "data", redis.scratch],
            env={"REDIS_PASSWORD": password})
        assert b"s3cret" not in done.stderr and b"guess" not in done.stderr
        return done.returncode
    assert attempt("") == 69
    assert attempt("guess") == 69
    assert attempt("s3cret") == 0


def test_a_signal_ends_it(redis, tmp_path, ending):
    """Interrupted, it leaves nothing: neither jobs nor a file."""
    redis.call("ZADD", "working", "1", "nonsense")
    fill_much(redis)
    data, aside = tmp_path / "data", tmp_path / "aside"
    v = half_way(redis, ending, lambda: False)
    p = Program([SERVER, "import", "--data", data, "--skip-bad", aside,
        f"127.0.0.1:{v.port}"], tmp_path / "log")
    ending.append(p)
    assert v.reached.wait(120)
    p.signal(signal.SIGINT)
    assert p.wait() == 130
    assert jobs_in(data) == 0 and not aside.exists()
