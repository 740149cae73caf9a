"""HELD: a worker says which jobs it has, and the server takes back what an
answer that never arrived had reserved for it.

SPDX-License-Identifier: ISC
"""
import json
import os
import re
import threading

import pytest

from support.client import ServerError, compact, new_job
from support.disk import fill as fill_disk
from support.waiting import wait_for
from test_fetchb import fill, jids, reset, waits


def held(client, *jids):
    return client.call("HELD " + compact({"jids": list(jids)}))


def test_greeting_names_it(client):
    """By this a worker knows that it may use the verb."""
    assert "held" in client.greeting["x"]


def test_what_is_not_named_is_back_in_its_place(connect, client):
    """In front of what was pushed later, in its order, as if it had not been
    taken; what is named stays with its worker, also when the server does not
    know it any more."""
    w = connect(wid="w1")
    pushed = fill(client, 6)
    got = w.fetch_many(5)
    later = client.push()
    w.ack(pushed[3])
    assert held(w, pushed[1], pushed[3], "never-was-one", pushed[1]) == "OK"
    assert client.sets()["working"] == 1 and client.size() == 5
    again = client.fetch_many(16)
    assert jids(again) == [pushed[0], pushed[2], pushed[4], pushed[5], later["jid"]]
    assert [again[0], again[1], again[2]] == [got[0], got[2], got[4]]
    assert client.faktory()["total_failures"] == 0
    w.ok("ACK " + compact({"jid": pushed[1], "wid": "w1"}))


def test_who_waits_gets_what_comes_back(connect, client):
    """At once, as with RELEASE."""
    w = connect(wid="w1")
    pushed = fill(client, 1)
    assert jids(w.fetch_many(4)) == pushed
    waits(client, "FETCH default")
    assert held(w) == "OK"
    assert json.loads(client.reply())["jid"] == pushed[0]


def test_only_what_this_worker_has_reserved(connect, client):
    """Neither another worker's jobs nor those of a client without a name; and
    a client without a name has none to speak of."""
    one, two = connect(wid="w1"), connect(wid="w2")
    fill(client, 3)
    assert one.fetch() and two.fetch() and client.fetch()
    assert held(one) == "OK" and held(one) == "OK"
    assert client.sets()["working"] == 2 and client.size() == 1
    assert client.error('HELD {"jids":[]}') == "ERR HELD is for workers: HELLO had no wid"


def test_what_it_does_not_take(connect, client):
    """One clear message, and nothing has changed: not the jobs, and not the
    worker's other connections."""
    w, other = connect(wid="w1"), connect(wid="w1")
    pushed = fill(client, 2)
    assert w.fetch()["jid"] == pushed[0]
    assert w.error("HELD") == 'ERR HELD takes {"jids":[…]}'
    shape = "ERR invalid HELD: expected an object with an array of jids"
    for bad in ("{}", "[]", '{"jids":null}', '{"jids":"a"}', '{"jids":{}}', '{"JIDS":[]}', "1"):
        assert w.error("HELD " + bad) == shape
    assert w.error('HELD {"jids":[').startswith("ERR invalid HELD: byte 9: ")
    element = "ERR invalid HELD: jids: element %d is no string of at most 1024 bytes"
    assert w.error('HELD {"jids":["a",1]}') == element % 2
    assert w.error("HELD " + compact({"jids": ["x" * 1025]})) == element % 1
    assert w.error("HELD " + compact({"jids": ["x"] * 20001})) == \
        "ERR invalid HELD: more than 20000 jids"
    assert client.sets()["working"] == 1
    assert other.fetch()["jid"] == pushed[1]
    assert held(w, *["x" * 1024] * 19000, *pushed) == "OK"
    assert client.sets()["working"] == 2


def test_a_fetch_that_was_given_up_gets_nothing(connect, client):
    """A question that still waits on another connection of the worker cannot be
    one that it hears the answer of: that connection is closed, and the next job
    goes to who asks for it."""
    lost, w = connect(wid="w1"), connect(wid="w1")
    waits(lost, "FETCHB 4 default")
    assert held(w) == "OK"
    assert lost.closed()
    job = client.push()
    assert w.fetch()["jid"] == job["jid"]


def test_a_fetch_that_comes_late_gets_nothing(connect, client):
    """It had been on its way when its worker gave the connection up. What is
    said there of jobs is heard as before, and a new connection fetches."""
    lost, w = connect(wid="w1"), connect(wid="w1")
    pushed = fill(client, 2)
    assert w.fetch()["jid"] == pushed[0]
    assert held(w, pushed[0]) == "OK"
    lost.ack(pushed[0])
    lost.send("FETCH default\r\n")
    assert lost.closed()
    assert client.sets()["working"] == 0 and client.size() == 1
    assert connect(wid="w1").fetch()["jid"] == pushed[1]


def test_the_one_that_speaks_gets_jobs(connect, client):
    """On whichever connection HELD is said, though an earlier one was said on
    another: the worker goes on where it spoke last."""
    first, second = connect(wid="w1"), connect(wid="w1")
    pushed = fill(client, 3)
    assert held(first) == "OK"
    assert held(second) == "OK"
    assert second.fetch()["jid"] == pushed[0]
    first.send("FETCH default\r\n")
    assert first.closed()
    assert second.fetch()["jid"] == pushed[1]


def test_an_answer_that_waits_to_be_sent(server, connect, client):
    """It is not sent any more: its jobs are another's by then."""
    pushed = fill(client, 16, "x" * 60_000)
    deaf = server.client(receive=4096, wid="w1")
    deaf.send("FETCHB 16 default\r\n")
    wait_for("all to be reserved", lambda: client.sets()["working"] == 16)
    client.push(queue="behind")
    assert held(connect(wid="w1")) == "OK"
    assert jids(client.fetch_many(16)) == pushed
    deaf.socket.settimeout(60)
    with pytest.raises((ValueError, AssertionError, OSError, EOFError)):
        deaf.reply()


