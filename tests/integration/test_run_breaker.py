"""A handler that does not work is left alone, and the others are not.

SPDX-License-Identifier: ISC
"""
import os
import re
import signal

from integration.test_run_health import LISTEN, ask, scrape
from support.client import new_job
from support.program import run
from support.supervisor import FAKTOTUM
from support.waiting import wait_for

QUICK = {"cooldown": "200ms", "max_cooldown": "400ms"}


def fetched(bench):
    """The queues of each FETCH so far."""
    return [[q.split(":")[0] for q in queues] for _, queues in bench.tap.fetches()]


def state(bench, jobtype="t"):
    s = scrape(bench.supervisor)
    return [w for w in ("closed", "open", "probing")
        if s.value("faktotum_breaker_state", jobtype=jobtype, state=w) == 1]


def opened(bench, jobtype="t", count=1):
    bench.supervisor.says(re.compile(
        f"(?s)(type={jobtype}[^\\n]*breaker open.*?){{{count}}}"))


def lose(bench, path):
    """The executable goes once the configuration has been read."""
    bench.supervisor.says(re.compile("connected as"))
    os.unlink(path)


def fragile(bench, path, **more):
    """`t` alone in the queue `fragile`, and `ok` in the default queue."""
    bench.run({"t": {"exec": [path], "queues": ["fragile"],
        "breaker": {**QUICK, **more.pop("breaker", {})}},
        "ok": bench.script("ok", "exit 0")},
        queues=["fragile", "default"], http=LISTEN, **more)


def test_missing_program_is_no_hot_loop(bench):
    """The executable is gone: its queue is left alone, so its jobs stay in the
    server, uncounted; other jobtypes go on; and when the file appears all is
    done by itself, with no job failed."""
    path = bench.script("gone", "exit 0")
    fragile(bench, path, concurrency=80)
    bench.acked(bench.push("t", queue="fragile"))
    lose(bench, path)
    jobs = [new_job("t", queue="fragile") for _ in range(200)]
    assert bench.client.pushb(jobs) == {}
    jids = [job["jid"] for job in jobs]
    opened(bench)
    left = bench.client.size("fragile")
    bench.acked(*[bench.push("ok") for _ in range(20)])
    # Those that were fetched before it opened are here, and one of them is
    # what is tried. No other leaves the server but for four questions that may
    # have been on their way, for 16 jobs each at most.
    opened(bench, count=4)
    assert bench.client.size("fragile") >= left - 4 * 16 > 0
    assert scrape(bench.supervisor).value("faktotum_queue_fetched", queue="fragile") == 0
    assert scrape(bench.supervisor).value("faktotum_queue_fetched", queue="default") == 1
    assert "fragile" not in fetched(bench)[-1] and "default" in fetched(bench)[-1]
    assert not bench.tap.sent("FAIL")
    bench.script("gone", "exit 0")
    bench.acked(*jids)
    assert not bench.tap.sent("FAIL")
    assert state(bench) == ["closed"]
    bench.supervisor.says(re.compile("type=t.*breaker closed"))


def test_alone_it_stops_all_fetching(bench):
    """No handler works: nothing is fetched, and readiness says why."""
    path = bench.script("gone", "exit 0")
    bench.run({"t": path}, defaults={"breaker": {"cooldown": "1h", "max_cooldown": "1h"}},
        http=LISTEN)
    lose(bench, path)
    bench.push("t")
    opened(bench)
    wait_for("the last answer", lambda: ask(bench.supervisor, "/readyz")[0] == 503)
    assert "breaker" in ask(bench.supervisor, "/readyz")[1]
    before = len(fetched(bench))
    bench.push("t")
    wait_for("beats", lambda: len(bench.tap.lines("BEAT")) > 3, 20)
    assert len(fetched(bench)) <= before + 1
    assert state(bench) == ["open"]


def test_failures_alike_open_it(bench):
    """A share of the last jobs fails with one errtype: no more of them is
    spent. When the cause is gone the next try closes it."""
    broken, runs = bench.scratch / "broken", bench.scratch / "runs"
    broken.touch()
    fragile(bench, bench.script("h", f"echo >>{runs}; [ ! -e {broken} ] || exit 3"),
        breaker={"failures": "100%", "of": 3})
    jids = [bench.push("t", queue="fragile") for _ in range(12)]
    opened(bench, count=3)
    # Three opened it, up to four questions were on their way, and each time
    # one was tried.
    tries = bench.supervisor.output().count("breaker tries")
    assert len(runs.read_text()) <= 3 + 4 + tries
    assert bench.client.size("fragile") > 0
    failed = {f["jid"] for f in bench.tap.sent("FAIL")}
    assert len(failed) < len(jids)
    broken.unlink()
    wait_for("its queue to be empty", lambda: bench.client.size("fragile") == 0)
    wait_for("closing", lambda: state(bench) == ["closed"])
    assert scrape(bench.supervisor).value("faktotum_breaker_opened_total", jobtype="t") == 1


def test_in_a_shared_queue_others_go_on(bench):
    """Jobs of a broken handler that come all the same wait for `hold`, a
    quarter of the slots at most, then fail with the reason; the others of
    that queue are done meanwhile."""
    path = bench.script("gone", "exit 0")
    bench.run({"t": {"exec": [path], "breaker": {"cooldown": "1h", "max_cooldown": "1h",
        "hold": "1s"}}, "ok": bench.script("ok", "exit 0")})
    lose(bench, path)
    first = bench.push("t")
    opened(bench)
    rest = [bench.push("t") for _ in range(6)]
    bench.acked(*[bench.push("ok") for _ in range(20)])
    fails = [bench.failed(jid) for jid in [first] + rest]
    assert {f["errtype"] for f in fails} == {"HandlerUnavailable"}
    assert all(path in f["message"] for f in fails)
    # The first was here for its hold, those above the quarter were not.
    assert fails[0]["jid"] == bench.tap.sent("FAIL")[-1]["jid"]


