"""What a handler finds around it: environment, directory, process attributes.

SPDX-License-Identifier: ISC
"""
import json
import os
import re
import time
from pathlib import Path

import pytest

from support.program import run
from support.supervisor import FAKTOTUM
from support.waiting import wait_for

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")

# Set by the shell that runs the script, not by us.
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}


def environment(bench, handler=None, env=None, job=None, **settings):
    """Runs one job and returns the environment that its handler saw."""
    out = bench.scratch / "env"
    program = bench.script("h", f"cat /proc/$$/environ >{out}; cat >/dev/null")
    bench.run({"t": dict(handler or {}, exec=[program])}, env=env, **settings)
    jid = bench.push("t", **(job or {}))
    bench.acked(jid)
    pairs = out.read_bytes().decode().rstrip("\0").split("\0")
    seen = dict(p.split("=", 1) for p in pairs)
    assert len(seen) == len(pairs), "a name stands twice"
    return jid, seen


def test_environment_is_built_from_nothing(bench):
    """Exactly the documented names: nothing of ours leaks into a handler."""
    began = time.time()
    jid, env = environment(bench, env={"STRAY": "x", "LD_LIBRARY_PATH": "/nowhere",
        "EDITOR": "vi", "NOTIFY_SOCKET": "", "WATCHDOG_USEC": "30000000"},
        job={"retry": 3, "reserve_for": 100})
    fixed = {"FAKTORY_PROTOCOL": "1", "FAKTORY_PAYLOAD_FORMAT": "json",
        "FAKTORY_JID": jid, "FAKTORY_JOBTYPE": "t", "FAKTORY_QUEUE": "default",
        "FAKTORY_ATTEMPT": "1", "FAKTORY_MAX_ATTEMPTS": "4"}
    for name, value in fixed.items():
        assert env.pop(name) == value, name
    assert env.pop("FAKTORY_LAST_ATTEMPT", "0") == "0"
    assert len(env.pop("FAKTORY_DISPATCH_ID")) >= 8
    assert TIME.match(env.pop("FAKTORY_CREATED_AT"))
    assert TIME.match(env.pop("FAKTORY_ENQUEUED_AT"))
    assert env.pop("FAKTORY_CONTROL_FD") == "3"
    # 100 s of reservation less 10 s of grace and 5 s of margin.
    assert 50 <= int(env.pop("FAKTORY_TIMEOUT")) <= 85
    deadline = int(env.pop("FAKTORY_DEADLINE")) / 1000
    assert began + 80 <= deadline <= time.time() + 85.1
    assert env.pop("FAKTORY_TMPDIR").startswith("/")
    for name in ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG"):
        assert env.pop(name), name
    assert set(env) - OF_THE_SHELL <= {"TMPDIR", "TZ"}, env


def test_password_is_nowhere_near_a_handler(bench, start_server):
    """FAKTORY_URL holds the password: it is not in a handler's environment,
    and in no command line of any process of ours."""
    out = bench.scratch / "env"
    secret = "hunter2-in-the-url"
    guarded = start_server(env={"FAKTORY_PASSWORD": secret})
    program = bench.script("h",
        f"{{ cat /proc/$$/environ /proc/$$/cmdline /proc/$PPID/cmdline; env; }} >{out}")
    url = f"tcp://:{secret}@127.0.0.1:{guarded.port}"
    bench.start_supervisor(None, {"jobs": {"t": {"exec": [program]}}},
        env={"FAKTORY_PROVIDER": "MY_URL", "MY_URL": url, "FAKTORY_URL": url})
    with guarded.client(password=secret) as c:
        c.push(jobtype="t", jid="12345678", args=[])
        wait_for("the job to be acknowledged",
            lambda: c.faktory()["total_processed"] == 1)
        assert c.faktory()["total_failures"] == 0
    seen = out.read_bytes()
    assert b"FAKTORY_JID=12345678" in seen
    for word in (secret.encode(), b"FAKTORY_URL", b"FAKTORY_PROVIDER", b"MY_URL"):
        assert word not in seen, word


def test_password_is_not_logged(bench, start_server):
    """Neither a good nor a refused password appears in the log."""
    guarded = start_server(env={"FAKTORY_PASSWORD": "right-one"})
    s = bench.start_supervisor(f"tcp://:wrong-one@127.0.0.1:{guarded.port}",
        {"jobs": {"t": {"exec": ["/bin/true"]}}, "log": {"level": "debug"}})
    s.says(re.compile("assword"))
    assert "wrong-one" not in s.output()
    assert "right-one" not in guarded.program.output()
    assert s.alive()


