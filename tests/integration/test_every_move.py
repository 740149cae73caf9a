"""A walk at random through all that can happen to jobs: pushed, fetched, settled
in every way, cancelled, their workers dying, the server killed in between. What
is in memory is what is on disk in the end, nothing acknowledged is missing,
nothing is there twice, and what was done does not come back.

SPDX-License-Identifier: ISC
"""
import json
import random
import sqlite3
import time
from collections import Counter

import pytest

from support.client import ServerError, compact, new_job
from support.waiting import wait_for

STEPS = 700
SETTINGS = "worker_grace: 200ms\nrestart_grace: 300ms\n"


class Walk:
    def __init__(self, server, seed):
        self.server = server
        self.random = random.Random(seed)
        self.pushed = {}   # jid -> job, once acknowledged
        self.gone = set()  # done, removed or forgotten, as we were told
        self.cancelled = set()  # told to their workers: done, or among the dead
        self.connect()

    def connect(self):
        self.admin = self.server.client()
        self.workers = [self.new_worker() for _ in range(5)]

    def new_worker(self):
        """Its wid, its connection, and the jids that it has been given."""
        wid = f"w{self.random.randrange(8)}"
        more = {"x": ["cancel"]} if self.random.random() < .7 else {}
        return wid, self.server.client(wid=wid, **more), set()

    def close(self):
        for _, c, _ in self.workers:
            c.close()
        self.admin.close()

    def push(self, wid, c, held):
        jobs = []
        for _ in range(self.random.randrange(1, 6)):
            more = {"retry": self.random.choice([25, 25, 3, 0])}
            if self.random.random() < .3:
                due = time.time() + self.random.choice([1, 2, 3600])
                more["at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due))
            if self.random.random() < .5:
                more["custom"] = {"backoff": [0]}
            jobs.append(new_job(**more))
        assert c.pushb(jobs) == {}
        self.pushed.update((j["jid"], j) for j in jobs)

    def fetch(self, wid, c, held):
        if self.admin.size() > 0:
            job = c.fetch()
            if job is not None:
                held.add(job["jid"])
                self.cancelled.discard(job["jid"])

    def settle(self, wid, c, held):
        if not held:
            return
        jid = self.random.choice(sorted(held))
        held.discard(jid)
        more = {}
        verb = self.random.choice(["ACK", "ACK", "RELEASE", "FAIL", "FAIL"])
        if verb == "FAIL":
            more = self.random.choice([{}, {"retry": -1}, {"retry": 0}, {"retry_in": 0}])
        elif verb == "ACK":
            more = {"wid": wid}
        answer = c.call(f"{verb} " + compact(dict(more, jid=jid)))
        if isinstance(answer, ServerError):
            assert answer.text == f"ERR Job not found {jid}"
        elif verb == "ACK":
            self.gone.add(jid)
            self.cancelled.discard(jid)
        elif jid not in self.cancelled and (verb == "FAIL" and (more.get("retry") == 0 or
                (self.pushed[jid]["retry"] == 0 and more.get("retry") != -1))):
            self.gone.add(jid)

    def cancel(self, wid, c, held):
        if not self.pushed:
            return
        jid = self.random.choice(sorted(self.pushed))
        answer = self.admin.call("CANCEL " + compact({"jid": jid}))
        if isinstance(answer, ServerError):
            assert any(text in answer.text for text in
                ("Job not found", "is dead", "is held by", "is being moved")), answer
            return
        told = json.loads(answer)
        assert told["removed"] + told["told"] == 1
        if told["removed"]:  # it may have been dead and brought back
            self.gone.add(jid)
            self.cancelled.discard(jid)
        else:
            self.cancelled.add(jid)

    def beat(self, wid, c, held):
        answer = c.beat(wid)
        if isinstance(answer, dict):
            held.difference_update(answer.get("lost", []))

    def die(self, wid, c, held):
        c.close()
        self.workers = [w for w in self.workers if w[1] is not c] + [self.new_worker()]

    def bring_back(self, wid, c, held):
        self.admin.mutate("requeue", self.random.choice(["retries", "dead", "scheduled"]))

    def restart(self, wid, c, held):
        if self.random.random() < .7:
            self.server.kill9()
            self.server.start()
        else:
            self.server.restart()
        self.close()
        self.connect()

    def step(self):
        act = self.random.choices([self.push, self.fetch, self.settle, self.cancel, self.beat,
            self.die, self.bring_back, self.restart], [30, 25, 30, 7, 4, 2, .5, .7])[0]
        act(*self.random.choice(self.workers))


def agreed(client, data):
    """The rows on disk, once they are what the server says it holds; what is
    under way between the two looks settles in a moment."""
    sets, waiting = client.sets(), client.size()
    db = sqlite3.connect(f"file:{data}/faktotum.db?mode=ro", uri=True)
    rows = db.execute("SELECT state, jid FROM jobs").fetchall()
    db.close()
    states = Counter(state for state, _ in rows)
    return rows if [states[i] for i in range(1, 6)] == [waiting, sets["working"],
        sets["scheduled"], sets["retries"], sets["dead"]] else None


@pytest.mark.slow(19)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_walk_through_every_move(start_server, seed):
    """See above; the seed names the walk."""
    server = start_server(config=SETTINGS)
    walk = Walk(server, seed)
    for _ in range(STEPS):
        walk.step()
    walk.close()
    with server.client() as c:
        rows = wait_for("memory and disk to agree", lambda: agreed(c, server.data), 30)
    there = Counter(jid for _, jid in rows)
    assert max(there.values()) == 1
    assert not walk.gone & set(there)
    assert walk.cancelled <= set(there)
    # A job without retries may also have ended with its workers.
    missing = set(walk.pushed) - walk.gone - set(there)
    assert not {jid for jid in missing if walk.pushed[jid]["retry"] != 0}
