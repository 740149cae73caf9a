"""A job whose jobtype the file does not name: `unknown`.

SPDX-License-Identifier: ISC
"""
from support.program import run
from support.supervisor import FAKTOTUM
from support.waiting import wait_for


def test_unknown_is_dead(bench):
    """`unknown: dead`: no retry is spent on what this fleet cannot run; the
    errtype is the same, the job is among the dead."""
    bench.run({"t": bench.script("h", "exit 0")}, unknown="dead")
    fail = bench.failed(bench.push("no-such-type"))
    assert fail["errtype"] == "UnknownJobtype"
    wait_for("the burial", lambda: bench.client.sets()["dead"] == 1)
    assert bench.client.sets()["retries"] == 0
    bench.acked(bench.push("t"))


def test_unknown_goes_to_a_handler(bench):
    """`unknown: handler:NAME`: that handler runs it, and is told the job's own
    type; jobs of known types go to their own."""
    seen = bench.scratch / "seen"
    bench.run({"t": bench.script("h", "exit 0"),
        "any": bench.script("any", f'echo "$FAKTORY_JOBTYPE" >>{seen}')},
        unknown="handler:any")
    bench.acked(bench.push("no-such-type"), bench.push("t"), bench.push("any"))
    assert sorted(seen.read_text().split()) == ["any", "no-such-type"]


def test_its_limit_is_the_handlers(bench):
    """What `unknown` brings counts for the handler's own concurrency: two
    jobs of different types never run at once under a limit of one."""
    log = bench.scratch / "log"
    bench.run({"any": {"exec": [bench.script("any",
        f"echo in >>{log}; sleep 0.2; echo out >>{log}")], "concurrency": 1}},
        unknown="handler:any")
    bench.acked(*[bench.push(name) for name in ("a", "b", "any")])
    assert log.read_text().split() == ["in", "out"] * 3


def test_run_once_takes_it_too(bench):
    """run-once chooses the handler as the supervisor would."""
    config = bench.scratch / "once.yaml"
    config.write_text("unknown: handler:any\njobs: {any: {shell: 'echo ran; exit 0'}}\n")
    done = run([FAKTOTUM, "run-once", "-c", config, "what"], stdin=b"[]")
    assert done.returncode == 0 and b"ran" in done.stderr