def test_run_once_gives_the_same_environment(bench):
    """run-once is the place to try a handler: it finds the very names that it
    finds at work, with the same values where these are not of the dispatch."""
    handler = {"env": {"TENANT": "{custom.tenant}"}, "env_pass": ["WANTED"]}
    outside = {"WANTED": "yes", "UNWANTED": "no", "FAKTORY_URL": "", "NOTIFY_SOCKET": ""}
    job = {"custom": {"tenant": "acme"}, "retry": 3, "reserve_for": 100}
    jid, env = environment(bench, handler, outside, job)
    text = json.dumps({"jid": jid, "jobtype": "t", "args": [], "queue": "default",
        "created_at": env["FAKTORY_CREATED_AT"], "enqueued_at": env["FAKTORY_ENQUEUED_AT"], **job})
    done = run([FAKTOTUM, "run-once", "-c", bench.supervisor.config, "t"], env=outside,
        stdin=text.encode())
    assert done.returncode == 0, done.stderr
    pairs = (bench.scratch / "env").read_bytes().decode().rstrip("\0").split("\0")
    once = dict(p.split("=", 1) for p in pairs)
    assert set(once) == set(env)
    of_the_dispatch = {"FAKTORY_DISPATCH_ID", "FAKTORY_DEADLINE", "FAKTORY_TIMEOUT", "FAKTORY_TMPDIR",
        "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_"}
    for name in set(env) - of_the_dispatch:
        assert once[name] == env[name], name


def test_last_attempt(bench):
    """FAKTORY_LAST_ATTEMPT is 1 when a failure now is final."""
    _, env = environment(bench, job={"retry": 0})
    assert (env["FAKTORY_LAST_ATTEMPT"], env["FAKTORY_MAX_ATTEMPTS"]) == ("1", "1")


def test_attempt_counts_up(bench):
    """The second execution sees ATTEMPT 2, another DISPATCH_ID, and with
    retry 1 that it is the last."""
    out = bench.scratch / "seen"
    bench.run({"t": bench.script("h",
        f'echo "$FAKTORY_ATTEMPT ${{FAKTORY_LAST_ATTEMPT:-0}} $FAKTORY_DISPATCH_ID" >>{out}\n'
        '[ "$FAKTORY_ATTEMPT" -gt 1 ]')})
    jid = bench.push("t", retry=1)
    bench.failed(jid)
    wait_for("the retry", lambda: bench.client.sets()["retries"] == 1)
    bench.client.mutate("requeue", "retries", jids=[jid])
    wait_for("the ACK", lambda: bench.tap.about("ACK", jid))
    first, second = [l.split() for l in out.read_text().splitlines()]
    assert first[:2] == ["1", "0"]
    assert second[:2] == ["2", "1"]
    assert first[2] != second[2]


def test_env_and_env_pass(bench):
    """env: with templates, env_pass: by name; custom is never exported by
    itself, and a name that is not set is not made up."""
    _, env = environment(bench,
        handler={"env": {"TENANT": "{custom.tenant}", "FIXED": "a b", "MAYBE": "{custom.no?none}"},
            "env_pass": ["WANTED", "ABSENT"]},
        env={"WANTED": "yes", "UNWANTED": "no"}, job={"custom": {"tenant": "acme", "x": "y"}})
    assert (env["TENANT"], env["FIXED"], env["MAYBE"]) == ("acme", "a b", "none")
    assert env["WANTED"] == "yes"
    assert not {"UNWANTED", "ABSENT", "x", "tenant"} & set(env)


def test_traceparent(bench):
    """TRACEPARENT comes from custom, if it is well-formed."""
    good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    _, env = environment(bench, job={"custom": {"traceparent": good}})
    assert env["TRACEPARENT"] == good


def test_malformed_traceparent_is_left_out(bench):
    """A value that is no trace context does not reach the environment."""
    _, env = environment(bench, job={"custom": {"traceparent": "00-x\nLD_PRELOAD=/x"}})
    assert "TRACEPARENT" not in env and "LD_PRELOAD" not in env


