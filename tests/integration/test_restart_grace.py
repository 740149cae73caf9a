"""Workers that were not seen while the server was down: the dead ones give
their jobs back after restart_grace, the living ones keep what they hold.

SPDX-License-Identifier: ISC
"""
import signal

import pytest

from support.client import compact
from support.waiting import wait_for


def take(server, wid, **more):
    """A worker that holds a job, and its jid."""
    w = server.client(wid=wid, **more)
    jid = w.push()["jid"]
    assert w.fetch()["jid"] == jid
    return w, jid


def crash(server, *workers):
    """kill -9 of the server; then these end, seen by nobody; it is back."""
    server.kill9()
    for w in workers:
        w.close()
    server.start()


def worker_grace_over(server, client):
    """Until a worker that died just now has been given up."""
    w, jid = take(server, "canary")
    w.close()
    wait_for("the canary's job", lambda: client.size() == 1, 60)
    assert client.fetch()["jid"] == jid
    client.ack(jid)


def test_who_died_meanwhile_gives_its_jobs_back(start_server):
    """In their places, uncounted, as after a death that was seen; the log
    says so, before and after."""
    server = start_server(config="worker_grace: 200ms\nrestart_grace: 1s\n")
    w, jid = take(server, "w1")
    later = w.push()["jid"]
    crash(server, w)
    with server.client() as c:
        wait_for("the job", lambda: c.size() == 2, 60)
        assert c.sets()["working"] == 0
        got = [c.fetch(), c.fetch()]
        assert [job["jid"] for job in got] == [jid, later]
        assert "failure" not in got[0]
        assert c.faktory()["total_failures"] == 0
    assert "1 workers hold jobs and have 1 s to come back" in server.program.output()
    server.program.says("wid=w1 was away at the start and did not come back; it held 1 jobs", 60)


@pytest.mark.slow(20)
@pytest.mark.parametrize("seen", [False, True])
def test_who_comes_back_late_keeps_its_jobs(start_server, seen):
    """Later than worker_grace and earlier than restart_grace, whether or not
    its host had closed its connections before: nothing is taken from it, not
    when the grace of the others is over either."""
    server = start_server(config="worker_grace: 300ms\nrestart_grace: 20s\n")
    alive, kept = take(server, "alive")
    dead, lost = take(server, "dead")
    if seen:
        alive.close()
        with server.client() as c:
            wait_for("it to be noticed",
                lambda: c.faktory()["tasks"]["Workers"]["size"] == 1, 30)
            c.push(queue="other")  # on disk behind the note
    crash(server, alive, dead)
    with server.client() as c:
        worker_grace_over(server, c)
        assert c.sets()["working"] == 2
        with server.client(wid="alive") as alive:
            wait_for("the other's job", lambda: c.size() == 1, 60)
            assert c.fetch()["jid"] == lost
            assert c.sets()["working"] == 2  # the living one's, and ours
            assert alive.beat("alive") == "OK"
            alive.ack(kept)
            assert c.sets()["working"] == 1


def test_who_comes_back_too_late_is_told(start_server):
    """Its job is another's by then: it hears with its beat that it has lost
    it, gets nothing before, and its ACK settles nothing."""
    server = start_server(config="worker_grace: 200ms\nrestart_grace: 500ms\n")
    w, jid = take(server, "w1", x=["cancel"])
    crash(server, w)
    with server.client(wid="w2") as other:
        wait_for("the job", lambda: other.size() == 1, 60)
        assert other.fetch()["jid"] == jid
        with server.client(wid="w1", x=["cancel"]) as w:
            answer = w.call("ACK " + compact({"jid": jid, "wid": "w1"}))
            assert answer.text == f"ERR Job not found {jid}"
            assert w.beat("w1") == {"lost": [jid]}
        assert other.sets()["working"] == 1
        other.ack(jid)
        assert other.sets()["working"] == 0


