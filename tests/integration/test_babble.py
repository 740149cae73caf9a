"""Conversations at random: many clients, commands cut, glued and mixed, most of
them wrong in some way. The server answers with replies, stays up, holds nothing
afterwards, and what it has in memory is what it has on disk.

SPDX-License-Identifier: ISC
"""
import os
import sqlite3
from collections import Counter

import pytest

from support.babble import Babble
from support.program import BUILD, run
from support.waiting import SLOW, wait_for

SAID = 6000 // SLOW
SEED = int(os.environ.get("FAKTOTUM_SEED", 1))


def agreed(client, data):
    """Whether memory and disk hold the same numbers of jobs."""
    f = client.faktory()
    db = sqlite3.connect(f"file:{data}/faktotum.db?mode=ro", uri=True)
    states = Counter(dict(db.execute("SELECT state, count(*) FROM jobs GROUP BY state")))
    db.close()
    sets = f["sets"]
    return [states[i] for i in range(1, 6)] == [sum(f["queues"].values()), sets["working"],
        sets["scheduled"], sets["retries"], sets["dead"]]


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_conversations_at_random(start_server, seed):
    """No crash, no hang, no reply too many or malformed, no connection or
    descriptor left behind, no leak (under the sanitizers); memory and disk
    agree. FAKTOTUM_SEED names other conversations."""
    server = start_server(config="worker_grace: 200ms\n")
    with server.client(limit=60) as c:
        # The loop has one more descriptor from the first alarm on.
        c.push(at="2100-01-01T00:00:00Z")
        c.ok("FLUSH")
        before = server.program.descriptors()
        babble = Babble(server.port, seed)
        while babble.said < SAID:
            babble.step()
            if babble.said % 500 == 0:
                assert c.info()  # answered while all the others talk
        babble.close()
        assert babble.replies > SAID / 10, "hardly anything was answered"
        wait_for("all connections to be gone",
            lambda: server.program.descriptors() <= before, 60)
        wait_for("memory and disk to agree", lambda: agreed(c, server.data), 60)
    assert server.program.alive(), server.program.output()[-3000:]
    server.restart()
    with server.client() as c:
        wait_for("memory and disk to agree after a restart", lambda: agreed(c, server.data), 60)
    server.close()
    done = run([BUILD / "faktotum-server", "check", "--data", server.data])
    assert done.returncode == 0, done.stdout + done.stderr
