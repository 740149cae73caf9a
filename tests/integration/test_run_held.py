"""An answer to FETCH that never arrives: the server is told what is here, and
has the rest back at once.

Reservations are half an hour long in these tests: what comes back in time has
not waited for their end.

SPDX-License-Identifier: ISC
"""
import json
import re
import signal
import threading

import pytest

from support.client import new_job
from support.peer import Peer
from support.ports import free_port
from support.tap import CUT
from support.waiting import wait_for
from test_run_fetchb import jobs_in, lines


@pytest.fixture
def server(start_server, request):
    return start_server(config=getattr(request, "param", ""))


def record(bench, name="h"):
    """A handler that writes its jobs' names and waits for `go`."""
    began, go = bench.scratch / "began", bench.scratch / "go"
    return began, go, bench.script(name,
        f'echo "$FAKTORY_JID" >>{began}\nwhile ! [ -e {go} ]; do sleep 0.05; done')


def lose(bench, n=1, when=lambda: True):
    """The next n answers that bring jobs are lost with their conversation."""
    def rule(number, request, reply):
        if request.startswith("FETCH") and jobs_in(reply) and rule.left and when():
            rule.left -= 1
            rule.lost += jobs_in(reply)
            return CUT
        return reply
    rule.left, rule.lost = n, 0
    bench.tap.rule = rule
    return rule


def told(bench):
    return [set(h["jids"]) for h in bench.tap.sent("HELD")]


def test_a_lost_answer_costs_no_time_and_no_job(bench):
    """All of its jobs run, each once, and the one who said nothing is not held
    to have died or failed."""
    began, go, handler = record(bench)
    go.touch()
    rule = lose(bench, 3)
    jobs = [new_job("t") for _ in range(12)]
    bench.client.pushb(jobs)
    bench.run({"t": handler}, concurrency=4)
    bench.acked(*[j["jid"] for j in jobs])
    assert rule.lost >= 3
    assert sorted(lines(began)) == sorted(j["jid"] for j in jobs)
    wait_for("all to be over", lambda: not any(bench.client.sets().values()))
    assert bench.client.faktory()["total_failures"] == 0
    assert "were reserved for it" in bench.server.program.output()


def test_a_server_that_is_killed_with_its_answer(bench):
    """kill -9 after the commit, before a byte of the reply is out."""
    began, go, handler = record(bench)
    go.touch()

    arrived, killed = threading.Event(), threading.Event()

    def withhold(number, request, reply):
        if request.startswith("FETCH") and jobs_in(reply) and not killed.is_set():
            arrived.set()
            killed.wait()
            return CUT
        return reply
    bench.tap.rule = withhold
    jobs = [new_job("t") for _ in range(8)]
    bench.client.pushb(jobs)
    bench.client.close()
    bench.run({"t": handler}, concurrency=4)
    wait_for("an answer to be on its way", arrived.is_set)
    bench.server.kill9()
    killed.set()
    bench.server.start()
    wait_for("all to run", lambda: len(lines(began)) == 8, 60)
    with bench.server.client() as c:
        wait_for("all to be over", lambda: not any(c.sets().values()) and c.size() == 0)
    assert sorted(lines(began)) == sorted(j["jid"] for j in jobs)


def test_what_is_here_is_named(bench):
    """Jobs that run, that wait for their handler, and that have ended with an
    ACK nobody has answered: none of them runs again."""
    began, go, handler = record(bench)
    ended = bench.script("quick", f'echo "$FAKTORY_JID" >>{began}')
    rule = lose(bench, 0)
    lost_ack = bench.tap.rule

    def no_acks(number, request, reply):
        if request.startswith("ACK") and not no_acks.over:
            return CUT
        return lost_ack(number, request, reply)
    no_acks.over = False
    bench.tap.rule = no_acks
    runs = [new_job("long") for _ in range(3)]  # one waits: two at once
    bench.client.pushb(runs)
    bench.run({"long": {"exec": [handler], "concurrency": 2}, "quick": ended}, concurrency=8)
    wait_for("two to run and one to wait", lambda: bench.client.sets()["working"] == 3)
    quick = bench.client.push(new_job("quick"))
    wait_for("it to end", lambda: quick["jid"] in lines(began))
    here = {j["jid"] for j in runs + [quick]}
    wait_for("its ACK to be tried", lambda: bench.tap.about("ACK", quick["jid"]))
    rule.left = 1
    lost = bench.client.push(new_job("long"))
    wait_for("an answer to be lost", lambda: rule.lost)
    wait_for("them to be told", lambda: told(bench)[-1] == here)
    no_acks.over = True
    go.touch()
    bench.acked(*here, lost["jid"])
    assert sorted(lines(began)) == sorted(here | {lost["jid"]})


