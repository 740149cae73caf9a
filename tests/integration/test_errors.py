"""What each malformed request is answered, text by text: clients match on these.

SPDX-License-Identifier: ISC
"""
import pytest

from support.client import compact

JID = '"jid":"12345678"'
QUEUE_RULE = r"queue names must match \A[a-zA-Z0-9._-]+\z"

EXACT = [
    ("FOO", "ERR unknown command FOO"),
    ("foo bar", "ERR unknown command foo"),
    ("info", "ERR unknown command info"),
    ("", "ERR unknown command "),
    ("PUSH {}", "ERR jobs must have a reasonable jid parameter"),
    ('PUSH {"jid":"1234567"}', "ERR jobs must have a reasonable jid parameter"),
    ("PUSH {%s}" % JID, "ERR jobs must have a jobtype parameter"),
    ('PUSH {%s,"jobtype":""}' % JID, "ERR jobs must have a jobtype parameter"),
    ('PUSH {%s,"jobtype":"t"}' % JID, "ERR jobs must have an args parameter"),
    ('PUSH {%s,"jobtype":"t","args":null}' % JID, "ERR jobs must have an args parameter"),
    ('PUSH {%s,"jobtype":"t","args":[],"reserve_for":86401}' % JID,
        "ERR jobs cannot be reserved for more than one day"),
    ('PUSH {%s,"jobtype":"t","args":[],"queue":"a b"}' % JID,
        f'ERR cannot get "a b" queue: {QUEUE_RULE}'),
    ('PUSH {%s,"jobtype":"t","args":[],"queue":"*"}' % JID,
        f'ERR cannot get "*" queue: {QUEUE_RULE}'),
    ("FETCH", "ERR must call fetch with at least one queue"),
    ("ACK {}", "ERR invalid ACK {}"),
    ("ACK x", "ERR invalid ACK x"),
    ('ACK {"jid":1}', 'ERR invalid ACK {"jid":1}'),
    ('ACK {"jid":"12345678","n":1}', 'ERR invalid ACK {"jid":"12345678","n":1}'),
    ("FAIL x", "ERR invalid FAIL x"),
    ('FAIL {"jid":1}', 'ERR invalid FAIL {"jid":1}'),
    ('FAIL {"jid":"12345678","backtrace":"x"}',
        'ERR invalid FAIL {"jid":"12345678","backtrace":"x"}'),
    ("FAIL {}", "ERR missing JID"),
    ('FAIL {"jid":"unknown1"}', "ERR Job not found unknown1"),
    ("BEAT x", "ERR invalid BEAT x"),
    ('BEAT {"wid":"nobody"}', "ERR unknown worker nobody"),
    ("TRACK", "ERR tracking subsystem is only available in Faktory Enterprise"),
    ('TRACK SET {"jid":"12345678"}',
        "ERR tracking subsystem is only available in Faktory Enterprise"),
    ("BATCH", "ERR batch subsystem is only available in Faktory Enterprise"),
    ("BATCH STATUS b-1", "ERR batch subsystem is only available in Faktory Enterprise"),
    ("QUEUE FOO x", "ERR no such QUEUE subcommand: FOO"),
    ("QUEUE ", "ERR no such QUEUE subcommand: "),
    ("QUEUE LATENCY *", "ERR QUEUE LATENCY does not support wildcards"),
    ("MUTATE {}", "ERR unknown mutate operation"),
    ('MUTATE {"cmd":"explode","target":"dead"}', "ERR unknown mutate operation"),
    ('MUTATE {"cmd":"clear","target":"queues"}', "ERR invalid target for mutation command"),
]

