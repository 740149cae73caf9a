"""Messages that a program writes to descriptor 3, with the real programs.

SPDX-License-Identifier: ISC
"""
import json


def say(**members):
    """A line of sh that writes this message."""
    return f"printf '%s\\n' '{json.dumps(members)}' >&3\n"


def job(bench, text, shell="/bin/sh", **settings):
    bench.run({"t": {"exec": [bench.script("h", text, shell)], **settings}})
    return bench.push("t")


def test_log(bench):
    """A log message is a line of the log with its level, the job's tags and
    its fields; the job's own tags cannot be forged."""
    jid = job(bench, say(type="log", level="warning", msg="low on ink",
        fields={"left": 3, "jid": "forged"}) + "[ $FAKTORY_CONTROL_FD = 3 ]")
    bench.acked(jid)
    bench.supervisor.says("low on ink")
    line = next(l for l in bench.supervisor.output().splitlines() if "low on ink" in l)
    assert "warning" in line and f"jid={jid}" in line and "left=3" in line
    assert "forged" not in line


def test_bad_lines(bench):
    """What is no message, among it a line of 1 MB, is told and ignored; the
    next message counts again and the job is judged by its exit status."""
    jid = job(bench, """
echo 'no json' >&3
head -c 1000000 /dev/zero | tr '\\0' x >/dev/fd/3
echo >&3
echo '{"type":"unheard"}' >&3
""" + say(type="log", msg="after all that"))
    bench.acked(jid)
    bench.supervisor.says("after all that")
    out = bench.supervisor.output()
    assert out.count("a message is ignored") == 3
    assert "longer than message_max" in out


def test_stray_prints_are_log_lines(bench):
    """Listeners of supervisord and workers of RoadRunner speak by standard
    output, where one print too many is a command. Here whatever is printed
    there is a line of the log and nothing else: neither a message nor JSON
    that looks like a whole conversation decides anything."""
    lines = [json.dumps(m) for m in ({"type": "error", "retry": False}, {"type": "result", "value": 1},
        {"type": "push", "job": {"jobtype": "t", "args": []}}, {"type": "log", "msg": "not-by-message"})]
    lines += ["READY", "RESULT 4", "FAIL", "::error::x", "+OK"]
    jid = job(bench, "".join(f"printf '%s\\n' '{l}'; printf '%s\\n' '{l}' >&2\n" for l in lines))
    bench.acked(jid)
    bench.supervisor.says("stream=stderr  +OK")
    out = bench.supervisor.output()
    for line in lines:
        for stream in ("stdout", "stderr"):
            assert f"jid={jid} type=t stream={stream}  {line}\n" in out, (stream, line)
    assert not bench.tap.sent("PUSHB") and not bench.tap.sent("FAIL")
    assert bench.tap.sent("ACK") == [{"jid": jid}]


def test_flood(bench):
    """A flood on descriptor 3 is read to its end, costs ten lines a second of
    the log at most, and does not fail the job."""
    jid = job(bench, "yes '{' | head -n 200000 >&3")
    bench.acked(jid, limit=60)
    bench.supervisor.says("200000 messages were ignored in all")
    assert bench.supervisor.output().count("a message is ignored") < 1000


def test_closed_and_held(bench):
    """A program may close descriptor 3, and a child that it leaves behind with
    it open does not keep the outcome."""
    bench.run({"closes": bench.script("c", "exec 3>&-\nsleep 0.1"),
        "leaves": bench.script("l", "sleep 600 >/dev/null 2>&1 &")})
    bench.acked(bench.push("closes"), bench.push("leaves"), limit=30)
    bench.supervisor.says("processes behind; killed")


def test_stalled(bench):
    """Without a sign of life for stall_timeout a program is stopped, also when
    it prints all the time."""
    jid = job(bench, "while :; do echo tick; sleep 0.05; done",
        stall_timeout="500ms")
    assert bench.failed(jid)["errtype"] == "Stalled"


def test_alive(bench):
    """Heartbeats and progress are signs of life: a program that sends them
    outlives its stall_timeout."""
    beat, step = say(type="heartbeat"), say(type="progress", percent=1)
    jid = job(bench, f"for i in 1 2 3 4 5 6 7 8; do\n{beat}sleep 0.2\n"
        f"{step}sleep 0.2\ndone", stall_timeout="2s")
    bench.acked(jid)


def test_extend_refused(bench):
    """Without max_timeout a request for more time is refused and told, and the
    old deadline stands."""
    jid = job(bench, say(type="extend", seconds=60) + "exec sleep 60", timeout="1s")
    assert bench.failed(jid)["errtype"] == "Timeout"
    bench.supervisor.says("60 s more are refused: max_timeout")


def test_extend(bench):
    """With max_timeout a program gets the time that it asks for, up to that."""
    bench.run({
        "t": {"exec": [bench.script("t", say(type="extend", seconds=30) + "sleep 2")],
            "timeout": "1s", "max_timeout": "1m"},
        "part": {"exec": [bench.script("p", say(type="extend", seconds=30) +
            "exec sleep 60")], "timeout": "1s", "max_timeout": "2s"}})
    whole, part = bench.push("t"), bench.push("part")
    bench.acked(whole)
    assert bench.failed(part)["errtype"] == "Timeout"
    bench.supervisor.says("as the program asked, in part")


def test_error(bench):
    """An error message gives a failure its name, words and trace; what redact
    matches does not leave the host."""
    jid = job(bench, "echo other >&2\n" + say(type="error", errtype="acme.NoRow",
        message="no row for card 1234", backtrace=["f", "g"]) + "exit 3",
        redact=["[0-9]{4}"])
    failure = bench.failed(jid)
    assert failure["errtype"] == "acme.NoRow"
    assert failure["message"] == "no row for card [redacted]"
    assert failure["backtrace"] == ["f", "g"]


def test_error_decides(bench):
    """retry false makes a failed job dead, "discard" drops it, and after exit
    0 an error message is a warning and nothing else."""
    bench.run({name: bench.script(name, say(type="error", message="so be it",
        **more) + f"exit {code}") for name, code, more in (
            ("dead", 1, {"retry": False}), ("gone", 1, {"retry": "discard"}),
            ("fine", 0, {"retry": False}))})
    dead = bench.push("dead")
    bench.failed(dead)
    bench.acked(bench.push("gone"), bench.push("fine"))
    bench.supervisor.says("so be it; dead after")
    bench.supervisor.says("so be it; discard after")
    bench.supervisor.says("the error it told of is ignored: so be it")


def test_off(bench):
    """control: off leaves descriptor 3 closed and does not name it."""
    jid = job(bench, '[ -z "$FAKTORY_CONTROL_FD" ] && ! [ -e /proc/$$/fd/3 ]',
        control="off")
    bench.acked(jid)
