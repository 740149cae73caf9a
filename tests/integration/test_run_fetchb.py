"""`faktotum run` asks our server for several jobs at once, and never for more
than it can start.

SPDX-License-Identifier: ISC
"""
import re
import signal
import threading

import pytest

from support.client import new_job
from support.waiting import wait_for


def lines(path):
    return path.read_text().split() if path.exists() else []


def jobs_in(reply):
    """How many jobs a reply to FETCH or FETCHB brings."""
    if reply[:1] == b"*":
        return int(reply[1:reply.index(b"\r")])
    return 1 if reply[:1] == b"$" and reply[:3] != b"$-1" else 0


def gate(bench):
    """Jobs that write their names and then wait for `go`, each for its own
    turn: one byte of it lets one through."""
    began, go, ended = (bench.scratch / n for n in ("began", "go", "ended"))
    return began, go, ended, bench.script("gate",
        f'echo "$FAKTORY_JID" >>{began}\n'
        f'while ! [ -e {go} ] && ! [ -e "{go}-$FAKTORY_JID" ]; do sleep 0.05; done\n'
        f'echo "$FAKTORY_JID" >>{ended}')


def test_never_more_than_there_are_slots(bench):
    """Concurrency 4 and 20 jobs: four are taken in one answer; no more comes
    before one of them has ended, and then no more than have ended."""
    began, go, ended, handler = gate(bench)
    beyond = []

    def count(number, request, reply):
        # A slot is free, and asked for, only after its program had ended.
        count.came += jobs_in(reply) if request.startswith("FETCH") else 0
        if count.came - len(lines(ended)) > 4:
            beyond.append((request, count.came))
        return reply
    count.came = 0
    bench.tap.rule = count
    jids = [new_job("t") for _ in range(20)]
    bench.client.pushb(jids)
    jids = [j["jid"] for j in jids]
    bench.run({"t": handler}, concurrency=4)
    wait_for("four to begin", lambda: len(lines(began)) == 4)
    assert bench.tap.fetches() == [(4, ["default"])]
    assert (bench.client.sets()["working"], bench.client.size()) == (4, 16)
    assert sorted(lines(began)) == jids[:4]
    for n in range(1, 4):
        (bench.scratch / f"go-{jids[n]}").touch()
        bench.acked(jids[n])
        wait_for("the next", lambda: len(lines(began)) == 4 + n)
        assert bench.client.sets()["working"] == 4
    go.touch()
    bench.acked(*jids)
    assert not beyond
    assert sorted(lines(ended)) == jids
    assert bench.client.sets()["working"] == 0


def test_a_jobtype_that_is_full_is_asked_for_one_by_one(bench):
    """While jobs may have to wait here none is taken beside the one that
    shows it: as few are held as with single FETCHes, and the limit is kept."""
    began, go, _, handler = gate(bench)
    jobs = [new_job("t") for _ in range(20)]
    bench.client.pushb(jobs)
    bench.run({"t": {"exec": [handler], "concurrency": 2},
        "other": bench.script("other", "exit 0")}, concurrency=8)
    held = lambda: re.findall(r"(\d+) held", bench.supervisor.output())
    # It goes on asking while a quarter of its slots or less is held.
    wait_for("it to hold what it may", lambda: bench.client.sets()["working"] >= 5)
    assert len(lines(began)) == 2, held()
    asked = [n for n, _ in bench.tap.fetches()]
    assert asked[0] == 2 and set(asked[1:]) == {1}
    assert bench.client.sets()["working"] <= 2 + 3 + 2  # three questions at most at once
    go.touch()
    bench.acked(*[j["jid"] for j in jobs])


def test_a_limit_of_a_queue_goes_with_the_question(bench):
    """Its jobs and those of others come in one answer, and no more of it than
    it has places."""
    began, go, _, handler = gate(bench)
    narrow = [new_job("t", queue="narrow") for _ in range(6)]
    wide = [new_job("t", queue="wide") for _ in range(6)]
    bench.client.pushb(narrow + wide)
    bench.run({"t": handler}, queues=["narrow", "wide"], queue_concurrency={"narrow": 2},
        concurrency=6)
    wait_for("six to begin", lambda: len(lines(began)) == 6)
    assert bench.tap.fetches()[0] == (6, ["narrow:2", "wide"])
    assert (bench.client.size("narrow"), bench.client.size("wide")) == (4, 2)
    go.touch()
    bench.acked(*[j["jid"] for j in narrow + wide])


def test_a_stock_server_never_sees_it(bench):
    """One that does not name the extension is asked for one job at a time."""
    bench.tap.stock = True
    jobs = [new_job("t") for _ in range(30)]
    bench.client.pushb(jobs)
    bench.run({"t": bench.script("h", "exit 0")}, concurrency=8)
    bench.acked(*[j["jid"] for j in jobs])
    assert bench.tap.lines("FETCH") and not bench.tap.lines("FETCHB")


@pytest.mark.slow(64)
def test_a_server_that_is_killed_loses_none(bench):
    """kill -9 of the server, again and again while answers with several jobs
    are on their way: every job runs, and all are gone at the end. Those of an
    answer that was lost are back when the supervisor is, and not half an hour
    later."""
    ran = bench.scratch / "ran"
    jobs = [new_job("t") for _ in range(300)]
    bench.client.pushb(jobs)
    bench.client.close()
    bench.run({"t": bench.script("h", f'echo "$FAKTORY_JID" >>{ran}')}, concurrency=8)
    for n in range(1, 4):
        wait_for("some to run", lambda: len(lines(ran)) >= 60 * n)
        bench.server.kill9()
        bench.server.start()
    assert any(n > 1 for n, _ in bench.tap.fetches())
    with bench.server.client() as c:
        def settled():
            facts = c.faktory()
            if facts["sets"]["retries"]:
                c.mutate("requeue", "retries")
            return facts["queues"].get("default", 0) == 0 and not any(facts["sets"].values())
        wait_for("all to be settled", settled, 240)
    assert set(lines(ran)) == {j["jid"] for j in jobs}


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGUSR2])
def test_an_answer_that_comes_while_it_stops(bench, sig):
    """TERM whose drain is over, or an upgrade, while four jobs are on their
    way: they go back to their places, or are run by the successor."""
    began, go, ended, handler = gate(bench)
    arrived, pass_on = threading.Event(), threading.Event()

    def withhold(number, request, reply):
        if jobs_in(reply) > 1 and not pass_on.is_set():
            arrived.set()
            pass_on.wait()
        return reply
    bench.tap.rule = withhold
    jobs = [new_job("t") for _ in range(4)]
    bench.client.pushb(jobs)
    jids = [j["jid"] for j in jobs]
    bench.run({"t": handler}, concurrency=4, shutdown={"grace": "1s"}, defaults={"grace": "1s"},
        upgrade="on")
    wait_for("the jobs to be on their way", arrived.is_set)
    bench.supervisor.signal(sig)
    if sig == signal.SIGUSR2:
        pass_on.set()
        bench.supervisor.says("going on with")
        go.touch()
        bench.acked(*jids)
        assert sorted(lines(ended)) == jids
        return
    bench.supervisor.says("no more jobs are fetched")
    bench.supervisor.signal(signal.SIGTERM)  # the drain is over
    bench.supervisor.signal(signal.SIGTERM)
    pass_on.set()
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    assert bench.client.sets()["working"] == 0 and bench.client.sets()["retries"] == 0
    got = bench.client.fetch_many(4)
    assert [j["jid"] for j in got] == jids and not any("failure" in j for j in got)
    assert len(lines(ended)) == 0
