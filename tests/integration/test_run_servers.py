"""Several servers: the first that answers gives the jobs, and what became of
a job is told where it came from.

SPDX-License-Identifier: ISC
"""
import json
import signal

import pytest

from support.peer import Peer
from support.ports import free_port
from support.program import BUILD, run
from support.supervisor import script
from support.waiting import wait_for

FAKTOTUM = BUILD / "faktotum"


class Closing(Peer):
    def close(self):
        self.__exit__()


@pytest.fixture
def start_peer(ending):
    def start(**more):
        peer = Closing(**more)
        ending.append(peer)
        peer.serve()
        return peer
    return start


def job(jid, jobtype="t"):
    return {"jid": jid, "jobtype": jobtype, "args": [], "queue": "default"}


def waits_for(scratch, name):
    """A handler that ends when the file `name` is there."""
    return script(scratch, f"wait-{name}", f"while ! [ -e {scratch}/{name} ]; do sleep 0.05; done")


def settings(scratch, urls, **more):
    return dict({"server": urls, "concurrency": 4, "jobs": {"t": {"exec": ["/bin/true"]},
        "long": {"exec": [waits_for(scratch, "go")]}}}, **more)


def test_they_are_tried_in_order(start_peer, start_supervisor, tmp_path):
    """One that refuses connections and one that refuses the password are
    passed over; the one after them gives the jobs."""
    locked, good = start_peer(password="other"), start_peer()
    gone = f"tcp://127.0.0.1:{free_port()}"
    good.jobs.append(job("job-0001"))
    s = start_supervisor(None, settings(tmp_path, [gone, locked.url, good.url], password="x"))
    good.wait(lambda: good.acks == ["job-0001"], "the ACK")
    s.says(f"{gone}: Connection refused")
    s.says(f"{locked.url}: trying this one, number 2")
    s.says("the server does not accept the password")
    s.says(f"{good.url}: trying this one, number 3")
    assert locked.fetches == []


def test_the_first_is_preferred(start_peer, start_supervisor, tmp_path):
    """Where the first answers, the second hears nothing at all."""
    first, second = start_peer(), start_peer()
    first.jobs.append(job("job-0001"))
    start_supervisor(None, settings(tmp_path, [first.url, second.url]))
    first.wait(lambda: first.acks, "the ACK")
    assert second.greetings == 0


def test_none_answers_and_then_one(start_supervisor, start_peer, tmp_path):
    """The round is repeated until somebody is there."""
    ports = [free_port(), free_port()]
    s = start_supervisor(None, settings(tmp_path, [f"tcp://127.0.0.1:{p}" for p in ports]))
    wait_for("two rounds", lambda: s.output().count("number 2") >= 2)
    late = start_peer(port=ports[1])
    late.jobs.append(job("job-0001"))
    late.wait(lambda: late.acks, "the ACK")


@pytest.mark.slow(17)
def test_back_to_the_first(start_peer, start_supervisor, tmp_path):
    """When the first answers again jobs are fetched there; a job of the
    second that still runs is acknowledged to the second, which then hears
    END."""
    port = free_port()
    second = start_peer()
    second.jobs.append(job("job-0002", "long"))
    s = start_supervisor(None, settings(tmp_path, [f"tcp://127.0.0.1:{port}", second.url]))
    s.says("started")
    first = start_peer(port=port)
    first.jobs.append(job("job-0001"))
    first.wait(lambda: first.acks == ["job-0001"], "the first's ACK", 40)
    s.says(f"{first.url} answers again: jobs are fetched there; 1 of {second.url} go on")
    beats = len(second.beats)
    second.wait(lambda: len(second.beats) > beats + 1, "beats at the one that was left")
    second.wait(lambda: second.ends >= 1, "the end of fetching there")
    fetches = len(second.fetches)
    (tmp_path / "go").touch()
    second.wait(lambda: second.acks == ["job-0002"], "the second's ACK")
    second.wait(lambda: second.ends >= 2, "END")
    assert first.acks == ["job-0001"] and len(second.fetches) == fetches
    assert first.fails == second.fails == []


