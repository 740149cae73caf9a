"""account - what was pushed, what ran, and whether that is as promised.

The handler of a fault test appends a line to the record at each execution;
producers know what was acknowledged. Nothing acknowledged may be missing,
nothing may run twice but what had a reason, nothing may run that nobody pushed.

SPDX-License-Identifier: ISC
"""
import collections
import sqlite3
import time
from pathlib import Path

from support.client import ServerError

# One write(2) of one short line with O_APPEND cannot be torn.
RECORD = 'echo "$FAKTORY_JID $FAKTORY_DISPATCH_ID" >>{record}'


class Record:
    """The file that handlers write to."""

    def __init__(self, path):
        self.path = Path(path)
        self.path.touch()
        self.path.chmod(0o666)  # handlers may be another user's
        self.line = RECORD.format(record=self.path)

    def executions(self):
        """jid -> how often it ran."""
        lines = self.path.read_text().splitlines()
        assert all(len(l.split()) == 2 for l in lines), "a torn line in the record"
        assert len(set(lines)) == len(lines), "one dispatch id ran twice"
        return collections.Counter(l.split()[0] for l in lines)

    def count(self):
        return len(self.path.read_bytes().splitlines())


def reserved(server):
    """jids that the server holds as reserved, read from its file."""
    path = next(server.data.glob("*.db"))
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {row[0] for row in db.execute("SELECT jid FROM v_working")}
    finally:
        db.close()


class Account:
    """The numbers of one run; `allowed`: jids that may have run again."""

    def __init__(self, ran, producers, allowed=frozenset()):
        self.ran = ran
        self.acknowledged = {j for p in producers for j in p.acknowledged}
        self.unanswered = {j for p in producers for j in p.unanswered}
        self.pushed = sum(p.pushed for p in producers)
        self.lost = self.acknowledged - set(ran)
        self.repeated = {j for j, n in ran.items() if n > 1}
        self.excused = self.repeated & set(allowed)
        self.foreign = set(ran) - self.acknowledged - self.unanswered

    def complaints(self):
        wrong = []
        if self.lost:
            wrong.append(f"acknowledged and never run: {sorted(self.lost)[:10]}")
        if self.repeated - self.excused:
            wrong.append("run twice without a reason: "
                f"{sorted(self.repeated - self.excused)[:10]}")
        if self.foreign:
            wrong.append(f"run and never pushed: {sorted(self.foreign)[:10]}")
        if not self.acknowledged or not self.ran:
            wrong.append("nothing was acknowledged or run")
        return wrong


def bring_forward(client):
    if client.sets()["retries"]:
        client.mutate("requeue", "retries")


def settle(server, supervisor, limit, nudge=lambda facts: None):
    """Until nothing is queued, reserved or waiting, for a second: a job on its
    way from one place to another is counted in neither. nudge(facts) may help
    what only time would move. Returns what is wrong, None: nothing."""
    end = time.monotonic() + limit
    left = empty_since = None
    while time.monotonic() < end:
        if not supervisor.alive():
            return f"the supervisor has ended: {supervisor.output()[-2000:]}"
        try:
            with server.client() as c:
                bring_forward(c)
                f = c.faktory()
            left = f["total_enqueued"], f["sets"]
            if f["total_enqueued"] or any(f["sets"].values()):
                empty_since = None
                nudge(f)
            elif empty_since is None:
                empty_since = time.monotonic()
            elif time.monotonic() - empty_since > 1:
                return None
        except (OSError, EOFError, ServerError):
            pass
        time.sleep(0.2)
    return f"still there after {limit} s: {left}"
