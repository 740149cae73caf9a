"""How a program ended, and what the server is told about it.

SPDX-License-Identifier: ISC
"""
import os
import re

import pytest

from support.waiting import wait_for


def fail_of(bench, text, **fields):
    bench.run({"t": bench.script("h", text)})
    return bench.failed(bench.push("t", **fields))


def test_exit_zero_is_success(bench):
    """0 is done, whatever was written to stderr."""
    bench.run({"t": bench.script("h", "echo error: not really >&2; exit 0")})
    bench.acked(bench.push("t"))


@pytest.mark.parametrize("status", [1, 2, 3, 64, 65, 75, 100, 111, 128, 255])
def test_exit_status_is_a_failure_that_names_it(bench, status):
    """Every other status fails the job; the message says which it was."""
    fail = fail_of(bench, f"exit {status}")
    assert fail["errtype"] == "ExitStatus"
    assert re.search(rf"\bexit {status}\b", fail["message"])


@pytest.mark.parametrize("status", [65, 75, 1])
def test_verdict_and_wait_status_are_logged(bench, status):
    """One line at the end of each job: jid, verdict and the raw status, so
    that nobody has to guess what a code meant."""
    bench.run({"t": bench.script("h", f"exit {status}")})
    jid = bench.push("t")
    bench.failed(jid)
    word = {65: "dead", 75: "later", 1: "retry"}[status]
    line = bench.supervisor.says(re.compile(rf"^.*jid={jid}.*{word}.*$", re.M)).group(0)
    assert str(status) in line or hex(status << 8) in line


@pytest.mark.parametrize("name", ["SEGV", "KILL", "TERM", "ABRT"])
def test_signal_death_is_a_failure(bench, name):
    """gearman's worker takes a child that was killed for a success. Here it
    fails, with the signal's name."""
    fail = fail_of(bench, f"kill -{name} $$; sleep 5")
    assert fail["errtype"] == "Signal"
    assert f"SIG{name}" in fail["message"]


def test_last_line_of_stderr_is_the_message(bench):
    """Without any effort of the script: "exit 3: " and its last words, and
    the lines before as the backtrace."""
    fail = fail_of(bench, "for i in $(seq 60); do echo line $i >&2; done\n"
        "echo 'cannot open the file' >&2; echo >&2; echo '  ' >&2; exit 3")
    assert fail["message"] == "exit 3: cannot open the file"
    assert len(fail["backtrace"]) == 50
    assert fail["backtrace"][0].startswith("line ")


def test_stdout_is_not_the_error(bench):
    """Standard output is log, not error text."""
    fail = fail_of(bench, "echo to stdout; exit 4")
    assert "to stdout" not in fail["message"]
    assert "exit 4" in fail["message"]


def test_binary_and_long_stderr(bench):
    """What goes to the server is valid UTF-8 within its limits."""
    fail = fail_of(bench, r"head -c 100000 /dev/urandom >&2; printf '\n' >&2; "
        r"""awk 'BEGIN { for (i = 0; i < 3000; i++) printf "é" }' >&2; exit 5""")
    assert len(fail["message"].encode()) <= 1000
    assert fail["message"].startswith("exit 5: é")
    assert "�" not in fail["message"]
    assert len(fail["backtrace"]) <= 50


def test_backtrace_setting_of_the_job(bench):
    """A job that asks for fewer backtrace lines gets fewer."""
    fail = fail_of(bench, "seq 30 >&2; exit 1", backtrace=5)
    assert len(fail["backtrace"]) == 5


def test_missing_program(bench):
    """A program that is gone since the start: HandlerUnavailable with the
    path and the reason; the supervisor and other handlers go on."""
    gone = bench.script("gone", "exit 0")
    bench.run({"t": gone, "ok": bench.script("ok", "exit 0")},
        defaults={"breaker": {"hold": 0}})
    bench.acked(bench.push("ok"))
    os.unlink(gone)
    fail = bench.failed(bench.push("t"))
    assert fail["errtype"] == "HandlerUnavailable"
    assert gone in fail["message"]
    assert "No such file" in fail["message"]
    bench.acked(bench.push("ok"))


def test_program_that_is_no_program(bench):
    """An executable file that the kernel cannot run: the reason is told, and
    no second supervisor goes on in the child."""
    path = bench.scratch / "nonsense"
    path.write_bytes(b"\x7fELF" + b"\0" * 100)
    path.chmod(0o755)
    bench.run({"t": str(path)}, defaults={"breaker": {"unavailable": "off"}})
    fail = bench.failed(bench.push("t"))
    assert fail["errtype"] == "HandlerUnavailable"
    assert str(path) in fail["message"]
    assert bench.supervisor.children() == []


def test_missing_interpreter(bench):
    """#! of something absent is the program's unavailability as well."""
    path = bench.script("h", "", shell="/no/such/interpreter")
    bench.run({"t": path}, defaults={"breaker": {"unavailable": "off"}})
    fail = bench.failed(bench.push("t"))
    assert fail["errtype"] == "HandlerUnavailable"