def test_outcomes_wait_for_their_server(start_server, start_supervisor, tmp_path):
    """The first is killed while its job runs; the second takes over. The
    outcome is kept for the first and told when it is back, and the second
    hears nothing of it."""
    first = start_server(scratch=tmp_path / "first")
    second = start_server(scratch=tmp_path / "second")
    with first.client() as c:
        c.push(job("job-0001", "long"))
    s = start_supervisor(None, settings(tmp_path, [first.url, second.url]))
    s.says("started")
    first.kill9()
    with second.client() as c:
        c.push(job("job-0002"))
        wait_for("the second's job", lambda: c.faktory()["total_processed"] == 1, 20)
    (tmp_path / "go").touch()
    s.says("jid=job-0001 type=long  done")
    first.start()
    with first.client() as c:
        wait_for("the first's job", lambda: c.faktory()["total_processed"] == 1, 40)
        c.push(job("job-0003"))
        wait_for("a job from the first", lambda: c.faktory()["total_processed"] == 2, 40)
        assert c.faktory()["total_failures"] == 0
    with second.client() as c:
        assert c.faktory()["total_processed"] == 1
    assert "Job not found" not in s.output()


@pytest.mark.slow(17)
def test_an_upgrade_keeps_them_apart(start_peer, start_supervisor, tmp_path):
    """USR2 while jobs of both run: each server hears of its own."""
    port = free_port()
    second = start_peer()
    second.jobs.append(job("job-0002", "long"))
    s = start_supervisor(None, settings(tmp_path, [f"tcp://127.0.0.1:{port}", second.url],
        upgrade="on"))
    s.says("started")
    first = start_peer(port=port)
    first.jobs.append(job("job-0001", "long"))
    s.says("jid=job-0001 type=long  started", 40)
    s.signal(signal.SIGUSR2)
    s.says("going on with 2 jobs", 20)
    (tmp_path / "go").touch()
    first.wait(lambda: first.acks == ["job-0001"], "the first's ACK", 40)
    second.wait(lambda: second.acks == ["job-0002"], "the second's ACK", 40)
    assert first.acks == ["job-0001"] and second.acks == ["job-0002"]


def test_the_journal_keeps_them_apart(start_peer, start_supervisor, tmp_path):
    """After a crash of the supervisor an outcome is told where its job came
    from, although that server is not the current one any more."""
    state = tmp_path / "state"
    state.mkdir()
    port = free_port()
    second = start_peer()
    second.ack_replies.extend([b"-ERR not now\r\n"] * 50)
    second.jobs.append(job("job-0002"))
    s = start_supervisor(None, settings(tmp_path, [f"tcp://127.0.0.1:{port}", second.url],
        state_dir=str(state)))
    s.says("done in")
    kept = state / "outcomes"
    wait_for("the journal", lambda: kept.exists() and b"job-0002" in kept.read_bytes())
    s.sent.add(signal.SIGKILL)
    s.signal(signal.SIGKILL)
    s.wait()
    first = start_peer(port=port)
    second.ack_replies.clear()
    s.start()
    second.wait(lambda: second.acks == ["job-0002"], "the second's ACK", 30)
    assert first.acks == []


def test_labels_are_introduced_everywhere(start_peer, start_supervisor, tmp_path):
    """HUP with new labels while a later server gives the jobs: that one
    hears them, and the choice stays."""
    second = start_peer()
    s = start_supervisor(None, settings(tmp_path, [f"tcp://127.0.0.1:{free_port()}", second.url]))
    second.wait(lambda: second.beats, "a beat")
    text = json.loads(s.config.read_text())
    text["labels"] = ["new"]
    s.config.write_text(json.dumps(text))
    s.signal(signal.SIGHUP)
    second.wait(lambda: any(h.get("labels") == ["new"] for h in second.hellos), "the labels")
    second.jobs.append(job("job-0001"))
    second.wait(lambda: second.acks, "the ACK")


@pytest.mark.parametrize("server,words", [
    ([], "server: 0 URLs, expected 1 to 8"),
    ([f"tcp://h:{n}" for n in range(1, 10)], "server: 9 URLs, expected 1 to 8"),
    (["tcp://a", "tcp://b:x"], "server: tcp://b: the port must be a number"),
    (["tcp://a", "tcp://:secret@a:7419"], "server: tcp://a:7419 stands in the list twice"),
    (["tcp://a", ""], "server: empty, expected a URL"),
    ({"tcp://a": 1}, "server: "),
])
def test_mistakes(tmp_path, server, words):
    """Each with its place, and no password in it."""
    path = tmp_path / "t.yaml"
    path.write_text(json.dumps({"server": server, "jobs": {"t": {"exec": ["/bin/true"]}}}))
    for verb in ("check", "run"):
        done = run([FAKTOTUM, verb, "-c", path])
        assert done.returncode == 78
        assert done.stderr.decode().startswith(f"{path}:1:")
        assert words in done.stderr.decode()
        assert b"secret" not in done.stderr
