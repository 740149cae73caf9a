"""faktotum push, run-once and dev: the operator's hands.

SPDX-License-Identifier: ISC
"""
import json
import os
import re
import signal
import socket

import pytest

from support.client import Client, new_job
from support.ports import free_port
from support.program import BUILD, Program, run
from support.supervisor import FAKTOTUM, script
from support.waiting import wait_for


def push(server, *args, stdin=b"", env=None):
    return run([FAKTOTUM, "push", *args], stdin=stdin,
        env=dict({"FAKTORY_URL": server.url}, **(env or {})))


def pushed(server, client, *args):
    """Pushes and returns the job as a worker gets it."""
    done = push(server, *args)
    assert done.returncode == 0, done.stderr
    job = client.fetch()
    assert done.stdout.decode().strip() == job["jid"]
    return job


# ---- push ----

def test_push_words(server, client):
    """Words that are JSON are JSON, others are strings; jid, queue, retry and
    created_at are always explicit."""
    job = pushed(server, client, "resize", "42", "1.50", "true", "null", "hello world",
        '{"a":[1]}', '"quoted"')
    assert job["jobtype"] == "resize"
    assert job["args"][:6] == [42, 1.5, True, None, "hello world", {"a": [1]}]
    assert job["retry"] == 25 and job["queue"] == "default"
    assert len(job["jid"]) >= 16 and job["created_at"]


def test_push_options(server, client):
    """Every option arrives in its field."""
    done = push(server, "t", "--args", '[9007199254740993,{"z":1,"a":2}]', "--queue", "default",
        "--retry", "-1", "--reserve-for", "10m", "--custom", "tenant=acme", "--custom", "n=5",
        "--jid", "my-own-jid-1")
    assert done.returncode == 0, done.stderr
    raw = client.fetch_raw().decode()
    assert "[9007199254740993," in raw
    job = json.loads(raw)
    assert (job["jid"], job["retry"], job["reserve_for"]) == ("my-own-jid-1", -1, 600)
    assert job["custom"]["tenant"] == "acme"


@pytest.mark.parametrize("args", [["--in", "5m"], ["--at", "2199-01-01T00:00:00Z"]])
def test_push_for_later(server, client, args):
    """--in and --at schedule."""
    assert push(server, "t", *args).returncode == 0
    assert client.sets()["scheduled"] == 1


@pytest.mark.parametrize("args", [["t", "--args", "{"], ["t", "--args", "5"], ["t", "--at", "tomorrow"],
    ["t", "--in", "5"], ["t", "--retry", "x"], ["t", "--custom", "novalue"], ["t", "--nonsense"]])
def test_push_usage(server, client, args):
    """Mistakes of the caller push nothing: 64, or 65 for arguments that are
    no JSON."""
    done = push(server, *args)
    assert done.returncode in (64, 65)
    assert done.stderr
    assert client.faktory()["queues"] == {}


def test_push_refused_by_the_server(server, client):
    """The server's refusal is shown: exit 65."""
    done = push(server, "t", "--queue", "no such!")
    assert done.returncode in (64, 65)
    assert b"queue" in done.stderr
    assert client.faktory()["queues"] == {}


def test_push_without_a_server(tmp_path):
    """Nobody listens: exit 69, the address in the message."""
    port = free_port()
    done = run([FAKTOTUM, "push", "t"], env={"FAKTORY_URL": f"tcp://127.0.0.1:{port}"})
    assert done.returncode == 69
    assert str(port).encode() in done.stderr


def test_push_with_a_password(start_server):
    """The password of the URL is used and never shown; a wrong one is exit
    77."""
    guarded = start_server(env={"FAKTORY_PASSWORD": "right"})
    url = f"tcp://:right@127.0.0.1:{guarded.port}"
    assert run([FAKTOTUM, "push", "t"], env={"FAKTORY_URL": url}).returncode == 0
    done = run([FAKTOTUM, "push", "t"], env={"FAKTORY_URL": url.replace("right", "wr0ng")})
    assert done.returncode == 77
    assert b"wr0ng" not in done.stderr