@pytest.mark.parametrize("status", [126, 127])
def test_shell_that_found_no_command(bench, status):
    """126 and 127 are how shells say that a command could not be started."""
    fail = fail_of(bench, f"exit {status}")
    assert fail["errtype"] == "HandlerUnavailable"


def test_unknown_jobtype(bench):
    """FAIL with a message that names the jobtype and the file to edit; it
    retries on a worker that knows it."""
    bench.run({"t": bench.script("h", "exit 0")})
    fail = bench.failed(bench.push("no-such-type"))
    assert fail["errtype"] == "UnknownJobtype"
    assert "no-such-type" in fail["message"]
    assert str(bench.supervisor.config) in fail["message"]
    bench.acked(bench.push("t"))


def test_jobtype_with_odd_bytes(bench):
    """A jobtype is data from the network, also within a message."""
    bench.run({"t": bench.script("h", "exit 0")})
    fail = bench.failed(bench.push('x"\n\x1b[31m' + "y" * 900))
    assert fail["errtype"] == "UnknownJobtype"
    assert "\x1b" not in bench.supervisor.output()
    bench.acked(bench.push("t"))


def test_each_job_is_settled_exactly_once(bench):
    """A hundred jobs, good and bad: one ACK or one FAIL each, no more."""
    bench.run({"good": bench.script("good", "exit 0"), "bad": bench.script("bad", "exit 1")},
        concurrency=8, defaults={"breaker": {"failures": "off"}})
    good = [bench.push("good") for _ in range(60)]
    bad = [bench.push("bad") for _ in range(40)]
    bench.acked(*good, limit=60)
    for jid in bad:
        bench.failed(jid)
    assert sorted(d["jid"] for d in bench.tap.sent("ACK")) == sorted(good)
    assert sorted(d["jid"] for d in bench.tap.sent("FAIL")) == sorted(bad)
    wait_for("the last to be counted",
        lambda: bench.client.faktory()["total_processed"] == 100)
    assert bench.client.faktory()["total_failures"] == 40


# ---- output ----

def test_output_is_logged_line_by_line(bench):
    """Every line of a handler's output stands in the log with jid, type and
    stream; the last without a line end too."""
    bench.run({"t": bench.script("h", "echo one; echo two >&2; printf three")})
    jid = bench.push("t")
    bench.acked(jid)
    for word, stream in (("one", "stdout"), ("two", "stderr"), ("three", "stdout")):
        line = bench.supervisor.says(re.compile(rf"^.*\b{word}$", re.M)).group(0)
        assert f"jid={jid}" in line and "type=t" in line and stream in line


def test_output_is_escaped(bench):
    """Control characters of a handler cannot forge log lines or move the
    operator's cursor."""
    bench.run({"t": bench.script("h", r"printf 'a\033[2Jb\rc\000d\377e\n'")})
    bench.acked(bench.push("t"))
    bench.supervisor.says(re.compile(r"a.*b.*c.*d.*e$", re.M))
    out = bench.supervisor.log.read_bytes()
    assert b"\x1b" not in out and b"\r" not in out and b"\0" not in out and b"\xff" not in out


def test_hundred_megabytes_in_one_line(bench):
    """of-watchdog's log reader ends at one over-long line; the pipe fills and
    the program hangs. Here the job ends and the log stays bounded."""
    bench.run({"t": {"exec": [bench.script("h", "head -c 100000000 /dev/zero | tr '\\0' x")],
        "log_rate": 10}})
    bench.acked(bench.push("t"), limit=60)
    assert bench.supervisor.log.stat().st_size < 2_000_000


def test_log_rate(bench):
    """Above log_rate lines are counted, not logged, and the count is told."""
    bench.run({"t": {"exec": [bench.script("h", "seq 20000")], "log_rate": 100}})
    bench.acked(bench.push("t"), limit=30)
    out = bench.supervisor.says(re.compile(r"suppressed|left out|dropped|not logged"))
    assert out
    assert bench.supervisor.output().count("stream=stdout") < 2000


def test_output_limit_cut(bench):
    """output_limit with cut: the rest is read and dropped, the job is judged
    by its exit."""
    bench.run({"t": {"exec": [bench.script("h", "seq 100000; exit 0")],
        "output_limit": "10K", "output_action": "cut"}})
    bench.acked(bench.push("t"))
    assert bench.supervisor.output().count("stream=stdout") < 5000


def test_output_limit_kill(bench):
    """output_limit with kill: a program that floods is stopped."""
    bench.run({"t": {"exec": [bench.script("h", "yes")],
        "output_limit": "100K", "output_action": "kill"}})
    fail = bench.failed(bench.push("t"))
    assert fail["errtype"] == "OutputLimit"


def test_flood_does_not_delay_others(bench):
    """One handler that writes as fast as it can costs no other its time, and
    the beats go on."""
    bench.run({"flood": {"exec": [bench.script("flood", "timeout 4 yes; exit 0")],
            "log_rate": 10},
        "quick": bench.script("quick", "exit 0")})
    bench.push("flood")
    quick = [bench.push("quick") for _ in range(20)]
    bench.acked(*quick, limit=4)


