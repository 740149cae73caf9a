"""program - one of ours, started with its output in a file, and watched.

A program that ends by a signal nobody sent, or whose output shows a
sanitizer's report, fails the test that started it.

SPDX-License-Identifier: ISC
"""
import ctypes
import os
import re
import signal
import subprocess
from pathlib import Path

from support.waiting import ceiling, wait_for

BUILD = Path(os.environ.get("FAKTOTUM_BUILD", "build")).resolve()
ROOT = Path(__file__).resolve().parent.parent.parent

PR_SET_PDEATHSIG = 1

REPORT = re.compile(
    r"(ERROR|WARNING): \w+Sanitizer|runtime error: |SUMMARY: \w+Sanitizer")
# What tests hand to programs of ours and nothing else of the caller's.
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS",
    "TSAN_OPTIONS", "LSAN_OPTIONS")


def environment(more=None):
    env = {k: os.environ[k] for k in KEPT if k in os.environ}
    env.update(more or {})
    return env


def run(argv, stdin=b"", env=None, limit=60, cwd=None):
    """Runs a program of ours to its end: CompletedProcess with bytes."""
    done = subprocess.run([str(a) for a in argv], input=stdin, env=environment(env),
        capture_output=True, timeout=ceiling(limit), cwd=cwd)
    both = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert not REPORT.search(done.stderr.decode("utf-8", "replace")), both
    assert done.returncode >= 0, f"{argv} was killed by {-done.returncode}: {both}"
    return done


def die_with_us():
    """In the child: when the tests are killed, so is what they started."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """argv started in a session of its own; log is where its output goes."""

    def __init__(self, argv, log, env=None, before=lambda: None, pass_fds=()):
        self.argv = [str(a) for a in argv]
        self.log = Path(log)
        self.sent = set()
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env=environment(env), start_new_session=True, pass_fds=pass_fds,
                preexec_fn=lambda: (before(), die_with_us()))
        self.pid = self.process.pid

    def output(self):
        return self.log.read_text("utf-8", "replace")

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.sent.add(number)
        self.process.send_signal(number)

    def wait(self, limit=60):
        """The exit status; negative for a signal, as Popen gives it."""
        try:
            return self.process.wait(ceiling(limit))
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.argv[0]} did not end in {ceiling(limit)} s:\n{self.output()}")

    def stop(self, limit=60):
        """SIGTERM and the exit status."""
        if self.alive():
            self.signal(signal.SIGTERM)
        return self.wait(limit)

    def kill9(self):
        if self.alive():
            self.signal(signal.SIGKILL)
        self.wait()

    def says(self, text, limit=30):
        """Waits until its output contains text (or matches a pattern)."""
        def found():
            out = self.output()
            return text.search(out) if hasattr(text, "search") else text in out
        try:
            return wait_for(f"{self.argv[0]} to say {text!r}", found, limit)
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.output()}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def children(self):
        """Direct children, zombies too: [(pid, state)]."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                stat = Path("/proc", entry, "stat").read_text("utf-8", "replace")
            except OSError:
                continue
            state, parent = stat.rsplit(")", 1)[1].split()[:2]
            if int(parent) == self.pid:
                found.append((int(entry), state))
        return found

    def close(self):
        """At the end of a test: stopped, and its life was without a fault."""
        status = self.stop()
        out = self.output()
        assert not REPORT.search(out), out
        if status < 0:
            assert -status in self.sent, \
                f"{self.argv[0]} was killed by signal {-status}\n{out}"