# The decoder's own words may differ from a stock server's; the front may not.
FRONT = [
    ("PUSH ", "ERR invalid JSON: "),
    ("PUSH {", "ERR invalid JSON: "),
    ("PUSH []", "ERR invalid JSON: "),
    ("PUSH {} trailing", "ERR invalid JSON: "),
    ('PUSH {"jid":5}', "ERR invalid JSON: "),
    ('PUSH {%s,"jobtype":"t","args":{}}' % JID, "ERR invalid JSON: "),
    ('PUSH {%s,"jobtype":"t","args":[],"retry":"5"}' % JID, "ERR invalid JSON: "),
    ('PUSH {%s,"jobtype":"t","args":[],"retry":5.0}' % JID, "ERR invalid JSON: "),
    ('PUSH {%s,"jobtype":"t","args":[],"reserve_for":60.0}' % JID, "ERR invalid JSON: "),
    ('PUSH {%s,"jobtype":"t","args":[],"custom":[]}' % JID, "ERR invalid JSON: "),
    ('PUSH {%s,"jobtype":"t","args":["\xff"]}' % JID, "ERR "),
    ('PUSH {%s,"jobtype":"t","args":[],"at":"tomorrow"}' % JID,
        "ERR invalid timestamp for 'at': \"tomorrow\": "),
    ('PUSH {%s,"jobtype":"t","args":[],"at":"2026-11-23 10:00:00Z"}' % JID,
        "ERR invalid timestamp for 'at': \"2026-11-23 10:00:00Z\": "),
    ('PUSH {%s,"jobtype":"t","args":[],"at":"2026-11-23T10:00:00"}' % JID,
        "ERR invalid timestamp for 'at': \"2026-11-23T10:00:00\": "),
    ("PUSHB {", "ERR invalid JSON: "),
    ("PUSHB {}", "ERR invalid JSON: "),
    ('PUSHB [{%s,"jobtype":"t","args":"x"}]' % JID, "ERR invalid JSON: "),
    ("MUTATE x", "ERR "),
]

# A stock server crashes inside and says "internal error"; any error will do,
# so long as the connection lives.
BARE = ["PUSH", "PUSHB", "ACK", "FAIL", "BEAT", "MUTATE"]


@pytest.mark.parametrize("line, text", EXACT, ids=[l or "empty" for l, _ in EXACT])
def test_error_text(client, line, text):
    """Existing clients match on these texts; the connection goes on."""
    assert client.error(line) == text
    assert client.faktory()["queues"] == {}


@pytest.mark.parametrize("line, front", FRONT, ids=[l for l, _ in FRONT])
def test_error_front(client, line, front):
    """The code word and the front of the text are what clients look at; the
    job is not taken and the connection goes on."""
    assert client.error(line.encode("latin-1")).startswith(front)
    assert client.faktory()["queues"] == {}


@pytest.mark.parametrize("verb", BARE)
def test_bare_verb(client, verb):
    """A verb without its argument is an error and costs nobody anything."""
    assert client.error(verb).startswith("ERR ")
    assert client.faktory()["queues"] == {}


def test_errors_never_break_a_line(client):
    """An error quotes what the client sent; control characters in it must
    not end the reply early and shift every later answer."""
    client.send(b"ACK \x00\x01\x1b\x7f\r\r\n")
    assert client.line().startswith(b"-ERR invalid ACK")
    client.send(b"FO\rO x\r\n")
    assert client.line().startswith(b"-ERR unknown command")
    assert client.size() == 0


def test_long_argument_is_not_echoed_without_end(client):
    """An error repeats the argument, but not megabytes of it."""
    client.send(b"ACK " + b"x" * 3_000_000 + b"\r\n")
    assert len(client.line()) < 70_000
    assert client.size() == 0


def test_pipelined_errors_keep_their_order(client):
    """Answers come in the order of the requests, whatever kind they are and
    whether they had to wait for the disk."""
    lines = [l for l, _ in EXACT if not l.startswith("FETCH")] * 3
    texts = [t for l, t in EXACT if not l.startswith("FETCH")] * 3
    push = "PUSH " + compact({"jid": "12345678", "jobtype": "t", "args": []})
    client.send("".join(f"{push}\r\n{l}\r\n" for l in lines))
    for text in texts:
        assert client.reply() == "OK"
        assert client.reply().text == text
    assert client.size() == len(lines)


def test_end_closes_without_a_reply(client):
    """END is answered by the end of the connection, as a stock server does;
    what follows on the wire is not executed."""
    client.send('END\r\nPUSH {%s,"jobtype":"t","args":[]}\r\n' % JID)
    assert client.closed()


def test_end_does_not_lose_what_came_before(server, client):
    """Commands before END in the same packet are executed and answered."""
    client.send('PUSH {%s,"jobtype":"t","args":[]}\r\nEND\r\n' % JID)
    assert client.reply() == "OK"
    assert client.closed()
    with server.client() as other:
        assert other.size() == 1
