"""QUEUE: pause, resume, remove, and how late a queue is.

SPDX-License-Identifier: ISC
"""
import json
import threading
import time

import pytest

from support.client import compact, new_job
from support.waiting import at_once, wait_for


def test_pause_stops_fetch_and_not_push(client):
    """A paused queue takes jobs and gives none; resumed, it gives them in order."""
    client.ok("QUEUE PAUSE default")
    first, second = client.push(), client.push()
    assert client.fetch() is None
    assert client.size() == 2
    client.ok("QUEUE RESUME default")
    assert [client.fetch()["jid"], client.fetch()["jid"]] == [first["jid"], second["jid"]]


def test_pause_of_a_queue_that_is_not_there_yet(client):
    """Pausing before the first push counts; a stock server forgets it."""
    client.ok("QUEUE PAUSE later")
    client.push(queue="later")
    assert client.fetch("later") is None


def test_other_queues_go_on(client):
    """Pause holds for the queues that were named, and `*` for all known ones."""
    for name in ("a", "b", "c"):
        client.push(queue=name)
    client.ok("QUEUE pause a b")
    assert client.fetch("a", "b", "c")["queue"] == "c"
    client.ok("QUEUE RESUME *")
    assert client.fetch("a", "b")["queue"] == "a"
    client.ok("QUEUE PAUSE *")
    assert client.fetch("a", "b") is None
    client.ok("QUEUE RESUME b")
    assert client.fetch("a", "b")["queue"] == "b"


def test_resume_serves_those_who_wait(client, connect):
    """A FETCH that waits at a paused queue is served when it is resumed, not
    after its two seconds."""
    waiting = connect(wid="w-1")
    served = lambda: client.info()["server"]["command_count"]

    def attempt():
        client.ok("QUEUE PAUSE default")
        client.push()
        before = served()
        waiting.send("FETCH default\r\n")
        wait_for("the FETCH to be there", lambda: served() > before + 1)
        client.ok("QUEUE RESUME default")
        assert waiting.reply() is not None
    at_once(attempt)


def test_pause_stops_a_fetch_that_waits_already(client, connect):
    """A pause holds for FETCHes that were waiting before it; a stock server
    still gives them one job."""
    waiting = connect(wid="w-1")
    waiting.send("FETCH default\r\n")
    wait_for("the FETCH to be there", lambda: client.info()["server"]["command_count"] >= 2, 5)
    client.ok("QUEUE PAUSE default")
    client.push()
    assert waiting.reply() is None
    assert client.size() == 1


def test_pause_survives_a_restart(server):
    """Pauses, also of empty queues, are on disk."""
    with server.client() as c:
        c.ok("QUEUE PAUSE empty full")
        c.push(queue="full")
    server.kill9()
    server.start()
    with server.client() as c:
        assert c.faktory()["queues"] == {"empty": 0, "full": 1}
        assert c.fetch("full", "empty") is None
        c.ok("QUEUE RESUME full")
        assert c.fetch("full") is not None


def test_remove(server):
    """The jobs that wait, the name and the pause are gone, on disk too; jobs
    that are reserved, scheduled or to be retried stay."""
    with server.client(wid="w-1") as c:
        held = c.push(queue="q")["jid"]
        retried = c.push(queue="q")["jid"]
        assert c.fetch("q")["jid"] == held and c.fetch("q")["jid"] == retried
        c.fail(retried)
        c.push(queue="q", at="2199-01-01T00:00:00Z")
        c.pushb([new_job(queue="q") for _ in range(300)])
        c.push(queue="other")
        c.ok("QUEUE PAUSE q")
        c.ok("QUEUE REMOVE q never-seen")
        assert c.faktory()["queues"] == {"other": 1}
        assert c.sets() == {"dead": 0, "retries": 1, "scheduled": 1, "working": 1}
        c.push(queue="q")
        assert c.fetch("q") is not None  # the pause is gone
        c.ack(held)
    server.kill9()
    server.start()
    with server.client() as c:
        assert c.faktory()["queues"] == {"other": 1, "q": 0}
        assert c.sets()["scheduled"] == 1 and c.sets()["retries"] == 1


def test_remove_all(client):
    """`*` stands for every queue that is known, here too."""
    client.push(queue="a")
    client.push(queue="b")
    client.ok("QUEUE PAUSE empty")
    client.ok("QUEUE REMOVE *")
    assert client.faktory()["queues"] == {}
    assert client.faktory()["total_enqueued"] == 0


