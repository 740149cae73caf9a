"""A crash of the supervisor does not make a job run again that had succeeded.

SPDX-License-Identifier: ISC
"""
import signal

import pytest

from support.client import new_job
from support.peer import Peer
from support.supervisor import script
from support.waiting import wait_for


def crash_before_the_answer(peer, start_supervisor, tmp_path, settings):
    """
    A job succeeds, the answer to its ACK is withheld, the supervisor is killed
    and started again. If the server then still waits, it hands the job out
    once more, as when its reservation has ended. Returns how often it ran.
    """
    runs = tmp_path / "runs"
    handler = script(tmp_path, "h", f"echo >>{runs}")
    job = new_job("t")
    peer.serve()
    peer.jobs.append(job)
    peer.ack_replies.append(b"")
    s = start_supervisor(peer.url, {"jobs": {"t": {"exec": [handler]}}, **settings})
    peer.wait(lambda: not peer.ack_replies, "the ACK")
    if "state_dir" in settings:
        # The thread that writes runs beside the ACK.
        wait_for("the journal",
            lambda: job["jid"].encode() in (tmp_path / "state/outcomes").read_bytes()
            if (tmp_path / "state/outcomes").exists() else False)
    s.signal(signal.SIGKILL)
    s.wait()
    fetches = len(peer.fetches)
    s.start()
    peer.wait(lambda: len(peer.fetches) > fetches, "the next supervisor")
    if not peer.acks:
        # By its second FETCH those of the dead one have ended in the peer.
        peer.wait(lambda: len(peer.fetches) > fetches + 1, "a second FETCH")
        peer.jobs.append(job)
    peer.wait(lambda: peer.acks, "an ACK that counts")
    assert peer.acks == [job["jid"]] and not peer.fails
    return len(runs.read_text())


def test_a_job_that_had_succeeded_is_acknowledged_after_a_crash(
        start_supervisor, tmp_path):
    """kill -9 between success and the server's answer: with a state_dir the
    next start acknowledges, and the job has run once."""
    (tmp_path / "state").mkdir()
    with Peer() as peer:
        assert crash_before_the_answer(peer, start_supervisor, tmp_path,
            {"state_dir": str(tmp_path / "state")}) == 1


def test_without_a_state_dir_it_runs_again(start_supervisor, tmp_path):
    """The same without a state_dir: the job runs twice. So the test above
    tests the journal."""
    with Peer() as peer:
        assert crash_before_the_answer(peer, start_supervisor, tmp_path, {}) == 2


def test_the_directory_is_for_one_supervisor(bench, start_supervisor, tmp_path):
    """A second supervisor on the same state_dir does not start, and says why."""
    state = tmp_path / "state"
    state.mkdir()
    bench.run({"t": {"exec": ["/bin/true"]}}, state_dir=str(state))
    bench.acked(bench.push("t"))
    second = start_supervisor(bench.tap.url,
        {"jobs": {"t": {"exec": ["/bin/true"]}}, "state_dir": str(state)}, name="second")
    assert second.wait() == 71
    assert "another supervisor keeps its outcomes here" in second.output()


@pytest.mark.parametrize("fault", ["full", "gone"])
def test_a_directory_that_fails_stops_no_job(bench, tmp_path, fault):
    """A journal that cannot be written is told in the log; jobs go on."""
    state = tmp_path / "state"
    state.mkdir()
    if fault == "full":
        (state / "outcomes.new").mkdir()  # the file cannot be made
    bench.run({"t": {"exec": ["/bin/true"]}}, state_dir=str(state))
    if fault == "gone":
        bench.acked(bench.push("t"))
        state.rename(tmp_path / "elsewhere")
        for f in (tmp_path / "elsewhere").iterdir():
            f.unlink()
        (tmp_path / "elsewhere").rmdir()
    for _ in range(5):
        bench.acked(bench.push("t"))
    if fault == "full":
        # An outcome may be confirmed before the thread gets to it.
        def said():
            bench.acked(bench.push("t"))
            return "outcomes are not kept, jobs go on" in bench.supervisor.output()
        wait_for("the complaint", said)
