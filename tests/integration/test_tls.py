"""The server's end of TLS: its clients, those it refuses, and new certificates
without a restart.

SPDX-License-Identifier: ISC
"""
import base64
import http.client
import json
import re
import signal
import socket
import ssl
import time
import warnings

import pytest

from support.certificates import Authority, client_context
from support.client import Client, new_job
from support.program import BUILD, run
from support.waiting import at_once, ceiling, wait_for

FAKTOTUM = BUILD / "faktotum"
SERVER = BUILD / "faktotum-server"
SPOKEN = b"-ERR this server speaks TLS (tcp+tls://)\r\n"


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


class Secure:
    """A server with certificates of its own in files that a test may change."""

    def __init__(self, scratch, ca, start_server, clients=None, more="", web="off"):
        self.ca, self.cert, self.key = ca, scratch / "cert.pem", scratch / "key.pem"
        self.install(ca.issue("server"))
        tls = {"cert": str(self.cert), "key": str(self.key)}
        if clients:
            tls["ca"] = str(clients)
        self.server = start_server(config=f"tls: {json.dumps(tls)}\n{more}", web=web)
        self.url = f"tcp+tls://127.0.0.1:{self.server.port}"
        self.program = self.server.program

    def install(self, pair):
        for mine, new in zip((self.cert, self.key), pair):
            mine.write_bytes(new.read_bytes())
        self.key.chmod(0o600)

    def client(self, pair=None, **more):
        return Client(self.server.port, tls=client_context(self.ca.pem, pair), **more)

    def hup(self, words):
        before = self.program.output().count(words)
        self.program.signal(signal.SIGHUP)
        wait_for(f'"{words}" in the log', lambda: self.program.output().count(words) > before)


@pytest.fixture
def secure(tmp_path, ca, start_server):
    return Secure(tmp_path, ca, start_server)


def serial(client):
    return client.socket.getpeercert()["serialNumber"]


def test_commands_of_every_size(secure):
    """What goes in comes out: jobs larger than a record and than what is
    read at once, and commands that are sent ahead."""
    with secure.client() as c:
        for size in (1, 16_000, 70_000, 3_000_000):
            job = new_job("t", "x" * size)
            c.push(job)
            assert c.fetch()["args"] == job["args"]
        ahead = b"".join(b"PUSH " + json.dumps(new_job("t", "y" * 40_000)).encode() + b"\r\n"
            for _ in range(60))
        c.send(ahead)
        assert [c.reply() for _ in range(60)] == ["OK"] * 60
        assert c.size() == 60


def test_whole_system(secure, start_supervisor, tmp_path):
    """Our supervisor, push and check speak to our server; jobs are done."""
    for n in range(20):
        done = run([FAKTOTUM, "push", "t", str(n), "--server", secure.url, "--ca", secure.ca.pem])
        assert done.returncode == 0, done.stderr
    s = start_supervisor(secure.url, {"jobs": {"t": {"exec": ["/bin/true"]}},
        "tls": {"ca": str(secure.ca.pem)}})
    with secure.client() as c:
        wait_for("the jobs", lambda: c.faktory()["total_processed"] == 20)
    done = run([FAKTOTUM, "check", "-c", s.config, "--server"])
    assert done.returncode == 0, done.stderr


def test_plain_text_is_refused(secure):
    """Both kinds of client: one that waits for the greeting and one that
    speaks first. Each is told, and the log names it."""
    with socket.create_connection(("127.0.0.1", secure.server.port), 60) as first, \
            socket.create_connection(("127.0.0.1", secure.server.port), 60) as silent:
        first.sendall(b'HELLO {"v":2}\r\n')
        assert first.recv(1000) == SPOKEN
        peer = "127.0.0.1:%d" % first.getsockname()[1]
        secure.program.says(f"{peer}  refused: the client does not speak TLS")
        began = time.monotonic()
        assert silent.recv(1000) == SPOKEN
        assert 4 < time.monotonic() - began
        assert silent.recv(1000) == b""
        peer = "127.0.0.1:%d" % silent.getsockname()[1]
        secure.program.says(f"{peer}  refused: no TLS handshake; does it speak plain text?")
    with secure.client() as c:
        assert c.size() == 0