class Waiting:
    """Jobs that are here and do not run: one waits for its handler's concurrency,
    one for its handler's breaker; one has succeeded and one has asked for a later
    time, and the server does not hear of either before arrive()."""

    def __init__(self, bench, **settings):
        self.bench = bench
        self.began, self.go, handler = record(bench)
        self.rule = lose(bench, 0)
        bench.tap.withholds = lambda line: line.startswith(("ACK ", "FAIL "))
        mark = f'echo "$FAKTORY_JID" >>{self.began}'
        gone = bench.script("gone", mark, shell=bench.scratch / "no-shell")
        s = bench.run({"long": {"exec": [handler], "concurrency": 2},
            "gone": {"exec": [gone], "queues": ["fragile"], "breaker":
                {"cooldown": "200ms", "max_cooldown": "400ms", "hold": "10m"}},
            "later": {"exec": [bench.script("later", mark + "; exit 75")], "later": "1h"},
            "quick": bench.script("quick", mark)},
            concurrency=32, queues=["fragile", "default"], **settings)
        self.jids = {name: [bench.push(name, queue=queue) for _ in range(n)]
            for name, queue, n in (("long", "default", 3), ("gone", "fragile", 1),
                ("later", "default", 1), ("quick", "default", 1))}
        self.here = {jid for jids in self.jids.values() for jid in jids}
        s.says(re.compile(f"{self.jids['gone'][0]}[^\\n]*waits up to"))
        wait_for("all to be here", lambda: bench.client.sets()["working"] == len(self.here))
        wait_for("two to run and one to wait", lambda: len(set(self.jids["long"]) &
            set(lines(self.began))) == 2)
        s.says(re.compile(f"{self.jids['quick'][0]}[^\\n]*done in"))
        s.says(re.compile(f"{self.jids['later'][0]}[^\\n]*reported FAIL"))

    def arrive(self, *more):
        """The server hears of all that ends; each of them, and of `more`, has run
        once, and nothing has failed but what asked for a later time."""
        b, later = self.bench, self.jids["later"]
        assert b.client.sets()["working"] >= len(self.here)
        b.tap.withholds = lambda line: False
        b.script("gone", f'echo "$FAKTORY_JID" >>{self.began}')
        self.go.touch()
        b.acked(*self.here - set(later), *more)
        b.failed(*later)
        assert sorted(lines(self.began)) == sorted(self.here | set(more))
        sets = b.client.sets()
        assert (sets["working"], sets["retries"], b.client.size()) == (0, 1, 0)
        assert {d["jid"] for d in b.tap.done("FAIL")} == set(later)


def test_what_waits_is_named(bench):
    """After a lost answer: what does not run is here all the same. None of it is
    given back, and none runs twice."""
    scene = Waiting(bench)
    scene.rule.left = 1
    lost = bench.push("long")
    wait_for("an answer to be lost", lambda: scene.rule.lost)
    wait_for("them to be told", lambda: told(bench)[-1] == scene.here)
    wait_for("the other to be here", lambda: bench.client.size() == 0)
    scene.arrive(lost)


