"""Retry, death and the sets: what a failure means for a job.

SPDX-License-Identifier: ISC
"""
import json
import time
from datetime import datetime

import pytest

from support.client import new_job


def moment(text):
    """Seconds since 1970 of an RFC 3339 text with up to nine digits."""
    front, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(front + "+00:00").timestamp() + float("0." + (rest or "0"))


def attempt(client, jid):
    """Brings a waiting retry forward and fetches it."""
    client.mutate("requeue", "retries", jids=[jid])
    job = client.fetch()
    assert job["jid"] == jid
    return job


def test_backoff_is_the_stock_formula(client):
    """count^4 + 15 + rand(30) * (count + 1): operators know these delays.
    failed_at stays that of the first failure, remaining goes down."""
    jid = client.push(retry=10)["jid"]
    client.fetch()
    first = None
    for count in range(6):
        before = time.time()
        client.fail(jid, "E", f"attempt {count}")
        after = time.time()
        failure = attempt(client, jid)["failure"]
        assert failure["retry_count"] == count
        assert failure["remaining"] == 10 - count
        assert failure["message"] == f"attempt {count}"
        first = first or failure["failed_at"]
        assert failure["failed_at"] == first
        base, spread = count ** 4 + 15, 29 * (count + 1)
        # failed_at is the first failure's.
        planned = moment(failure["next_at"])
        assert before + base - 0.5 <= planned <= after + base + spread + 0.5, f"{count}: {planned}"


def test_backoff_is_spread(client):
    """Jobs that fail together must not come back together."""
    delays = set()
    jobs = [new_job(retry=3) for _ in range(40)]
    client.pushb(jobs)
    for _ in jobs:
        client.fail(client.fetch()["jid"])
    client.mutate("requeue", "retries")
    for _ in jobs:
        f = client.fetch()["failure"]
        delay = moment(f["next_at"]) - moment(f["failed_at"])
        assert 14.9 <= delay <= 44.5
        delays.add(round(delay))
    assert len(delays) >= 8


def test_retry_zero_is_discarded(client):
    """retry 0: one execution, and a failure leaves nothing but counters."""
    client.push(retry=0)
    client.fail(client.fetch()["jid"])
    info = client.faktory()
    assert info["sets"] == {"dead": 0, "retries": 0, "scheduled": 0, "working": 0}
    assert (info["total_processed"], info["total_failures"]) == (1, 1)


@pytest.mark.parametrize("retry", [-1, -5])
def test_negative_retry_dies_at_once(client, retry):
    """A negative retry: the first failure is the last, and it is kept."""
    client.push(retry=retry)
    client.fail(client.fetch()["jid"])
    sets = client.sets()
    assert (sets["dead"], sets["retries"]) == (1, 0)


@pytest.mark.parametrize("retry", [1, 3])
def test_retry_n_means_n_plus_one_attempts(client, retry):
    """retry N: N + 1 executions, then the dead set."""
    jid = client.push(retry=retry)["jid"]
    client.fetch()
    for _ in range(retry):
        client.fail(jid)
        assert client.sets()["retries"] == 1
        attempt(client, jid)
    client.fail(jid)
    sets = client.sets()
    assert (sets["dead"], sets["retries"]) == (1, 0)


def test_dead_job_can_be_requeued(client):
    """The dead set is not a grave: requeue gives another execution."""
    jid = client.push(retry=-1)["jid"]
    client.fetch()
    client.fail(jid, "E", "gone")
    client.mutate("requeue", "dead", jids=[jid])
    job = client.fetch()
    assert (job["jid"], job["failure"]["message"]) == (jid, "gone")
    client.ack(jid)
    assert client.sets()["dead"] == 0


def test_retry_goes_to_its_own_queue_at_the_tail(client):
    """A retried job waits behind what is already there."""
    jid = client.push(queue="own")["jid"]
    client.fetch("own")
    client.fail(jid)
    other = client.push(queue="own")["jid"]
    client.mutate("requeue", "retries", jids=[jid])
    assert [client.fetch("own")["jid"] for _ in range(2)] == [other, jid]


# ---- MUTATE ----

def failed(client, **fields):
    jid = client.push(**fields)["jid"]
    assert client.fetch()["jid"] == jid
    client.fail(jid)
    return jid


