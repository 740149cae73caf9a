"""Which job runs when: queues, weights, and how many at once.

SPDX-License-Identifier: ISC
"""
from support.client import new_job
from support.waiting import wait_for


def gate(bench, name="h"):
    """A handler that writes a line when it starts and waits for a file."""
    log, go = bench.scratch / "order", bench.scratch / "go"
    return bench.script(name,
        f'echo "$FAKTORY_QUEUE $FAKTORY_JID" >>{log}\nwhile [ ! -e {go} ]; do sleep 0.05; done')


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def test_strict_order(bench):
    """A list of queues: the first that has a job is served."""
    log = bench.scratch / "order"
    for queue in ("low", "default", "critical"):
        bench.client.pushb([new_job("t", queue=queue) for _ in range(10)])
    bench.run({"t": bench.script("h", f'echo "$FAKTORY_QUEUE" >>{log}')},
        queues=["critical", "default", "low"], concurrency=1)
    wait_for("all jobs to end", lambda: len(bench.tap.sent("ACK")) == 30, 60)
    assert lines(log) == ["critical"] * 10 + ["default"] * 10 + ["low"] * 10
    assert {" ".join(queues) for _, queues in bench.tap.fetches()} == {"critical default low"}


def test_weighted_order(bench):
    """A mapping: every queue is served, the heavier more often; each FETCH
    names them all."""
    log = bench.scratch / "order"
    for queue in ("a", "b"):
        bench.client.pushb([new_job("t", queue=queue) for _ in range(150)])
    bench.run({"t": bench.script("h", f'echo "$FAKTORY_QUEUE" >>{log}')},
        queues={"a": 9, "b": 1}, concurrency=4)
    wait_for("a hundred jobs", lambda: len(lines(log)) >= 100, 60)
    first = lines(log)[:100]
    # 9 : 1 gives 90 +- 3; below 60 or all of one would be another order.
    assert 70 <= first.count("a") <= 99, first.count("a")
    assert {frozenset(q[0] for q in queues) for _, queues in bench.tap.fetches()} == \
        {frozenset("ab")}


def test_global_concurrency(bench):
    """Never more programs at once than `concurrency`."""
    bench.run({"t": gate(bench)}, concurrency=3)
    jids = [bench.push("t") for _ in range(12)]
    log = bench.scratch / "order"
    wait_for("three to start", lambda: len(lines(log)) >= 3)
    bench.beats()
    assert len(lines(log)) == 3
    # What cannot run is not taken away from other workers.
    assert bench.client.size() >= 12 - 3 - 3
    (bench.scratch / "go").touch()
    bench.acked(*jids)


def test_concurrency_of_one_jobtype(bench):
    """A jobtype's own limit holds it back and not the others; the worker goes
    on fetching while at most a quarter of its slots is held up."""
    quick = bench.script("quick", "exit 0")
    bench.run({"t": {"exec": [gate(bench)], "concurrency": 2}, "quick": quick}, concurrency=8)
    jids = [bench.push("t") for _ in range(4)]
    log = bench.scratch / "order"
    wait_for("two to start", lambda: len(lines(log)) >= 2)
    quick_jids = [bench.push("quick") for _ in range(10)]
    bench.acked(*quick_jids)
    assert len(lines(log)) == 2
    (bench.scratch / "go").touch()
    bench.acked(*jids)


def test_no_fetch_without_a_free_slot(bench):
    """A busy worker does not ask: a job it could not run stays for others."""
    bench.run({"t": gate(bench)}, concurrency=1)
    first = bench.push("t")
    wait_for("it to start", lambda: lines(bench.scratch / "order"))
    bench.asks_no_more()
    asked = len(bench.tap.fetches())
    second = bench.push("t")
    bench.beats()
    assert len(bench.tap.fetches()) == asked
    assert bench.client.size() == 1
    (bench.scratch / "go").touch()
    bench.acked(first, second)


def test_only_its_own_queues(bench):
    """Queues that are not named are left to others."""
    bench.run({"t": bench.script("h", "exit 0")}, queues=["mine"])
    theirs = bench.push("t", queue="theirs")
    bench.acked(bench.push("t", queue="mine"))
    assert bench.client.size("theirs") == 1
    assert bench.client.fetch("theirs")["jid"] == theirs


def test_two_supervisors_share_the_work(bench, start_supervisor):
    """Each job runs once, wherever it runs."""
    log = bench.scratch / "order"
    h = bench.script("h", f'echo "$FAKTORY_JID" >>{log}; sleep 0.02')
    bench.run({"t": h}, concurrency=2)
    other = start_supervisor(bench.tap.url,
        {"jobs": {"t": {"exec": [h]}}, "concurrency": 2}, name="other")
    wait_for("both to fetch", lambda: len({x["wid"] for x in bench.tap.sent("HELLO")}) == 2)
    jids = [j["jid"] for j in (new_job("t") for _ in range(200))]
    bench.client.pushb([new_job("t", jid=j) for j in jids])
    wait_for("all to end", lambda: bench.client.faktory()["total_processed"] == 200, 60)
    assert sorted(lines(log)) == sorted(jids)
    assert other.stop() == 0


def test_throughput_is_not_the_round_trip(bench):
    """A thousand jobs of nothing do not take a poll each: questions bring jobs
    as long as there are some, and only the last ones find nothing."""
    jobs, empty = 1000, []

    def look(number, request, reply):
        if request.startswith("FETCH") and reply[:3] == b"$-1":
            empty.append(request)
        return reply
    bench.tap.rule = look
    bench.client.pushb([new_job("t") for _ in range(jobs)])
    bench.run({"t": {"exec": ["/bin/true"]}}, concurrency=8)
    wait_for("all to end", lambda: bench.client.faktory()["total_processed"] == jobs, 240, step=0.2)
    assert bench.client.faktory()["total_failures"] == 0
    assert len(empty) < 20, "a few of each conversation while the last job is told"