def test_what_waits_goes_through_an_upgrade(bench):
    """The successor, under the same wid, names it before it asks for a job."""
    scene = Waiting(bench, upgrade="on")
    before = len(told(bench))
    bench.supervisor.signal(signal.SIGUSR2)
    bench.supervisor.says("going on with")
    wait_for("it to be told", lambda: len(told(bench)) > before)
    assert told(bench)[before] == scene.here
    scene.arrive()


@pytest.mark.parametrize("server", ["worker_grace: 1h\n"], indirect=True)
def test_what_the_journal_brings_is_named(bench):
    """A supervisor is killed before the server hears of a success, and the server
    hands the job to the next one, in an answer that is lost. That has the job's
    outcome from the journal: it names the job, which does not come back."""
    state = bench.scratch / "state"
    state.mkdir()
    began = bench.scratch / "began"
    rule = lose(bench, 0)
    bench.tap.withholds = lambda line: line.startswith("ACK ")
    s = bench.run({"t": bench.script("h", f'echo "$FAKTORY_JID" >>{began}')},
        state_dir=str(state))
    job = bench.push("t")
    # The thread that writes it runs beside the ACK.
    wait_for("the journal", lambda: (state / "outcomes").exists()
        and job.encode() in (state / "outcomes").read_bytes())
    s.signal(signal.SIGKILL)
    s.wait()
    wait_for("its connections to end", lambda: bench.client.info()["server"]["connections"] == 1)
    bench.client.ok("RELEASE " + json.dumps({"jid": job}))
    assert bench.client.size() == 1
    before = len(told(bench))
    rule.left = 1
    bench.process = s.start().process
    wait_for("it to be lost", lambda: rule.lost)
    wait_for("it to be told", lambda: len(told(bench)) == before + 2)
    assert told(bench)[before:] == [{job}, {job}]
    bench.tap.withholds = lambda line: False
    bench.acked(job)
    assert lines(began) == [job]
    assert not any(bench.client.sets().values()) and bench.client.size() == 0


def test_what_an_upgrade_carries_over_is_named(bench):
    """The successor tells it in the old name before it asks for a job."""
    began, go, handler = record(bench)
    job = bench.client.push(new_job("t"))
    bench.run({"t": handler}, concurrency=2, upgrade="on")
    wait_for("it to run", lambda: lines(began))
    before = len(told(bench))
    bench.supervisor.signal(signal.SIGUSR2)
    bench.supervisor.says("going on with")
    wait_for("it to be told", lambda: len(told(bench)) > before)
    assert told(bench)[before:] == [{job["jid"]}]
    go.touch()
    bench.acked(job["jid"])
    assert lines(began) == [job["jid"]]


def test_a_stock_server_is_never_told(bench):
    """Neither at the start nor after a loss."""
    began, go, handler = record(bench)
    go.touch()
    bench.tap.stock = True
    bench.run({"t": handler}, concurrency=2)
    wait_for("a question", bench.tap.fetches)
    bench.tap.cut()
    asked = len(bench.tap.fetches())
    wait_for("the next", lambda: len(bench.tap.fetches()) > asked)
    job = bench.client.push(new_job("t"))
    bench.acked(job["jid"])
    assert told(bench) == []


def test_one_that_takes_no_more_jobs_tells_it_too(bench):
    """Quiet, since the answer was on its way: others need not wait for it."""
    began, go, handler = record(bench)
    rule = lose(bench, 1, lambda: bench.supervisor.signal(signal.SIGTSTP) or True)
    jobs = [new_job("t") for _ in range(3)]
    bench.client.pushb(jobs)
    bench.run({"t": handler}, concurrency=3)
    wait_for("an answer to be lost", lambda: rule.lost)
    wait_for("them to be back", lambda: bench.client.size() == 3)
    assert [j["jid"] for j in bench.client.fetch_many(3)] == [j["jid"] for j in jobs]
    assert lines(began) == []


