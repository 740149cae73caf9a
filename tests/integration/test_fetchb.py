"""FETCHB: several jobs in one answer, by the rules of as many FETCHes.

SPDX-License-Identifier: ISC
"""
import json
import re
from collections import Counter

import pytest

from support.client import compact, new_job
from support.waiting import wait_for
from test_fetch import reset

LARGE = "x" * 400_000


def jids(jobs):
    return [j["jid"] for j in jobs]


def fill(client, n, *args, **fields):
    """n jobs, pushed together; their jids in order."""
    jobs = [new_job("t", *args, **fields) for _ in range(n)]
    assert client.pushb(jobs) == {}
    return jids(jobs)


def state(c):
    """Of one moment: jobs that wait, that are reserved, and connections."""
    info = c.info()
    return (info["faktory"]["queues"].get("default", 0), info["faktory"]["sets"]["working"],
        info["server"]["connections"])


def waits(c, line):
    """Returns when the server serves nothing before this command."""
    c.send("INFO\r\n" + line + "\r\n")
    c.reply()


def test_greeting_names_it(client):
    """By this a worker knows that it may use the verb."""
    assert "fetchb" in client.greeting["x"]


def test_as_many_as_asked_for_in_order(client):
    """First in, first out, within an answer and from one to the next; each
    job has its reservation and ends alone."""
    pushed = fill(client, 10)
    first, second = client.fetch_many(4), client.fetch_many(4)
    assert jids(first + second) == pushed[:8]
    assert all(j["enqueued_at"] for j in first)
    assert client.sets()["working"] == 8 and client.size() == 2
    client.ack(pushed[0])
    client.fail(pushed[1])
    client.ok("RELEASE " + compact({"jid": pushed[2]}))
    assert client.sets()["working"] == 5 and client.sets()["retries"] == 1
    assert jids(client.fetch_many(16)) == [pushed[2]] + pushed[8:]


def test_one_commit_for_all_of_them(start_server):
    """Ten answers of ten jobs cost no more commits than ten of one."""
    s = start_server()
    with s.client() as c:
        for _ in range(10):
            fill(c, 10)
        for _ in range(10):
            assert len(c.fetch_many(10)) == 10
    assert s.program.stop() == 0
    commits = int(re.findall(r"changes in (\d+) commits", s.program.output())[-1])
    assert commits <= 10 + 10 + 5


def test_fewer_than_asked_for(client):
    """What is there comes at once; nothing for it stays behind."""
    pushed = fill(client, 2)
    assert jids(client.fetch_many(16)) == pushed
    assert client.fetch_many(3) == []  # after 2 s
    later = client.push()
    assert jids(client.fetch_many(1)) == [later["jid"]]


def test_what_it_does_not_take(client):
    """One clear message, and no job is touched."""
    client.push()
    number = "ERR FETCHB takes a number of jobs, 1 to 16, and at least one queue"
    for line in ("FETCHB default", "FETCHB 17 default", "FETCHB 0 default", "FETCHB -1 default",
            "FETCHB 4", "FETCHB 1.5 default", "FETCHB 99999999999999999999 default"):
        assert client.error(line) == number
    assert client.error("FETCHB") == "ERR FETCHB takes a number and at least one queue"
    for word in ("default:0", "default:17", "default:", "default:x", "a:1:2"):
        assert client.error(f"FETCHB 2 other {word}") == f"ERR FETCHB {word}: behind the " \
            "colon stands the most to take from this queue, 1 to 16"
    assert client.error("FETCHB 2 " + " ".join(["q"] * 1025)) == \
        "ERR FETCHB takes at most 1024 queues"
    assert client.size() == 1 and client.sets()["working"] == 0