def test_push_provider(server, client):
    """FAKTORY_PROVIDER names the variable with the URL."""
    done = run([FAKTOTUM, "push", "t"],
        env={"FAKTORY_PROVIDER": "WHERE", "WHERE": server.url, "FAKTORY_URL": "tcp://127.0.0.1:1"})
    assert done.returncode == 0, done.stderr
    assert client.size() == 1


def test_bulk_push(server, client):
    """One JSON job a line: missing fields are filled in, given bytes stay."""
    lines = ['{"jobtype":"t","args":[9007199254740993]}',
        json.dumps(new_job("t", 2)), "", '{"jid":"my-own-jid","jobtype":"t","args":[1.0],"retry":0}']
    done = push(server, "-", stdin="\n".join(lines).encode())
    assert done.returncode == 0, done.stderr
    first = client.fetch_raw().decode()
    assert "[9007199254740993]" in first
    job = json.loads(first)
    assert job["jid"] and job["retry"] == 25 and job["queue"] == "default"
    assert client.fetch()["args"] == [2]
    last = client.fetch_raw().decode()
    assert '"args":[1.0]' in last and json.loads(last)["retry"] == 0
    assert client.size() == 0


def test_bulk_push_of_ten_thousand(server, client):
    """Ten thousand lines arrive complete and in order."""
    text = "".join('{"jobtype":"t","args":[%d]}\n' % i for i in range(10_000))
    assert push(server, "-", stdin=text.encode()).returncode == 0
    assert client.size() == 10_000
    assert [client.fetch()["args"] for _ in range(3)] == [[0], [1], [2]]


def test_bulk_push_with_mistakes(server, client):
    """Refused lines are named with their number; the others are pushed; 65."""
    lines = ['{"jobtype":"t","args":[]}', "this is not JSON", '{"jobtype":"t"}',
        '{"jobtype":"t","args":[],"queue":"a b"}', '{"jobtype":"t","args":[]}']
    done = push(server, "-", stdin="\n".join(lines).encode())
    assert done.returncode == 65
    for number in (2, 3, 4):
        assert re.search(rf"\b{number}\b", done.stderr.decode()), done.stderr
    assert client.size() == 2


# ---- run-once ----

def run_once(tmp_path, text, stdin, *args, **handler):
    config = tmp_path / "once.yaml"
    program = script(tmp_path, "h", text)
    config.write_text(json.dumps({"jobs": {"t": dict(handler, exec=[program] + handler.pop("argv", []))}}))
    return run([FAKTOTUM, "run-once", "-c", config, "t", *args], stdin=stdin)


@pytest.mark.parametrize("status, exit, kind", [(0, 0, "done"), (1, 1, "retry"), (75, 75, "later"),
    (65, 65, "dead"), (3, 1, "retry")])
def test_run_once_mirrors_the_outcome(tmp_path, status, exit, kind):
    """The exit status says what the server would have been told; standard
    output is one JSON document, the handler's output goes to stderr."""
    done = run_once(tmp_path, f"cat; echo to-stderr >&2; exit {status}", b'["x"]')
    assert done.returncode == exit, done.stderr
    outcome = json.loads(done.stdout)
    assert kind in json.dumps(outcome)
    assert b"to-stderr" in done.stderr
    assert b'"args":["x"]' in done.stderr


def test_run_once_shows_what_was_said(tmp_path):
    """run-once shows progress and result, and an error's own words."""
    done = run_once(tmp_path, """
printf '{"type":"progress","percent":40,"desc":"page 2"}\\n' >&3
printf '{"type":"result","value":{"rows": 9007199254740993}}\\n' >&3
printf '{"type":"error","errtype":"NoRow","retry":false}\\n' >&3
exit 1""", b"[]")
    outcome = json.loads(done.stdout)
    assert done.returncode == 65
    assert outcome["outcome"] == "dead" and outcome["errtype"] == "NoRow"
    assert outcome["progress"] == {"percent": 40, "desc": "page 2"}
    assert outcome["result"] == {"rows": 9007199254740993}


def test_run_once_with_a_whole_job(tmp_path):
    """A whole job keeps its jid and attempt."""
    job = new_job("t", 1, failure={"retry_count": 0, "remaining": 24, "failed_at": "", "message": "m",
        "errtype": "E", "next_at": ""})
    done = run_once(tmp_path, 'echo "$FAKTORY_JID $FAKTORY_ATTEMPT" >&2', json.dumps(job).encode())
    assert done.returncode == 0, done.stderr
    assert f"{job['jid']} 2".encode() in done.stderr


