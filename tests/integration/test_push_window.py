"""push_window: a PUSH that is repeated is one job.

SPDX-License-Identifier: ISC
"""
import pytest

from support.client import compact, new_job
from support.waiting import wait_for


@pytest.fixture
def server(start_server):
    return start_server(config="push_window: 1h\n")


def test_a_repeated_push_is_one_job(client):
    """The second one is +OK and makes no second job, while the first waits,
    runs, or is done."""
    job = client.push()
    client.push(job)
    assert client.size() == 1
    client.fetch()
    client.push(job)
    assert client.size() == 0
    client.ack(job["jid"])
    client.push(job)
    assert client.size() == 0 and client.sets()["working"] == 0


def test_sent_ahead(client):
    """Repeats that arrive before the first is on disk hear of its fate."""
    job = new_job()
    client.send(("PUSH " + compact(job) + "\r\n") * 50)
    assert [client.reply() for _ in range(50)] == ["OK"] * 50
    assert client.size() == 1


def test_in_one_bulk(client):
    """PUSHB takes each jid once and refuses nothing."""
    jobs = [new_job() for _ in range(3)]
    assert client.pushb(jobs + jobs) == {}
    assert client.pushb(jobs) == {}
    assert client.size() == 3


@pytest.mark.parametrize("again", ["stop", "kill9"])
def test_over_a_restart(server, again):
    """The answer was lost because the server went down: the very case."""
    with server.client() as c:
        waiting, held = c.push(), c.push(queue="other")
        later = c.push(at="2199-01-01T00:00:00Z")
        c.fetch("other")
    if again == "stop":
        server.restart()
    else:
        server.kill9()
        server.start()
    with server.client() as c:
        for job in (waiting, held, later):
            c.push(job)
        assert c.size() == 1 and c.size("other") == 0
        assert c.sets()["scheduled"] == 1


def test_a_cancelled_job_may_be_pushed_again(client):
    """CANCEL takes the job back, and its jid with it."""
    job = client.push()
    assert client.call("CANCEL " + compact({"jid": job["jid"]})) == b'{"removed":1,"told":0}'
    client.push(job)
    assert client.size() == 1


def test_flush_forgets_the_jids(client):
    """After FLUSH everything is new."""
    job = client.push()
    client.ok("FLUSH")
    client.push(job)
    assert client.size() == 1


def test_a_refused_push_is_not_remembered(client):
    """What was not stored may be pushed."""
    job = new_job()
    client.error("PUSH " + compact(dict(job, queue="a b")))
    client.push(job)
    assert client.size() == 1


def test_the_window_ends(start_server):
    """After it the jid is free again."""
    with start_server(config="push_window: 300ms\n").client() as c:
        job = c.push()
        c.push(job)
        assert c.size() == 1
        def again():
            c.push(job)
            return c.size() == 2
        wait_for("the jid to be free", again, 10)


def test_without_a_window_each_push_is_a_job(start_server):
    """As a stock server does, unless the operator asks for it."""
    with start_server().client() as c:
        job = c.push()
        c.push(job)
        assert c.size() == 2
