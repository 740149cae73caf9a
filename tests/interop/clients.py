# clients - each client library, through its public interface, against our
# server: a producer or a worker that exists must not notice the difference.
#
# The promises themselves are kept in the library's own language, below
# go/, node/, python/, ruby/ and rust/; here each gets a fresh server of its own.
#
# SPDX-License-Identifier: ISC
import subprocess

from peers import LONG, Failed, Relay, clean_environment, expect, wait_for

LIBRARIES = ("go", "node", "python", "ruby", "rust")
PATIENCE = 300  # the longest waits for a retry, up to 44 s and a loaded machine


def run_case(command, case, url, trusted=None):
    """trusted: a file with the certificate that is to be believed."""
    more = {"SSL_CERT_FILE": trusted} if trusted else {}
    try:
        done = subprocess.run(
            command + [case], env=clean_environment(FAKTORY_URL=url, **more), timeout=PATIENCE,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True)
    except subprocess.TimeoutExpired:
        raise Failed("still not done after %d s" % PATIENCE)
    if done.returncode != 0:
        raise Failed("status %d: %s" % (done.returncode, done.stdout.strip()))


def on_a_fresh_server(case, server_password=None, client_password=None, tls=False,
                      trusts=True):
    """A test that runs one case of one library."""
    def test(stage, library):
        server = stage.server(password=server_password, tls=tls)
        run_case(stage.libraries[library], case, server.url(client_password),
                 server.cert if trusts or stage.believes else None)
    return test


def obey(stage, library):
    """quiet: no more jobs; terminate: the worker ends by itself."""
    server = stage.server()
    relay = stage.closes(Relay(server.port))
    program = stage.process(stage.libraries[library] + ["obey"],
                            FAKTORY_URL="tcp://127.0.0.1:%d" % relay.port)
    wid = library + "-obey-12345"
    wait_for(lambda: server.knows(wid), LONG, "the worker to connect")
    server.tell(wid, "quiet")
    wait_for(lambda: "quiet" in program.said() or not program.alive(), LONG,
             "the worker to hear quiet")
    wait_for(relay.asks_nothing, LONG, "its last FETCH to be answered")
    with server.wire() as wire:
        wire("PUSH", {"jid": "left-alone-1", "jobtype": "fine", "args": [], "retry": 1})
    server.tell(wid, "terminate")
    expect(program.wait(LONG), 0, "exit status (it said %r)" % program.said())
    expect(server.info()["queues"]["default"], 1, "jobs left after quiet")


def told(stage, library):
    """A worker ends by itself when the server says so in answer to a beat."""
    server = stage.server()
    program = stage.process(stage.libraries[library] + ["obey"], FAKTORY_URL=server.url())
    wid = library + "-obey-12345"
    wait_for(lambda: server.knows(wid), LONG, "the worker to connect")
    server.tell(wid, "terminate")
    expect(program.wait(LONG), 0, "exit status (it said %r)" % program.said())


TESTS = {  # the longest first
    "retry": on_a_fresh_server("retry"),
    "quiet and terminate": obey,
    "terminate": told,
    "push": on_a_fresh_server("push"),
    "bulk push": on_a_fresh_server("bulk push"),
    "scheduled": on_a_fresh_server("scheduled"),
    "fetch and ack": on_a_fresh_server("fetch and ack"),
    "fail": on_a_fresh_server("fail"),
    "beat": on_a_fresh_server("beat"),
    "work": on_a_fresh_server("work"),
    "password": on_a_fresh_server("password", "s3cret", "s3cret"),
    "wrong password": on_a_fresh_server("wrong password", "s3cret", "guess"),
    "mutate": on_a_fresh_server("mutate"),
    "TLS": on_a_fresh_server("fetch and ack", "s3cret", "s3cret", tls=True),
    "unknown certificate": on_a_fresh_server("unknown certificate", tls=True, trusts=False),
}

# What others have within another case.
ONLY = {"terminate": {"rust"}}

# What a library has no interface for, and so no test.
LACKS = {
    ("python", "unknown certificate"): "pyfaktory looks at no certificate",
    ("ruby", "bulk push"): "the gem's client has no PUSHB",
    ("ruby", "work"): "the gem's worker is a program of its own; its client fetches and fails",
    ("ruby", "quiet and terminate"): "the gem makes up its wid, so that nobody can name it",
    ("rust", "quiet and terminate"): "the crate tells nobody that it is quiet",
    ("rust", "beat"): "the crate beats by itself alone: see terminate",
}