def test_an_answer_has_a_ceiling(client):
    """1 MiB at most unless it is a single job: what does not fit is in its
    place again, in front of what was pushed after it."""
    pushed = fill(client, 5, LARGE)
    small = fill(client, 2)
    huge = fill(client, 2, LARGE * 4)
    answers = []
    while sum(len(a) for a in answers) < 9:
        answers.append(client.fetch_many(9))
        assert len(answers[-1]) == 1 or len(compact(answers[-1])) <= 1 << 20
        # What was put back is on disk before this is.
        client.push(queue="behind")
    assert [j for a in answers for j in jids(a)] == pushed + small + huge
    assert client.sets()["working"] == 9
    assert "failure" not in json.dumps(answers)


def test_who_waits_gets_what_comes(connect, client):
    """One that waits is answered with the first job there is; of those that
    are pushed together none is lost or overtaken."""
    c = connect()
    waits(c, "FETCHB 8 other default")
    job = client.push()
    assert [json.loads(j)["jid"] for j in c.reply()] == [job["jid"]]
    waits(c, "FETCHB 8 other default")
    pushed = fill(client, 5)
    got = [json.loads(j)["jid"] for j in c.reply()]
    assert got == pushed[:len(got)]
    while len(got) < 5:
        got += jids(c.fetch_many(8))
    assert got == pushed


def test_longest_waiter_is_served_first(connect, client):
    """One that asks for many has no privilege over one that asks for one."""
    one, many = connect(), connect()
    waits(one, "FETCH default")
    waits(many, "FETCHB 8 default")
    first, second = client.push(), client.push()
    assert json.loads(one.reply())["jid"] == first["jid"]
    assert [json.loads(j)["jid"] for j in many.reply()] == [second["jid"]]


def test_strict_order_and_limits_of_queues(client):
    """The first queue is emptied first; behind a colon stands the most that
    one gives, also when nothing else is there."""
    low, high = fill(client, 5, queue="low"), fill(client, 3, queue="high")
    assert jids(client.fetch_many(4, "high", "low")) == high + low[:1]
    assert jids(client.fetch_many(4, "high:2", "low:2")) == low[1:3]
    high = fill(client, 3, queue="high")
    assert jids(client.fetch_many(4, "high:1", "low:1")) == [high[0], low[3]]
    assert jids(client.fetch_many(1, "high:1", "low:1")) == [high[1]]
    # A name that nobody pushed to, one twice, one that no queue can have.
    assert jids(client.fetch_many(9, "none", "high", "high:1", "*", "low")) == [high[2], low[4]]


def test_weights_of_the_server_hold(start_server):
    """The turns that queues with weights take are the same as for one job
    after the other."""
    s = start_server(config="queue_weights: {a: 5, b: 2, c: 1}\n")
    with s.client() as c:
        for queue in "abc":
            fill(c, 60, queue=queue)
        got = Counter()
        for n in (1, 5, 16, 2, 8, 16, 16, 16):
            got.update(j["queue"] for j in c.fetch_many(n, "b", "c", "a"))
        assert got == {"a": 50, "b": 20, "c": 10}


def test_a_paused_queue_gives_nothing(client):
    """Neither to one that asks nor to one that waits already."""
    fill(client, 2, queue="held")
    other = fill(client, 2, queue="other")
    client.ok("QUEUE PAUSE held")
    assert jids(client.fetch_many(8, "held", "other")) == other
    assert client.fetch_many(8, "held", "other") == []
    client.ok("QUEUE RESUME held")
    assert len(client.fetch_many(8, "held", "other")) == 2


def test_a_quiet_worker_gets_none(connect, client):
    """As with FETCH: a null after the wait, and the jobs stay."""
    c = connect(wid="w1")
    client.push()
    assert json.loads(client.call('WORKER QUIET {"wid":"w1"}')) == {"workers": 1}
    assert c.fetch_many(4) == []
    assert client.size() == 1


def test_two_jobs_of_one_jid(client):
    """Each has its reservation: both are there, and each ends by its ACK."""
    twice = new_job()
    client.pushb([twice, new_job(), twice])
    got = client.fetch_many(8)
    assert [j["jid"] for j in got].count(twice["jid"]) == 2
    assert client.sets()["working"] == 3
    client.ack(twice["jid"])
    assert client.sets()["working"] == 2
    client.ack(twice["jid"])
    assert client.sets()["working"] == 1


