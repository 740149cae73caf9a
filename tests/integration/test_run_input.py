"""What a handler gets on standard input, and what it may do with it.

SPDX-License-Identifier: ISC
"""
import json

import pytest


def test_job_is_one_line_of_json(bench):
    """input: job is the whole job, compact, one line end, then EOF; numbers
    are the tokens that were pushed."""
    out = bench.scratch / "in"
    bench.run({"t": bench.script("h", f"cat >{out}")})
    args = '[9007199254740993, 1.0, 1e400, {"b": 1, "a": [ ]}, "é\\u003c\\\\"]'
    bench.client.ok('PUSH {"jid":"12345678","jobtype":"t","args":%s,"custom":{"k":1.50}}' % args)
    bench.acked("12345678")
    text = out.read_text()
    assert text.endswith("}\n") and text.count("\n") == 1
    for token in ("9007199254740993", "1.0", "1e400", '"k":1.50', "\\u003c"):
        assert token in text
    assert '"args":[9007199254740993,1.0,1e400,{"b":1,"a":[]},' in text
    job = json.loads(text)
    assert (job["jid"], job["jobtype"], job["queue"]) == ("12345678", "t", "default")
    assert job["created_at"] and job["enqueued_at"]


@pytest.mark.parametrize("kind, args, want", [
    ("args", [1, {"a": "b"}], b'[1,{"a":"b"}]'),
    ("arg0", [{"a": [1, 2]}, "x"], b'{"a":[1,2]}'),
    ("arg0", ["text"], b'"text"'),
    ("raw", ["line\none é\u0000end"], "line\none é\0end".encode()),
    ("raw", [""], b""),
    ("none", [1], b""),
])
def test_input_forms(bench, kind, args, want):
    """args, arg0, raw and none: the same data for programs that know nothing
    of jobs. raw adds no byte."""
    out = bench.scratch / "in"
    bench.run({"t": {"exec": [bench.script("h", f"cat >{out}")], "input": kind}})
    bench.acked(bench.push("t", *args))
    got = out.read_bytes()
    assert (got if kind == "raw" else got.rstrip(b"\n")) == want


def test_none_is_dev_null(bench):
    """input: none gives /dev/null, not a pipe that someone could wait on."""
    out = bench.scratch / "in"
    bench.run({"t": {"exec": [bench.script("h", f"readlink /proc/self/fd/0 >{out}")],
        "input": "none"}})
    bench.acked(bench.push("t"))
    assert out.read_text() == "/dev/null\n"


@pytest.mark.parametrize("kind, args", [("raw", [5]), ("raw", []), ("arg0", [])])
def test_input_that_the_job_has_not(bench, kind, args):
    """A first argument that is missing, or no string for raw, fails the job
    with BadArgument instead of running the program on nothing."""
    ran = bench.scratch / "ran"
    bench.run({"t": {"exec": [bench.script("h", f"touch {ran}")], "input": kind}})
    fail = bench.failed(bench.push("t", *args))
    assert fail["errtype"] == "BadArgument"
    assert not ran.exists()


@pytest.mark.parametrize("text", ["exit 0", "exec <&-; exit 0", "exec 0<&- 1>&- 2>&-; exit 0",
    "head -c 10 >/dev/null; exit 0"])
def test_handler_that_does_not_read(bench, text):
    """A script that never reads its input, closes it, or stops half-way, and
    exits 0, has succeeded: EPIPE is nobody's failure."""
    bench.run({"t": bench.script("h", text)})
    jids = [bench.push("t", "x" * 2_000_000) for _ in range(3)]
    bench.acked(*jids)


def test_ten_megabytes_in_and_out(bench):
    """Both directions at once: gearman's and cmdstalk's workers write all
    first and hang above a pipe's capacity."""
    out = bench.scratch / "sum"
    bench.run({"t": {"exec": [bench.script("h", f"tee /dev/stderr | tee {out}")],
        "input": "raw", "log_rate": 1}})
    line = "0123456789abcdef" * 64 + "\n"
    text = line * 10_240
    bench.acked(bench.push("t", text), limit=60)
    assert out.read_text() == text


