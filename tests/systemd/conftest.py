"""A host with our units: what a test changes is taken back after it.

SPDX-License-Identifier: ISC
"""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.client import Client, new_job  # noqa: E402
from support.waiting import wait_for  # noqa: E402

ETC = Path("/etc/faktotum")
DROP_INS = Path("/run/systemd/system")
SCRIPTS = Path("/var/lib/scripts")


def sh(*argv, check=True, **more):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, **more)
    assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}\n{journal()}"
    return done


def journal(unit=None):
    argv = ["journalctl", "--no-pager", "-b", "-o", "cat"]
    if unit:
        argv += ["-u", unit]
    return subprocess.run(argv, capture_output=True, text=True).stdout[-6000:]


class Host:
    """systemctl, configurations, jobs."""

    def __init__(self):
        self.touched = set()

    def ctl(self, *words, check=True):
        return sh("systemctl", "--no-pager", *words, check=check)

    def show(self, unit, name):
        return self.ctl("show", "--value", "-p", name, unit).stdout.strip()

    def pid(self, unit):
        return int(self.show(unit, "MainPID"))

    def drop_in(self, unit, text, section="Service", name="test"):
        directory = DROP_INS / f"{unit}.d"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.conf").write_text(f"[{section}]\n{text}\n")
        self.touched.add(directory)
        self.ctl("daemon-reload")

    def configure(self, name="faktotum", **settings):
        settings.setdefault("server", "tcp://127.0.0.1:7419")
        settings.setdefault("beat", "1s")
        settings.setdefault("jobs", {"t": {"exec": ["/bin/true"]}})
        (ETC / f"{name}.yaml").write_text(json.dumps(settings, indent=1) + "\n")

    def script(self, name, text):
        """An executable file; returns its path."""
        SCRIPTS.mkdir(exist_ok=True, mode=0o755)
        path = SCRIPTS / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def client(self, **more):
        return Client(7419, **more)

    def push(self, jobtype, *args, **fields):
        with self.client() as c:
            return c.push(new_job(jobtype, *args, **fields))["jid"]

    def done(self):
        """How many jobs were acknowledged on this server so far."""
        with self.client() as c:
            return c.faktory()["total_processed"]

    def wait_done(self, count):
        wait_for(f"{count} jobs to be done", lambda: self.done() >= count, 30)

    def wait_state(self, unit, state, limit=30):
        wait_for(f"{unit} to be {state}", lambda: self.show(unit, "ActiveState") == state, limit)

    def status_says(self, unit, text, limit=15):
        wait_for(f"{unit} to say {text!r}", lambda: text in self.show(unit, "StatusText"), limit)

    def clean(self):
        for unit in ("faktotum-server.socket", "faktotum.service", "faktotum@reports.service",
                "faktotum-server.service"):
            self.ctl("stop", unit, check=False)
            self.ctl("reset-failed", unit, check=False)
        for directory in self.touched:
            shutil.rmtree(directory, ignore_errors=True)
        self.ctl("daemon-reload")
        for file in ETC.glob("*"):
            if file.name != "server.yaml":
                file.unlink()
        # The last: what jobs of another user wrote there, nobody else could replace.
        for directory in ("/var/lib/private/faktotum", "/var/lib/faktotum-worker",
                "/var/lib/flags"):
            shutil.rmtree(directory, ignore_errors=True)
        shutil.rmtree(SCRIPTS, ignore_errors=True)


@pytest.fixture
def host():
    h = Host()
    yield h
    h.clean()


@pytest.fixture
def served(host):
    """With a server, and no password."""
    host.ctl("start", "faktotum-server")
    return host


@pytest.fixture
def flag(tmp_path_factory):
    """A file that a handler's user can look for: touch() lets it end."""
    path = Path("/var/lib/flags")
    path.mkdir(exist_ok=True)
    os.chmod(path, 0o1777)
    file = path / "go"
    file.unlink(missing_ok=True)
    yield file
    file.unlink(missing_ok=True)