def test_taken_while_it_is_said(server, client):
    """Whatever the moment at which the connection was given up: none of its
    jobs stays reserved, none is in two hands, and their order is kept."""
    for n in range(20):
        with server.client(wid=f"w-{n}") as lost, server.client(wid=f"w-{n}") as w:
            pushed = fill(client, 12)
            said = threading.Thread(target=held, args=(w,))
            lost.send("FETCHB 12 default\r\n")
            said.start()
            said.join()
            wait_for("all to be back", lambda: client.size() == 12)
            assert jids(client.fetch_many(12)) == pushed
            assert client.sets()["working"] == 12
            for jid in pushed:
                client.ack(jid)


def test_a_death_behind_it_is_seen(start_server):
    """That the server closed a connection which the worker had given up does
    not hide that the worker then dies: its jobs are back within the grace."""
    s = start_server(config="worker_grace: 1s\n")
    with s.client() as c:
        lost, w = s.client(wid="w1"), s.client(wid="w1")
        waits(lost, "FETCH default")
        assert held(w) == "OK" and lost.closed()
        job = c.push()
        assert w.fetch()["jid"] == job["jid"]
        reset(w)
        wait_for("the job to be back", lambda: c.size() == 1)


def test_two_jobs_of_one_jid(connect, client):
    """Both are named by it: which of them the worker has cannot be told, and
    one that runs must not go back."""
    w = connect(wid="w1")
    twice = new_job()
    client.pushb([twice, twice])
    assert len(w.fetch_many(2)) == 2
    assert held(w, twice["jid"]) == "OK"
    assert client.sets()["working"] == 2
    assert held(w) == "OK"
    assert client.size() == 2


def test_it_is_no_death(start_server):
    """However often a job was lost on its way, that fails no job."""
    s = start_server(config="worker_deaths: 2\n")
    with s.client() as c, s.client(wid="w1") as w:
        job = c.push()
        for _ in range(5):
            got = w.fetch()
            assert got["jid"] == job["jid"] and "failure" not in got
            assert held(w) == "OK"
        assert c.size() == 1 and c.sets()["dead"] == 0


def test_a_cancelled_job_is_dead(connect, client):
    """It is not run again, as with every other end of its reservation."""
    w = connect(wid="w1", x=["cancel"])
    job = client.push()
    assert w.fetch()["jid"] == job["jid"]
    assert json.loads(client.call("CANCEL " + compact({"jid": job["jid"]})))["told"] == 1
    assert held(w) == "OK"
    assert client.sets()["dead"] == 1 and client.size() == 0


def test_one_commit_and_on_disk_before_it_is_told(start_server):
    """All that goes back goes together, and stays there through a kill; the log
    names the jobs and their worker."""
    s = start_server()
    with s.client() as c, s.client(wid="w1") as w:
        for _ in range(10):
            pushed = fill(c, 16)
            assert len(w.fetch_many(16)) == 16
            assert held(w) == "OK"
            c.mutate("clear", "dead")
            c.ok("QUEUE REMOVE default")
        pushed = fill(c, 16)
        assert len(w.fetch_many(16)) == 16
        assert held(w, pushed[7]) == "OK"
    assert s.program.stop() == 0
    log = s.program.output()
    commits = int(re.findall(r"changes in (\d+) commits", log)[-1])
    assert commits <= 11 * 4 + 15
    assert "wid=w1 does not have 15 jobs that were reserved for it" in log
    assert f"jid={pushed[0]}  had not reached wid=w1" in log
    s.restart()
    with s.client(wid="w1") as w:
        assert w.sets()["working"] == 1 and w.size() == 15
        assert held(w) == "OK"
        s.kill9()
    s.start()
    with s.client() as c:
        assert c.sets()["working"] == 0 and c.size() == 16
        assert jids(c.fetch_many(16)) == pushed


def test_a_quiet_worker_may_say_it(connect, client):
    """It gets no more jobs, and those that never reached it need not wait."""
    w = connect(wid="w1")
    client.push()
    assert w.fetch()
    assert json.loads(client.call('WORKER QUIET {"wid":"w1"}')) == {"workers": 1}
    assert held(w) == "OK"
    assert client.size() == 1


def test_a_refused_disk(start_server, small_disk):
    """An error, and every job is still reserved; said again when there is room,
    it does what it does."""
    s = start_server(data=small_disk / "data")
    with s.client() as c, s.client(wid="w1") as w:
        pushed = fill(c, 160, "x" * 3000)
        for _ in range(10):
            assert len(w.fetch_many(16)) == 16
    # Its end empties the log: else the file of that may have room for all.
    s.restart()
    with s.client() as c, s.client(wid="w1") as w:
        fill_disk(small_disk)
        answer = "OK"
        while answer == "OK" and c.size() < 160:
            # Until what the log's file had room for is used up.
            left = c.sets()["working"] - 8
            answer = held(w, *pushed[160 - left:]) if left > 0 else held(w)
        assert isinstance(answer, ServerError), "the disk took all of it"
        assert answer.text.startswith("ERR not written to disk: ")
        before = c.sets()["working"]
        assert before > 0 and c.size() == 160 - before
        os.unlink(small_disk / "ballast")
        wait_for("the server to write again", lambda: held(w) == "OK")
        assert c.sets()["working"] == 0
        got = []
        while len(got) < 160:
            got += jids(c.fetch_many(16))
        assert got == pushed