def test_run_once_explains(tmp_path):
    """--explain shows argv, environment, input and limits, and runs nothing."""
    mark = tmp_path / "ran"
    done = run_once(tmp_path, f"touch {mark}", b'["a b"]', "--explain", argv=["--", "{args.0}"],
        timeout="30s")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    for word in ("a b", "FAKTORY_JOBTYPE", "FAKTORY_PROTOCOL", "30s"):
        assert word in text, text
    # Every setting that the reference has: a new one cannot be forgotten.
    reference = run([FAKTOTUM, "check", "--reference"]).stdout.decode()
    rows = re.findall(r"^\| `([a-z_.]+)` ", reference.split("### One job")[1].split("\n### ")[0], re.M)
    assert len(rows) > 30
    for row in set(rows) - {"exec", "shell", "args", "env", "wrap"}:
        assert re.search(rf"^  {re.escape(row)} +\S", text, re.M), row
    assert not mark.exists()


def test_run_once_escapes_output(tmp_path):
    """What a handler prints commands no terminal: control characters and bytes
    that are no text are escaped, UTF-8 stays."""
    done = run_once(tmp_path, r"printf 'a\033[2J\rb\000\377\303\251\n'; head -c 20000 /dev/zero", b"[]")
    assert done.returncode == 0
    assert done.stderr.startswith(b"a\\x1b[2J\\x0db\\x00\\xff\xc3\xa9\n" + b"\\x00" * 20000)
    assert not set(done.stderr) & set(range(32)) - {10}


def test_run_once_refuses_bad_data(tmp_path):
    """BadArgument is told, the program is not run."""
    mark = tmp_path / "ran"
    for word, status, outcome in (("dead", 65, b'"dead"'), ("retry", 1, b'"retry"')):
        done = run_once(tmp_path, f"touch {mark}", b"[]", argv=["{args.0}"], bad_argument=word)
        assert done.returncode == status
        assert b"BadArgument" in done.stdout and outcome in done.stdout
    assert not mark.exists()


def test_run_once_has_a_time_limit(tmp_path):
    """A hanging handler is stopped by its time-out here as well."""
    done = run_once(tmp_path, "exec sleep 60", b"[]", timeout="1s")
    assert done.returncode == 1
    assert b"Timeout" in done.stdout


# ---- dev ----

@pytest.fixture
def dev(tmp_path, ending):
    port = free_port()
    out = tmp_path / "out"
    config = tmp_path / "dev.yaml"
    config.write_text(json.dumps({"jobs": {"t": {"exec": [script(tmp_path, "h", f"cat >>{out}")]}}}))
    p = Program([FAKTOTUM, "dev", "-c", config, "--listen", f"127.0.0.1:{port}",
        "--data", tmp_path / "data", "--server-program", BUILD / "faktotum-server"],
        tmp_path / "dev.log")
    ending.append(p)
    p.port, p.out = port, out

    def up():
        assert p.alive(), p.output()
        try:
            with Client(port) as c:
                return c.info()["faktory"]["tasks"]["Workers"]["size"] == 1
        except (OSError, EOFError):
            return False
    wait_for("dev to be up", up, 20)
    return p


def alive_children(p):
    return [pid for pid, state in p.children() if state != "Z"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_dev_runs_a_job_and_stops_both(dev, number):
    """Server and supervisor in one command; Ctrl-C ends both, exit 0."""
    with Client(dev.port) as c:
        c.push(new_job("t", "hello"))
        wait_for("the job to be done", lambda: c.faktory()["total_processed"] == 1)
    assert '"hello"' in dev.out.read_text()
    pids = alive_children(dev)
    assert len(pids) == 2
    dev.signal(number)
    assert dev.wait() == 0, dev.output()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", dev.port), 1)


def test_dev_ends_when_one_of_them_dies(dev):
    """If either dies by itself the other is stopped, and the exit is not 0."""
    os.kill(alive_children(dev)[0], signal.SIGKILL)
    assert dev.wait() > 0, dev.output()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", dev.port), 1)
