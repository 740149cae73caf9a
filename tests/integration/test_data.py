"""The data beside the server: backups, checks, older files, and a file that
becomes small again.

SPDX-License-Identifier: ISC
"""
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading

import pytest

from support.client import new_job
from support.program import BUILD, ROOT, Program, run
from support.waiting import wait_for

SERVER = BUILD / "faktotum-server"
FIXTURES = ROOT / "tests/support/fixtures"
LOG = 32 + 4128 * (24 + 4096)  # bytes of its file: server/store/writer.c


def verb(*args, env=None):
    done = run([SERVER, *args], env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def start_on(start_server, tmp_path, copy, name="restored"):
    """A server whose database is this file."""
    data = tmp_path / name
    data.mkdir(mode=0o700)
    shutil.copy(copy, data / "faktotum.db")
    return start_server(data=data)


# ---- backup ----

@pytest.mark.slow(10)
def test_backup_is_a_moment_of_a_busy_server(start_server, tmp_path):
    """Taken while clients push and workers work, it is whole, has everything
    that was acknowledged before it began, and can be started from."""
    s = start_server()
    stop = threading.Event()

    def work():
        with s.client(wid="busy-worker") as c:
            while not stop.is_set():
                c.push(queue="traffic")
                job = c.fetch("traffic")
                if job:
                    c.ack(job["jid"])
    with s.client() as c:
        c.pushb([new_job("kept", "x" * 200) for _ in range(5000)])
        last = c.push(new_job("kept", "last"))["jid"]
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        try:
            status, out, err = verb("backup", "--data", s.data, tmp_path / "copy.db")
        finally:
            stop.set()
            for t in threads:
                t.join()
        assert status == 0, err
        assert "is whole: 500" in out  # 5001, and a few of the traffic
        after = c.push(new_job("kept", "after"))["jid"]
    mode = os.stat(tmp_path / "copy.db").st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert sorted(p.name for p in tmp_path.glob("copy.db*")) == ["copy.db"]
    restored = start_on(start_server, tmp_path, tmp_path / "copy.db")
    with restored.client() as c:
        assert c.size() == 5001
        jids = {c.fetch()["jid"] for _ in range(5001)}
        assert last in jids and after not in jids


def test_backup_of_a_server_that_was_killed(server, tmp_path):
    """Without a server too: what is only in the log is in the copy, and the
    data is as it was, so that the server starts from it."""
    with server.client() as c:
        jids = [c.push()["jid"] for _ in range(20)]
    server.kill9()
    status, _, err = verb("backup", "--data", server.data, tmp_path / "copy.db")
    assert status == 0, err
    db = sqlite3.connect(tmp_path / "copy.db")
    assert [r[0] for r in db.execute("SELECT jid FROM jobs ORDER BY seq")] == jids
    db.close()
    server.start()
    with server.client() as c:
        assert [c.fetch()["jid"] for _ in jids] == jids


def test_backup_overwrites_nothing(server, tmp_path):
    """A file, an empty one, a symbolic link to nowhere: 73, and left alone."""
    (tmp_path / "there").write_text("precious")
    (tmp_path / "empty").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("there", "empty", "link"):
        status, _, err = verb("backup", "--data", server.data, tmp_path / name)
        assert status == 73 and f"{name}: File exists" in err, err
    assert (tmp_path / "there").read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()
    assert not list(tmp_path.glob("*.part"))
    assert "File exists" in verb("backup", "--data", server.data, server.data / "faktotum.db")[2]


def test_backup_that_fails_leaves_nothing(server, small_disk, tmp_path):
    """No room for the copy: 74, no half of one, and the server goes on."""
    with server.client() as c:
        c.pushb([new_job("t", os.urandom(1000).hex()) for _ in range(3000)])
        status, _, err = verb("backup", "--data", server.data, small_disk / "copy.db")
        assert status == 74 and "copy" in err, err
        assert not list(small_disk.glob("copy*"))
        c.push()
    status, _, err = verb("backup", "--data", tmp_path / "nowhere", tmp_path / "c")
    assert status == 66 and "nowhere/faktotum.db" in err
    status, _, err = verb("backup", "--data", server.data, tmp_path / "no" / "c")
    assert status == 66 or status == 73, err
    assert verb("backup", "--data", server.data)[0] == 64
    assert verb("backup", "--data", server.data, "a", "b")[0] == 64


def test_backup_that_is_given_up_leaves_nothing(server, tmp_path):
    """TERM while it copies: 130, and no half of a copy."""
    with server.client() as c:
        for _ in range(20):
            c.pushb([new_job("t", "x" * 2000) for _ in range(1000)])
    p = Program([SERVER, "backup", "--data", server.data, tmp_path / "copy.db"],
        tmp_path / "backup.log")
    wait_for("it to begin or end", lambda: list(tmp_path.glob("copy.db*")) or not p.alive(),
        step=0.001)
    if p.alive():
        p.signal(signal.SIGTERM)
    status = p.wait()
    if status == 130:
        assert "given up" in p.output()
        assert not list(tmp_path.glob("copy.db*"))
    else:  # it was done before
        assert status == 0, p.output()
        assert [f.name for f in tmp_path.glob("copy.db*")] == ["copy.db"]


def test_backup_refuses_a_damaged_database(server, tmp_path):
    """A copy of damage is no backup: 74, and no file that looks like one."""
    with server.client() as c:
        c.pushb([new_job("t", "x" * 300) for _ in range(500)])
    assert server.program.stop() == 0
    path = server.data / "faktotum.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:20 * 4096] + os.urandom(4096) + whole[21 * 4096:])
    status, _, err = verb("backup", "--data", server.data, tmp_path / "copy.db")
    assert status == 74 and "malformed" in err, err
    assert not list(tmp_path.glob("copy.db*"))
    path.write_bytes(whole)


# ---- check ----

def test_check_tells_what_is_there(server):
    """Beside a running server, with its settings' file too."""
    with server.client() as c:
        for _ in range(7):
            c.push()
    status, out, err = verb("check", "--data", server.data)
    assert status == 0, err
    assert f"{server.data} is whole: 7 jobs" in out
    config = server.scratch / "c.yaml"
    config.write_text(f"data: {server.data}\n")
    assert verb("check", "-c", config)[1] == out
    assert verb("check", "-c", server.scratch / "absent")[0] == 66
    config.write_text("data: relative\n")
    assert verb("check", "-c", config)[0] == 78
    assert verb("check", "--nonsense")[0] == 64
    assert verb("check", "a")[0] == 64
    status, out, _ = verb("check", "--help")
    assert status == 0 and "Usage: faktotum-server check" in out


def test_check_finds_damage(server, tmp_path):
    """In pages and in rows: 74 and a line each; nothing is changed."""
    with server.client() as c:
        c.pushb([new_job("t", "x" * 300) for _ in range(500)])
    assert server.program.stop() == 0
    path = server.data / "faktotum.db"
    whole = path.read_bytes()
    # A cell that points elsewhere: found by looking at it, not by the start.
    path.write_bytes(whole[:25 * 4096 + 8] + b"\xff\xff" + whole[25 * 4096 + 10:])
    before = path.read_bytes()
    status, out, err = verb("check", "--data", server.data)
    assert status == 74, out + err
    assert "problems" in err or "malformed" in err
    assert path.read_bytes() == before
    path.write_bytes(whole)
    db = sqlite3.connect(path)
    db.execute("UPDATE jobs SET state = 9 WHERE id = 5")
    db.execute("UPDATE jobs SET payload = '{broken' WHERE id = 6")
    db.execute("UPDATE jobs SET jid = '' WHERE id = 7")
    db.commit()
    db.close()
    status, out, err = verb("check", "--data", server.data)
    assert status == 74 and "3 problems" in err
    assert "job 5: is nowhere: state 9" in out
    assert "job 6: its payload is no JSON" in out
    assert "job 7: has no jid, jobtype or queue" in out


def test_check_and_backup_know_a_stranger(server, tmp_path):
    """Another program's file and a newer one: 74, in a sentence."""
    assert server.program.stop() == 0
    db = sqlite3.connect(server.data / "faktotum.db")
    db.execute("PRAGMA user_version = 1000")
    db.commit()
    for args in (["check"], ["backup", tmp_path / "c"]):
        status, _, err = verb(args[0], "--data", server.data, *args[1:])
        assert status == 74 and "newer Faktotum (schema 1000" in err
    db.execute("PRAGMA application_id = 1")
    db.commit()
    db.close()
    status, _, err = verb("check", "--data", server.data)
    assert status == 74 and "not a Faktotum database" in err


# ---- older and newer files ----

def test_an_old_file_is_brought_up(start_server, tmp_path):
    """A database of schema 1, as a server of that time left it: check and
    backup read it as it is; the server brings it up, with every job, count
    and pause in its place, and a second start finds it so."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    db = sqlite3.connect(data / "faktotum.db")
    db.executescript((FIXTURES / "schema-1.sql").read_text())
    db.close()
    assert "10 jobs" in verb("check", "--data", data)[1]
    assert "schema 1\n" in verb("check", "--data", data)[1]
    assert verb("backup", "--data", data, tmp_path / "old.db")[0] == 0

    def as_it_was(s):
        with s.client() as c:
            f = c.faktory()
            assert f["queues"] == {"default": 5, "mail.out": 1, "fails": 0, "dies": 0,
                "held": 0, "acked": 0}
            assert f["sets"] == {"scheduled": 1, "retries": 1, "dead": 1, "working": 1}
            assert (f["total_processed"], f["total_failures"]) == (3, 2)
    s = start_server(data=data)
    as_it_was(s)
    s.restart()
    as_it_was(s)
    new = verb("check", "--data", data)[1]
    assert "10 jobs" in new and "schema 1\n" not in new
    with s.client(wid="new-worker") as c:
        job = json.loads(c.fetch_raw("default"))
        assert job["jid"] == "old-job-0001"
        assert job["args"] == [1, "it's é \"quoted\"", 1.0, 12345678901234567890]
        c.ok('ACK {"jid":"old-job-0011"}')
        c.mutate("requeue", "retries", jids=["old-job-0008"])
        again = c.fetch("fails")
        assert again["failure"]["message"] == "it's\nbroken"
        c.ok("QUEUE RESUME mail.out")
        assert c.fetch("mail.out")["custom"] == {"trace": "x"}
    # The backup of the old file is an old file, and good for the same.
    as_it_was(start_on(start_server, tmp_path, tmp_path / "old.db"))


def test_a_newer_file_is_refused(server):
    """Exit 74 and a sentence; the file is as it was."""
    with server.client() as c:
        c.push()
    assert server.program.stop() == 0
    db = sqlite3.connect(server.data / "faktotum.db")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute("PRAGMA user_version = 1000")
    db.commit()
    db.close()
    before = (server.data / "faktotum.db").read_bytes()
    done = run([SERVER, "--listen", "127.0.0.1:0", "--web", "off", "--data", server.data])
    assert done.returncode == 74
    assert f"(schema 1000, this one knows up to {version})" in done.stderr.decode()
    assert (server.data / "faktotum.db").read_bytes() == before


# ---- the log's length ----

def test_the_log_has_its_length_from_the_start(server, tmp_path):
    """A sync of what makes a file longer takes twice as long as one of what is
    written over zeros: no commit does. The zeros are in nobody's way: neither
    a look at the data, nor a backup, nor what comes after a kill."""
    if shutil.disk_usage(server.data).free < 400 << 20:
        pytest.skip("needs 400 MiB of room for scratch files")
    log = server.data / "faktotum.db-wal"
    wait_for("the log's length", lambda: log.stat().st_size == LOG, 60)
    assert not log.read_bytes().strip(b"\0")
    with server.client() as c:
        jids = [c.push(new_job("t", "x" * 300))["jid"] for _ in range(100)]
        c.pushb([new_job("t", "y" * 300) for _ in range(500)])
    assert log.stat().st_size == LOG
    status, out, err = verb("check", "--data", server.data)
    assert status == 0 and "600 jobs" in out, out + err
    copy = tmp_path / "copy.db"
    assert verb("backup", "--data", server.data, copy)[0] == 0
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM jobs").fetchone() == (600,)
    server.kill9()
    assert log.stat().st_size == LOG
    server.start()
    with server.client() as c:
        assert c.size() == 600
        assert [c.fetch()["jid"] for _ in jids] == jids
    assert server.program.stop() == 0
    assert not log.exists()


def test_a_killed_server_leaves_zeros_that_are_no_log(server):
    """Nothing was written: the next one starts, and one whose file is gone
    begins empty, as if there was no log."""
    server.kill9()
    server.start()
    with server.client() as c:
        assert c.size() == 0
    server.kill9()
    (server.data / "faktotum.db").unlink()
    server.start()
    with server.client() as c:
        c.push()
        assert c.size() == 1


def test_a_small_disk_keeps_its_room(start_server, small_disk):
    """Zeros for a log that may come are not worth what jobs could have."""
    s = start_server(data=small_disk / "data")
    with s.client() as c:
        c.push()
    assert (s.data / "faktotum.db-wal").stat().st_size < 1 << 20


# ---- a file that becomes small again ----

@pytest.mark.slow(3)
def test_space_of_a_backlog_is_given_back(server):
    """A backlog that was worked off leaves a large file; it shrinks by itself,
    and clients are served meanwhile."""
    path = server.data / "faktotum.db"
    with server.client() as c:
        for _ in range(12):
            c.pushb([new_job("t", "x" * 4000, queue="backlog") for _ in range(1000)])
        kept = [c.push(new_job("t", "kept", queue="kept"))["jid"] for _ in range(50)]
        c.ok("QUEUE REMOVE backlog")
        wait_for("the log to be moved", lambda: path.stat().st_size > 30_000_000, 20)

        def small():
            c.push(queue="meanwhile")
            return path.stat().st_size < 12_000_000
        # Between two pushes it has a moment for itself.
        wait_for("the file to shrink", small, 60, step=0.15)
        assert [c.fetch("kept")["jid"] for _ in kept] == kept
    assert verb("check", "--data", server.data)[0] == 0