@pytest.mark.parametrize("leave", [lambda c: c.close(), reset])
def test_who_leaves_before_the_answer_costs_nothing(start_server, leave):
    """A client that asks and goes: all of it is in the queue again in its
    order, no attempt counted, whether the jobs were being taken, were on their
    way, or had not been touched."""
    s = start_server(config="worker_grace: 1s\n")
    with s.client() as c:
        for n in range(8):
            pushed = fill(c, 12)
            gone = s.client(wid=f"gone-{n}")
            gone.send("FETCHB 12 default\r\n")
            leave(gone)
            wait_for("the jobs to be back", lambda: state(c) == (12, 0, 1))
            got = c.fetch_many(16)
            assert jids(got) == pushed and not any("failure" in j for j in got)
            for jid in pushed:
                c.ack(jid)


def test_an_answer_that_is_not_taken_whole(server, client):
    """The last bytes never left: all of its jobs go back, not only those that
    the client cannot have seen."""
    pushed = fill(client, 16, "x" * 60_000)
    deaf = server.client(receive=4096)  # without a wid: nobody would miss it
    deaf.send("FETCHB 16 default\r\n")
    wait_for("all to be reserved", lambda: client.sets()["working"] == 16)
    reset(deaf)
    wait_for("all to be back", lambda: client.size() == 16)
    assert jids(client.fetch_many(16)) == pushed


def test_settled_before_its_answer_was_taken(server, client):
    """A job that somebody else ends while its bytes wait to be sent is over:
    the others go back, and it does not."""
    pushed = fill(client, 16, "x" * 60_000)
    deaf = server.client(receive=4096)
    deaf.send("FETCHB 16 default\r\n")
    wait_for("all to be taken", lambda: client.sets()["working"] == 16)
    client.push(queue="behind")  # its commit is not before theirs
    for jid in (pushed[0], pushed[7], pushed[15]):
        client.ack(jid)
    reset(deaf)
    wait_for("the others to be back", lambda: client.size() == 13)
    assert jids(client.fetch_many(16)) == [p for i, p in enumerate(pushed) if i not in (0, 7, 15)]


def test_on_disk_before_it_is_told(server, client):
    """Killed after the answer: every job of it is reserved for its worker, and
    what was not in it waits in order."""
    pushed = fill(client, 10)
    with server.client(wid="w1") as w:
        assert jids(w.fetch_many(6)) == pushed[:6]
        server.kill9()
    server.start()
    with server.client(wid="w1") as w:
        assert (w.sets()["working"], w.size()) == (6, 4)
        for jid in pushed[:6]:
            w.ok("ACK " + compact({"jid": jid, "wid": "w1"}))
        assert jids(w.fetch_many(6)) == pushed[6:]


def test_fetch_is_what_it_was(client):
    """A client that knows nothing of it gets bulk strings and nulls, also on a
    connection that has used it, and after an error."""
    pushed = fill(client, 4)
    assert client.fetch()["jid"] == pushed[0]
    assert jids(client.fetch_many(2)) == pushed[1:3]
    assert isinstance(client.call("FETCH default"), bytes)
    assert client.fetch_many(2) == []
    assert client.call("FETCH default") is None
    client.error("FETCHB x default")
    client.push()
    assert isinstance(client.call("FETCH default"), bytes)
    # The colon is no letter of a queue's name: such a queue is always empty.
    client.push()
    assert client.call("FETCH default:1") is None


def test_sent_ahead(client):
    """Answers come in the order of the commands."""
    pushed = fill(client, 6)
    client.send("FETCHB 2 default\r\nFETCH default\r\nACK %s\r\nFETCHB 9 default\r\n"
        % compact({"jid": pushed[0]}))
    assert [json.loads(j)["jid"] for j in client.reply()] == pushed[:2]
    assert json.loads(client.reply())["jid"] == pushed[2]
    assert client.reply() == "OK"
    assert [json.loads(j)["jid"] for j in client.reply()] == pushed[3:]
