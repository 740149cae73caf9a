"""A push that somebody waits for: stored and reserved in one commit, and with
the same rules as if it had lain in its queue in between.

SPDX-License-Identifier: ISC
"""
import json
import os
import re

import pytest

from support.client import ServerError, compact, new_job
from support.disk import fill
from support.waiting import wait_for
from test_disk import push_until_refused


def wait_at(c, *queues):
    """Returns when the server serves nothing before this FETCH."""
    c.send("INFO\r\nFETCH %s\r\n" % " ".join(queues))
    c.reply()


def jid_of(reply):
    assert isinstance(reply, bytes), reply
    return json.loads(reply)["jid"]


def totals(server):
    """Changes and commits since the start, as told at the end."""
    assert server.program.stop() == 0
    said = server.program.output()
    changes, commits = re.findall(r"(\d+) changes in (\d+) commits", said)[-1]
    return int(changes), int(commits)


def test_one_commit_stores_and_reserves(start_server):
    """What is awaited costs one change and one commit, not two of each: the
    rest of each round is its ACK, with two counters."""
    rounds = 30
    server = start_server()
    with server.client() as pusher, server.client() as waiter:
        for _ in range(rounds):
            wait_at(waiter, "q")
            job = pusher.push(queue="q")
            assert jid_of(waiter.reply()) == job["jid"]
            waiter.ack(job["jid"])
    changes, commits = totals(server)
    assert changes <= 4 * rounds + 1  # the queue's name
    assert commits <= 2 * rounds + 1


def test_what_was_handed_out_at_once_is_on_disk(server, client):
    """Both answers come after the commit: killed then, it is reserved still, by
    its worker, with the time that it was enqueued; and it ends as others do."""
    with server.client(wid="w1") as waiter:
        wait_at(waiter, "q")
        job = client.push(queue="q", reserve_for=60)
        got = json.loads(waiter.reply())
        assert got["jid"] == job["jid"] and got["enqueued_at"]
        server.kill9()
    server.start()
    with server.client(wid="w1") as after:
        assert after.sets()["working"] == 1
        assert after.size("q") == 0
        after.fail(job["jid"])
        assert after.sets()["retries"] == 1
        assert after.sets()["working"] == 0


def test_it_overtakes_nothing_that_is_on_its_way(server, client):
    """First in, first out: a job that is being given back is older than one
    that is pushed in the same batch, and the one that waits gets it."""
    for _ in range(10):
        old = client.push(queue="q")
        with server.client(wid="holder") as holder, server.client() as waiter:
            assert holder.fetch("q")["jid"] == old["jid"]
            wait_at(waiter, "q")
            new = new_job(queue="q")
            holder.send("RELEASE %s\r\nPUSH %s\r\n" % (
                compact({"jid": old["jid"], "wid": "holder"}), compact(new)))
            assert [holder.reply(), holder.reply()] == ["OK", "OK"]
            assert jid_of(waiter.reply()) == old["jid"]
            assert client.fetch("q")["jid"] == new["jid"]
            client.ack(old["jid"])
            client.ack(new["jid"])


@pytest.mark.parametrize("config, order", [
    (None, ("high", "low")),
    ("queue_weights: {high: 5, low: 1}\n", ("low", "high")),
])
def test_a_queue_to_be_asked_first_comes_first(start_server, config, order):
    """Strict order, and weights: a job that is coming back to `high` keeps one
    pushed to `low` behind it from being handed out in its place."""
    server = start_server(config=config)
    client = server.client()
    for _ in range(10):
        high = client.push(queue="high")
        with server.client(wid="holder") as holder, server.client() as waiter:
            assert holder.fetch("high")["jid"] == high["jid"]
            wait_at(waiter, *order)
            low = new_job(queue="low")
            holder.send("RELEASE %s\r\nPUSH %s\r\n" % (
                compact({"jid": high["jid"], "wid": "holder"}), compact(low)))
            assert [holder.reply(), holder.reply()] == ["OK", "OK"]
            assert jid_of(waiter.reply()) == high["jid"]
            assert client.fetch("low")["jid"] == low["jid"]
            client.ack(high["jid"])
            client.ack(low["jid"])
    client.close()


def test_a_paused_queue_keeps_what_is_pushed(server, client):
    """Pausing holds back what comes later, whoever waits."""
    with server.client() as waiter:
        wait_at(waiter, "q")
        assert client.call("QUEUE PAUSE q") == "OK"
        job = client.push(queue="q")
        assert waiter.reply() is None
        assert client.size("q") == 1
        assert client.call("QUEUE RESUME q") == "OK"
        assert waiter.fetch("q")["jid"] == job["jid"]


def test_a_job_for_later_is_not_handed_out(server, client):
    """A waiting FETCH gets what is due, not what is scheduled."""
    with server.client() as waiter:
        wait_at(waiter, "q")
        client.push(queue="q", at="2099-01-01T00:00:00Z")
        assert waiter.reply() is None
        assert client.sets()["scheduled"] == 1


def test_one_bulk_for_many_who_wait(server, client):
    """The first jobs go to those who wait, in the order in which they came;
    the rest stays in the queue, in order."""
    waiters = [server.client() for _ in range(4)]
    for w in waiters:
        wait_at(w, "q")
    jobs = [new_job(queue="q") for _ in range(10)]
    assert client.pushb(jobs) == {}
    got = [jid_of(w.reply()) for w in waiters] + [client.fetch("q")["jid"] for _ in range(6)]
    assert got == [j["jid"] for j in jobs]
    for w in waiters:
        w.close()


def test_refused_by_the_disk_it_never_was(start_server, small_disk):
    """Who pushed is told; who waits hears of no error, goes on waiting, in its
    place, and gets the job that can be stored."""
    s = start_server(data=small_disk / "data")
    with s.client() as c, s.client() as first, s.client() as second:
        c.push(queue="other")
        fill(small_disk)
        push_until_refused(c, [])
        before = c.sets()["working"]
        wait_at(first, "q")
        wait_at(second, "q")
        with pytest.raises(ServerError):
            c.push(new_job("t", "x" * 100_000, queue="q"))
        assert first.reply() is None
        assert second.reply() is None
        assert c.sets()["working"] == before
        assert c.size("q") == 0

        wait_at(first, "q")
        wait_at(second, "q")
        with pytest.raises(ServerError):
            c.push(new_job("t", "x" * 100_000, queue="q"))
        os.unlink(small_disk / "ballast")
        def stored():
            try:
                return c.push(queue="q")
            except ServerError:
                return None
        job = wait_for("the server to write again", stored, 30)
        got = first.reply()
        # On a machine that is very slow its two seconds may be over by then.
        assert got is None or jid_of(got) == job["jid"]
