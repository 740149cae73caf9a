"""How the server starts, refuses to, and ends; its exit codes.

SPDX-License-Identifier: ISC
"""
import os
import re
import signal
import subprocess

import pytest

from support.client import Client
from support.program import BUILD, Program, run
from support.waiting import wait_for

SERVER = BUILD / "faktotum-server"


def start_refused(tmp_path, *args, env=None):
    done = run([SERVER, *args], env=env, cwd=tmp_path)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_help_and_version(tmp_path):
    """--help and --version go to standard output and are no error."""
    status, text = start_refused(tmp_path, "--help")
    assert status == 0 and "--data" in text and "--listen" in text
    status, text = start_refused(tmp_path, "--version")
    assert status == 0 and "faktotum-server" in text


@pytest.mark.parametrize("args", [["--nonsense"], ["stray"]])
def test_usage_mistake(tmp_path, args):
    """A wrong command line: exit 64, and the word that is wrong."""
    status, text = start_refused(tmp_path, *args)
    assert status == 64
    assert args[0].lstrip("-") in text


def test_port_in_use(server, tmp_path):
    """A stock server exits 0 here, so that nobody restarts it: ours says the
    address and exits 69."""
    status, text = start_refused(tmp_path, "--listen", f"127.0.0.1:{server.port}",
        "--data", tmp_path / "other")
    assert status == 69
    assert str(server.port) in text


def test_second_server_on_the_same_data(server, tmp_path):
    """Two servers on one directory would corrupt it: the second names the
    directory and the first goes on."""
    status, text = start_refused(tmp_path, "--listen", "127.0.0.1:0", "--data", server.data)
    assert status not in (0, 64)
    assert str(server.data) in text
    assert str(server.program.pid) in text
    with server.client() as c:
        c.push()


def test_lock_ends_with_the_process(server):
    """kill -9 leaves no lock behind that someone must remove."""
    server.kill9()
    server.start()
    with server.client() as c:
        c.push()


def test_garbage_file_is_refused_and_kept(server, tmp_path):
    """A file that is not ours is neither used nor overwritten."""
    with server.client() as c:
        c.push()
    assert server.program.stop() == 0
    name = next(server.data.glob("*.db")).name
    other = tmp_path / "garbage"
    other.mkdir(mode=0o700)
    (other / name).write_bytes(b"this is not a database\n" * 1000)
    status, text = start_refused(tmp_path, "--listen", "127.0.0.1:0", "--data", other)
    assert status not in (0, 64, 69)
    assert name in text or str(other) in text
    assert (other / name).read_bytes() == b"this is not a database\n" * 1000
    server.start()


def test_configuration_mistakes_are_all_told(tmp_path):
    """Every mistake with its place, exit 78."""
    path = tmp_path / "bad.yaml"
    path.write_text("lissten: 127.0.0.1:0\nlimits:\n  connections: many\n")
    status, text = start_refused(tmp_path, "-c", path, "--data", tmp_path / "d")
    assert status == 78
    assert "bad.yaml:1:" in text and "lissten" in text
    assert "bad.yaml:3:" in text and "many" in text


def test_missing_configuration_file(tmp_path):
    """A file that cannot be read: exit 66 and its name."""
    status, text = start_refused(tmp_path, "-c", tmp_path / "absent.yaml")
    assert status == 66
    assert "absent.yaml" in text


def test_empty_password_is_a_mistake(tmp_path):
    """An empty FAKTORY_PASSWORD switches authentication off in a stock
    server. Ours does not start."""
    status, text = start_refused(tmp_path, "--listen", "127.0.0.1:0",
        "--data", tmp_path / "d", env={"FAKTORY_PASSWORD": ""})
    assert status == 78
    assert "assword" in text or "PASSWORD" in text


def test_unwritable_data_directory(tmp_path):
    """Told at the start with the directory's name, not at the first push."""
    path = tmp_path / "file"
    path.write_text("")
    status, text = start_refused(tmp_path, "--listen", "127.0.0.1:0", "--data", path / "d")
    assert status not in (0, 64)
    assert str(path) in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_with_zero(server, number):
    """TERM and INT are the ordinary end: exit 0."""
    server.program.signal(number)
    assert server.program.wait() == 0, server.program.output()


def test_closed_standard_descriptors(tmp_path, start_server):
    """Started with 0, 1 and 2 closed: the first socket must not become
    standard error and receive log lines."""
    s = start_server(before=lambda: (os.close(0), os.close(1), os.close(2)))
    with s.client() as c:
        c.push()
        with s.client(hello=False) as odd:
            odd.send("nonsense\r\n")
            assert odd.closed()
        assert c.fetch() is not None


def test_port_file_is_written_when_ready(server):
    """The port file holds the port and a line end, once clients can connect."""
    assert (server.scratch / "port").read_text() == f"{server.port}\n"