def test_a_slow_handshake_is_ended(secure):
    """Half a ClientHello holds a connection for 5 s and nobody else."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = client_context(secure.ca.pem).wrap_bio(incoming, outgoing, server_hostname="x")
    with pytest.raises(ssl.SSLWantReadError):
        half.do_handshake()
    with socket.create_connection(("127.0.0.1", secure.server.port), 60) as slow:
        slow.sendall(outgoing.read()[:100])
        began = time.monotonic()

        def attempt():
            with secure.client() as c:
                assert c.size() == 0
        at_once(attempt, limit=3)
        assert slow.recv(1000) == b""
        assert 4 < time.monotonic() - began
    secure.program.says("refused: its TLS handshake took too long")


def test_hello_has_its_own_limit(secure):
    """After the TLS handshake there are 2 s for HELLO."""
    with secure.client(hello=False) as c:
        began = time.monotonic()
        assert c.closed()
        assert 1 < time.monotonic() - began


def test_clients_with_certificates(ca, stranger, tmp_path, start_server):
    """With `ca` only those whom it has signed are let in; the log says why
    others are not."""
    secure = Secure(tmp_path, ca, start_server, clients=ca.pem)
    with secure.client(ca.issue("worker", "DNS:worker")) as c:
        c.push()
    for pair, words in ((None, "the client shows no certificate"),
            (stranger.issue("worker", "DNS:worker"),
                "the client's certificate is signed by an unknown CA (stranger)"),
            (ca.issue("old", "DNS:worker", days=-1), "the client's certificate expired on ")):
        with pytest.raises((OSError, EOFError)):
            secure.client(pair)
        secure.program.says(f"refused: {words}")


def test_certificates_are_read_again(secure, ca, stranger):
    """HUP: new connections see the new certificate, open ones go on, a FETCH
    that waits included. What cannot be used changes nothing."""
    with secure.client() as old, secure.client(wid="waits") as waiting:
        first = serial(old)
        waiting.send("FETCH default\r\n")
        secure.install(ca.issue("server"))
        secure.hup("passwords and certificates are those of")
        with secure.client() as new:
            assert serial(new) != first
            second = serial(new)
        secure.key.write_text("broken\n")
        secure.hup("nothing was changed; going on as before")
        assert re.search(r"server\.yaml:1:\d+: tls\.key: \S+ has no key", secure.program.output())
        with secure.client() as new:
            assert serial(new) == second
        job = old.push()
        assert json.loads(waiting.reply())["jid"] == job["jid"]


def test_a_client_that_leaves_takes_no_job(secure):
    """A FETCH whose client says farewell in TLS is forgotten; the job goes to
    who is there."""
    with secure.client() as c:
        gone = secure.client(wid="gone")
        gone.send("FETCH default\r\n")
        gone.socket.unwrap()
        gone.close()
        c.push()
        assert c.fetch() is not None


def test_password_and_server_go_on(tmp_path, ca, start_server, start_supervisor):
    """Rotation while both run: the file of the worker, the file of the server,
    HUP to the server. Nobody is restarted, no job is lost."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.write_text("old-secret\n")
    ours.write_text("old-secret\n")
    secure = Secure(tmp_path, ca, start_server, more=f"password: {{file: {theirs}}}\n")
    s = start_supervisor(secure.url, {"jobs": {"t": {"exec": ["/bin/true"]}},
        "tls": {"ca": str(ca.pem)}, "password": {"file": str(ours)}})
    with secure.client(password="old-secret") as c:
        c.push()
        wait_for("the first job", lambda: c.faktory()["total_processed"] == 1)
        ours.write_text("new-secret\n")
        theirs.write_text("new-secret\n")
        secure.hup("passwords and certificates are those of")
        # Who is in stays in; the next conversation needs the new one.
        c.push()
        wait_for("the second job", lambda: c.faktory()["total_processed"] == 2)
    with pytest.raises(Exception, match="Invalid password"):
        secure.client(password="old-secret")
    secure.server.kill9()
    secure.server.start()
    s.says("holds another password now", 20)
    with secure.client(password="new-secret") as c:
        c.push()
        wait_for("the third job", lambda: c.faktory()["total_processed"] == 3, 20)
    assert "secret" not in s.output() + secure.program.output()


def pages(secure, path, context=None, **headers):
    """(status, body) of a page, over https:// with a context."""
    said = r"answering on https?://127\.0\.0\.1:(\d+)"
    port = int(re.findall(said, secure.program.output())[-1])
    c = http.client.HTTPSConnection("127.0.0.1", port, timeout=ceiling(30), context=context) \
        if context else http.client.HTTPConnection("127.0.0.1", port, timeout=ceiling(30))
    try:
        c.request("GET", path, headers=headers)
        answer = c.getresponse()
        return answer.status, answer.read()
    finally:
        c.close()


