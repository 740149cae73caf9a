"""CANCEL: a job ended wherever it is, and what its worker is told.

SPDX-License-Identifier: ISC
"""
import json

import pytest

from support.client import ServerError, compact, new_job
from support.waiting import wait_for


def cancel(client, jid):
    answer = client.call("CANCEL " + compact({"jid": jid}))
    return answer.text if isinstance(answer, ServerError) else json.loads(answer)


GONE = {"removed": 1, "told": 0}
TOLD = {"removed": 0, "told": 1}


@pytest.fixture
def worker(connect):
    """A worker that acts on "cancel" and "lost" in the answers to its beats."""
    return connect(wid="w1", x=["cancel"])


def test_a_job_that_waits_is_removed(server, client):
    """In a queue, scheduled, or to be retried: gone, on disk too, and what
    stands beside it stays."""
    bad = client.push()
    client.fetch()
    client.fail(bad["jid"])
    jobs = [client.push() for _ in range(3)]
    later = client.push(at="2199-01-01T00:00:00Z")
    for jid in (jobs[1]["jid"], later["jid"], bad["jid"]):
        assert cancel(client, jid) == GONE
        assert cancel(client, jid) == f"ERR Job not found {jid}"
    sets = client.sets()
    assert (sets["scheduled"], sets["retries"], sets["dead"]) == (0, 0, 0)
    assert client.size() == 2
    server.kill9()
    server.start()
    with server.client() as c:
        assert c.sets()["scheduled"] == c.sets()["retries"] == 0
        assert [c.fetch()["jid"] for _ in range(2)] == [jobs[0]["jid"], jobs[2]["jid"]]


def test_a_scheduled_job_that_was_first_leaves_the_clock_right(client):
    """Removing the next one to come due leaves the others their time."""
    client.push(at="2199-01-01T00:00:00Z")
    first = client.push(at="2199-01-01T00:00:00Z")
    assert cancel(client, first["jid"]) == GONE
    assert client.sets()["scheduled"] == 1


def test_every_job_of_one_jid(worker, client):
    """Two jobs with one jid are both meant."""
    job = new_job()
    client.push(job)
    client.push(job)
    worker.fetch()
    assert cancel(client, job["jid"]) == {"removed": 1, "told": 1}
    assert worker.beat("w1") == {"cancel": [job["jid"]]}
    worker.ack(job["jid"])
    assert client.size() == 0 and client.sets()["working"] == 0


def test_a_running_job_is_told_with_the_next_beat(worker, client):
    """Once, and to its worker; a FAIL then makes it dead, not a retry."""
    job = client.push()
    worker.fetch()
    assert cancel(client, job["jid"]) == TOLD
    assert worker.beat("w1") == {"cancel": [job["jid"]]}
    assert worker.beat("w1") == "OK"
    worker.fail(job["jid"], "Cancelled", "by the server")
    assert client.sets() == {"dead": 1, "retries": 0, "scheduled": 0, "working": 0}


def test_beside_a_state(worker, client):
    """A worker that is to be quiet hears of cancelled jobs in the same answer."""
    job = client.push()
    worker.fetch()
    cancel(client, job["jid"])
    assert worker.beat("w1", current_state="quiet") == \
        {"state": "quiet", "cancel": [job["jid"]]}


@pytest.mark.parametrize("verb", ["ACK", "RELEASE"])
def test_how_a_cancelled_job_may_end(worker, client, verb):
    """Done before it heard: done. Given back: dead, for it must not run
    again. The worker hears of it no more."""
    job = client.push()
    worker.fetch()
    assert cancel(client, job["jid"]) == TOLD
    worker.ok(f"{verb} " + compact({"jid": job["jid"]}))
    assert worker.beat("w1") == "OK"
    assert client.sets()["working"] == 0 and client.size() == 0
    assert client.sets()["dead"] == (verb == "RELEASE")