def test_with_0s_nobody_is_missed(start_server):
    """restart_grace: 0s is a stock server's way: what a worker holds waits
    for the end of its reservation; deaths that are seen are deaths."""
    server = start_server(config="worker_grace: 300ms\nrestart_grace: 0s\n")
    w, jid = take(server, "w1")
    crash(server, w)
    with server.client() as c:
        worker_grace_over(server, c)
        assert c.sets()["working"] == 1 and c.size() == 0
        with server.client(wid="w1") as w:
            w.ack(jid)
        assert c.sets()["working"] == 0


def test_the_default_is_longer_than_any_wait_of_a_supervisor(start_server):
    """Two minutes, four times the longest wait between two tries."""
    server = start_server()
    w, _ = take(server, "w1")
    crash(server, w)
    assert "have 120 s to come back" in server.program.output()


def test_deaths_nobody_saw_count_too(start_server):
    """A job with which worker_deaths workers have died fails, be it that the
    server was down each time."""
    server = start_server(
        config="worker_grace: 200ms\nrestart_grace: 300ms\nworker_deaths: 2\n")
    w, jid = take(server, "w1")
    crash(server, w)
    with server.client(wid="w2") as w:
        wait_for("the job", lambda: w.size() == 1, 60)
        assert w.fetch()["jid"] == jid
        crash(server, w)
    with server.client() as c:
        wait_for("it to fail", lambda: c.sets()["retries"] == 1, 60)
        c.mutate("requeue", "retries")
        assert c.fetch()["failure"]["message"] == "2 workers died with this job"


def test_both_killed_and_a_new_supervisor(start_server, start_supervisor, tmp_path, ending):
    """kill -9 of server and supervisor while a job runs: another supervisor
    gets it soon after the start, long before its reservation ends."""
    server = start_server(config="worker_grace: 200ms\nrestart_grace: 2s\n")
    started, gate = tmp_path / "started", tmp_path / "gate"
    script = tmp_path / "h"
    script.write_text(f'#!/bin/sh\necho $FAKTORY_JID >>{started}\n'
        f'while [ ! -e {gate} ]; do sleep 0.1; done\n')
    script.chmod(0o755)
    settings = {"jobs": {"t": {"exec": [str(script)]}}}
    first = start_supervisor(server.url, settings, name="first")
    with server.client() as c:
        jid = c.push(jobtype="t")["jid"]
        wait_for("it to run", lambda: started.exists() and started.read_text(), 60)
    server.kill9()
    first.kill9()
    gate.touch()
    server.start()
    start_supervisor(server.url, settings, name="second")
    with server.client() as c:
        wait_for("the job to be done", lambda: c.faktory()["total_processed"] == 1, 60)
        assert c.faktory()["total_failures"] == 0
        assert c.sets()["working"] == 0
    assert started.read_text().split() == [jid, jid]


def test_a_supervisor_that_lives_keeps_its_job(start_server, start_supervisor, tmp_path):
    """kill -9 of the server alone, and a stop of the supervisor that makes it
    late: the job runs once and is acknowledged."""
    server = start_server(config="worker_grace: 200ms\n")
    started, gate = tmp_path / "started", tmp_path / "gate"
    script = tmp_path / "h"
    script.write_text(f'#!/bin/sh\necho $FAKTORY_JID >>{started}\n'
        f'while [ ! -e {gate} ]; do sleep 0.1; done\n')
    script.chmod(0o755)
    s = start_supervisor(server.url, {"jobs": {"t": {"exec": [str(script)]}}})
    with server.client() as c:
        c.push(jobtype="t")
        wait_for("it to run", lambda: started.exists() and started.read_text(), 60)
    s.signal(signal.SIGSTOP)
    server.kill9()
    server.start()
    with server.client() as c:
        worker_grace_over(server, c)
        assert c.sets()["working"] == 1 and c.size() == 0
        s.signal(signal.SIGCONT)
        gate.touch()
        wait_for("the job to be done", lambda: c.sets()["working"] == 0, 60)
        assert c.faktory()["total_failures"] == 0 and c.size() == 0
    assert len(started.read_text().split()) == 1
