"""queue_weights: jobs in proportion, whatever order a client names queues in.

SPDX-License-Identifier: ISC
"""
import random
import signal
from collections import Counter

import pytest

from support.client import new_job
from support.program import BUILD, run
from support.waiting import wait_for

WEIGHTS = {"critical": 5, "default": 2, "low": 1}
CONFIG = "queue_weights: {critical: 5, default: 2, low: 1}\n"


def fill(client, queues, n):
    for queue in queues:
        for first in range(0, n, 500):
            assert client.pushb([new_job(queue=queue) for _ in range(min(500, n - first))]) == {}


def serve(client, n, order):
    """How many of n jobs came from each queue; order() gives the names."""
    served = Counter()
    for _ in range(n):
        served[client.fetch(*order())["queue"]] += 1
    return served


@pytest.mark.parametrize("client_order", ["as given", "turned round", "shuffled"])
def test_thousands_of_fetches_are_in_proportion(start_server, client_order):
    """2400 fetches of full queues: 1500, 600 and 300, to the job, also for a
    client that shuffles by weights of its own."""
    s = start_server(config=CONFIG)
    chance = random.Random(7)
    names = list(WEIGHTS)

    def order():
        if client_order == "shuffled":
            return sorted(names, key=lambda q: chance.random() ** (1 / WEIGHTS[q]), reverse=True)
        return names if client_order == "as given" else names[::-1]
    with s.client() as c:
        fill(c, names, 1600)
        served = serve(c, 2400, order)
        assert served == {"critical": 1500, "default": 600, "low": 300}


def test_off_is_strict_order(start_server):
    """Without the setting the first queue is emptied first."""
    s = start_server()
    with s.client() as c:
        fill(c, WEIGHTS, 20)
        assert serve(c, 20, lambda: ["low", "default", "critical"]) == {"low": 20}


def test_queues_without_a_weight_keep_their_place(start_server):
    """In front of those with weights they are emptied first, behind them last."""
    s = start_server(config=CONFIG)
    with s.client() as c:
        fill(c, ["urgent", "critical", "low", "last"], 12)

        def order():
            return "urgent", "low", "critical", "last"
        assert serve(c, 12, order) == {"urgent": 12}
        assert serve(c, 6, order) == {"critical": 5, "low": 1}
        assert serve(c, 18, order) == {"critical": 7, "low": 11}
        assert serve(c, 12, order) == {"last": 12}


def test_an_empty_or_paused_queue_takes_no_part(start_server):
    """The others go on in their proportion, and what was away comes back
    without anything saved up; a single queue gives its jobs in order."""
    s = start_server(config=CONFIG)
    with s.client() as c:
        fill(c, ["default", "low"], 300)
        assert serve(c, 150, lambda: WEIGHTS) == {"default": 100, "low": 50}
        fill(c, ["critical"], 300)
        assert serve(c, 80, lambda: WEIGHTS) == {"critical": 50, "default": 20, "low": 10}
        c.ok("QUEUE PAUSE critical")
        assert serve(c, 30, lambda: WEIGHTS) == {"default": 20, "low": 10}
        c.ok("QUEUE RESUME critical")
        assert serve(c, 10, lambda: ["low"]) == {"low": 10}
        assert serve(c, 80, lambda: WEIGHTS) == {"critical": 50, "default": 20, "low": 10}


def test_a_waiting_fetch_is_woken_by_any_of_them(start_server):
    """Weights do not keep a waiting worker from the only job there is."""
    s = start_server(config=CONFIG)
    with s.client() as waiter, s.client() as c:
        for queue in WEIGHTS:
            waiter.send("FETCH critical default low\r\n")
            job = c.push(queue=queue)
            assert job["jid"].encode() in (waiter.reply() or b""), queue


def test_hup_reads_the_weights_again(start_server):
    """A good file is in force at once, a bad one changes nothing."""
    s = start_server(config=CONFIG)
    with s.client() as c:
        fill(c, ["a", "b"], 200)

        def reload(text, until):
            s.config.write_text(text)
            before = s.program.output().count(until)
            s.program.signal(signal.SIGHUP)
            wait_for(until, lambda: s.program.output().count(until) > before, 30)
        assert serve(c, 8, lambda: "ab") == {"a": 8}
        reload("queue_weights: {a: 1, b: 3}\n", "are those of")
        assert serve(c, 40, lambda: "ab") == {"a": 10, "b": 30}
        reload("queue_weights: {a: 0}\n", "nothing was changed")
        reload("queue_weights: {a: 1, b: 1}\njobtypes: {t: {args: {x: 1}}}\n", "nothing was changed")
        assert serve(c, 40, lambda: "ab") == {"a": 10, "b": 30}


@pytest.mark.parametrize("text, said", [
    ("{a: 0}", '1:20: queue_weights.a: 0 is too small, expected 1 to 1000'),
    ("{a: 1, a: 2}", "1:23: queue_weights.a is set twice"),
    ("{'a b': 1}", '1:17: queue_weights: "a b" cannot be a queue'),
    ("[a]", "1:16: queue_weights: a list stands here, expected a mapping of queues to weights"),
    ("{}", "1:16: queue_weights: 0 queues, expected 1 to 1000")])
def test_mistakes_are_told_with_their_place(tmp_path, text, said):
    """--check ends with 78."""
    config = tmp_path / "s.yaml"
    config.write_text(f"queue_weights: {text}\n")
    done = run([BUILD / "faktotum-server", "-c", config, "--check"])
    assert done.returncode == 78 and said in done.stderr.decode(), done.stderr
