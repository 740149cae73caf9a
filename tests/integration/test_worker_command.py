"""WORKER: an operator makes workers quiet, or ends them.

SPDX-License-Identifier: ISC
"""
import json

import pytest

from support.waiting import at_once

TAKES = 'ERR WORKER takes QUIET or TERMINATE, and {"wid":"…"}, {"label":"…"} or {"all":true}'


@pytest.fixture
def three(connect):
    return [connect(wid=f"w{i}", labels=labels) for i, labels in
        enumerate([["blue"], ["blue", "big"], []])]


def states(workers):
    answers = [w.beat(f"w{i}") for i, w in enumerate(workers)]
    return ["running" if a == "OK" else a["state"] for a in answers]


@pytest.mark.parametrize("whom, told", [
    ('{"wid":"w1"}', [1]), ('{"label":"blue"}', [0, 1]), ('{"label":"big"}', [1]),
    ('{"all":true}', [0, 1, 2]), ('{"label":"nobody"}', [])])
@pytest.mark.parametrize("word, state", [("QUIET", "quiet"), ("terminate", "terminate")])
def test_who_is_told(client, three, whom, told, word, state):
    """With its next beat, and every one after it; the answer says how many."""
    assert json.loads(client.call(f"WORKER {word} {whom}")) == {"workers": len(told)}
    for _ in range(2):
        assert states(three) == [state if i in told else "running" for i in range(3)]


def test_forward_only(client, three):
    """Terminate is not taken back by quiet."""
    client.call('WORKER TERMINATE {"all":true}')
    client.call('WORKER QUIET {"all":true}')
    assert states(three) == ["terminate"] * 3


def test_a_worker_that_is_not_there(client):
    """As BEAT says it."""
    assert client.error('WORKER QUIET {"wid":"nobody"}') == "ERR unknown worker nobody"


def start_fetch(worker, client):
    """A FETCH that has reached the server and waits there."""
    served = lambda: client.info()["server"]["command_count"]
    before, asked = served(), 0
    worker.send("FETCH default\r\n")
    while served() - before <= asked + 1:
        asked += 1


def test_a_fetch_that_waits_gets_nothing_any_more(client, three):
    """Quiet holds from this moment, on every connection."""
    fresh = iter(three)

    def attempt():
        worker = next(fresh)
        start_fetch(worker, client)
        client.call('WORKER QUIET {"wid":"w%d"}' % three.index(worker))
        assert worker.reply() is None
    at_once(attempt, limit=1.9, tries=3)
    job = client.push()
    assert three[0].fetch() is None
    assert client.fetch()["jid"] == job["jid"]


def test_quiet_by_a_beat_ends_a_waiting_fetch(connect, client):
    """The same for a worker that says so itself on another connection."""
    wids = iter(("w9", "w8", "w7"))

    def attempt():
        wid = next(wids)
        one, two = connect(wid=wid), connect(wid=wid)
        start_fetch(one, client)
        two.beat(wid, current_state="quiet")
        assert one.reply() is None
    at_once(attempt, limit=1.9, tries=3)
    job = client.push()
    assert client.fetch()["jid"] == job["jid"]


@pytest.mark.parametrize("line", ["WORKER", "WORKER QUIET", "WORKER QUIET {}", "WORKER RUN {\"all\":true}",
    'WORKER QUIET {"all":false}', 'WORKER QUIET {"wid":1}', 'WORKER QUIET {"wid":"a","label":"b"}',
    'WORKER QUIET {"name":"a"}', "WORKER QUIET all"])
def test_wrong_requests(client, three, line):
    """Told what it takes, and nobody is made quiet by a mistake."""
    assert client.error(line) == TAKES
    assert states(three) == ["running"] * 3
