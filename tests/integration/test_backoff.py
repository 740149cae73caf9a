"""custom.backoff: a job says itself when it is tried again.

SPDX-License-Identifier: ISC
"""
import calendar
import time

import pytest

from support.client import compact, new_job
from support.waiting import wait_for


def planned_in(client, job, seconds):
    """Fails the job that is held; whether it is planned so long after that, however
    slowly the answers come."""
    before = time.time()
    client.fail(job["jid"])
    after = time.time()
    client.mutate("requeue", "retries")
    text = client.fetch()["failure"]["next_at"]
    planned = calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    return before + seconds - 1 <= planned <= after + seconds + 1


@pytest.mark.parametrize("backoff, seconds", [
    ([100, 5000], [100, 5000, 5000]),
    ({"base": 1000, "factor": 3, "cap": 5000}, [1000, 3000, 5000])], ids=["list", "growth"])
def test_delays(client, backoff, seconds):
    """Each failure has the delay that the job names, to the second."""
    job = client.push(custom={"backoff": backoff})
    client.fetch()
    for want in seconds:
        assert planned_in(client, job, want)


def test_it_is_kept_over_a_restart(server):
    """A job that was handed out before a kill -9 keeps its word."""
    with server.client() as c:
        job = c.push(custom={"backoff": [7000]})
        plain = c.push()
        c.fetch()
        c.fetch()
    server.kill9()
    server.start()
    with server.client() as c:
        assert planned_in(c, job, 7000)
        c.ack(job["jid"])
        c.fail(plain["jid"])
        assert c.sets()["retries"] == 1


def test_zero_is_at_once(client):
    """[0]: the next attempt comes without a pause, and counts."""
    job = client.push(custom={"backoff": [0]}, retry=2)
    for count in range(2):
        assert client.fetch()["jid"] == job["jid"]
        client.fail(job["jid"])
    assert wait_for("the retry", client.fetch, 10)["failure"]["retry_count"] == 1
    client.fail(job["jid"])
    assert client.sets()["dead"] == 1


def test_the_worker_has_the_last_word(client):
    """retry_in of a FAIL goes before the job's own."""
    job = client.push(custom={"backoff": [5000]})
    client.fetch()
    client.ok("FAIL " + compact({"jid": job["jid"], "retry_in": 0}))
    assert wait_for("the retry", client.fetch, 10)["jid"] == job["jid"]


@pytest.mark.parametrize("backoff", [5, "later", [], [-1], [1.5], {"base": 0}, {"base": 1, "max": 5}])
def test_wrong_ones_are_refused_at_push(client, backoff):
    """Told where the mistake is made, not at the first failure."""
    assert client.error("PUSH " + compact(new_job(custom={"backoff": backoff}))).startswith(
        "ERR custom.backoff must be a list of 1 to 100 numbers of seconds")
    assert client.size() == 0
