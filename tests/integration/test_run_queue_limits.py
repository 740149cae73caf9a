"""A queue of which only so many jobs may be here at once.

SPDX-License-Identifier: ISC
"""
import re
import signal

from integration.test_run_health import LISTEN, ask
from support.client import new_job
from support.program import run
from support.supervisor import FAKTOTUM
from support.waiting import wait_for


def test_limit_of_a_queue(bench):
    """Two of it run and no third is fetched: the others stay in the server,
    while jobs of other queues go on. None is starved: all are done."""
    go, runs = bench.scratch / "go", bench.scratch / "runs"
    bench.run({"slow": bench.script("slow",
        f"echo >>{runs}; while ! [ -e {go} ]; do sleep 0.05; done"),
        "ok": bench.script("ok", "exit 0")},
        queues=["narrow", "default"], queue_concurrency={"narrow": 2}, concurrency=16,
        http=LISTEN)
    jobs = [new_job("slow", queue="narrow") for _ in range(6)]
    bench.client.pushb(jobs)
    wait_for("two of them", lambda: runs.exists() and len(runs.read_text()) == 2)
    bench.acked(*[bench.push("ok") for _ in range(30)])
    assert len(runs.read_text()) == 2
    assert bench.client.size("narrow") == 4
    assert not any(q.startswith("narrow") for q in bench.tap.fetches()[-1][1])
    assert ask(bench.supervisor, "/readyz")[0] == 200
    go.touch()
    bench.acked(*[j["jid"] for j in jobs])


def test_all_at_their_limit(bench):
    """When every queue has reached its limit nothing is asked; the end of a
    job is what goes on with it, not a timer."""
    bench.run({"t": bench.script("h", "sleep 0.02")}, queues=["a", "b"],
        queue_concurrency={"a": 1, "b": 1}, concurrency=8)
    jobs = [new_job("t", queue=q) for q in "ab" * 20]
    bench.client.pushb(jobs)
    bench.acked(*[j["jid"] for j in jobs], limit=30)


def test_reload_changes_it(bench):
    """A wider limit holds from the next FETCH."""
    go, runs = bench.scratch / "go", bench.scratch / "runs"
    bench.run({"t": bench.script("h",
        f"echo >>{runs}; while ! [ -e {go} ]; do sleep 0.05; done")},
        queue_concurrency={"default": 1}, concurrency=8)
    jids = [bench.push("t") for _ in range(3)]
    wait_for("the first", lambda: runs.exists() and len(runs.read_text()) == 1)
    text = bench.supervisor.config.read_text()
    bench.supervisor.config.write_text(text.replace('"default": 1', '"default": 3'))
    bench.supervisor.signal(signal.SIGHUP)
    bench.supervisor.says(re.compile("reload.*handlers"))
    wait_for("the others", lambda: len(runs.read_text()) == 3)
    go.touch()
    bench.acked(*jids)


def test_mistakes(tmp_path):
    """A queue that is not worked on, and a number out of range: told."""
    config = tmp_path / "t.yaml"
    config.write_text("queues: [a]\nqueue_concurrency: {b: 1, a: 0}\n"
        "jobs: {t: {exec: [/bin/true]}}\n")
    done = run([FAKTOTUM, "check", "-c", config])
    err = done.stderr.decode()
    assert done.returncode == 78
    assert "t.yaml:2:21" in err and '"b"' in err
    assert "queue_concurrency.a" in err and "1 to 10000" in err
