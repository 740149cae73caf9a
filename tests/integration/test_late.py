"""A worker that was away for too long, and still says how a job ended: that
counts as long as nobody has taken the job since.

SPDX-License-Identifier: ISC
"""
import json
import tempfile
import threading
import time
from pathlib import Path

import pytest

from support.client import compact, new_job
from support.orders import Orders
from support.waiting import wait_for
from test_worker_death import SOON, back, take


@pytest.fixture
def server(start_server):
    return start_server(config=SOON)


@pytest.fixture
def control():
    """A name that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="fkt", dir="/tmp") as place:
        yield Path(place) / "control"


def lost(server, client, n=1, wid="w1", **more):
    """The jids of n jobs that this worker had, and that wait again."""
    before = client.size()
    w, jids = take(server, n, wid, **more)
    w.close()
    back(client, before + n)
    return jids


def test_a_late_ack_ends_the_job(server, client):
    """It succeeded, and does not run again: also over a restart. What the
    worker has not spoken of waits as before, and is all that it is told of."""
    jids = lost(server, client, 3)
    with server.client(wid="w1", x=["cancel"]) as w:
        w.ack(jids[1])
        w.ack(jids[1])
        assert client.size() == 2 and client.sets()["working"] == 0
        info = client.faktory()
        assert (info["total_processed"], info["total_failures"]) == (1, 0)
        server.kill9()
    server.start()
    with server.client() as c:
        assert [c.fetch()["jid"] for _ in range(2)] == [jids[0], jids[2]]
        assert c.size() == 0


def test_it_is_not_told_of_what_it_has_settled(server, client):
    """Such a job is not among those that it lost, and with no other lost it is
    given jobs at once."""
    jids = lost(server, client, 2, x=["cancel"])
    with server.client(wid="w1", x=["cancel"]) as w:
        for jid in jids:
            w.ack(jid)
        job = w.push()
        assert w.fetch()["jid"] == job["jid"]
        assert w.beat("w1") == "OK"


def test_a_late_fail_is_a_failure(server, client):
    """One attempt, with what the job says of its delays and with the time of its
    first failure, as it would have been in time; also after a restart."""
    job = client.push(custom={"backoff": [7000]}, retry=5)
    client.fetch()
    client.fail(job["jid"], "First")
    client.mutate("requeue", "retries")
    with server.client(wid="w1") as w:
        first = w.fetch()["failure"]
    back(client)
    server.restart()
    with server.client(wid="w1") as w, server.client() as c:
        w.fail(job["jid"], "Second")
        assert c.size() == 0 and c.sets()["retries"] == 1
        assert c.faktory()["total_failures"] == 2
        c.mutate("requeue", "retries")
        again = c.fetch()["failure"]
        assert (again["errtype"], again["retry_count"]) == ("Second", 1)
        assert again["failed_at"] == first["failed_at"]
        assert w.error("FAIL " + compact({"jid": "job-unknown"})) == "ERR Job not found job-unknown"


def test_the_delay_of_a_late_fail(start_server):
    """Asked of the row on disk: the job's own list of delays, known from before a
    restart and after it."""
    import sqlite3
    for again in (False, True):
        server = start_server(config=SOON)
        with server.client() as c:
            job = c.push(custom={"backoff": [7000]})
            with server.client(wid="w1") as w:
                w.fetch()
            back(c)
        if again:
            server.restart()
        began = time.time()
        with server.client(wid="w1") as w:
            w.fail(job["jid"])
        due = sqlite3.connect(server.data / "faktotum.db").execute(
            "SELECT due FROM jobs WHERE jid = ?", (job["jid"],)).fetchone()[0]
        assert 6990 < due / 1e9 - began < 7100


@pytest.mark.parametrize("then", ["RELEASE", "FAIL"])
def test_what_another_had_in_the_meantime(server, client, then):
    """Whoever takes the job has it: neither while it is there nor when it waits
    once more is it the first one's to settle."""
    jid = lost(server, client)[0]
    other = server.client(wid="w2")
    assert other.fetch()["jid"] == jid
    with server.client(wid="w1") as w:
        w.ack(jid)
        assert w.error("FAIL " + compact({"jid": jid})) == f"ERR Job not found {jid}"
        assert client.sets()["working"] == 1
        other.ok(f"{then} " + compact({"jid": jid}))
        if then == "FAIL":
            client.mutate("requeue", "retries")
        w.ack(jid)
        assert w.error("FAIL " + compact({"jid": jid})) == f"ERR Job not found {jid}"
    assert client.fetch()["jid"] == jid
    other.close()


def test_whose_word_counts(server, client):
    """The same as for what is held: another one's only while it is away, and who
    names the holder must name the right one."""
    jids = lost(server, client, 3)
    with server.client(wid="w2") as other:
        with server.client(wid="w1"):
            other.ack(jids[0])
            assert client.size() == 3
            client.ack(jids[0])
            assert client.size() == 2
        wait_for("it to be gone", lambda: client.faktory()["tasks"]["Workers"]["size"] == 1)
        exact = "ACK " + compact({"jid": jids[1], "wid": "w2"})
        assert other.error(exact) == f"ERR Job not found {jids[1]}"
        other.ack(jids[1])
        assert client.size() == 1
        other.ok("ACK " + compact({"jid": jids[2], "wid": "w1"}))
    assert client.size() == 0 and client.faktory()["total_processed"] == 3


