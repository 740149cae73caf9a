"""Reservations that run out: what nobody settled comes back.

SPDX-License-Identifier: ISC
"""
import time

import pytest

from support.client import compact, new_job
from support.waiting import wait_for


@pytest.mark.slow(60)
def test_expired_reservations(server):
    """reserve_for is at least 60 s, kept over a kill -9; then the job has
    failed as ReservationExpired and its retry policy holds: retried,
    discarded, dead. ACK after that is +OK, FAIL finds nothing."""
    with server.client(wid="sleeper") as c:  # closed behind the kill: no death
        jobs = {r: new_job(retry=r, reserve_for=1) for r in (25, 0, -1)}
        long = new_job(reserve_for=300)
        c.pushb(list(jobs.values()) + [long])
        began = time.monotonic()
        for _ in range(4):
            c.fetch()
        server.kill9()
    server.start()
    with server.client() as c:
        while time.monotonic() - began < 58:
            assert c.sets()["working"] == 4
            time.sleep(1)
        wait_for("the reservations to end", lambda: c.sets()["working"] == 1, 10)
        assert time.monotonic() - began >= 59.9
        sets = c.sets()
        assert (sets["retries"], sets["dead"], sets["working"]) == (1, 1, 1)
        info = c.faktory()
        assert (info["total_processed"], info["total_failures"]) == (3, 3)
        assert info["tasks"]["Busy"]["reaped"] == 3
        jid = jobs[25]["jid"]
        c.ack(jid)
        assert c.error("FAIL " + compact({"jid": jid})) == f"ERR Job not found {jid}"
        c.mutate("requeue", "retries", jids=[jid])
        f = c.fetch()["failure"]
        assert (f["errtype"], f["message"]) == \
            ("ReservationExpired", "Faktory job reservation expired")
        assert (f["retry_count"], f["remaining"]) == (0, 25)
        c.ack(long["jid"])


@pytest.mark.slow(60)
def test_two_jobs_of_one_jid_expire_both(server):
    """A stock server drops one of them without a word. Both come back; the
    worker that is still there hears with its beat what it has lost, and what
    it says of the job afterwards changes nothing."""
    job = new_job(reserve_for=60)
    with server.client() as c, server.client(wid="w1", x=["cancel"]) as one, \
            server.client(wid="w2") as two:
        for worker in (one, two):
            c.push(job)
            assert worker.fetch()["jid"] == job["jid"]

        def expired():
            assert two.beat("w2") == "OK"
            told = one.beat("w1")
            return told != "OK" and told
        assert wait_for("the end of the reservations", expired, 90) == {"lost": [job["jid"]]}
        wait_for("both to be retried", lambda: c.sets()["retries"] == 2, 10)
        one.ack(job["jid"])
        assert one.error("FAIL " + compact({"jid": job["jid"]})) == f"ERR Job not found {job['jid']}"
        assert c.sets()["retries"] == 2
