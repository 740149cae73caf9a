"""JOBTYPES: how many jobs of each jobtype a server has.

SPDX-License-Identifier: ISC
"""
import json

from support.client import compact, new_job
from support.waiting import wait_for


def jobtypes(client):
    answer = json.loads(client.call("JOBTYPES"))
    assert set(answer) == {"jobtypes", "others"}
    return answer["jobtypes"], answer["others"]


def test_a_job_counts_from_push_to_end(client):
    """Wherever it is: scheduled, queued, reserved, waiting for its retry, dead;
    and no more once it is done, discarded or its queue removed."""
    assert jobtypes(client) == ({}, 0)
    late = new_job("late", at="2100-01-01T00:00:00Z")
    client.push(late)
    done, failing = client.push(jobtype="done"), client.push(jobtype="failing")
    client.pushb([new_job("bulk") for _ in range(3)])
    everything = {"late": 1, "done": 1, "failing": 1, "bulk": 3}
    assert jobtypes(client) == (everything, 0)
    assert [client.fetch()["jid"] for _ in range(2)] == [done["jid"], failing["jid"]]
    client.fail(failing["jid"])
    assert jobtypes(client) == (everything, 0)
    client.ack(done["jid"])
    client.ok("MUTATE " + compact({"cmd": "kill", "target": "retries"}))
    del everything["done"]
    assert jobtypes(client) == (everything, 0)
    client.ok("MUTATE " + compact({"cmd": "clear", "target": "dead"}))
    client.ok("QUEUE REMOVE default")
    assert jobtypes(client) == ({"late": 1}, 0)
    client.ok("FLUSH")
    wait_for("nothing to be left", lambda: jobtypes(client) == ({}, 0))


def test_a_restart_counts_anew(server):
    """From the disk, in whatever state they are."""
    with server.client() as c:
        for jobtype in ("a", "a", "b"):
            c.push(jobtype=jobtype)
        c.push(new_job("later", at="2100-01-01T00:00:00Z"))
        c.fetch()
        before = jobtypes(c)
    server.kill9()
    server.start()
    with server.client() as c:
        assert jobtypes(c) == before == ({"a": 2, "b": 1, "later": 1}, 0)


def test_refused_jobs_do_not_count(client):
    """Neither those of a PUSH nor of a PUSHB."""
    client.call("PUSH " + compact(new_job("bad", queue="no such name")))
    client.call("PUSHB " + compact([new_job("bad", args={"no": "list"})]))
    assert jobtypes(client) == ({}, 0)


def test_names_come_back_as_they_are(client):
    """Quotes, what is not ASCII; and a very long one among the others."""
    for jobtype in ('a"b\\', "é", "x" * 255, "y" * 256):
        client.push(jobtype=jobtype)
    assert jobtypes(client) == ({'a"b\\': 1, "é": 1, "x" * 255: 1}, 1)