def test_hangup_is_no_crash(server):
    """A terminal that closes sends HUP: the server goes on, and SIGPIPE never
    matters. Who answers after a signal has lived through it."""
    with server.client() as c:
        for number in (signal.SIGPIPE, signal.SIGHUP):
            server.program.signal(number)
            c.push()
            c.push()
    assert server.program.alive()


def test_ttin_tells_and_stops_nothing(server):
    """A stock server writes its stacks at TTIN, and goes on; left alone, the
    signal would stop the process. Ours says what is there."""
    with server.client() as c:
        c.push()
        server.program.signal(signal.SIGTTIN)
        c.push()
        server.program.says(re.compile(r"[12] jobs in 1 queues, 0 reserved, 1 clients"))
        server.program.says(re.compile(r"\d+ commands; \d+ changes in \d+ commits"))
        c.push()


def test_log_pipe_that_nobody_reads(tmp_path):
    """Standard error full and unread: the server goes on serving."""
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(w, True)
    port = tmp_path / "port"
    p = subprocess.Popen([SERVER, "--listen", "127.0.0.1:0", "--port-file", port,
        "--data", tmp_path / "d", "--web", "off"], stderr=w, stdin=subprocess.DEVNULL)
    try:
        wait_for("the port", lambda: port.exists() and port.read_text().endswith("\n"), 10)
        number = int(port.read_text())
        for _ in range(200):
            with Client(number, hello=False) as c:
                c.send("nonsense\r\n")
                assert c.closed()
        with Client(number) as c:
            c.push()
        p.terminate()
        assert p.wait(20) == 0
    finally:
        p.kill()
        p.wait()
        os.close(r)
        os.close(w)


def test_program_class_notices_a_crash(tmp_path):
    """The tests' own watch: a program that dies by a signal nobody sent, or
    shows a sanitizer's report, fails its test."""
    crash = Program(["/bin/sh", "-c", "kill -SEGV $$"], tmp_path / "a")
    crash.wait()
    with pytest.raises(AssertionError, match="killed by signal 11"):
        crash.close()
    report = Program(["/bin/sh", "-c", "echo x.c:1:2: runtime error: y"], tmp_path / "b")
    report.wait()
    with pytest.raises(AssertionError, match="runtime error"):
        report.close()


TOML = """# from before
[faktory]
binding = "0.0.0.0:7419"
  password = "s3cret-one"
[web]
binding = ":7420"
password = "s3cret-two"

[[cron]]
  schedule = "*/5 * * * *"
[other]
thing = 1
"""


def test_a_stock_servers_settings_are_pointed_out(tmp_path, start_server):
    """Variables and lines of a stock server that are not read are named, with
    what to write instead; no value is told. --check says the same."""
    conf = tmp_path / "home/.faktory/conf.d"
    conf.mkdir(parents=True)
    (conf / "a.toml").write_text(TOML)
    (conf / "readme.txt").write_text("x = 1\n")
    (conf.parent / "password").write_text("s3cret-three\n")
    env = {"HOME": str(tmp_path / "home"), "FAKTORY_ENV": "production",
        "REDIS_URL": "redis://:s3cret-four@x", "FAKTORY_PASSWORD": "/run/s3cret-five"}
    s = start_server(env=env)
    said = s.program.output()
    _, checked = start_refused(tmp_path, "--check", env=env)
    for text in (said, checked):
        for wanted in ("FAKTORY_ENV is not read: ", "REDIS_URL is not read: ",
                "FAKTORY_PASSWORD begins with /: here it is the password",
                f"{conf}/a.toml:3: faktory.binding is not read: write listen: HOST:PORT",
                f"{conf}/a.toml:4: faktory.password is not read: write password: {{file: PATH}}",
                f"{conf}/a.toml:6: web.binding is not read: write web: {{listen: HOST:PORT}}",
                f"{conf}/a.toml:7: web.password is not read: write web: {{password: ",
                f"{conf}/a.toml:10: cron.schedule is not read: this server has no cron yet",
                f"{conf}/a.toml:12: other.thing is not read: nothing here",
                f"{conf.parent}/password is not read: write password: {{file: "):
            assert wanted in text, wanted
        assert "s3cret" not in text and "readme" not in text


@pytest.mark.parametrize("flag, instead", [("-b", "--listen"), ("-w", "--web"), ("-e", "nothing"),
    ("-d", "--data"), ("-l", "log: {level"), ("-v", "--version")])
def test_a_stock_servers_flags_are_pointed_out(tmp_path, flag, instead):
    """A flag of a stock server: 64, and what it is called here."""
    status, text = start_refused(tmp_path, flag, "x")
    assert status == 64
    assert f"{flag} is a stock server's, here it is {instead}" in text