@pytest.mark.parametrize("verb, more", [("FAIL", {}), ("FAIL", {"retry": 0}), ("RELEASE", {})])
def test_without_retries_it_is_dead_too(worker, client, verb, more):
    """Who cancelled a job that runs finds it among the dead, also where its
    `retry`, or the FAIL's, would have it forgotten: it may be half done."""
    job = client.push(retry=0)
    worker.fetch()
    assert cancel(client, job["jid"]) == TOLD
    worker.ok(f"{verb} " + compact(dict(more, jid=job["jid"])))
    assert client.sets() == {"dead": 1, "retries": 0, "scheduled": 0, "working": 0}


def test_without_retries_it_is_dead_with_its_worker(start_server):
    """The same when its worker dies before it has said anything."""
    s = start_server(config="worker_grace: 200ms\n")
    with s.client() as c:
        job = c.push(retry=0)
        w = s.client(wid="w1", x=["cancel"])
        w.fetch()
        assert cancel(c, job["jid"]) == TOLD
        w.close()
        wait_for("it to be dead", lambda: c.sets()["dead"] == 1, 30)


def test_a_worker_that_is_away_hears_of_it_when_it_is_back(server):
    """What CANCEL promised holds over kill -9 of the server and a new
    connection of the worker."""
    w = server.client(wid="w1", x=["cancel"])
    job = w.push()
    w.fetch()
    server.kill9()
    w.close()
    server.start()
    with server.client() as c:
        assert cancel(c, job["jid"]) == TOLD
        server.kill9()
    server.start()
    with server.client(wid="w1", x=["cancel"]) as w:
        assert w.beat("w1") == {"cancel": [job["jid"]]}
        w.fail(job["jid"])
        assert w.sets()["dead"] == 1


def test_who_cannot_be_told(connect, client):
    """Honest about workers that do not know of cancelling, and about clients
    that are no workers; nothing is changed for them."""
    stock = connect(wid="stock")
    job, other = client.push(), client.push()
    stock.fetch()
    client.fetch()
    for jid in (job["jid"], other["jid"]):
        assert cancel(client, jid) == f"ERR Job {jid} is held by a client that cannot be told"
    assert stock.beat("stock") == "OK"
    stock.fail(job["jid"])
    assert client.sets()["retries"] == 1


def test_the_dead_are_left_alone(client):
    """A dead job is over; MUTATE is for the dead."""
    job = client.push(retry=-1)
    client.fetch()
    client.fail(job["jid"])
    assert cancel(client, job["jid"]) == f"ERR Job {job['jid']} is dead"
    assert client.sets()["dead"] == 1


def test_wrong_requests(client):
    """Each is told what CANCEL takes."""
    assert client.error("CANCEL") == 'ERR CANCEL takes {"jid":"…"}'
    assert client.error("CANCEL {}") == "ERR invalid CANCEL {}"
    assert client.error('CANCEL {"jid":"nobody"}') == "ERR Job not found nobody"


def test_cancel_removes_before_a_push_behind_it(client):
    """Sent ahead of each other they are answered in order."""
    job = new_job()
    client.push(job)
    client.send("CANCEL " + compact({"jid": job["jid"]}) + "\r\n" +
        "PUSH " + compact(job) + "\r\n")
    assert json.loads(client.reply()) == GONE and client.reply() == "OK"
    assert client.size() == 1


def test_the_supervisor_ends_the_program(bench):
    """Our supervisor hears it with a beat, ends the program and reports; the
    job does not run again."""
    bench.run({"t": bench.script("h", "echo >> ran; exec sleep 60")})
    jid = bench.push("t")
    wait_for("it to run", lambda: bench.client.sets()["working"] == 1)
    # Counted as taken, it may still be on its way to the disk.
    wait_for("the word to be taken", lambda: cancel(bench.client, jid) == TOLD)
    fail = bench.failed(jid, limit=40)
    assert fail["errtype"] == "Cancelled"
    wait_for("it to be dead", lambda: bench.client.sets()["dead"] == 1, 10)