@pytest.mark.parametrize("codes, status, word", [
    ("plain", 65, "retry"), ("sysexits", 70, "dead"), ("qmail", 111, "later"),
    ("rabbitmq-strict", 3, "dead"), ({"9": "dead"}, 9, "dead"),
    ({"*": "dead"}, 65, "dead"), ({"9": {"retry_in": "3s"}}, 9, "later")])
def test_exit_codes_fail_as_the_operator_says(bench, codes, status, word):
    """A profile or an own map decides what a failing exit status means."""
    bench.run({"t": {"exec": [bench.script("h", f"exit {status}")], "exit_codes": codes}})
    jid = bench.push("t")
    assert f"exit {status}" in bench.failed(jid)["message"]
    bench.supervisor.says(re.compile(rf"^.*jid={jid}.*; {word} after.*reported FAIL", re.M))


@pytest.mark.parametrize("codes, status, word", [
    ("qmail", 99, "done in"), ("airflow", 99, "discard after"), ({"3": "discard"}, 3, "discard after")])
def test_exit_codes_that_end_a_job_for_good(bench, codes, status, word):
    """What counts as done, or is to be forgotten, is acknowledged."""
    bench.run({"t": {"exec": [bench.script("h", f"exit {status}")], "exit_codes": codes}})
    jid = bench.push("t")
    bench.acked(jid)
    bench.supervisor.says(re.compile(rf"^.*jid={jid}.*{word}", re.M))


def test_error_parser_names_the_error(bench):
    """With error_parser the server hears the exception's own type and words,
    not "exit 1", from a real interpreter's trace."""
    program = bench.script("h", "raise LookupError('no row 7')", shell="/usr/bin/python3")
    bench.run({"t": {"exec": [program], "error_parser": "python"}})
    fail = bench.failed(bench.push("t"))
    assert (fail["errtype"], fail["message"]) == ("LookupError", "no row 7")
    assert fail["backtrace"][0] == "Traceback (most recent call last):"
    assert fail["backtrace"][-1] == "LookupError: no row 7"


def test_redacted_text_never_reaches_the_server(bench):
    """What `redact` matches is in neither message nor backtrace of a FAIL."""
    program = bench.script("h", "echo trying token=s3cr3t >&2; echo 'bad token=s3cr3t here' >&2; exit 1")
    bench.run({"t": {"exec": [program], "redact": ["token=([^ ]+)"]}})
    fail = bench.failed(bench.push("t"))
    assert fail["message"] == "exit 1: bad token=[redacted] here"
    assert fail["backtrace"][0] == "trying token=[redacted]"
    assert "s3cr3t" not in str(fail)


def test_dead_now_on_a_server_without_a_word_for_it(bench):
    """Exit 65: the job is moved from the retries to the dead, by its jid and
    nothing else, even when the jid has a space; another job keeps its retry."""
    bench.tap.stock = True
    bench.run({"t": bench.script("h", "exit 65"), "u": bench.script("g", "exit 1")})
    other = bench.push("u")
    bench.failed(other)
    for jid in ("never-again", "never again"):
        assert bench.failed(bench.push("t", jid=jid))["retry"] == -1
    wait_for("both to be dead", lambda: bench.client.sets()["dead"] == 2, 20)
    assert bench.client.sets()["retries"] == 1


def test_burials_are_rate_limited(bench):
    """A stock server scans the whole set at each: after one has been answered
    the next waits a tenth of a second, however many jobs must not run again."""
    bench.tap.stock = True
    bench.run({"t": bench.script("h", "exit 65")}, concurrency=8,
        defaults={"breaker": {"failures": "off"}})
    for _ in range(8):
        bench.push("t")
    wait_for("all to be dead", lambda: bench.client.sets()["dead"] == 8)
    times = [when for when, _, line in bench.tap.requests if line.startswith("MUTATE")]
    assert len(times) == 8
    assert all(after - before >= 0.08 for before, after in zip(times, times[1:])), times


def test_dead_now_on_our_server(bench):
    """Our server takes "retry":-1 at its word: no MUTATE, and the job is dead."""
    bench.run({"t": bench.script("h", "exit 65")})
    assert bench.failed(bench.push("t"))["retry"] == -1
    wait_for("it to be dead", lambda: bench.client.sets()["dead"] == 1, 20)
    assert not bench.tap.sent("MUTATE")


def test_no_emulation_when_it_is_not_wanted(bench):
    """With emulate_dead: false a stock server decides by the job's retry."""
    bench.tap.stock = True
    bench.run({"t": bench.script("h", "exit 65"), "u": bench.script("g", "exit 0")},
        emulate_dead=False)
    bench.failed(bench.push("t"))
    bench.acked(bench.push("u"))  # behind whatever followed the FAIL
    assert bench.client.sets()["retries"] == 1
    assert not bench.tap.sent("MUTATE")


def test_later_asks_for_its_time(bench):
    """Exit 75 asks for the handler's delay, in whole seconds."""
    bench.run({"t": {"exec": [bench.script("h", "exit 75")], "later": "1500ms"}})
    assert bench.failed(bench.push("t"))["retry_in"] == 2