def test_a_refusal_drops_nothing(bench):
    """The server cannot write: jobs go on being fetched, and what was lost is
    told at a later time."""
    began, go, handler = record(bench)
    go.touch()
    refused = b"-ERR not written to disk: database or disk is full\r\n"

    def rule(number, request, reply):
        return refused if request.startswith("HELD") else reply
    bench.tap.rule = rule
    bench.run({"t": handler}, concurrency=2)
    job = bench.client.push(new_job("t"))
    bench.acked(job["jid"])
    bench.supervisor.says("answers HELD with")
    assert len(told(bench)) == 1


def test_each_server_is_told_of_all(start_supervisor, bench, ending):
    """The second of two is told before it is asked, of the first one's jobs
    too: it may be the same server by another name."""
    began, go, handler = record(bench)

    class Closing(Peer):
        def close(self):
            self.__exit__()
    first = Closing()
    ending.append(first)
    first.serve()
    first.jobs.append({"jid": "job-0001", "jobtype": "t", "args": [], "queue": "default"})
    s = start_supervisor(None, {"server": [first.url, bench.tap.url], "concurrency": 4,
        "jobs": {"t": {"exec": [handler]}}})
    bench.supervisor, bench.process = s, s.process
    wait_for("it to run", lambda: lines(began) == ["job-0001"])
    first.listener.close()
    first.hang_up_all()
    job = bench.client.push(new_job("t"))
    wait_for("the other to run", lambda: len(lines(began)) == 2, 60)
    assert told(bench) == [{"job-0001"}]
    go.touch()
    bench.acked(job["jid"])


def test_what_the_server_gave_away_is_not_named(start_server, start_supervisor, ending, tmp_path):
    """It has lost a job whose program is still being ended, and gets the same job
    again, in an answer that is lost: that one goes back and runs, and does not stay
    reserved because the old program is here."""
    from conftest import Bench
    bench = Bench(start_server(config="worker_grace: 500ms\n"), start_supervisor, ending,
        tmp_path)
    began, go = bench.scratch / "began", bench.scratch / "go"
    # Something that left its group keeps the output open, for two seconds.
    handler = bench.script("h", f'echo "$FAKTORY_JID" >>{began}\n[ -e {go} ] && exit 0\n'
        'setsid sleep 300 &\nexec sleep 300')
    rule = lose(bench, 0)
    bench.run({"t": handler}, concurrency=2)
    job = bench.push("t")
    wait_for("it to run", lambda: lines(began))
    bench.tap.open.clear()
    bench.tap.cut()
    wait_for("it to be given away", lambda: bench.client.size() == 1)
    go.touch()
    rule.left = 1
    bench.tap.open.set()
    bench.acked(job)
    assert rule.lost == 1
    assert lines(began) == [job, job]


@pytest.mark.slow(17)
def test_a_server_that_was_left_is_told_too(start_supervisor, bench, ending):
    """Jobs come from another server by the time an answer is lost: this one is told
    what is here before its conversations end, and has the job back at once."""
    class Closing(Peer):
        def close(self):
            self.__exit__()
    first = Closing(port=free_port())
    first.listener.close()
    s = start_supervisor(None, {"server": [first.url, bench.tap.url], "concurrency": 4,
        "jobs": {"t": {"exec": ["/bin/true"]}}})
    bench.supervisor, bench.process = s, s.process
    wait_for("a question", bench.tap.fetches)
    # As if an answer to this worker had been lost.
    twin = bench.server.client(wid=bench.tap.wid())
    ending.append(twin)
    job = twin.push(queue="unasked")
    assert twin.fetch("unasked")["jid"] == job["jid"]
    back = Closing(port=first.port)
    ending.append(back)
    bench.tap.rule = lambda number, request, reply: \
        CUT if request.startswith("FETCH") and back.hellos else reply
    back.serve()
    s.says("answers again", 60)
    wait_for("the job to be back", lambda: bench.client.size("unasked") == 1, 60)
    back.jobs.append({"jid": "job-0001", "jobtype": "t", "args": [], "queue": "default"})
    back.wait(lambda: back.acks == ["job-0001"], "the first's ACK")
    wait_for("the end of both conversations", lambda: len(bench.tap.lines("END")) >= 2)
