"""job, worker, queue: orders that the server carries out, for jobs and workers anywhere.

SPDX-License-Identifier: ISC
"""
import json
import os
import threading

import pytest

from support.client import new_job
from support.peer import Peer
from support.program import BUILD, run
from support.waiting import ceiling, wait_for


def say(server, *words, env=None, url=None):
    """(exit status, standard output, standard error)"""
    done = run([BUILD / "faktotum", *words, "--server", url or server.url], env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def sizes(client):
    info = client.info()["faktory"]
    return info["queues"], info["tasks"]


# ---- job ------------------------------------------------------------------------


def test_cancel_a_job_that_waits(server, client):
    """It is removed, and said so; a second time there is no such job."""
    jid = client.push(new_job())["jid"]
    assert say(server, "job", "cancel", jid) == (0, f"{jid} is removed\n", "")
    assert client.size() == 0
    status, out, error = say(server, "job", "cancel", jid)
    assert (status, out) == (1, "") and f"faktotum job: Job not found {jid}" in error


def test_cancel_a_job_at_work(bench):
    """Its worker ends it, wherever that is; it is dead and not tried again."""
    started = bench.scratch / "started"
    bench.run({"t": bench.script("h", f": >{started}; sleep 600")}, beat="1s")
    jid = bench.push("t")
    wait_for("it to run", started.exists, 30)
    status, out, _ = say(bench.server, "job", "cancel", jid)
    assert (status, out) == (0, f"{jid} is at work: its worker is told to end it\n")
    assert bench.failed(jid, limit=60)["errtype"] == "Cancelled"
    wait_for("it to be dead", lambda: bench.client.sets()["dead"] == 1, 30)


def test_cancel_several_as_json(server, client):
    """A line of JSON for each; one that is not there does not keep the others."""
    jids = [client.push(new_job())["jid"] for _ in range(2)]
    status, out, error = say(server, "job", "cancel", jids[0], "no-such-job", jids[1], "--json")
    lines = [json.loads(l) for l in out.splitlines()]
    assert status == 1 and not error
    assert lines[0] == {"jid": jids[0], "removed": 1, "told": 0} and lines[2]["removed"] == 1
    assert lines[1]["jid"] == "no-such-job" and "Job not found" in lines[1]["error"]


def test_result(server, client):
    """The value alone with its digits, all of it with --json, 1 where there is none."""
    jid = client.push(new_job())["jid"]
    client.fetch()
    client.ok('ACK {"jid":"%s","result":{"big":9007199254740993,"f":1.0}}' % jid)
    assert say(server, "job", "result", jid) == (0, '{"big":9007199254740993,"f":1.0}\n', "")
    status, out, _ = say(server, "job", "result", jid, "--json")
    assert status == 0
    whole = json.loads(out)
    assert whole["jid"] == jid and whole["failed"] is False and whole["result"]["f"] == 1.0
    status, out, error = say(server, "job", "result", "no-such-job")
    assert (status, out) == (1, "") and "no result of this job is kept" in error


@pytest.mark.parametrize("words,left", [
    (["requeue", "dead"], 2),
    (["requeue", "dead", "--type", "a"], 2),
    (["discard", "dead", "--match", '*"a"*'], 2),
    (["discard", "dead", "--all"], 0),
])
def test_sets(server, client, words, left):
    """Named jobs, some, or all of a set, and no others."""
    jids = []
    for jobtype in ("a", "b", "b"):
        jids.append(client.push(new_job(jobtype, retry=-1))["jid"])
        client.fetch()
        client.fail(jids[-1])
    if len(words) == 2:
        words = words + [jids[1]]
    assert say(server, "job", *words) == (0, "done\n", "")
    assert client.sets()["dead"] == left
    if words[0] == "requeue":
        assert client.size() == 3 - left


# ---- worker ---------------------------------------------------------------------


def test_workers(server, connect):
    """One, those with a label, or all; how many is told, none is status 1."""
    one, two = connect(wid="w-1", labels=["blue"]), connect(wid="w-2")
    assert say(server, "worker", "quiet", "w-1") == (0, "1 worker is told\n", "")
    assert one.beat("w-1") == {"state": "quiet"}
    assert say(server, "worker", "terminate", "--label", "blue", "--json") == \
        (0, '{"workers":1}\n', "")
    assert one.beat("w-1") == {"state": "terminate"}
    assert say(server, "worker", "quiet", "--all")[:2] == (0, "2 workers are told\n")
    assert two.beat("w-2") == {"state": "quiet"}
    status, out, error = say(server, "worker", "quiet", "w-9")
    assert (status, out) == (1, "0 workers are told\n") and "unknown worker w-9" in error
    assert say(server, "worker", "quiet", "--label", "red")[0] == 1


def test_a_supervisor_obeys(bench):
    """faktotum run hears the server's quiet, and ends at terminate."""
    bench.run({"t": "/bin/true"}, beat="1s", labels=["these"])
    bench.acked(bench.push("t"))
    assert say(bench.server, "worker", "terminate", "--label", "these")[0] == 0
    assert bench.supervisor.wait(60) == 0


# ---- queue ----------------------------------------------------------------------


def test_queues(server, client):
    """Paused, resumed, removed, and how many jobs wait how long."""
    for name in ("one", "two"):
        client.push(new_job(queue=name))
    assert say(server, "queue", "pause", "one") == (0, "done\n", "")
    assert client.fetch("one", "two")["queue"] == "two"
    assert client.fetch("one") is None
    assert say(server, "queue", "resume", "--all") == (0, "done\n", "")
    status, out, _ = say(server, "queue", "list")
    assert status == 0 and out.splitlines()[0].split() == ["queue", "jobs"]
    assert ["one", "1"] in [l.split() for l in out.splitlines()]
    status, out, _ = say(server, "queue", "latency", "one", "--json")
    assert status == 0 and json.loads(out)["one"] >= 0
    assert say(server, "queue", "remove", "one", "--json") == (0, '{"done":true}\n', "")
    assert json.loads(say(server, "queue", "list", "--json")[1]).get("one", 0) == 0


# ---- what is wrong ---------------------------------------------------------------


@pytest.mark.parametrize("words,text", [
    (["job"], "what is to be done?"),
    (["job", "stop", "x"], "the first word is cancel, result, requeue, kill or discard"),
    (["job", "cancel"], "which job?"),
    (["job", "cancel", "x", "--all"], "--all does not go with this"),
    (["job", "requeue", "gone", "--all"], "scheduled, retries or dead"),
    (["job", "discard", "dead"], "which jobs?"),
    (["job", "discard", "dead", "x", "--all"], "which jobs?"),
    (["worker", "quiet"], "which?"),
    (["worker", "quiet", "w", "--all"], "which?"),
    (["worker", "resume", "w"], "quiet or terminate"),
    (["queue", "remove"], "which?"),
    (["queue", "remove", "*"], "--all stands for every queue"),
    (["queue", "latency", "--all"], "--all does not go with this"),
    (["queue", "list", "--cert", "x"], "--cert and --key go together"),
    (["queue", "list", "--frobnicate"], "an option is unknown"),
])
def test_misuse(words, text):
    """Nothing is sent for a line that cannot be meant; nothing is removed by a
    word too few."""
    done = run([BUILD / "faktotum", *words])
    assert done.returncode == 64 and done.stdout == b""
    assert text in done.stderr.decode(), done.stderr


@pytest.mark.parametrize("words,verb", [
    (["job", "cancel", "some-job"], "CANCEL"),
    (["job", "result", "some-job"], "RESULT"),
    (["worker", "quiet", "--all"], "WORKER"),
])
def test_a_stock_server_does_not_know_them(words, verb):
    """Its own answer to an unknown verb is told as what it means."""
    with Peer() as peer:
        def answer():
            talk = peer.accept()
            talk.expect(verb)
            talk.error(f"Unknown command {verb}")
            talk.ended()
        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        done = run([BUILD / "faktotum", *words, "--server", peer.url])
        answering.join(ceiling(30))  # before its conversation is closed
    assert done.returncode == 76
    assert f"this server does not know {verb}; faktotum-server does" in done.stderr.decode()


def test_no_server(tmp_path):
    """Exit status 69, as every verb that finds nobody."""
    done = run([BUILD / "faktotum", "queue", "list", "--server", "tcp://127.0.0.1:1"])
    assert done.returncode == 69 and done.stderr.startswith(b"faktotum queue: ")


# ---- the password ----------------------------------------------------------------


@pytest.mark.parametrize("words", [["queue", "list"], ["push", "t"]])
def test_password_from_a_credential(start_server, tmp_path, words):
    """What a service manager hands over is used, as by run; an empty one is none,
    and one that cannot be read is told, not passed over."""
    server = start_server(config="password: tiger\n")
    directory = tmp_path / "credentials"
    directory.mkdir()
    env = {"CREDENTIALS_DIRECTORY": str(directory)}
    url = f"tcp://127.0.0.1:{server.port}"
    assert say(server, *words, env=env, url=url)[0] == 77
    (directory / "faktory-password").write_text("tiger\n")
    assert say(server, *words, env=env, url=url)[0] == 0
    (directory / "faktory-password").write_text("")
    assert say(server, *words, env=env, url=url)[0] == 77
    (directory / "faktory-password").unlink()
    (directory / "faktory-password").mkdir()
    status, _, error = say(server, *words, env=env, url=url)
    assert status == 66 and "is not a regular file" in error
    # The URL's own counts more.
    assert say(server, *words, env=dict(env, CREDENTIALS_DIRECTORY="/none"),
        url=f"tcp://:tiger@127.0.0.1:{server.port}")[0] == 0
    assert os.environ.get("CREDENTIALS_DIRECTORY") is None
