"""Jobs for later: exact timers, order, and time zones.

SPDX-License-Identifier: ISC
"""
import json
import sqlite3
import time
from datetime import datetime, timedelta, timezone

from support.client import new_job
from support.waiting import wait_for

def at(seconds, zone=timezone.utc):
    t = datetime.fromtimestamp(time.time() + seconds, zone)
    return t.isoformat().replace("+00:00", "Z"), t.timestamp()


def moment(text):
    """Seconds since 1970; Python reads microseconds, the server writes more."""
    return datetime.fromisoformat(text[:26].rstrip("Z").ljust(26, "0") + "+00:00").timestamp()


def test_due_job_is_promoted_at_its_time(client):
    """A stock server looks every 5 s, so that one of five jobs a second apart
    would be 4 s late or more. Ours has a timer: by the times that the server
    itself writes, none is early and none as late as that. (How late they are
    on a quiet machine is measured by the bench.)"""
    due = {}
    for i in range(5):
        text, when = at(1 + i)
        due[client.push(at=text)["jid"]] = when
    while due:
        job = client.fetch()
        if job is None:
            continue
        late = moment(job["enqueued_at"]) - due.pop(job["jid"])
        assert -0.001 < late < 3
        client.ack(job["jid"])


def test_scheduled_jobs_come_in_order_of_their_time(client):
    """By due time, and as pushed where the times are equal."""
    base = time.time() + 1
    def when(offset):
        return datetime.fromtimestamp(base + offset, timezone.utc).isoformat()
    jobs = [new_job(at=when(o)) for o in (0.3, 0.1, 0.2, 0.1, 0.1)]
    assert client.pushb(jobs) == {}
    got = [client.fetch()["jid"] for _ in jobs]
    assert got == [jobs[i]["jid"] for i in (1, 3, 4, 2, 0)]


def test_offset_of_a_zone_is_understood(client):
    """The same moment in another zone is the same moment."""
    text, due = at(0.5, timezone(timedelta(hours=5, minutes=45)))
    assert "+05:45" in text
    jid = client.push(at=text)["jid"]
    assert client.sets()["scheduled"] == 1
    assert client.fetch()["jid"] == jid
    assert time.time() - due < 1800, "another zone would be hours away"


def test_at_stays_in_the_payload_as_it_was(client):
    """The worker sees `at` as the producer wrote it, and a fresh enqueued_at."""
    text, due = at(0.4)
    client.push(at=text)
    raw = client.fetch_raw()
    assert json.loads(raw)["at"] == text
    enqueued = json.loads(raw)["enqueued_at"]
    assert enqueued[:19] >= text[:19]


def test_no_clock_waits_for_another(server):
    """On a stock server one task follows the other, and a long promotion keeps
    the reaper and the rest waiting; and it buries a hundred dead a minute.
    Here a retry and an expired reservation have had their turn before the last
    of many that were promoted, and all the dead are gone."""
    with server.client(wid="w1") as c:
        c.pushb([new_job("t", at="2199-01-01T00:00:00Z") for _ in range(600)])
        c.mutate("kill", "scheduled")
        for _ in range(3):
            c.pushb([new_job("t", at="2199-01-01T00:00:00Z", queue="many")
                for _ in range(10_000)])
        last = c.push(at="2199-01-01T00:00:00Z", queue="last")["jid"]
        retried, held = (c.push(queue=q)["jid"] for q in ("retried", "held"))
        c.fetch("retried")
        c.fail(retried)
        assert c.fetch("held")["jid"] == held
    assert server.program.stop() == 0
    db = sqlite3.connect(server.data / "faktotum.db")
    db.execute("UPDATE jobs SET due = CASE jid WHEN ? THEN 2 ELSE 1 END WHERE state > 1", (last,))
    db.commit()
    db.close()
    server.start()
    with server.client() as c:
        def over():
            sets = c.sets()
            return sets["scheduled"] == sets["dead"] == sets["working"] == 0
        wait_for("all of it", over, 60)
        late = moment(c.fetch("last")["enqueued_at"])
        assert moment(c.fetch("retried")["enqueued_at"]) < late
        c.mutate("requeue", "retries")
        failure = c.fetch("held")["failure"]
        assert failure["errtype"] == "ReservationExpired"
        assert moment(failure["failed_at"]) < late


def test_jobs_that_are_alike_are_two(client):
    """A stock server's set has equal jobs of one time once; here each comes."""
    text, _ = at(0.5)
    job = new_job(at=text, created_at="2026-11-26T00:00:00Z")
    client.push(job)
    client.push(job)
    assert [client.fetch()["jid"], client.fetch()["jid"]] == [job["jid"]] * 2


def test_many_due_at_once(client):
    """A thousand jobs due at one moment are all promoted, none twice."""
    text, _ = at(1)
    jobs = [new_job("many", at=text) for _ in range(1000)]
    assert client.pushb(jobs) == {}
    got = [client.fetch()["jid"] for _ in jobs]
    assert got == [j["jid"] for j in jobs]
    assert client.sets()["scheduled"] == 0


def test_due_while_the_server_was_down(server):
    """What came due while the server was down is enqueued at its start."""
    with server.client() as c:
        text, due = at(0.8)
        jid = c.push(at=text)["jid"]
        server.kill9()
    while time.time() < due + 0.05:
        time.sleep(0.05)
    server.start()
    with server.client() as c:
        assert c.fetch()["jid"] == jid
