"""RESULT: what came out of a job, as its worker told with ACK or FAIL.

SPDX-License-Identifier: ISC
"""
import json

import pytest

from support.client import ServerError, compact
from support.waiting import wait_for


def result(client, jid):
    answer = client.call("RESULT " + compact({"jid": jid}))
    if isinstance(answer, ServerError):
        raise answer
    return None if answer is None else json.loads(answer)


def end(client, verb, value, **more):
    """Pushes and fetches a job and ends it with this result; its jid."""
    jid = client.push()["jid"]
    assert client.fetch()["jid"] == jid
    client.ok(f"{verb} " + compact(dict(more, jid=jid, result=value)))
    return jid


@pytest.mark.parametrize("value", [{"rows": 7, "of": [1, None]}, "text", 12345678901234567890, None, False, []])
def test_ack_and_fail_may_carry_a_result(client, value):
    """Any JSON value comes back as it was, with the time and how it ended."""
    assert "result" in client.greeting["x"]
    for verb in ("ACK", "FAIL"):
        jid = end(client, verb, value)
        told = result(client, jid)
        assert told.pop("at").endswith("Z")
        assert told == {"jid": jid, "failed": verb == "FAIL", "result": value}
    assert client.faktory()["total_failures"] == 1


def test_numbers_keep_their_digits(client):
    """As with payloads: no double on the way."""
    jid = client.push()["jid"]
    client.fetch()
    client.ok('ACK {"jid":"%s","result":[9007199254740993,1.0]}' % jid)
    assert b'"result":[9007199254740993,1.0]}' in client.call("RESULT " + compact({"jid": jid}))


def test_there_is_none(client):
    """Null for a job without one, and for one that nobody knows."""
    job = client.push()
    client.fetch()
    client.ack(job["jid"])
    assert result(client, job["jid"]) is None
    assert result(client, "never-heard-of") is None
    assert client.error("RESULT") == 'ERR RESULT takes {"jid":"…"}'
    assert client.error('RESULT {"jid":1}') == 'ERR invalid RESULT {"jid":1}'


def test_a_late_result_is_not_kept(client):
    """Whoever does not hold the job has no word in it."""
    jid = end(client, "ACK", 1)
    client.ok("ACK " + compact({"jid": jid, "result": 2}))
    assert result(client, jid)["result"] == 1


def test_the_last_attempt_counts(client):
    """A job that failed and then succeeded has one result."""
    jid = end(client, "FAIL", "no", retry_in=0)
    wait_for("the retry", client.fetch, 10)
    client.ok("ACK " + compact({"jid": jid, "result": "yes"}))
    told = result(client, jid)
    assert (told["failed"], told["result"]) == (False, "yes")


def test_64_k_are_kept_and_no_more(client):
    """Above that the job ends all the same, and nothing is kept, nothing cut."""
    jid = end(client, "ACK", "x" * (64 * 1024 - 2))
    assert len(result(client, jid)["result"]) == 64 * 1024 - 2
    jid = end(client, "ACK", "x" * (64 * 1024 - 1))
    assert result(client, jid) is None
    assert client.sets()["working"] == 0


@pytest.mark.parametrize("again", ["stop", "kill9"])
def test_it_is_on_disk_with_the_end_of_the_job(server, again):
    """Once the ACK is answered the result is safe."""
    with server.client() as c:
        jid = end(c, "ACK", {"a": 1})
    if again == "stop":
        server.restart()
    else:
        server.kill9()
        server.start()
    with server.client() as c:
        assert result(c, jid)["result"] == {"a": 1}
        c.ok("FLUSH")
        assert result(c, jid) is None


def test_without_retention_there_are_none(start_server):
    """Then the extension is not announced, and a result is passed over."""
    with start_server(config="result_retention: 0s\n").client() as c:
        assert "result" not in c.greeting["x"]
        jid = end(c, "ACK", 1)
        assert result(c, jid) is None


def test_the_supervisor_tells_results(bench):
    """stdout: result of a handler reaches the server and can be asked for."""
    bench.run({"t": {"exec": [bench.script("h", "echo '{\"rows\": 7}'")], "stdout": "result"}})
    jid = bench.push("t")
    bench.acked(jid)
    assert wait_for("the result", lambda: result(bench.client, jid), 10)["result"] == {"rows": 7}