def test_it_goes_back_where_the_server_takes_it(bench):
    """Jobs that are here when their queue is left alone are given back, not
    failed: no attempt is spent, and all are done when the file is there."""
    path = bench.script("gone", "exit 0")
    fragile(bench, path, breaker={"hold": 0})
    lose(bench, path)
    jids = [bench.push("t", queue="fragile", retry=0) for _ in range(5)]
    opened(bench)
    wait_for("a job to be given back", lambda: bench.tap.lines("RELEASE"))
    opened(bench, count=3)
    assert not bench.tap.sent("FAIL")
    bench.script("gone", "exit 0")
    bench.acked(*jids)
    assert not bench.tap.sent("FAIL")


def test_a_stock_server_hears_of_a_failure(bench):
    """It cannot take a job back; then an attempt is spent."""
    path = bench.script("gone", "exit 0")
    bench.tap.stock = True
    fragile(bench, path, breaker={"hold": 0})
    lose(bench, path)
    fail = bench.failed(bench.push("t", queue="fragile"))
    assert fail["errtype"] == "HandlerUnavailable" and path in fail["message"]
    assert not bench.tap.lines("RELEASE")


def test_a_last_attempt_is_tried_after_all(bench):
    """A failure that would be the last is not given unrun: the job is tried,
    and here the handler works again."""
    path = bench.script("gone", "exit 0")
    bench.run({"t": {"exec": [path], "breaker": {"cooldown": "1h", "max_cooldown": "1h",
        "hold": "500ms"}}, "ok": bench.script("ok", "exit 0")})
    lose(bench, path)
    doomed = bench.push("t", retry=0)
    opened(bench)
    bench.script("gone", "exit 0")
    bench.acked(doomed)


def test_switched_off(bench):
    """With both off every job is tried, and fails, at once."""
    path = bench.script("gone", "exit 0")
    bench.run({"t": path}, defaults={"breaker": {"unavailable": "off", "failures": "off"}})
    lose(bench, path)
    for jid in [bench.push("t") for _ in range(30)]:
        assert bench.failed(jid)["errtype"] == "HandlerUnavailable"
    assert "breaker" not in bench.supervisor.output()


def test_a_probe_that_runs_is_enough(bench):
    """What could not be started runs again: the others do not wait for the
    end of a long job."""
    path = bench.script("h", "exit 0")
    go = bench.scratch / "go"
    bench.run({"t": {"exec": [path, "{args.0}"], "breaker": QUICK}}, concurrency=8)
    lose(bench, path)
    long = bench.push("t", "long")
    opened(bench)
    bench.script("h", f'[ "$1" = short ] || while ! [ -e {go} ]; do sleep 0.05; done')
    bench.acked(bench.push("t", "short"))
    assert not bench.tap.about("ACK", long)
    go.touch()
    bench.acked(long)


def test_state_survives_a_reload(bench):
    """HUP changes nothing of an open breaker, unless it is switched off by
    it: then what waits goes on at once."""
    path = bench.script("gone", "", shell="/no/such/interpreter")
    slow = {"cooldown": "1h", "max_cooldown": "1h"}
    fragile(bench, path, breaker=slow)
    jid = bench.push("t", queue="fragile")
    opened(bench)
    bench.supervisor.signal(signal.SIGHUP)
    bench.supervisor.says(re.compile("reload.*handlers"))
    assert state(bench) == ["open"]
    bench.script("gone", "exit 0")
    text = bench.supervisor.config.read_text()
    bench.supervisor.config.write_text(
        text.replace('"cooldown": "1h"', '"unavailable": "off", "cooldown": "1h"', 1))
    bench.supervisor.signal(signal.SIGHUP)
    bench.acked(jid)
    assert state(bench) == ["closed"]


def test_state_survives_an_upgrade(bench):
    """The program that takes over leaves the queue alone as well, and goes on
    with what waits."""
    path = bench.script("gone", "", shell="/no/such/interpreter")
    fragile(bench, path, breaker={"cooldown": "3s", "max_cooldown": "3s"}, upgrade="on")
    jid = bench.push("t", queue="fragile")
    opened(bench)
    bench.supervisor.signal(signal.SIGUSR2)
    bench.supervisor.says(re.compile("going on with 1 jobs"))
    bench.script("gone", "exit 0")
    bench.acked(jid)
    after = bench.supervisor.output().split("going on with")[1]
    assert "breaker tries one job" in after and "breaker closed" in after


def test_queues_that_are_not_worked_on(tmp_path):
    """A queue that a job names must be one that is fetched from, and the
    times must make sense: told by check."""
    config = tmp_path / "t.yaml"
    config.write_text("queues: [a]\njobs:\n  t:\n    exec: [/bin/true]\n    queues: [b]\n"
        "    breaker: {failures: 0%, cooldown: 10m}\n")
    done = run([FAKTOTUM, "check", "-c", config])
    assert done.returncode == 78
    err = done.stderr.decode()
    assert "t.yaml:5:13" in err and '"b"' in err
    assert "t.yaml:6:25" in err and "1% to 100%" in err
    config.write_text("jobs: {t: {exec: [/bin/true], breaker: {cooldown: 10m}}}\n")
    done = run([FAKTOTUM, "check", "-c", config])
    assert done.returncode == 78 and b"max_cooldown" in done.stderr
