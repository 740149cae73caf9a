"""faktotum msg: messages for the supervisor, from the words of a command line.

SPDX-License-Identifier: ISC
"""
import gzip
import json
import os
import subprocess

import pytest

from support.program import BUILD, ROOT, environment, run
from support.supervisor import FAKTOTUM, script

PATH = f"{BUILD}:/usr/local/bin:/usr/bin:/bin"


def once(tmp_path, text, **settings):
    """run-once with a handler of these lines: its outcome, and the log."""
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"path": PATH, "jobs": {"t": {
        "exec": [script(tmp_path, "h", text)], **settings}}}))
    done = run([FAKTOTUM, "run-once", "-c", config, "t"])
    return json.loads(done.stdout), done.stderr.decode()


def test_every_message(tmp_path):
    """Each form of msg is a message that the supervisor takes."""
    outcome, log = once(tmp_path, """set -e
faktotum msg progress 10
faktotum msg progress 40 'half way'
faktotum msg heartbeat
faktotum msg extend 60s
faktotum msg log warning 'low "ink"' left=3 place='room 2'
faktotum msg result '{"pages": 1.0}'
faktotum msg push '{"jobtype": "next", "args": [9007199254740993]}'
faktotum msg metric pages_total 2""", max_timeout="1h", timeout="1m",
        metrics={"pages_total": "counter"})
    assert outcome["outcome"] == "done", log
    assert outcome["progress"] == {"percent": 40, "desc": "half way"}
    assert outcome["result"] == {"pages": 1.0}
    assert outcome["push"][0]["args"] == [9007199254740993]
    assert 'low "ink"' in log and "left=3" in log and 'place="room 2"' in log
    assert "the deadline is" in log and "ignored" not in log


@pytest.mark.parametrize("retry,outcome", [
    ("", "retry"), ("--retry no", "dead"), ("--retry=discard", "discard"),
    ("--retry 5min", "later")])
def test_errors(tmp_path, retry, outcome):
    """error names a failure and says whether and when to try again."""
    told, _ = once(tmp_path, f"faktotum msg error acme.NoRow 'no row' {retry}; exit 1")
    assert told["outcome"] == outcome
    assert (told["errtype"], told["message"]) == ("acme.NoRow", "no row")


@pytest.mark.parametrize("words,why", [
    ([], "which message?"),
    (["progess", "1"], 'no message is called "progess"'),
    (["progress"], "progress: [PERCENT] [TEXT] expected"),
    (["progress", "101"], "progress: percent: a number from 0 to 100 is expected"),
    (["progress", "x", "y"], "progress: percent: not JSON: "),
    (["heartbeat", "x"], "heartbeat: no more words expected"),
    (["extend", "soon"], 'extend: seconds: "soon" is not a length of time, as 60s or 5min'),
    (["extend", "0"], "extend: seconds: a number above 0 is expected"),
    (["log", "loud", "x"], "log: level: error, warning, info or debug is expected"),
    (["log", "info", "x", "y"], "log: "),
    (["result", "{"], "result: value: not JSON: "),
    (["push", "[]"], "push: job: an object is expected"),
    (["metric", "a", "many"], "metric: value: a number is expected"),
    (["error", "E"], "error: ERRTYPE MESSAGE [--retry WHEN] expected"),
    (["error", "E", "--retry", "no"], "error: ERRTYPE and MESSAGE are expected"),
    (["error", "E", "m", "--retry"], "error: --retry: no, discard or a length of time is expected"),
    (["error", "E", "m", "--retry", "maybe"], 'error: retry_in: "maybe" is not a length of time'),
    (["error", "E", "m", "n"], "error: there are words too many"),
])
def test_wrong_usage(words, why):
    """What makes no message is told with its reason, exit status 64, before a
    descriptor is looked for."""
    done = run([FAKTOTUM, "msg", *words])
    first = done.stderr.decode().splitlines()[0]
    assert done.returncode == 64 and first.startswith(f"faktotum msg: {why}"), first


def test_nobody_to_tell():
    """Without a descriptor that can be written to: exit status 69."""
    def said(words, env=None):
        done = run(["/bin/sh", "-c", f"exec {FAKTOTUM} msg heartbeat {words}"], env=env)
        assert done.returncode == 69, done
        return done.stderr.decode()
    assert "FAKTORY_CONTROL_FD is not set" in said("")
    assert "descriptor 7 is not open" in said("", {"FAKTORY_CONTROL_FD": "7"})
    assert "cannot be written to" in said("7</dev/null", {"FAKTORY_CONTROL_FD": "7"})
    assert "FAKTORY_CONTROL_FD: " in said("", {"FAKTORY_CONTROL_FD": "x"})


def test_a_reader_that_is_gone():
    """A supervisor that went away is an error like none, and no SIGPIPE."""
    r, w = os.pipe()
    os.close(r)
    try:
        done = subprocess.run([FAKTOTUM, "msg", "heartbeat"], pass_fds=[w],
            env=environment({"FAKTORY_CONTROL_FD": str(w)}), capture_output=True)
    finally:
        os.close(w)
    assert done.returncode == 69 and b"Broken pipe" in done.stderr


def test_the_example(bench, tmp_path):
    """examples/handlers/compress-logs.sh reports by msg, and runs by hand."""
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("a b.log", "-c.log", "other"):
        (logs / name).write_text(name)
    example = ROOT / "examples/handlers/compress-logs.sh"
    bench.run({"t": {"exec": [str(example), "--", "{args.0}"],
        "metrics": {"logs_compressed_total": "counter"}}}, path=PATH)
    bench.acked(bench.push("t", str(logs)))
    assert sorted(p.name for p in logs.iterdir()) == ["-c.log.gz", "a b.log.gz", "other"]
    assert gzip.decompress((logs / "a b.log.gz").read_bytes()) == b"a b.log"
    bench.supervisor.says("files=2")
    assert "ignored" not in bench.supervisor.output()
    gone = bench.failed(bench.push("t", str(tmp_path / "gone")))
    assert gone["errtype"] == "NoSuchDirectory" and gone["retry"] == -1
    (logs / "later.log").write_text("x")
    assert run([example, logs], env={"PATH": PATH}).returncode == 0
    assert (logs / "later.log.gz").exists()