def test_pages_speak_tls_as_well(tmp_path, ca, stranger, start_server):
    """As a stock server's: the password of its pages does not go in the clear.
    1.2 at least; HUP takes a new certificate; the pages are whole."""
    secure = Secure(tmp_path, ca, start_server, more="password: s3cret\n", web="127.0.0.1:0")
    ours = client_context(ca.pem)
    basic = "Basic " + base64.b64encode(b"any:s3cret").decode()
    assert "answering on https://" in secure.program.output()
    assert pages(secure, "/health", ours)[0] in (200, 503)
    assert pages(secure, "/stats", ours)[0] == 401
    with secure.client(password="s3cret") as c:
        c.pushb([new_job(queue=f"queue-with-a-long-name-{i:05d}") for i in range(5000)])
    status, body = pages(secure, "/metrics", ours, Authorization=basic)
    assert status == 200 and body.count(b"queue-with-a-long-name-04999") >= 2
    with pytest.raises((OSError, http.client.HTTPException)):
        pages(secure, "/health")
    with pytest.raises(ssl.SSLError, match="(?i)verify failed"):
        pages(secure, "/health", client_context(stranger.pem))
    old = client_context(ca.pem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        pages(secure, "/health", old)
    secure.install(stranger.issue("server"))
    secure.hup("passwords and certificates are those of")
    with pytest.raises(ssl.SSLError):
        pages(secure, "/health", ours)
    theirs = client_context(stranger.pem)
    assert pages(secure, "/stats", theirs, Authorization=basic)[0] == 200


def test_a_page_that_is_being_read_while_the_certificate_changes(tmp_path, ca, stranger,
        start_server):
    """Whoever takes a long page slowly gets the whole of it, HUP or not, and then the
    end of that connection; one that waits for nothing is ended, and the next ones see
    the new certificate meanwhile."""
    secure = Secure(tmp_path, ca, start_server, web="127.0.0.1:0")
    port = int(re.findall(r"answering on https://127\.0\.0\.1:(\d+)", secure.program.output())[-1])
    with secure.client() as c:
        for n in range(2):
            c.pushb([new_job(queue=f"queue-with-{'a-long-' * 25}name-{n}-{i:04d}") for i in range(5000)])

    def connect(receive=None):
        s = socket.socket()
        if receive:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        s.settimeout(ceiling(60))
        s.connect(("127.0.0.1", port))
        return client_context(ca.pem).wrap_socket(s, server_hostname="127.0.0.1")
    slow, idle = connect(4096), connect()
    with slow, idle:
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        file = slow.makefile("rb")
        assert file.readline().startswith(b"HTTP/1.1 200")
        secure.install(stranger.issue("server"))
        secure.hup("passwords and certificates are those of")
        assert pages(secure, "/health", client_context(stranger.pem))[0] == 200
        try:
            assert idle.recv(1) == b""
        except (ssl.SSLError, ConnectionResetError):
            pass
        length = 0
        while line := file.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length > 6 << 20
        assert len(file.read(length)) == length
        try:
            assert file.read(1) == b""
        except (ssl.SSLError, ConnectionResetError):
            pass


@pytest.mark.slow(16)
def test_who_does_not_finish_a_handshake_with_the_pages(tmp_path, ca, start_server):
    """Nothing, or half a ClientHello: ended after 15 s, as every peer that
    gets no answer, and the others are served meanwhile."""
    secure = Secure(tmp_path, ca, start_server, web="127.0.0.1:0")
    ours = client_context(ca.pem)
    port = int(re.findall(r"answering on https://127\.0\.0\.1:(\d+)", secure.program.output())[-1])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        ours.wrap_bio(incoming, outgoing, server_hostname="x").do_handshake()
    silent, half = (socket.create_connection(("127.0.0.1", port), ceiling(60)) for _ in range(2))
    with silent, half:
        half.sendall(outgoing.read()[:100])
        assert pages(secure, "/stats", ours)[0] == 200
        for s in (silent, half):
            assert s.recv(1000) == b""


def test_pages_in_plain_text_beside_tls(tmp_path, ca, start_server):
    """web.plain: for a scraper of this host; the clients' port speaks TLS."""
    secure = Secure(tmp_path, ca, start_server, more="web: {plain: true}\n", web="127.0.0.1:0")
    assert pages(secure, "/stats")[0] == 200
    with secure.client() as c:
        c.push()


@pytest.mark.parametrize("tls,words", [
    ({}, "tls: there is no certificate, expected cert and key"),
    ({"ca": "CA"}, "tls: there is no certificate, expected cert and key"),
    ({"cert": "CERT"}, "tls.cert: there is no tls.key, expected both or neither"),
    ({"cert": "/nowhere", "key": "KEY"}, 'tls.cert: "/nowhere": No such file'),
    ({"cert": "CERT", "key": "CERT"}, "tls.key: CERT is open to others (mode 0644)"),
    ({"cert": "CERT", "key": "OTHER"}, "tls.key: OTHER is not the key of the certificate"),
])
def test_mistakes(ca, tmp_path, tls, words):
    """Each with its place, by --check and at the start."""
    cert, key = ca.issue("server")
    files = {"CA": ca.pem, "CERT": cert, "KEY": key, "OTHER": ca.issue("other")[1]}
    path = tmp_path / "server.yaml"
    path.write_text(json.dumps({"data": str(tmp_path), "listen": "127.0.0.1:0",
        "tls": {k: str(files.get(v, v)) for k, v in tls.items()}}))
    for name, file in files.items():
        words = words.replace(f" {name} ", f" {file} ")
    for more in (["--check"], []):
        done = run([SERVER, "-c", path, *more])
        assert done.returncode == 78, done.stderr
        assert re.search(rf"{path}:1:\d+: {re.escape(words)}", done.stderr.decode()), done.stderr