def test_what_is_given_back_late_is_back(server, client):
    """RELEASE of a job that waits already changes nothing."""
    jids = lost(server, client, 2)
    with server.client(wid="w1") as w:
        assert w.error("RELEASE " + compact({"jid": jids[0]})) == f"ERR Job not found {jids[0]}"
        assert [client.fetch()["jid"] for _ in jids] == jids


@pytest.mark.parametrize("how", ["cancel", "remove", "flush"])
def test_a_job_that_is_gone_is_forgotten(server, client, how):
    """Another job of its jid is another job, and is not ended by that word."""
    jid = lost(server, client)[0]
    if how == "cancel":
        assert json.loads(client.call("CANCEL " + compact({"jid": jid}))) == \
            {"removed": 1, "told": 0}
    elif how == "remove":
        client.ok("QUEUE REMOVE default")
    else:
        client.ok("FLUSH")
    client.push(jid=jid)
    with server.client(wid="w1") as w:
        w.ack(jid)
    assert client.size() == 1 and client.fetch()["jid"] == jid


def test_two_jobs_of_one_jid(server, client):
    """One word ends one of them, and first the one that its worker holds."""
    jid = lost(server, client)[0]
    client.push(jid=jid)
    with server.client(wid="w2") as other:
        assert other.fetch()["jid"] == jid  # the one that was lost
        with server.client(wid="w1") as w:
            assert w.fetch()["jid"] == jid
        back(client)
        with server.client(wid="w1") as w:
            w.ack(jid)
            assert client.size() == 0 and client.sets()["working"] == 1
            w.ack(jid)
            assert client.sets()["working"] == 1


def test_what_came_back_otherwise(server, client):
    """By HELD or RELEASE its worker has said that it does not have it: then no
    word of it counts."""
    with server.client(wid="w1") as w:
        jids = [w.push()["jid"] for _ in range(2)]
        for _ in jids:
            w.fetch()
        w.ok("RELEASE " + compact({"jid": jids[0]}))
        w.ok('HELD {"jids":[]}')
        for jid in jids:
            w.ack(jid)
        assert client.size() == 2


def test_a_paused_queue(server, client):
    """It gives no jobs; that one has ended is noted all the same."""
    jids = lost(server, client, 2)
    client.ok("QUEUE PAUSE default")
    with server.client(wid="w1") as w:
        w.ack(jids[0])
        w.fail(jids[1])
    assert client.size() == 0 and client.sets()["retries"] == 1


def cut_off(bench, end, **settings):
    """A supervisor whose job ends while it is away for longer than the grace: the
    supervisor, the jid, which waits again behind the cut, and where is written what
    runs."""
    began, go = bench.scratch / "began", bench.scratch / "go"
    handler = bench.script("h",
        f'echo "$FAKTORY_JID" >>{began}\nwhile ! [ -e {go} ]; do sleep 0.05; done\n{end}')
    s = bench.run({"t": handler, "u": "/bin/true"}, concurrency=1, **settings)
    jid = bench.push("t")
    wait_for("it to run", began.exists)
    bench.tap.open.clear()
    bench.tap.cut()
    go.touch()
    s.says("done in" if end == "exit 0" else "reported FAIL")
    back(bench.client)
    return s, jid, began


def settled_once(bench, failed):
    info = bench.client.faktory()
    return info["total_failures"] == info["sets"]["retries"] == failed and \
        info["sets"]["working"] == 0


@pytest.mark.parametrize("end", ["exit 0", "exit 1"])
def test_a_supervisor_behind_a_cut_network(bench, end):
    """Back in time to find the job waiting, it tells how that ended, and nobody runs
    it again."""
    _, jid, began = cut_off(bench, end)
    behind = bench.push("u")
    bench.tap.open.set()
    bench.acked(behind)
    assert began.read_text().split() == [jid]
    assert settled_once(bench, end == "exit 1")


@pytest.mark.parametrize("verb", ["ACK", "FAIL"])
def test_an_outcome_that_overtakes_its_job(bench, verb, control):
    """The server gives the job out once more just before it hears how it ended, and
    that it has heard comes back first: the job is known all the same, and not run."""
    s, jid, began = cut_off(bench, "exit 0" if verb == "ACK" else "exit 1",
        control={"socket": str(control)})
    handed, confirmed = threading.Event(), threading.Event()

    def late(number, request, reply):
        if request.startswith("FETCH") and jid.encode() in reply:
            handed.set()
            assert confirmed.wait(60)
        return reply

    bench.tap.rule = late
    bench.tap.withholds = lambda line: line.startswith(verb) and not handed.wait(60)
    behind = bench.push("u")
    bench.tap.open.set()
    wait_for("it to be confirmed", lambda: handed.is_set() and
        Orders(control).supervisor()["unconfirmed"] == 0)
    confirmed.set()
    bench.acked(behind)
    assert began.read_text().split() == [jid]
    s.says("was confirmed while its job came again")
    assert len(bench.tap.done(verb)) == (3 if verb == "ACK" else 1)
    assert settled_once(bench, verb == "FAIL")
