"""A full disk: an error for the client, a server that stays up and recovers.

SPDX-License-Identifier: ISC
"""
import json
import os

import pytest

from support.client import ServerError, compact, new_job
from support.disk import fill
from support.waiting import wait_for


def push_until_refused(c, acknowledged):
    for _ in range(20_000):
        job = new_job("t", "x" * 2000)
        try:
            c.push(job)
        except ServerError as e:
            return e
        acknowledged.append(job["jid"])
    raise AssertionError("the disk did not fill")


def test_full_disk_and_recovery(start_server, small_disk):
    """Nothing acknowledged is lost, the error says what it is, reading goes
    on, and writing goes on by itself when there is room again."""
    s = start_server(data=small_disk / "data")
    acknowledged = []
    with s.client() as c:
        for _ in range(20):
            acknowledged.append(c.push()["jid"])
        reserved = c.fetch()["jid"]
        fill(small_disk)
        refusal = push_until_refused(c, acknowledged)
        assert refusal.code == "ERR"
        # The same connection and others are still served.
        assert c.size() == len(acknowledged) - 1
        with s.client() as other:
            with pytest.raises(ServerError):
                other.push(new_job("t", "y" * 100_000))
        assert s.program.alive()

        os.unlink(small_disk / "ballast")
        def works_again():
            try:
                acknowledged.append(c.push()["jid"])
                return True
            except ServerError:
                return False
        wait_for("the server to write again", works_again, 10)
        c.ack(reserved)
        assert c.size() == len(acknowledged) - 1
    s.kill9()
    s.start()
    with s.client() as c:
        found = [c.fetch()["jid"] for _ in range(c.size())]
        assert found == [j for j in acknowledged if j != reserved]
        assert c.faktory()["total_processed"] == 1


def test_full_disk_at_ack_fetch_and_fail(start_server, small_disk):
    """A stock server loses the job whose FAIL meets a full disk. Ours keeps
    it where it was, and the repeated command succeeds later."""
    s = start_server(data=small_disk / "data")
    acknowledged = []
    with s.client() as c:
        first, second, third = (c.push(queue="q")["jid"] for _ in range(3))
        c.fetch("q")
        c.fetch("q")
        fill(small_disk)
        push_until_refused(c, acknowledged)
        before = c.sets()["working"]
        refused = 0
        for line in ('ACK {"jid":"%s"}' % first, 'FAIL {"jid":"%s"}' % second, "FETCH q"):
            answer = c.call(line)
            refused += isinstance(answer, ServerError)
            if isinstance(answer, ServerError):
                assert "not found" not in answer.text, line
        # One page may still fit somewhere, but not three changes for sure.
        if refused == 3:
            assert c.sets()["working"] == before
            assert c.size("q") == 1

        os.unlink(small_disk / "ballast")
        def settled():
            a = c.call('ACK {"jid":"%s"}' % first)
            f = c.call('FAIL {"jid":"%s"}' % second)
            return a == "OK" and (f == "OK" or "not found" in getattr(f, "text", ""))
        wait_for("the server to write again", settled, 10)
        sets = c.sets()
        assert sets["retries"] == 1
        assert c.size("q") + sets["working"] == 1
        if c.size("q"):
            assert c.fetch("q")["jid"] == third


def until_no_room(c, size, acknowledged, bulk=1):
    """Pushes until the server has no room for more; returns what it said."""
    for _ in range(40_000):
        jobs = [new_job("t", "x" * size) for _ in range(bulk)]
        refused = {}
        try:
            refused = c.pushb(jobs)
        except ServerError as e:
            return e.text
        acknowledged += [j["jid"] for j in jobs if j["jid"] not in refused]
        if refused:
            return next(iter(refused.values()))
    raise AssertionError("the disk did not fill")


@pytest.mark.slow(17)
@pytest.mark.parametrize("size, bulk", [(10, 1), (10, 200), (3000, 40), (60_000, 8),
    (5000, 200), (2100, 300), (1000, 900), (400_000, 1), (1_000_000, 1)])
def test_jobs_that_fill_the_disk_can_be_worked_off(start_server, small_disk, size, bulk):
    """Nobody else is on the disk, and nobody makes room: what jobs take is
    kept so far from the end that FETCH and ACK are written, also after a
    kill. The log must not have taken what emptying it needs, and no batch,
    however large, may go into what is kept back."""
    s = start_server(data=small_disk / "data")
    acknowledged = []
    with s.client() as c:
        said = until_no_room(c, size, acknowledged, bulk)
        assert "no room" in said or "full" in said, said
        if bulk * size >= 400_000:  # beside it small ones may still find room
            until_no_room(c, 10, acknowledged, 50)
    work_off(s, acknowledged)


def work_off(s, jids):
    """Some, and the rest after a kill; then there is room for more."""
    with s.client() as c:
        for jid in jids[:20]:
            assert c.fetch()["jid"] == jid
            c.ack(jid)
    s.kill9()
    s.start()
    with s.client() as c:
        for jid in jids[20:]:
            assert c.fetch()["jid"] == jid
            c.ack(jid)
        assert c.size() == 0
        def taken():
            try:
                c.push()
                return True
            except ServerError:
                return False
        wait_for("jobs to be taken again", taken)


def test_large_batches_at_once_leave_room(start_server, small_disk):
    """What has been let in and is not on the disk yet counts: a batch that
    would fit alone is refused beside others."""
    s = start_server(data=small_disk / "data")
    acknowledged = []
    clients = [s.client() for _ in range(6)]
    batches = [[new_job("t", "x" * 5000) for _ in range(90)] for _ in clients]
    for _ in range(3):
        for c, jobs in zip(clients, batches):
            c.send("PUSHB " + compact(jobs) + "\r\n")
        for c, jobs in zip(clients, batches):
            reply = c.reply()
            if isinstance(reply, ServerError):
                assert "no room" in reply.text
            else:
                refused = json.loads(reply)
                acknowledged += [j["jid"] for j in jobs if j["jid"] not in refused]
        batches = [[new_job("t", "x" * 5000) for _ in range(90)] for _ in clients]
    for c in clients:
        c.close()
    assert acknowledged
    with s.client() as c:
        assert c.size() == len(acknowledged)
        jids = [c.fetch()["jid"] for _ in acknowledged]
        assert sorted(jids) == sorted(acknowledged)
        for jid in jids:
            c.ack(jid)
    work_off(s, [])


def test_an_empty_disk_takes_a_large_batch_after_the_other(start_server, small_disk):
    """What has been worked off does not count, at the latest a moment later,
    though nothing else happens: a batch of a tenth of the disk is taken for
    ever, if each is worked off before the next."""
    s = start_server(data=small_disk / "data")
    with s.client() as c:
        def taken(jobs):
            answer = c.call("PUSHB " + compact(jobs))
            if isinstance(answer, ServerError):
                assert "no room" in answer.text, answer.text
            return answer == b"{}"
        for _ in range(30):
            jobs = [new_job("t", "x" * 4000) for _ in range(80)]
            wait_for("a batch to be taken", lambda: taken(jobs))
            for job in jobs:
                assert c.fetch()["jid"] == job["jid"]
                c.ack(job["jid"])
