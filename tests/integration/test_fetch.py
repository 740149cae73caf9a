"""FETCH: order, waiting, waking, and clients that go away while they wait.

SPDX-License-Identifier: ISC
"""
import json
import socket
import struct
import threading
import time

from support.client import new_job
from support.waiting import at_once, wait_for


def test_first_in_first_out(client):
    """A queue is a queue, over single and bulk pushes alike."""
    jobs = [client.push() for _ in range(5)]
    more = [new_job() for _ in range(5)]
    client.pushb(more)
    jobs += more + [client.push()]
    assert [client.fetch()["jid"] for _ in jobs] == [j["jid"] for j in jobs]


def test_queues_are_served_in_the_order_given(client):
    """Strict order: `high` is drained before `low` is touched."""
    low = client.push(queue="low")
    high = [client.push(queue="high") for _ in range(3)]
    got = [client.fetch("high", "low")["jid"] for _ in range(4)]
    assert got == [j["jid"] for j in high] + [low["jid"]]


def test_unknown_and_repeated_queues_do_no_harm(client):
    """Names nobody pushed to are empty queues, and are not listed after."""
    job = client.push(queue="known")
    assert client.fetch("nobody", "nobody", "*", "known", "known")["jid"] == job["jid"]
    assert set(client.faktory()["queues"]) == {"known"}


def test_empty_fetch_answers_null_after_two_seconds(client):
    """Workers poll by this time-out: 2 s, then a null, then at once again."""
    for line in ("FETCH default other", "FETCH "):
        began = time.monotonic()
        assert client.call(line) is None
        assert 1.95 <= time.monotonic() - began


def test_push_wakes_a_waiting_fetch(server, client):
    """A blocked FETCH gets the job at once, from any of its queues."""
    for queue in ("first", "second", "third"):
        with server.client() as waiter:
            def attempt():
                waiter.send("FETCH first second third\r\n")
                time.sleep(0.1)
                job = client.push(queue=queue)
                assert job["jid"].encode() in waiter.reply()
            at_once(attempt)


def test_longest_waiter_is_served_first(server, client):
    """Waiting workers are a queue too: nobody starves."""
    waiters = []
    for _ in range(5):
        w = server.client()
        w.send("INFO\r\nFETCH default\r\n")
        w.reply()  # it has been read, and what was sent with it
        waiters.append(w)
    jobs = [client.push() for _ in waiters]
    for waiter, job in zip(waiters, jobs):
        assert job["jid"].encode() in waiter.reply()
        waiter.close()


def test_one_push_wakes_one_waiter(server, client):
    """Ten wait, one job comes: one gets it, the others their null."""
    waiters = [server.client() for _ in range(10)]
    for w in waiters:
        w.send("FETCH default\r\n")
    time.sleep(0.1)
    client.push()
    answers = [w.reply() for w in waiters]
    assert sum(a is not None for a in answers) == 1
    for w in waiters:
        w.close()


def reset(client):
    """Closes with RST, as a killed machine's kernel would."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.file.close()
    client.socket.close()


def test_vanished_waiter_costs_no_job(server, client):
    """A stock server hands the job to the dead socket and it is gone for half
    an hour. Ours gives it to the next who asks."""
    for leave in (lambda c: c.close(), reset):
        gone = server.client(wid="gone-for-good")
        gone.send("FETCH default\r\n")
        time.sleep(0.1)
        leave(gone)
        job = client.push()
        got = client.fetch()
        assert got is not None and got["jid"] == job["jid"]
        assert client.sets()["working"] == 1
        client.ack(job["jid"])


def test_vanished_waiters_among_living_ones(server, client):
    """Half of the waiters leave at the moment the jobs arrive: no job is lost
    or delivered twice, and none goes to a socket that is known to be closed."""
    missing = []
    for _ in range(10):
        leaving = [server.client() for _ in range(5)]
        staying = [server.client() for _ in range(5)]
        for pair in zip(leaving, staying):
            for c in pair:
                c.send("FETCH default\r\n")
        pushed = [new_job() for _ in range(10)]
        t = threading.Thread(target=lambda: [reset(c) for c in leaving])
        t.start()
        client.pushb(pushed)
        t.join()
        got = []
        for c in staying:
            raw = c.reply()
            if raw is not None:
                got.append(json.loads(raw)["jid"])
            c.close()
        # On its way back a job still counts as reserved: what is sent from now
        # on is on disk behind it.
        client.push(queue="behind")

        def drained():
            # What went to a closed socket is put back, which takes a moment.
            while client.size() > 0:
                got.append(client.fetch()["jid"])
            return client.sets()["working"] == len(pushed)
        wait_for("every job to be reserved", drained, 10)
        # A reply that left before the reset arrived may be on its way still.
        assert len(got) == len(set(got))
        assert set(got) <= {j["jid"] for j in pushed}
        missing.append(len(pushed) - len(got))
        for job in pushed:
            client.ack(job["jid"])
    assert client.sets()["working"] == 0
    # Where the resets come late, as on a slow machine, they come too late.
    assert 0 in missing, f"{missing} of 10 went to sockets that were being closed"


def test_pipelined_fetches(client):
    """Several FETCHes in one packet: each gets its job, in order."""
    jobs = [client.push() for _ in range(20)]
    client.send("FETCH default\r\n" * 20)
    for job in jobs:
        assert job["jid"].encode() in client.reply()


def test_commands_behind_a_blocked_fetch_wait_for_it(client):
    """One connection is one line: what is pipelined behind a blocked FETCH is
    answered after it and not before."""
    began = time.monotonic()
    client.send('FETCH default\r\nFOO\r\n')
    assert client.reply() is None
    assert client.reply().text == "ERR unknown command FOO"
    assert time.monotonic() - began >= 1.95


def test_big_jobs_to_a_slow_reader(server, client):
    """A worker that reads slowly holds up nobody but itself."""
    blob = "x" * 4_000_000
    for _ in range(3):
        client.push(new_job("big", blob, queue="big"))
    with server.client() as slow:
        slow.send("FETCH big\r\n" * 3)
        time.sleep(0.2)
        for _ in range(3):
            job = client.push()
            assert client.fetch()["jid"] == job["jid"]
        for _ in range(3):
            assert len(slow.reply()) > 4_000_000


def test_each_job_counts_once(server):
    """While jobs are worked off, what INFO tells of them fits together: none
    is processed and still held, none is neither waiting nor held, not even
    while that is on its way to the disk."""
    looks, between = 20, 10
    jobs = looks * between
    with server.client() as c:
        for _ in range(jobs):
            c.push()
    looked = threading.Semaphore(0)

    def work():
        """Some jobs for each look, so that however fast either is both go on together."""
        with server.client(wid="works-on") as w:
            for _ in range(looks):
                if not looked.acquire(timeout=60):
                    return
                for _ in range(between):
                    w.ack(w.fetch()["jid"])
    worker = threading.Thread(target=work)
    worker.start()
    told = []
    with server.client() as c:
        while worker.is_alive():
            f = c.info()["faktory"]
            told.append((f["total_processed"], f["sets"]["working"], f["total_enqueued"]))
            looked.release()
        worker.join()
        assert c.faktory()["total_processed"] == jobs
    assert [t for t in told if sum(t) != jobs] == []
