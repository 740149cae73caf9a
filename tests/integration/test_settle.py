"""ACK and FAIL: how a job ends, from any connection, once or twice.

SPDX-License-Identifier: ISC
"""
import pytest

from support.client import compact


def test_ack_counts_once(client):
    """ACK is idempotent for workers that repeat it, and counted once."""
    job = client.push()
    client.fetch()
    client.ack(job["jid"])
    client.ack(job["jid"])
    client.ack("never-heard-of")
    info = client.faktory()
    assert (info["total_processed"], info["total_failures"]) == (1, 0)
    assert info["sets"]["working"] == 0


def test_ack_from_another_connection(server, client):
    """Workers acknowledge on another connection than they fetched on."""
    job = client.push()
    client.fetch()
    with server.client() as other:
        other.ack(job["jid"])
        assert other.sets()["working"] == 0


def test_fail_counts_as_processed_and_failed(client):
    """total_processed includes failures; a second FAIL finds no job."""
    job = client.push()
    client.fetch()
    client.fail(job["jid"])
    assert client.error("FAIL " + compact({"jid": job["jid"]})) == \
        f"ERR Job not found {job['jid']}"
    info = client.faktory()
    assert (info["total_processed"], info["total_failures"]) == (1, 1)
    assert (info["sets"]["retries"], info["sets"]["working"]) == (1, 0)


def test_fail_after_ack_finds_no_job(client):
    """An acknowledged job cannot fail any more."""
    job = client.push()
    client.fetch()
    client.ack(job["jid"])
    assert client.error("FAIL " + compact({"jid": job["jid"]})) == \
        f"ERR Job not found {job['jid']}"


def failure_of(client, **fields):
    """Fails a job so and returns the failure its next attempt sees."""
    job = client.push(retry=5)
    client.fetch()
    client.ok("FAIL " + compact(dict(fields, jid=job["jid"])))
    client.mutate("requeue", "retries", jids=[job["jid"]])
    again = client.fetch()
    client.ack(job["jid"])
    return again["failure"]


def test_failure_object(client):
    """The next attempt sees what the previous one reported."""
    f = failure_of(client, errtype="IOError", message="boom", backtrace=["a.rb:1", "b"])
    assert (f["errtype"], f["message"], f["backtrace"]) == ("IOError", "boom", ["a.rb:1", "b"])
    assert (f["retry_count"], f["remaining"]) == (0, 5)


def test_ack_of_an_empty_jid(client):
    """Nobody holds it: +OK, as for every job that is not held."""
    client.ok('ACK {"jid":""}')
    assert client.faktory()["total_processed"] == 0


def test_white_space_around_a_failure_goes(client):
    """errtype and message are trimmed, and not within."""
    f = failure_of(client, errtype=" IOError\t", message="\n two  words \r\n")
    assert (f["errtype"], f["message"]) == ("IOError", "two  words")


@pytest.mark.parametrize("sent", [{}, {"errtype": "  ", "message": "\n"}])
def test_failure_without_words_is_unknown(client, sent):
    """Empty or missing errtype and message read `unknown`."""
    f = failure_of(client, **sent)
    assert (f["errtype"], f["message"]) == ("unknown", "unknown")
    assert "backtrace" not in f


def test_failure_is_cut_on_character_boundaries(client):
    """errtype 100 bytes, message 1000, 50 lines; a stock server splits the
    last character, ours does not."""
    f = failure_of(client, errtype="é" * 99, message="€" * 999,
        backtrace=[str(i) for i in range(80)])
    assert f["errtype"] == "é" * 50
    assert f["message"] == "€" * 333
    assert f["backtrace"] == [str(i) for i in range(50)]


def test_failure_text_is_data(client):
    """Quotes, backslashes, newlines and NUL in a message stay data."""
    text = 'a "quoted" \\ back\nslash\ttab </script> \u2028 \x01'
    assert failure_of(client, message=text)["message"] == text


def test_many_settled_in_one_packet(client):
    """Pipelined ACKs and FAILs are answered in order, each with its own."""
    jobs = [client.push() for _ in range(50)]
    for _ in jobs:
        client.fetch()
    client.send("".join(("ACK" if i % 2 else "FAIL") + ' {"jid":"%s"}\r\n' % j["jid"]
        for i, j in enumerate(jobs)))
    assert [client.reply() for _ in jobs] == ["OK"] * 50
    sets = client.sets()
    assert (sets["working"], sets["retries"]) == (0, 25)
