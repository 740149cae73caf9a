"""MUTATE: every command, on every set, with every filter.

SPDX-License-Identifier: ISC
"""
import sqlite3

import pytest

from support.client import compact, new_job


PLACES = {1: "queue", 3: "scheduled", 4: "retries", 5: "dead"}
FAR = "2199-01-01T00:00:00Z"

# A filter, given the four jids, and which of them it means.
FILTERS = [
    (lambda jids: {"jids": [jids[2], "nobody-has-it"]}, {2}),
    (lambda jids: {"jids": [jids[0], jids[3]], "jobtype": "other", "regexp": "*no such*"}, {0, 3}),
    (lambda jids: {"jids": [], "jobtype": "note"}, {0, 1}),
    (lambda jids: {"jobtype": "note"}, {0, 1}),
    (lambda jids: {"jobtype": "not"}, set()),
    (lambda jids: {"regexp": "*red*"}, {0, 2}),
    (lambda jids: {"regexp": "red"}, set()),
    (lambda jids: {"regexp": "*r[a-f]d*"}, {0, 2}),
    (lambda jids: {"regexp": '*"jid":"%s"*' % jids[1]}, {1}),
    (lambda jids: {"jobtype": "note", "regexp": "*red*"}, {0}),
    (lambda jids: {"regexp": "*"}, {0, 1, 2, 3}),
    (lambda jids: {}, {0, 1, 2, 3}),
    (lambda jids: None, {0, 1, 2, 3}),
]


def fill(client, target):
    """Four jobs in that set; returns their jids."""
    jobs = [new_job(jobtype, arg, retry=-1 if target == "dead" else 25,
        at=FAR if target == "scheduled" else None)
        for jobtype, arg in (("note", "red"), ("note", "blue"), ("other", "red"), ("last", "x"))]
    assert client.pushb(jobs) == {}
    if target != "scheduled":
        for job in jobs:
            client.fetch()
            client.fail(job["jid"])
    return [job["jid"] for job in jobs]


def places(server):
    """Where each job is, on disk."""
    db = sqlite3.connect(f"file:{server.data}/faktotum.db?mode=ro", uri=True)
    rows = db.execute("SELECT jid, state FROM jobs").fetchall()
    db.close()
    return {jid: PLACES[state] for jid, state in rows}


@pytest.mark.parametrize("target", ["scheduled", "retries", "dead"])
@pytest.mark.parametrize("cmd, to", [("requeue", "queue"), ("kill", "dead"), ("discard", None),
    ("clear", None)])
def test_what_a_filter_means(server, client, cmd, to, target):
    """Those that the filter means are there where the command brings them, and
    the others are where they were. jids go before all else; jobtype and
    regexp, a glob over the whole text, hold together; nothing means all, and
    so does clear, whatever stands beside it."""
    for make, meant in FILTERS:
        jids = fill(client, target)
        given = make(jids)
        client.ok("MUTATE " + compact({"cmd": cmd, "target": target,
            **({} if given is None else {"filter": given})}))
        if cmd == "clear":
            meant = {0, 1, 2, 3}
        want = {jid: to if i in meant else target for i, jid in enumerate(jids)}
        assert places(server) == {jid: p for jid, p in want.items() if p}, given
        sets = client.sets()
        assert sets[target] == sum(p == target for p in want.values()), given
        assert client.size() == sum(p == "queue" for p in want.values()), given
        client.ok("FLUSH")


def test_a_pattern_looks_at_the_failure(client):
    """Operators look for those that failed alike; a stock server's pattern is
    held against all that it has stored, the failure included."""
    jids = [client.push()["jid"] for _ in range(2)]
    for jid, message in zip(jids, ("connect: ECONNREFUSED", "disk full")):
        client.fetch()
        client.fail(jid, "NetError" if "ECONN" in message else "IOError", message)
    client.mutate("kill", "retries", regexp="*ECONNREFUSED*")
    assert (client.sets()["dead"], client.sets()["retries"]) == (1, 1)
    client.mutate("requeue", "retries", regexp='*"errtype":"IOError"*')
    assert client.fetch()["jid"] == jids[1]


def test_the_dead_are_kept_from_the_moment_they_are_killed(server, client):
    """kill gives 180 days from now, also to what has been dead before."""
    fill(client, "scheduled")
    client.mutate("kill", "scheduled")
    assert server.program.stop() == 0
    db = sqlite3.connect(server.data / "faktotum.db")
    before = db.execute("SELECT min(due), max(due) FROM jobs WHERE state = 5").fetchone()
    days = db.execute("SELECT (min(due) / 1e9 - unixepoch()) / 86400 FROM jobs").fetchone()[0]
    db.close()
    assert 179.9 < days < 180.1
    server.start()
    with server.client() as c:
        c.mutate("kill", "dead")
    db = sqlite3.connect(f"file:{server.data}/faktotum.db?mode=ro", uri=True)
    assert db.execute("SELECT min(due) FROM jobs WHERE state = 5").fetchone()[0] > before[1]
    db.close()
