"""A job that kills its program is not handed to the next one for ever.

SPDX-License-Identifier: ISC
"""
import signal

from support.waiting import wait_for


def failed_times(bench, jid, count):
    """Waits for so many FAILs of this job, each retried at once; returns
    them."""
    for i in range(1, count + 1):
        wait_for(f"FAIL {i} of {jid}", lambda: len(bench.tap.about("FAIL", jid)) >= i)
        if i < count:
            def retried():
                bench.client.mutate("requeue", "retries", jids=[jid])
                return bench.client.sets()["retries"] == 0
            wait_for("the retry", lambda: bench.client.sets()["retries"] == 1)
            wait_for("the next try", retried)
    return bench.tap.about("FAIL", jid)


def test_third_crash_is_the_last(bench):
    """Twice it is retried as any failure; the third time it is dead, with
    the same errtype and a message that says why."""
    bench.run({"t": bench.script("h", "kill -SEGV $$")})
    jid = bench.push("t")
    fails = failed_times(bench, jid, 3)
    assert [f["errtype"] for f in fails] == ["Signal"] * 3
    assert ["crash_limit" in f["message"] for f in fails] == [False, False, True]
    wait_for("the dead", lambda: bench.client.sets()["dead"] == 1)
    assert bench.client.sets()["retries"] == 0
    assert "SIGSEGV" in fails[-1]["message"]


def test_only_crashes_count(bench):
    """Other failures between do not: two signals in five attempts."""
    tries = bench.scratch / "tries"
    bench.run({"t": bench.script("h", f"echo x >>{tries}; n=$(wc -l <{tries})\n"
        "case $n in 2|4) kill -KILL $$;; esac; exit 3")})
    fails = failed_times(bench, bench.push("t"), 5)
    assert [f["errtype"] for f in fails] == ["ExitStatus", "Signal"] * 2 + ["ExitStatus"]
    assert bench.client.sets()["dead"] == 0


def test_it_holds_across_hosts(bench):
    """Another supervisor that never saw the job goes by the server's record:
    two crashes elsewhere, the third is the last."""
    bench.run({"t": bench.script("h", "kill -SEGV $$")})
    jid = bench.push("t")
    failed_times(bench, jid, 2)
    bench.supervisor.signal(signal.SIGTERM)
    bench.supervisor.wait()
    bench.run({"t": bench.script("h", "kill -SEGV $$")})
    wait_for("the retry", lambda: bench.client.sets()["retries"] == 1)
    bench.client.mutate("requeue", "retries", jids=[jid])
    wait_for("the third", lambda: len(bench.tap.about("FAIL", jid)) == 3)
    assert "crash_limit 3" in bench.tap.about("FAIL", jid)[-1]["message"]
    wait_for("the dead", lambda: bench.client.sets()["dead"] == 1)


def test_limit_of_its_own(bench):
    """crash_limit: 1 buries at once, 0 never does; a stop of ours is no
    crash."""
    h = bench.script("h", "kill -SEGV $$")
    bench.run({"one": {"exec": [h], "crash_limit": 1}, "never": {"exec": [h], "crash_limit": 0},
        "late": {"exec": [bench.script("late", "exec sleep 60")], "timeout": "100ms",
            "crash_limit": 1}})
    assert "crash_limit 1" in bench.failed(bench.push("one"))["message"]
    wait_for("the dead", lambda: bench.client.sets()["dead"] == 1)
    assert bench.failed(bench.push("late"))["errtype"] == "Timeout"
    wait_for("its retry", lambda: bench.client.sets()["retries"] == 1)
    jid = bench.push("never")
    assert "crash_limit" not in bench.failed(jid)["message"]
    wait_for("the retry", lambda: bench.client.sets()["retries"] == 2)
    assert bench.client.sets()["dead"] == 1
