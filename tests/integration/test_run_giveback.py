"""Shutdown: what is not finished is given back, and a job that a failure would
delete is not lost.

SPDX-License-Identifier: ISC
"""
import signal

import pytest

from support.client import new_job
from support.peer import Peer
from support.supervisor import script
from support.waiting import wait_for

RAW = (b'{"jid":"exactly-one","jobtype":"t","queue":"default","retry":0,'
       b'"args":[9007199254740993, 1.0],"created_at":"2026-11-25T12:00:00Z"}')


class Shutdown:
    """A scripted server with one job that runs, and a supervisor that ends."""

    def __init__(self, peer, start_supervisor, tmp_path, job=RAW, text="exec sleep 60",
            ephemeral=None, **settings):
        self.peer, self.mark = peer, tmp_path / "mark"
        peer.serve()
        peer.jobs.append(job)
        shutdown = {"grace": "1s"}
        if ephemeral is not None:
            shutdown["ephemeral"] = ephemeral
        handler = script(tmp_path, "h", f"echo >>{self.mark}\n{text}")
        self.supervisor = start_supervisor(peer.url, {"shutdown": shutdown, "jobs": {
            "t": {"exec": [handler], "grace": "1s", "concurrency": 1}}, **settings})
        wait_for("the program", self.mark.exists)

    def ran(self):
        return len(self.mark.read_text())

    def terminate(self):
        self.supervisor.signal(signal.SIGTERM)
        return self

    def end(self, limit=20):
        assert self.supervisor.wait(limit) == 0, self.supervisor.output()
        return self.peer.verbs()


def test_a_server_with_release_gets_them_back(bench):
    """Our server: a job that was interrupted and one that was held are in
    their queue again at their places, before later ones, and no attempt was
    counted."""
    mark = bench.scratch / "mark"
    bench.run({"t": {"exec": [bench.script("h", f"touch {mark}; exec sleep 60")],
        "grace": "1s", "concurrency": 1}}, shutdown={"grace": "1s"})
    jids = [bench.push("t"), bench.push("t", retry=0)]
    wait_for("one to run", mark.exists)
    wait_for("both to be fetched",
        lambda: bench.client.info()["faktory"]["queues"].get("default", 0) == 0)
    bench.supervisor.signal(signal.SIGTERM)
    assert bench.supervisor.wait() == 0, bench.supervisor.output()
    # A FETCH under way may have brought one again.
    assert {d["jid"] for d in bench.tap.sent("RELEASE")} == set(jids)
    assert not bench.tap.sent("FAIL") and not bench.tap.sent("ACK")
    sets = bench.client.sets()
    assert (sets["retries"], sets["dead"], sets["working"]) == (0, 0, 0)
    bench.push("t")
    back = [bench.client.fetch() for _ in jids]
    assert [j["jid"] for j in back] == jids and not any("failure" in j for j in back)
    assert ", 0 given back" not in bench.supervisor.output()


def test_stock_a_job_without_retries_is_pushed_once_more(start_supervisor, tmp_path):
    """A stock server: the same bytes under the same jid, then an ACK for the
    first one."""
    with Peer() as peer:
        s = Shutdown(peer, start_supervisor, tmp_path)
        assert s.terminate().end() == ["PUSH", "ACK"]
        assert peer.lines == ["PUSH " + RAW.decode()]
        assert peer.acks == ["exactly-one"]
        assert "1 given back" in s.supervisor.output()


def test_stock_a_job_with_retries_fails(start_supervisor, tmp_path):
    """Where nothing can be given back a job that is retried anyway fails."""
    with Peer() as peer:
        s = Shutdown(peer, start_supervisor, tmp_path, new_job("t"))
        assert s.terminate().end() == ["FAIL"]
        assert peer.fails[0]["errtype"] == "Shutdown"


