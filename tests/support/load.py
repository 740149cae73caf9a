"""load - producers that remember what was acknowledged, for the crash test.

SPDX-License-Identifier: ISC
"""
import socket
import threading
import time

from support.client import Client, ServerError, new_job


class Producer(threading.Thread):
    """
    Pushes on, one job or ten at a time, over as many connections as that
    takes. A job whose answer did not arrive stays in `unanswered`: it may
    have been taken or not.
    """

    def __init__(self, port, jobtype, **fields):
        super().__init__(daemon=True)
        self.port, self.jobtype, self.fields = port, jobtype, fields
        self.pushed = 0
        self.acknowledged = []
        self.unanswered = set()
        self.stopping = threading.Event()
        self.pause = threading.Event()  # set: nothing is pushed for a while

    def send(self, client):
        for size in (1, 1, 10):
            jobs = [new_job(self.jobtype, **self.fields) for _ in range(size)]
            jids = [j["jid"] for j in jobs]
            self.pushed += size
            self.unanswered.update(jids)
            if size == 1:
                client.push(jobs[0])
                refused = {}
            else:
                refused = client.pushb(jobs)
            self.unanswered.difference_update(jids)
            self.acknowledged += [j for j in jids if j not in refused]

    def run(self):
        while not self.stopping.is_set():
            try:
                with Client(self.port, limit=10) as client:
                    while not self.stopping.is_set():
                        if not self.pause.is_set():
                            self.send(client)
                        # Leaves the handlers a share of the machine.
                        self.stopping.wait(0.15)
            except (OSError, EOFError, ServerError, socket.timeout):
                time.sleep(0.05)

    def stop(self):
        self.stopping.set()
        self.join(30)
        assert not self.is_alive(), "a producer hangs"
