"""The handshake: HI, HELLO, the password, and who is sent away without a word.

SPDX-License-Identifier: ISC
"""
import time

import pytest

from support.client import Client, ServerError, hash_password
from support.waiting import at_once

PASSWORD = "s3cret, with ünïcode"


def test_greeting_without_a_password_is_v2_alone(server):
    """Clients compare v with 2 and read i and s only where they stand:
    a server without a password must not show them."""
    with server.client(hello=False) as c:
        assert c.greeting["v"] == 2
        assert "i" not in c.greeting and "s" not in c.greeting


@pytest.mark.parametrize("line", [
    b'HELLO {}\r\n',
    b'HELLO {"v":2}\n',
    b'HELLO {"v":0}\r\n',
    b'HELLO {"v":255}\r\n',
    b'HELLO {"v":2, "hostname": "h", "pid": 7, "labels": ["a", "b"], "username": "u"}\r\n',
    b'HELLO {"V":2,"Hostname":"h","WID":"w1234567"}\r\n',
    b'HELLO {"v":2,"rss_kb":7,"unknown":{"a":[1]},"pwdhash":"whatever"}\r\n',
    b'HELLO {"v":1,"v":2}\r\n',
])
def test_accepted_hello(server, line):
    """Every form of HELLO that a stock server takes: spaces within the JSON,
    LF alone, unknown keys, any case of a key, the last of two keys."""
    with server.client(hello=False) as c:
        c.send(line)
        assert c.reply() == "OK"
        c.ok("PUSH " + '{"jid":"12345678","jobtype":"t","args":[]}')


@pytest.mark.parametrize("line", [
    b'HELLO  {}\r\n',
    b'hello {}\r\n',
    b'HELLO\r\n',
    b'HELLO []\r\n',
    b'INFO\r\n',
    b'PUSH {"jid":"12345678","jobtype":"t","args":[]}\r\n',
    b'HELLO {"v":256}\r\n',
    b'HELLO {"v":-1}\r\n',
    b'HELLO {"v":"2"}\r\n',
    b'HELLO {"v":2,"pid":"x"}\r\n',
    b'HELLO {"v":2,"labels":"x"}\r\n',
    b'HELLO {"v":2,"labels":[1]}\r\n',
    b'HELLO {"v":2,"wid":5}\r\n',
    b'HELLO {"v":2\r\n',
    b'HELLO {"v":2} x\r\n',
    b'GET / HTTP/1.1\r\n',
    b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n',
    b'\r\n',
])
def test_malformed_hello_is_closed_in_silence(server, line):
    """A stock server answers none of these; nor may ours, and nobody who has
    not said HELLO may reach a command."""
    def attempt():
        with server.client(hello=False) as c:
            c.send(line)
            assert c.closed()
    at_once(attempt, limit=1.5)  # the handshake's limit closes it after 2 s
    with server.client() as c:
        assert c.size() == 0


def test_handshake_takes_at_most_two_seconds(server):
    """A connection that says nothing is closed after 2 s, so that silent
    sockets cannot use up the server's connections."""
    with server.client(hello=False) as c:
        began = time.monotonic()
        assert c.closed()
        assert 1.8 <= time.monotonic() - began


def test_dripping_handshake_takes_at_most_two_seconds(server):
    """A byte now and then must not extend the handshake: the limit counts
    from accept, the line's end included."""
    with server.client(hello=False) as c:
        began = time.monotonic()
        c.socket.settimeout(0.1)
        line = b'HELLO {"v":2,"hostname":"' + b"x" * 1000
        for byte in line:
            try:
                c.socket.sendall(bytes([byte]))
                if c.socket.recv(1) == b"":
                    break
            except (ConnectionError, BrokenPipeError):
                break
            except TimeoutError:
                pass
        assert 1.8 <= time.monotonic() - began < len(line) * 0.1 * 0.9


def test_worker_is_not_closed_after_the_handshake(client):
    """The 2 s are for the handshake alone: an idle producer stays connected."""
    time.sleep(2.5)
    assert client.size() == 0


def test_second_hello_is_an_unknown_command(client):
    """After the handshake HELLO is no command; the connection stays."""
    assert client.error('HELLO {"v":2}') == "ERR unknown command HELLO"
    assert client.size() == 0


def test_hello_and_commands_in_one_packet(server):
    """Clients pipeline: HELLO and what follows may arrive together, and the
    answers come in order."""
    with server.client(hello=False) as c:
        c.send('HELLO {"v":2}\r\nPUSH {"jid":"12345678","jobtype":"t","args":[]}\r\nINFO\r\n'
            'FETCH default\r\nFOO\r\n')
        assert c.reply() == "OK"
        assert c.reply() == "OK"
        assert b'"default":1' in c.reply()
        assert b'"12345678"' in c.reply()
        assert c.reply().text == "ERR unknown command FOO"


def test_hello_cut_anywhere(server):
    """The network may cut a line at any byte: nothing depends on packets."""
    with server.client(hello=False) as c:
        for byte in b'HELLO {"v":2}\r\nINFO\r\n':
            c.send(bytes([byte]))
        assert c.reply() == "OK"
        assert b"total_processed" in c.reply()


# ---- password ----

@pytest.fixture
def guarded(start_server):
    return start_server(env={"FAKTORY_PASSWORD": PASSWORD})


def test_right_password(guarded):
    """The hash of 1.10: i rounds of SHA-256 over the raw digest, in lower hex."""
    with Client(guarded.port, password=PASSWORD) as c:
        assert c.greeting["i"] >= 4000
        assert c.greeting["s"]
        c.push()


def test_salt_is_new_for_each_connection(guarded):
    """A hash that was seen on the wire must not open the next connection."""
    salts = set()
    for _ in range(5):
        with guarded.client(hello=False) as c:
            salts.add(c.greeting["s"])
    assert len(salts) == 5


@pytest.mark.parametrize("fields", [
    {"password": "wrong"}, {"password": ""}, {},
    {"pwdhash": ""}, {"pwdhash": "0" * 64},
])
def test_wrong_password(guarded, fields):
    """A wrong, empty or missing hash gets exactly this text, which clients
    match on, and then the end of the connection."""
    with guarded.client(hello=False) as c:
        answer = c.hello(**fields)
        assert isinstance(answer, ServerError)
        assert answer.text == "ERR Invalid password"
        assert c.closed()


def test_upper_case_hash_is_refused(guarded):
    """The hash is compared as text in lower case."""
    with guarded.client(hello=False) as c:
        right = hash_password(PASSWORD, c.greeting["s"], c.greeting["i"])
        assert c.hello(pwdhash=right.upper()).text == "ERR Invalid password"


@pytest.mark.parametrize("v", [None, 0, 1])
def test_old_version_does_not_weaken_the_password(guarded, v):
    """A stock server takes one round of the hash from v below 2; that would
    let the client choose how strong the password check is."""
    with guarded.client(hello=False) as c:
        weak = hash_password(PASSWORD, c.greeting["s"], 1)
        assert isinstance(c.hello(pwdhash=weak, v=v), ServerError)
        assert c.closed()


def test_password_from_the_configuration(start_server):
    """password: in the file is as good as the variable, and stands in no
    command line."""
    s = start_server(config="password: from-file\n")
    with Client(s.port, password="from-file") as c:
        c.push()
    with s.client(hello=False) as c:
        assert c.hello("FROM-FILE").text == "ERR Invalid password"
    with open(f"/proc/{s.program.pid}/cmdline", "rb") as f:
        assert b"from-file" not in f.read()
