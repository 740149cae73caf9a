"""Commands sent ahead: answered in order, each with its own answer.

SPDX-License-Identifier: ISC
"""
from support.client import ServerError, compact, new_job
from support.waiting import wait_for


def test_answers_keep_the_order_of_the_commands(client):
    """Errors are known at once, pushes only when on disk: neither overtakes."""
    lines, want = [], []
    for n in range(300):
        lines.append("PUSH " + compact(new_job("t", n)))
        want.append("OK")
        if n % 3 == 0:
            lines.append("NONSENSE%d" % n)
            want.append("ERR unknown command NONSENSE%d" % n)
        if n % 5 == 0:
            lines.append('ACK {"jid":"nobody-has-it-%d"}' % n)
            want.append("OK")
        if n % 7 == 0:
            lines.append('FAIL {"jid":"nobody-has-it-%d"}' % n)
            want.append("ERR Job not found nobody-has-it-%d" % n)
    client.send("".join(line + "\r\n" for line in lines))
    got = [client.reply() for _ in lines]
    assert [g.text if isinstance(g, ServerError) else g for g in got] == want
    assert client.faktory()["total_enqueued"] == 300


def test_a_fetch_sent_behind_a_push_gets_that_job(client):
    """What was sent first has happened when the next one is served."""
    job = new_job("t")
    client.send("PUSH " + compact(job) + "\r\nFETCH default\r\nINFO\r\n")
    assert client.reply() == "OK"
    assert job["jid"].encode() in client.reply()
    assert b'"working":1' in client.reply()


def test_acks_sent_ahead_are_all_durable(server, client):
    """One connection may acknowledge many jobs without waiting for each."""
    jobs = [client.push() for _ in range(100)]
    for _ in jobs:
        client.fetch()
    client.send("".join('ACK {"jid":"%s"}\r\n' % j["jid"] for j in jobs))
    assert [client.reply() for _ in jobs] == ["OK"] * 100
    server.kill9()
    server.start()
    with server.client() as after:
        assert after.sets()["working"] == 0
        assert after.faktory()["total_processed"] == 100


def test_what_was_sent_before_leaving_is_done(server, client):
    """A client that closes without reading its answers has pushed all the same."""
    for _ in range(20):
        with server.client() as hasty:
            hasty.send("".join("PUSH " + compact(new_job("t")) + "\r\n"
                for _ in range(50)))
    wait_for("every push", lambda: client.faktory()["total_enqueued"] == 1000)
