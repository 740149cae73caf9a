"""Results: a program's standard output, or a message, sent with the outcome.

SPDX-License-Identifier: ISC
"""
import json
import signal

import pytest

from support.client import new_job
from support.peer import Peer
from support.program import run
from support.supervisor import FAKTOTUM, script
from support.waiting import wait_for


def once(tmp_path, text, **settings):
    """run-once: its outcome, and what went to the log."""
    settings.setdefault("stdout", "result")
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"jobs": {"t": {
        "exec": [script(tmp_path, "h", text)], **settings}}}))
    done = run([FAKTOTUM, "run-once", "-c", config, "t"])
    return json.loads(done.stdout), done.stderr.decode()


@pytest.mark.parametrize("text,result", [
    ("""echo '{"rows": 7,'; echo ' "ok": true}'""", {"rows": 7, "ok": True}),
    ("echo one; printf two", "one\ntwo"),
    (r"printf 'a\377b'", "a\\xffb"),
    ("head -c 40000 /dev/zero | tr '\\0' x", "x" * 40000)])
def test_stdout_is_the_result(tmp_path, text, result):
    """JSON keeps its value, anything else becomes a string; only standard
    error is log."""
    outcome, log = once(tmp_path, text + "; echo to the log >&2")
    assert outcome["result"] == result and log == "to the log\n"


def test_nothing_printed_is_no_result(tmp_path):
    """No output gives no result, as does `stdout: log`; a message gives one
    whatever was printed."""
    assert "result" not in once(tmp_path, "exit 0")[0]
    outcome, log = once(tmp_path, "echo 7", stdout="log")
    assert "result" not in outcome and log == "7\n"
    outcome, _ = once(tmp_path, """echo 7; echo '{"type":"result","value":8}' >&3""")
    assert outcome["result"] == 8


@pytest.mark.parametrize("settings,limit", [
    ({"result_limit": "1K"}, "result_limit"), ({"output_limit": "1K"}, "output_limit")])
def test_a_result_is_never_cut(tmp_path, settings, limit):
    """Above a limit there is no result; that is told, and the job is done."""
    outcome, log = once(tmp_path, "yes | head -c 2000", **settings)
    assert outcome["outcome"] == "done" and "result" not in outcome
    assert f"what it printed is more than {limit}; it has no result" in log


@pytest.mark.parametrize("named", [True, False])
def test_it_goes_with_the_outcome(start_supervisor, tmp_path, named):
    """ACK and FAIL carry the result to a server whose HI names `result`, and
    to no other: a stock one would refuse the ACK."""
    with Peer() as peer:
        peer.extensions = ["result"] if named else []
        peer.serve()
        peer.jobs.extend([new_job("ok"), new_job("bad")])
        start_supervisor(peer.url, {"defaults": {"stdout": "result"}, "jobs": {
            "ok": {"exec": [script(tmp_path, "ok", "echo '[1.0, 2]'")]},
            "bad": {"exec": [script(tmp_path, "bad", "echo half; exit 1")]}}})
        peer.wait(lambda: peer.acks and peer.fails)
        told = dict(peer.told)
        assert told["ACK"].get("result") == ([1.0, 2] if named else None)
        assert told["FAIL"].get("result") == ("half" if named else None)
        assert ("result" in told["ACK"]) == ("result" in told["FAIL"]) == named


def test_an_upgrade_keeps_what_was_printed(start_supervisor, tmp_path):
    """Output from before the upgrade and after it is one result."""
    began, go = tmp_path / "began", tmp_path / "go"
    with Peer() as peer:
        peer.extensions = ["result"]
        peer.serve()
        peer.jobs.append(new_job("t"))
        s = start_supervisor(peer.url, {"upgrade": "on", "jobs": {"t": {
            "stdout": "result", "exec": [script(tmp_path, "h",
                f"echo one; printf 'tw'; touch {began}; "
                f"while ! [ -e {go} ]; do sleep 0.05; done; echo o")]}}})
        wait_for("the program", began.exists)
        s.signal(signal.SIGUSR2)
        s.says("going on with")
        go.touch()
        peer.wait(lambda: peer.acks)
        assert peer.told[0][1]["result"] == "one\ntwo"


def test_our_server_keeps_it(bench):
    """From the program's standard output to RESULT, with the digits it came
    with; and of a failure likewise."""
    bench.run({"ok": {"exec": [bench.script("ok", "echo '[9007199254740993, 1.0]'")],
        "stdout": "result"}, "bad": {"exec": [bench.script("bad", "echo half; exit 1")],
        "stdout": "result"}})
    ok, bad = bench.push("ok"), bench.push("bad")
    bench.acked(ok)
    bench.failed(bad)

    def result(jid):
        return bench.client.call('RESULT {"jid":"%s"}' % jid)
    wait_for("both", lambda: result(ok) and result(bad))
    assert b'"result":[9007199254740993,1.0]' in result(ok)
    assert json.loads(result(bad))["result"] == "half"
    assert json.loads(result(bad))["failed"] is True