def test_ten_megabytes_of_metadata(bench):
    """rabbitmq-cli-consumer writes a job's metadata before its program has
    begun, and hangs above a pipe's capacity. Here they come beside a program
    that first prints as much and sends messages, and reads last."""
    out = bench.scratch / "in"
    bench.run({"t": {"exec": [bench.script("h", f"""
head -c 10000000 /dev/zero | tr '\\0' '\\n'
i=0; while [ $i -lt 2000 ]; do printf '{{"type":"progress","percent":1,"desc":"%0100d"}}\\n' $i >&3; i=$((i+1)); done
cat >{out}""")], "log_rate": 1}})
    custom = {f"header-{i}": "x" * 1000 for i in range(10_000)}
    bench.acked(bench.push("t", custom=custom), limit=90)
    assert json.loads(out.read_text())["custom"] == custom


def test_small_and_large_jobs_side_by_side(bench):
    """A job that is slow to take its input holds up no other."""
    bench.run({
        "slow": {"exec": [bench.script("slow", "sleep 3; cat >/dev/null")]},
        "quick": bench.script("quick", "cat >/dev/null"),
    })
    slow = bench.push("slow", "x" * 5_000_000)
    quick = [bench.push("quick") for _ in range(10)]
    bench.acked(*quick, limit=2.5)
    bench.acked(slow)


def test_payload_is_not_in_argv_or_environment(bench):
    """Arguments go by stdin: other users see argv in /proc."""
    out = bench.scratch / "seen"
    bench.run({"t": bench.script("h",
        f"{{ tr '\\0' '\\n' </proc/self/cmdline; env; }} >{out}.tmp; cat >/dev/null; mv {out}.tmp {out}")})
    bench.acked(bench.push("t", "very-secret-argument", custom={"key": "very-secret-custom"}))
    assert "very-secret" not in out.read_text()


def test_stdin_of_the_supervisor_is_not_inherited(bench):
    """Nothing of the supervisor's own descriptors reaches a handler: 0, 1
    and 2 are pipes of its own, and no other is open."""
    out = bench.scratch / "fds"
    bench.run({"t": bench.script("h", f"ls -l /proc/$$/fd >{out}; cat >/dev/null")})
    bench.acked(bench.push("t"))
    lines = [l for l in out.read_text().splitlines() if "->" in l]
    targets = {l.split(" -> ")[0].split()[-1]: l.split(" -> ")[1] for l in lines}
    # The shell has the script open (10 or 255), ls -l its own directory.
    for fd in ("0", "1", "2"):
        assert fd in targets
    assert targets["0"].startswith("pipe:") or targets["0"].startswith("/memfd") \
        or targets["0"].startswith("socket:"), targets
    assert not [t for fd, t in targets.items() if int(fd) > 2 and "socket" in t], targets


def test_descriptors_with_a_program_that_looks(bench):
    """Exactly 0 to 3 are open in a program that is started directly."""
    out = bench.scratch / "fds"
    text = ("import os, sys\n"
        "fds = []\n"
        "for n in range(256):\n"
        "    try:\n"
        "        os.fstat(n)\n"
        "        fds.append(n)\n"
        "    except OSError:\n"
        "        pass\n"
        f"open({str(out)!r}, 'w').write(repr(fds))\n")
    program = bench.scratch / "look.py"
    program.write_text(text)
    bench.run({"t": {"exec": ["/usr/bin/python3", "-S", str(program)]}})
    bench.acked(bench.push("t"))
    assert out.read_text() == "[0, 1, 2, 3]"


def test_two_jobs_do_not_share_a_pipe(bench):
    """Many at once: each gets its own job and nothing of its neighbour's."""
    d = bench.scratch
    bench.run({"t": {"exec": [bench.script("h", f'cat >{d}/$FAKTORY_JID')], "input": "arg0"}},
        concurrency=20)
    jids = [bench.push("t", {"n": i, "pad": "x" * (i * 777)}) for i in range(100)]
    bench.acked(*jids, limit=60)
    for i, jid in enumerate(jids):
        assert json.loads((d / jid).read_text()) == {"n": i, "pad": "x" * (i * 777)}