def test_job_fields_with_odd_bytes(bench):
    """A jid or queue is data: newline and quote stay within their variable.
    The dispatch either runs with exactly these bytes or fails whole."""
    out = bench.scratch / "seen"
    bench.run({"t": bench.script("h", f'printf %s "$FAKTORY_JID" >{out}')})
    jid = 'a"b$(touch x)\nLD_PRELOAD=/x é'
    bench.push("t", jid=jid)
    bench.acked(jid)
    assert out.read_text() == jid


def test_process_attributes(bench):
    """Own session and group, default dispositions, nothing blocked, no new
    privileges, the umask of the configuration, / as directory."""
    out = bench.scratch / "attributes"
    program = bench.scratch / "look.py"
    program.write_text(
        "import os, json\n"
        "status = dict(l.split(':', 1) for l in open('/proc/self/status'))\n"
        "mask = os.umask(0)\n"
        "print(json.dumps({'pid': os.getpid(), 'pgid': os.getpgid(0), 'sid': os.getsid(0),\n"
        "    'cwd': os.getcwd(), 'umask': mask, 'blocked': status['SigBlk'].strip(),\n"
        "    'ignored': status['SigIgn'].strip(), 'nnp': status['NoNewPrivs'].strip()}),\n"
        f"    file=open({str(out)!r}, 'w'))\n")
    # -I -S: nothing but the interpreter; it ignores SIGPIPE and SIGXFSZ itself.
    bench.run({"t": {"exec": ["/usr/bin/python3", "-I", "-S", str(program)], "umask": "027"}})
    bench.acked(bench.push("t"))
    a = json.loads(out.read_text())
    assert a["pid"] == a["pgid"] == a["sid"]
    assert a["cwd"] == "/"
    assert a["umask"] == 0o027
    assert int(a["blocked"], 16) == 0
    assert int(a["ignored"], 16) & ~((1 << 12) | (1 << 24)) == 0
    assert a["nnp"] == "1"


def test_signals_have_their_default_in_a_shell(bench):
    """SIGPIPE and the rest are not ignored: `yes | head` must end."""
    out = bench.scratch / "ignored"
    bench.run({"t": bench.script("h", f"grep SigIgn /proc/$$/status >{out}; yes | head -n 1")})
    bench.acked(bench.push("t"))
    assert int(out.read_text().split()[1], 16) == 0


def test_private_directory(bench):
    """FAKTORY_TMPDIR is 0700, empty, of this execution alone, and gone with
    everything in it afterwards; `cwd: private` starts the program in it."""
    out = bench.scratch / "seen"
    program = bench.script("h",
        f'{{ pwd; echo "$FAKTORY_TMPDIR"; stat -c %a .; ls -A | wc -l; }} >>{out}\n'
        'mkdir -p a/b; touch a/b/c "odd name"; chmod 500 a/b; ln -s / a/root')
    bench.run({"t": {"exec": [program], "cwd": "private"}}, tmpdir=str(bench.scratch))
    bench.acked(bench.push("t"))
    bench.acked(bench.push("t"))
    lines = out.read_text().splitlines()
    first, second = lines[:4], lines[4:]
    assert first[0] == first[1] and first[0].startswith(str(bench.scratch))
    assert first[2:] == ["700", "0"]
    assert first[0] != second[0]
    wait_for("the directories to be removed",
        lambda: not os.path.exists(first[0]) and not os.path.exists(second[0]))
    assert Path("/etc").exists()


def test_private_directories_are_gone_with_the_supervisor(bench):
    """After the end nothing of ours is left below tmpdir."""
    place = bench.scratch / "tmp"
    place.mkdir()
    bench.run({"t": bench.script("h", 'touch "$FAKTORY_TMPDIR/x"')}, tmpdir=str(place))
    bench.acked(bench.push("t"))
    assert bench.supervisor.stop() == 0
    assert list(place.iterdir()) == []


def test_cwd_of_the_configuration(bench):
    """cwd: is where the program starts."""
    out = bench.scratch / "seen"
    bench.run({"t": {"exec": [bench.script("h", f"pwd >{out}")], "cwd": "/usr"}})
    bench.acked(bench.push("t"))
    assert out.read_text() == "/usr\n"


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "IFS", "BASH_ENV", "PYTHONPATH",
    "HTTP_PROXY", "FAKTORY_JID"])
def test_forbidden_names_are_refused_at_load(bench, name):
    """env: may not set what changes how programs load or run: exit 78."""
    s = bench.start_supervisor(bench.tap.url,
        {"jobs": {"t": {"exec": ["/bin/true"], "env": {name: "{args.0}"}}}})
    assert s.wait() == 78
    assert name in s.output()