def test_push_right_behind_remove(server):
    """A push sent ahead behind a REMOVE is a job in a queue that is known,
    after a restart as well."""
    with server.client() as c:
        c.push(queue="q")
        job = new_job(queue="q")
        c.send("QUEUE REMOVE q\r\nPUSH " + compact(job) + "\r\n")
        assert (c.reply(), c.reply()) == ("OK", "OK")
        assert c.faktory()["queues"] == {"q": 1}
    server.kill9()
    server.start()
    with server.client() as c:
        assert c.faktory()["queues"] == {"q": 1}
        assert c.fetch("q")["jid"] == job["jid"]


def queues_after_a_restart(server):
    server.kill9()
    server.start()
    with server.client() as c:
        return c.faktory()["queues"]


def ask_at_once(client, *lines):
    client.send("".join(line + "\r\n" for line in lines))
    assert [client.reply() for _ in lines] == ["OK"] * len(lines)


def test_push_right_behind_pause(server):
    """A push says nothing of the queue's pause, on disk either."""
    with server.client() as c:
        ask_at_once(c, "QUEUE PAUSE q", "PUSH " + compact(new_job(queue="q")))
        assert c.fetch("q") is None
    assert queues_after_a_restart(server) == {"q": 1}
    with server.client() as c:
        assert c.fetch("q") is None
        c.ok("QUEUE RESUME q")
        assert c.fetch("q") is not None


@pytest.mark.parametrize("resume", ["QUEUE RESUME q", "QUEUE RESUME *"])
def test_resume_right_behind_pause(server, resume):
    """What was said last holds, also of a queue that nobody knew before."""
    with server.client() as c:
        ask_at_once(c, "QUEUE PAUSE q", resume)
        c.push(queue="q")
        assert c.fetch("q") is not None
    assert queues_after_a_restart(server) == {"q": 0}


@pytest.mark.parametrize("forget", ["QUEUE REMOVE q", "FLUSH"])
def test_what_forgets_a_queue_right_behind_pause(server, forget):
    """No pause is left of it, and a later push makes it known again."""
    with server.client() as c:
        ask_at_once(c, "QUEUE PAUSE q", forget)
        assert c.faktory()["queues"] == {}
        c.push(queue="q")
        assert c.fetch("q") is not None
    assert queues_after_a_restart(server) == {"q": 0}


def test_remove_while_others_push_and_fetch(client, connect, server):
    """Under load no job is half there: what the counts say can be fetched."""
    stop = threading.Event()

    def work(n):
        with server.client(wid=f"w-{n}") as c:
            while not stop.is_set():
                c.push(queue="q")
                job = c.fetch("q")
                if job and n % 2:
                    c.ack(job["jid"])
                elif job:
                    c.fail(job["jid"])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for _ in range(30):
        client.ok("QUEUE REMOVE q")
    stop.set()
    for t in threads:
        t.join()
    for _ in range(client.size("q")):
        assert client.fetch("q") is not None
    assert client.size("q") == 0


def test_latency(client):
    """Seconds since the job that is next was enqueued; 0 for an empty queue."""
    client.push(queue="a")
    time.sleep(0.05)  # what is measured
    late = json.loads(client.call("QUEUE LATENCY a b a"))
    assert set(late) == {"a", "b"} and late["b"] == 0
    assert 0.05 <= late["a"] < 30
    assert json.loads(client.call("QUEUE LATENCY")) == {}
    client.fetch("a")
    assert json.loads(client.call("QUEUE LATENCY a")) == {"a": 0}


def test_latency_of_a_job_that_was_scheduled(client):
    """A job requeued out of the scheduled set counts from then; on a stock
    server the whole call fails."""
    client.push(queue="a", at="2199-01-01T00:00:00Z")
    client.mutate("requeue", "scheduled")
    assert 0 <= json.loads(client.call("QUEUE LATENCY a"))["a"] < 30


@pytest.mark.parametrize("line, text", [
    ("QUEUE LATENCY *", "QUEUE LATENCY does not support wildcards"),
    ("QUEUE FOO x", "no such QUEUE subcommand: FOO"),
    ("QUEUE ", "no such QUEUE subcommand: "),
    ("QUEUE PAUSE", "takes names"), ("QUEUE REMOVE ", "takes names"),
    ("QUEUE PAUSE a!b", "a!b is no queue's name"), ("QUEUE", "QUEUE takes"),
    ("TRACK GET x", "tracking subsystem is only available in Faktory Enterprise"),
    ("BATCH NEW {}", "batch subsystem is only available in Faktory Enterprise")])
def test_mistakes(client, line, text):
    """Texts that clients match are those of a stock server."""
    assert text in client.error(line)
