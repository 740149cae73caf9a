"""A kernel that says EINTR all the time, and pipes that hold one page.

SPDX-License-Identifier: ISC
"""
import signal

import pytest

from support.client import new_job
from support.program import BUILD
from support.shim import Shim
from support.waiting import wait_for


@pytest.fixture
def shim(tmp_path):
    if BUILD.name in ("asan", "tsan"):
        pytest.skip("a sanitizer wants to be the first that is preloaded")
    s = Shim(tmp_path, name="shaky")
    s.set("interrupt", 2)
    s.set("small_pipes", 1)
    yield s
    s.close()


def test_signals_and_small_pipes_cost_nothing(bench, shim):
    """Half of the supervisor's calls that may wait are interrupted, and nothing that it
    writes or reads fits into a pipe: 10 MB in and out at once, messages, error
    text and jobs of every end arrive whole, and each is settled once."""
    out = bench.scratch / "sum"
    bench.run({
        "large": {"exec": [bench.script("large", f"tee {out}")], "input": "raw", "log_rate": 1},
        "says": bench.script("says", """
i=0; while [ $i -lt 300 ]; do printf '{"type":"progress","percent":1,"desc":"%0200d"}\\n' $i >&3; i=$((i+1)); done
printf '{"type":"error","errtype":"acme.Last","message":"the last word"}\\n' >&3
seq 3000 >&2; exit 3"""),
        "ok": bench.script("ok", "cat >/dev/null"), "bad": bench.script("bad", "exit 1"),
        "shot": bench.script("shot", "kill -KILL $$")},
        env=shim.env, defaults={"breaker": {"failures": "off"}}, concurrency=8)
    text = ("0123456789abcdef" * 64 + "\n") * 10_240
    large, says = bench.push("large", text), bench.push("says")
    good, bad = [new_job("ok", "x" * 50_000) for _ in range(40)], [new_job(t) for t in ("bad", "shot") * 20]
    assert bench.client.pushb(good + bad) == {}
    bench.acked(large, *[j["jid"] for j in good], limit=120)
    assert out.read_text() == text
    fail = bench.failed(says)
    assert (fail["errtype"], fail["message"]) == ("acme.Last", "the last word")
    for job in bad:
        assert bench.failed(job["jid"])["errtype"] == {"bad": "ExitStatus", "shot": "Signal"}[job["jobtype"]]
    assert len(bench.tap.sent("ACK")) == 41 and len(bench.tap.sent("FAIL")) == 41
    wait_for("all to be counted", lambda: bench.client.faktory()["total_processed"] == 82)
    assert shim.get("interrupted") > 100 and shim.get("pipes_made") > 80
    assert bench.supervisor.stop() == 0


def test_a_child_in_between_is_no_matter(bench, shim):
    """An upgrade in place under the same: the job goes on and is done once."""
    go, runs = bench.scratch / "go", bench.scratch / "runs"
    bench.run({"t": bench.script("h", f"echo >>{runs}; while ! [ -e {go} ]; do sleep 0.05; done; "
        "seq 5000; cat >/dev/null")}, env=shim.env, upgrade="on")
    jid = bench.push("t", "x" * 100_000)
    wait_for("the program", runs.exists)
    bench.supervisor.signal(signal.SIGUSR2)
    bench.supervisor.says("going on with 1 jobs")
    go.touch()
    bench.acked(jid)
    assert runs.read_text() == "\n"
