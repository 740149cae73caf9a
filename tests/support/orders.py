"""orders - the operator's hands on a supervisor: its verbs, and its socket.

SPDX-License-Identifier: ISC
"""
import json
import socket
import subprocess

from support.program import Program, environment, run
from support.supervisor import FAKTOTUM
from support.waiting import ceiling


class Orders:
    """Verbs at one socket; raw requests too."""

    def __init__(self, path):
        self.path = str(path)

    def verb(self, *words, **more):
        return run([FAKTOTUM, words[0], "--socket", self.path, *words[1:]], **more)

    def does(self, *words):
        """A verb that must succeed: its standard output."""
        done = self.verb(*words)
        assert done.returncode == 0, (words, done)
        return done.stdout.decode()

    def refuses(self, *words, status=1):
        """A verb that must not: its standard error."""
        done = self.verb(*words)
        assert done.returncode == status, (words, done)
        return done.stderr.decode()

    def begin(self, log, *words):
        """A verb that goes on: a Program, to be closed."""
        return Program([FAKTOTUM, words[0], "--socket", self.path, *words[1:]], log)

    def status(self):
        return json.loads(self.does("status", "--json"))

    def supervisor(self):
        return self.status()["supervisor"]

    def jobs(self):
        return {j["jid"]: j for j in self.status()["jobs"]}

    def dial(self, request):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(ceiling(30))
        s.connect(self.path)
        s.sendall(json.dumps(request).encode() + b"\n")
        return s

    def ask(self, **request):
        """All lines of an answer, parsed."""
        with self.dial(request) as s:
            return [json.loads(line) for line in s.makefile("rb")]


def as_user(uid, gid, groups, argv):
    """A program as somebody else; only root can."""
    return subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={gid}",
        f"--groups={groups}" if groups else "--clear-groups", *[str(a) for a in argv]],
        capture_output=True, env=environment(), timeout=60)