@pytest.mark.parametrize("extensions", [[], ["release"]])
def test_fail(start_supervisor, tmp_path, extensions):
    """ephemeral: fail is for jobs that must never run twice: also where they
    could be given back, one that has begun fails and is gone."""
    with Peer() as peer:
        peer.extensions = extensions
        s = Shutdown(peer, start_supervisor, tmp_path, ephemeral="fail")
        assert s.terminate().end() == ["FAIL"]
        assert peer.fails[0]["errtype"] == "Shutdown"


@pytest.mark.slow(14)
@pytest.mark.parametrize("extensions", [[], ["release"]])
def test_wait(start_supervisor, tmp_path, extensions):
    """ephemeral: wait lets its program finish, long after everything else has
    been stopped, and gives back the one behind it, which has not begun."""
    go = tmp_path / "go"
    with Peer() as peer:
        peer.extensions = extensions
        s = Shutdown(peer, start_supervisor, tmp_path, ephemeral="wait",
            text=f"while ! [ -e {go} ]; do sleep 0.1; done; sleep 13")
        held = dict(new_job("t"), retry=0)
        peer.jobs.append(held)
        wait_for("both to be fetched", lambda: not peer.jobs)
        s.terminate()
        s.supervisor.says("the grace is over")
        peer.wait(lambda: peer.verbs() == (["RELEASE"] if extensions else ["PUSH", "ACK"]))
        go.touch()
        s.end(40)
        assert peer.told[-1] == ("ACK", {"jid": "exactly-one"}) and s.ran() == 1
        assert peer.releases == ([held["jid"]] if extensions else [])


def test_wait_ends_by_the_third_signal(start_supervisor, tmp_path):
    """A person who cannot wait ends it as ever."""
    with Peer() as peer:
        s = Shutdown(peer, start_supervisor, tmp_path, ephemeral="wait")
        s.terminate()
        s.supervisor.says("waiting up to")
        s.terminate()
        s.supervisor.says("TERM")
        wait_for("the second signal", lambda: s.supervisor.output().count("signal  TERM") == 2)
        s.terminate()
        assert s.end() == ["FAIL"]


@pytest.mark.parametrize("verb,verbs", [
    ("PUSH", ["PUSH", "PUSH", "ACK"]), ("ACK", ["PUSH", "ACK", "ACK"])])
def test_a_server_that_dies_in_between(start_supervisor, tmp_path, verb, verbs):
    """The connection is lost before the answer to PUSH, or to ACK: exactly
    that one is repeated."""
    with Peer() as peer:
        (peer.push_replies if verb == "PUSH" else peer.ack_replies).append(None)
        s = Shutdown(peer, start_supervisor, tmp_path)
        assert s.terminate().end() == verbs
        assert len(set(peer.lines)) == 1


@pytest.mark.parametrize("verb,verbs", [
    ("PUSH", ["PUSH", "PUSH", "ACK"]), ("ACK", ["PUSH", "ACK", "ACK"])])
def test_a_crash_in_between(start_supervisor, tmp_path, verb, verbs):
    """kill -9 while PUSH, or ACK, is unanswered: with a state_dir the next
    start goes on from there."""
    state = tmp_path / "state"
    state.mkdir()
    with Peer() as peer:
        (peer.push_replies if verb == "PUSH" else peer.ack_replies).append(b"")
        s = Shutdown(peer, start_supervisor, tmp_path, state_dir=str(state))
        s.terminate()
        peer.wait(lambda: verb in peer.verbs(), verb)

        def written():
            text = (state / "outcomes").read_bytes() if (state / "outcomes").exists() else b""
            before = text[:text.rfind(b"ACK {")]
            return b"ACK {" in text and before.endswith(b"}\r\n") == (verb == "PUSH")
        wait_for("the journal", written)
        s.supervisor.signal(signal.SIGKILL)
        s.supervisor.wait()
        s.supervisor.start()
        peer.wait(lambda: peer.acks, "the ACK")
        assert peer.verbs() == verbs and len(set(peer.lines)) == 1
