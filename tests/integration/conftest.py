"""What every integration test has: programs that end with it.

SPDX-License-Identifier: ISC
"""
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.client import new_job  # noqa: E402
from support.server import Server  # noqa: E402
from support.supervisor import Supervisor, script  # noqa: E402
from support.tap import Tap  # noqa: E402
from support.waiting import wait_for


@pytest.fixture
def ending():
    """A list: what is put in is closed after the test, last first; each
    close is tried, and a fault that one finds fails the test."""
    things = []
    yield things
    faults = []
    for thing in reversed(things):
        try:
            thing.close()
        except (AssertionError, OSError) as e:
            faults.append(str(e))
    assert not faults, "\n".join(faults)


@pytest.fixture
def start_server(tmp_path, ending):
    def start(**more):
        s = Server(more.pop("scratch", tmp_path / f"server{len(ending)}"), **more)
        ending.append(s)
        return s
    return start


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def connect(server, ending):
    """connect(wid=...) gives a Client of `server` that is closed at the end."""
    def start(**fields):
        c = server.client(**fields)
        ending.append(c)
        return c
    return start


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def start_supervisor(tmp_path, ending):
    def start(url, settings, **more):
        s = Supervisor(tmp_path, url, settings, **more)
        ending.append(s)
        return s
    return start


@pytest.fixture
def small_disk(tmp_path):
    """A directory on a file system of 4 MB, and how to fill and empty it."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", place],
        capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs: " + done.stderr.strip())
    yield place
    subprocess.run(["umount", "-l", place], check=True)


class Bench:
    """A server, a tap on its wire, a client, and the supervisor under test."""

    def __init__(self, server, start_supervisor, ending, scratch):
        self.server, self.scratch = server, scratch
        self.start_supervisor = start_supervisor
        self.tap = Tap(server.port)
        ending.append(self.tap)
        self.client = server.client()
        ending.append(self.client)
        self.supervisor = None
        self.process = None  # whose end would be the end of waiting

    def script(self, name, text, shell="/bin/sh"):
        return script(self.scratch, name, text, shell)

    def run(self, jobs, env=None, **settings):
        """Starts `faktotum run` with these handlers."""
        settings["jobs"] = {name: h if isinstance(h, dict) else {"exec": [h]}
            for name, h in jobs.items()}
        settings.setdefault("concurrency", 4)
        self.supervisor = self.start_supervisor(self.tap.url, settings, env=env)
        self.process = self.supervisor.process
        return self.supervisor

    def push(self, jobtype, *args, **fields):
        """Pushes a job and returns its jid."""
        return self.client.push(new_job(jobtype, *args, **fields))["jid"]

    def acked(self, *jids, limit=60):
        """Waits until each of these was acknowledged, and the server has answered
        that: INFO counts it now. Fails if one failed."""
        def all_there():
            for jid in jids:
                failed = self.tap.about("FAIL", jid)
                assert not failed, f"{failed}\n{self.supervisor.output()}"
            assert self.process.poll() is None, self.supervisor.output()
            return {d["jid"] for d in self.tap.done("ACK")} >= set(jids)
        wait_for(f"ACK of {jids}", all_there, limit)

    def failed(self, jid, limit=60):
        """Waits for the FAIL of this job, and for the server's answer to it;
        returns it."""
        def there():
            assert not self.tap.about("ACK", jid), self.supervisor.output()
            ended = self.process.poll() is not None  # asked before what it may have said
            found = [d for d in self.tap.done("FAIL") if d.get("jid") == jid]
            assert found or not ended, self.supervisor.output()
            return found
        return wait_for(f"FAIL of {jid}", there, limit)[-1]

    def beats(self, n=2):
        """Waits for so many more BEATs: what would be done at once has been done."""
        before = len(self.tap.sent("BEAT"))
        wait_for(f"{n} beats", lambda: len(self.tap.sent("BEAT")) >= before + n)

    def asks_no_more(self):
        """Waits until whoever has been told to ask for no jobs has no question left
        that could bring one."""
        self.beats()
        wait_for("the last FETCH to be answered", lambda: self.tap.open_questions() == 0)

    def read(self, name):
        return (self.scratch / name).read_bytes()


@pytest.fixture
def bench(server, start_supervisor, ending, tmp_path):
    return Bench(server, start_supervisor, ending, tmp_path)


def pytest_configure(config):
    config.addinivalue_line("markers", "slow(seconds): waits for so long; started first")


def pytest_collection_modifyitems(items):
    """Long waits begin at once, the longest first, so that the others run
    beside them. tests/run deals tests out one by one: in the chunks that are
    the default, one process would get all of these and wait for each in turn."""
    def wait(item):
        mark = item.get_closest_marker("slow")
        return mark.args[0] if mark else 0
    items.sort(key=wait, reverse=True)