def test_mutate_discards_by_jid(client):
    """Only the named job goes."""
    gone, kept = failed(client), failed(client)
    client.mutate("discard", "retries", jids=[gone])
    assert client.sets()["retries"] == 1
    assert attempt(client, kept)["jid"] == kept


def test_mutate_kills_by_jid_and_type(client):
    """kill moves to the dead set; a jobtype is matched exactly."""
    by_jid = failed(client)
    failed(client, jobtype="resize")
    failed(client, jobtype="resize-all")
    client.mutate("kill", "retries", jids=[by_jid])
    assert client.sets()["dead"] == 1
    client.mutate("kill", "retries", jobtype="resize")
    sets = client.sets()
    assert (sets["dead"], sets["retries"]) == (2, 1)


def test_mutate_clear(client):
    """clear empties its target and nothing else."""
    failed(client)
    failed(client, retry=-1)
    client.push(at="2199-01-01T00:00:00Z")
    for target, left in (("retries", (0, 1, 1)), ("dead", (0, 0, 1)), ("scheduled", (0, 0, 0))):
        client.mutate("clear", target)
        sets = client.sets()
        assert (sets["retries"], sets["dead"], sets["scheduled"]) == left


def test_mutate_with_spaces(client):
    """A stock server refuses JSON with a space in it; every other command
    takes it, and so does ours."""
    jid = failed(client)
    client.ok('MUTATE {"cmd": "kill", "target": "retries", "filter": {"jids": ["%s"]}}' % jid)
    assert client.sets()["dead"] == 1


def test_mutate_refuses_a_misspelt_filter(client):
    """`jid` for `jids` makes a stock server act on the whole set."""
    jid = failed(client)
    assert client.error('MUTATE {"cmd":"discard","target":"retries","filter":{"jid":["%s"]}}'
        % jid).startswith("ERR ")
    assert client.sets()["retries"] == 1


def test_mutate_scheduled_job_runs_now(client):
    """requeue of a scheduled job brings it to its queue at once."""
    jid = client.push(at="2199-01-01T00:00:00Z")["jid"]
    client.mutate("requeue", "scheduled", jids=[jid])
    assert client.fetch()["jid"] == jid
    assert client.sets()["scheduled"] == 0


def test_flush_empties_everything(client):
    """FLUSH: queues, sets, reservations, counters, and their memory."""
    failed(client)
    failed(client, retry=-1)
    client.push(at="2199-01-01T00:00:00Z")
    held = client.push(queue="b")["jid"]
    client.fetch("b")
    client.push(queue="c")
    client.ok("FLUSH")
    info = client.faktory()
    assert info["queues"] == {}
    assert info["sets"] == {"dead": 0, "retries": 0, "scheduled": 0, "working": 0}
    assert (info["total_processed"], info["total_failures"]) == (0, 0)
    client.ack(held)
    assert client.faktory()["total_processed"] == 0
    job = client.push(queue="c")
    assert client.fetch("c")["jid"] == job["jid"]


@pytest.mark.parametrize("cmd", ["discard", "requeue"])
def test_a_flush_between_the_pieces_of_a_mutate_leaves_nothing(connect, cmd):
    """MUTATE goes through a large set in pieces, each after the commit of the
    one before. What a FLUSH has taken between two of them is not put back."""
    a, b = connect(), connect()
    for _ in range(5):
        jobs = [new_job(at="2199-01-01T00:00:00Z") for _ in range(4000)]
        assert a.pushb(jobs) == {}
        some = [job["jid"] for job in jobs[::50]]
        a.send("MUTATE " + json.dumps({"cmd": cmd, "target": "scheduled",
            "filter": {"jids": some}}) + "\r\n")
        b.ok("FLUSH")
        assert a.reply() == "OK"
        # In whichever order the server met them.
        info = b.faktory()
        assert (info["sets"]["scheduled"], info["queues"].get("default", 0)) == (0, 0)


def test_a_push_behind_a_flush_names_its_queue(client):
    """What is pushed in the same batch as a FLUSH is listed in its queue."""
    client.push()
    client.send(f"FLUSH\r\nPUSH {json.dumps(new_job())}\r\n")
    assert [client.reply(), client.reply()] == ["OK", "OK"]
    assert client.faktory()["queues"] == {"default": 1}
