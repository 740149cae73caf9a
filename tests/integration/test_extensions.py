"""What this server offers beyond a stock one: named in its greeting, and
without any effect on who does not ask for it.

SPDX-License-Identifier: ISC
"""
import time

import pytest

from support.client import compact, new_job
from support.waiting import at_once, wait_for


def settle(client, verb, jid, **more):
    return client.call(f"{verb} " + compact(dict(more, jid=jid)))



def test_greeting_names_the_extensions(server):
    """The names by which a worker knows what it may use: docs/protocol.md."""
    c = server.client(hello=None)
    c.greet()
    assert c.greeting["v"] == 2
    assert set(c.greeting["x"]) == {"release", "cancel", "fail-retry", "result", "fetchb", "held"}
    c.close()


def test_release_gives_back_uncounted_to_the_head(client):
    """A released job is the next one of its queue again; no attempt is
    counted, nothing about it has changed."""
    first, second = client.push(), client.push()
    got = client.fetch()
    assert got["jid"] == first["jid"]
    assert settle(client, "RELEASE", first["jid"]) == "OK"
    assert client.size() == 2 and client.sets()["working"] == 0
    assert client.fetch() == got
    assert client.fetch()["jid"] == second["jid"]
    info = client.faktory()
    assert (info["total_processed"], info["total_failures"]) == (0, 0)


def test_released_together_keep_their_order(client):
    """Jobs released in any order come out in the order they were pushed."""
    jids = [client.push()["jid"] for _ in range(4)]
    for _ in range(3):
        client.fetch()
    for i in (1, 2, 0):
        assert settle(client, "RELEASE", jids[i]) == "OK"
    assert [client.fetch()["jid"] for _ in range(4)] == jids


def test_release_wakes_who_waits(connect):
    """A FETCH that waits gets a released job at once."""
    one, two = connect(wid="w1"), connect(wid="w2")
    job = one.push()
    assert one.fetch()["jid"] == job["jid"]

    def attempt():
        two.send("FETCH default\r\n")
        assert settle(one, "RELEASE", job["jid"]) == "OK"
        assert job["jid"].encode() in two.reply()
        assert settle(two, "RELEASE", job["jid"]) == "OK"
        assert one.fetch()["jid"] == job["jid"]
    at_once(attempt)


def test_release_of_what_is_not_held(client):
    """An honest answer, in the words of FAIL, and nothing happens."""
    job = client.push()
    assert client.error("RELEASE " + compact({"jid": job["jid"]})) == \
        f"ERR Job not found {job['jid']}"
    client.fetch()
    client.ack(job["jid"])
    assert client.error("RELEASE " + compact({"jid": job["jid"]})) == \
        f"ERR Job not found {job['jid']}"
    assert client.error("RELEASE") == 'ERR RELEASE takes {"jid":"…"}'
    assert client.error('RELEASE {"jid":1}') == 'ERR invalid RELEASE {"jid":1}'
    assert client.size() == 0


def test_release_sent_ahead_of_the_ack(client):
    """The first answer counts, the second finds no job."""
    jid = client.push()["jid"]
    client.fetch()
    client.send("".join(f"{v} " + compact({"jid": jid}) + "\r\n"
        for v in ("RELEASE", "FAIL", "ACK")))
    answers = [client.reply() for _ in range(3)]
    assert answers[0] == "OK" and answers[2] == "OK"
    assert answers[1].text == f"ERR Job not found {jid}"
    assert client.fetch()["jid"] == jid


@pytest.mark.parametrize("again", ["stop", "kill9"])
def test_release_is_on_disk(server, again):
    """What was released is in its queue after a restart."""
    with server.client() as c:
        jid = c.push()["jid"]
        c.fetch()
        assert settle(c, "RELEASE", jid) == "OK"
    if again == "stop":
        server.restart()
    else:
        server.kill9()
        server.start()
    with server.client() as c:
        assert c.sets()["working"] == 0
        assert c.fetch()["jid"] == jid


def test_a_worker_cannot_settle_what_another_holds(connect):
    """A worker that was late, and whose job another one has by now, does not
    take it away from that one; who names itself is told."""
    late, holder = connect(wid="late"), connect(wid="holder")
    jid = holder.push()["jid"]
    late.fetch()
    assert settle(late, "RELEASE", jid) == "OK"
    assert holder.fetch()["jid"] == jid
    assert settle(late, "ACK", jid) == "OK"  # as a stock server answers
    assert settle(late, "ACK", jid, wid="late").text == f"ERR Job not found {jid}"
    assert settle(late, "FAIL", jid).text == f"ERR Job not found {jid}"
    assert settle(late, "RELEASE", jid).text == f"ERR Job not found {jid}"
    assert holder.sets()["working"] == 1
    assert holder.faktory()["total_processed"] == 0
    assert settle(late, "RELEASE", jid, wid="holder") == "OK"  # an operator may
    assert holder.fetch()["jid"] == jid
    assert settle(holder, "ACK", jid, wid="holder") == "OK"
    assert holder.faktory()["total_processed"] == 1


def test_fail_with_retry_below_zero_is_dead(client):
    """-1: no further attempt, whatever the job's own retry says; it is kept."""
    for retry in (25, 0, -1):
        jid = client.push(retry=retry)["jid"]
        client.fetch()
        assert settle(client, "FAIL", jid, retry=-1, errtype="E") == "OK"
    assert client.sets()["dead"] == 3
    assert client.faktory()["total_failures"] == 3
    client.mutate("requeue", "dead")
    failure = client.fetch()["failure"]
    assert (failure["errtype"], failure["retry_count"], failure["remaining"]) == ("E", 0, 0)
    assert "next_at" not in failure


def test_fail_with_retry_zero_is_forgotten(client):
    """0: no further attempt and nothing kept; counted as a failure."""
    jid = client.push(retry=25)["jid"]
    client.fetch()
    assert settle(client, "FAIL", jid, retry=0) == "OK"
    info = client.faktory()
    assert (info["total_processed"], info["total_failures"]) == (1, 1)
    assert set(info["sets"].values()) == {0}


def test_fail_with_a_time_of_its_own(client):
    """retry_in: so many seconds from now, to the second; the attempt counts."""
    jid = client.push()["jid"]
    client.fetch()
    began = time.monotonic()
    assert settle(client, "FAIL", jid, retry_in=1) == "OK"
    assert client.sets()["retries"] == 1
    got = wait_for("the retry", client.fetch, 10)
    assert 0.9 <= time.monotonic() - began
    assert got["failure"]["retry_count"] == 0 and got["failure"]["remaining"] == 25


def test_a_time_does_not_add_attempts(client):
    """retry_in plans a retry where there is one left, and makes none."""
    job = new_job(retry=1)
    client.push(job)
    client.fetch()
    assert settle(client, "FAIL", job["jid"], retry_in=0) == "OK"
    wait_for("the retry", client.fetch, 10)
    assert settle(client, "FAIL", job["jid"], retry_in=0) == "OK"
    assert client.sets()["dead"] == 1


def test_fail_extensions_of_a_wrong_type(client):
    """Told, and the job stays held."""
    jid = client.push()["jid"]
    client.fetch()
    assert settle(client, "FAIL", jid, retry="no").text.startswith("ERR invalid FAIL {")
    assert settle(client, "FAIL", jid, retry_in=-5).text.startswith("ERR invalid FAIL {")
    assert client.sets()["working"] == 1
