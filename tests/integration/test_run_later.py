"""emulate_retry_in: on a stock server a job that asks for a time of its own
is pushed once more with it.

SPDX-License-Identifier: ISC
"""
import datetime

import pytest

from support.client import new_job
from support.peer import Peer
from support.supervisor import script


def run_later(peer, start_supervisor, tmp_path, job, text="echo busy >&2; exit 75", **settings):
    settings.setdefault("emulate_retry_in", True)
    peer.serve()
    peer.jobs.append(job)
    return start_supervisor(peer.url, {"jobs": {"t": {
        "exec": [script(tmp_path, "h", text)], "later": "1h"}}, **settings})


def seconds_ahead(text):
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")[:26].rstrip("+")
        if "." in text else text.replace("Z", "+00:00"))
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return (when - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def test_a_copy_with_its_time_takes_its_place(start_supervisor, tmp_path):
    """The copy has the jid, args and custom of the job, `at` in an hour, and
    the failure as a server would have written it; then the job is
    acknowledged."""
    with Peer() as peer:
        job = new_job("t", 9007199254740993, custom={"tenant": "x"}, retry=5)
        run_later(peer, start_supervisor, tmp_path, job)
        peer.wait(lambda: peer.acks)
        assert peer.verbs() == ["PUSH", "ACK"]
        copy, = peer.pushes
        for name in ("jid", "jobtype", "args", "custom", "retry"):
            assert copy[name] == job[name]
        assert 3500 < seconds_ahead(copy["at"]) < 3601
        assert copy["failure"]["errtype"] == "ExitStatus"
        assert copy["failure"]["message"] == "exit 75: busy"
        assert (copy["failure"]["retry_count"], copy["failure"]["remaining"]) == (0, 5)
        assert "9007199254740993" in peer.lines[0]


def test_attempts_go_on_being_counted(start_supervisor, tmp_path):
    """The copy of a copy counts on, and the last attempt is a plain FAIL:
    nothing is tried more often than `retry` says."""
    with Peer() as peer:
        run_later(peer, start_supervisor, tmp_path, new_job("t", retry=2),
            'echo "attempt $FAKTORY_ATTEMPT" >&2; exit 75')
        for n in (1, 2):
            peer.wait(lambda: len(peer.acks) == n)
            copy = peer.pushes[-1]
            assert copy["failure"]["message"] == f"exit 75: attempt {n}"
            peer.jobs.append(copy)
        peer.wait(lambda: peer.fails)
        assert peer.fails[0]["message"] == "exit 75: attempt 3"
        assert peer.verbs() == ["PUSH", "ACK", "PUSH", "ACK", "FAIL"]


@pytest.mark.parametrize("extensions,settings", [
    ([], {"emulate_retry_in": False}), (["fail-retry"], {})])
def test_else_fail_says_it(start_supervisor, tmp_path, extensions, settings):
    """It is off by default, and not needed where FAIL's retry_in is known."""
    with Peer() as peer:
        peer.extensions = extensions
        run_later(peer, start_supervisor, tmp_path, new_job("t"), **settings)
        peer.wait(lambda: peer.fails)
        assert peer.verbs() == ["FAIL"] and peer.fails[0]["retry_in"] == 3600


def test_other_failures_are_left_to_the_server(start_supervisor, tmp_path):
    """Only what asks for a time is copied."""
    with Peer() as peer:
        run_later(peer, start_supervisor, tmp_path, new_job("t"), "exit 1")
        peer.wait(lambda: peer.fails)
        assert peer.verbs() == ["FAIL"]


def test_a_lost_answer_leaves_it_there_twice_at_most(start_supervisor, tmp_path):
    """The answer to PUSH is lost: the very same copy is pushed again."""
    with Peer() as peer:
        peer.push_replies.append(None)
        run_later(peer, start_supervisor, tmp_path, new_job("t"))
        peer.wait(lambda: peer.acks)
        assert peer.verbs() == ["PUSH", "PUSH", "ACK"]
        assert len(peer.lines) == 2 and len(set(peer.lines)) == 1
