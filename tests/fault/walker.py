"""walker - sends commands at random and tells the model what was answered.

SPDX-License-Identifier: ISC
"""
import collections
import errno
import json
import random
import re
import select
import sqlite3
import threading
import time

from fault.model import DEAD, GONE, QUEUED, RESERVED, RETRIES, SCHEDULED, Disagreement, Model
from support.client import Client, ServerError, compact
from support.program import BUILD, run
from support.server import Server
from support.shim import Shim
from support.waiting import SLOW, wait_for

# Deaths of workers count nothing, so that a job's place does not depend on
# how long a restart took.
SETTINGS = "worker_grace: 200ms\nworker_deaths: 0\n"
QUEUES = ("default", "low")
WORKERS = 5
LINES = 3             # connections of one worker
CROWD = 1500          # jobs; above it nothing is pushed
BURST = 40            # commands of one worker at a time, at most
LOOK = 4000           # commands between two looks at the truth
KILLS = 0.008         # share of rounds that end in a kill
TROUBLES = 0.04       # share of rounds in which the disk begins to fail
NOT_WRITTEN = "not written to disk"
JID = re.compile(rb'"jid":"([^"]+)"')
COUNT = re.compile(rb'"retry_count":(\d+)')


class Worker:
    def __init__(self, walker, number):
        self.wid, self.port = f"walk-{number}", walker.server.port
        self.clients = [self.dial() for _ in range(LINES)]
        self.client = self.clients[0]  # by which it speaks in this round
        self.disowned = set()  # those that get no jobs since its last HELD
        self.held = []    # jobs
        self.sent = []    # (function of the answer, line) in order

    def dial(self):
        return Client(self.port, wid=self.wid, x=["cancel"], limit=60)

    def renew(self, client):
        """Another connection for this one, which is closed."""
        client.close()
        self.disowned.discard(client)
        self.clients[self.clients.index(client)] = self.dial()

    def close(self):
        for c in self.clients:
            c.close()


class Walker:
    def __init__(self, scratch, seed, broken=None):
        self.random, self.seed, self.broken = random.Random(seed), seed, broken
        self.model = Model()
        self.shim = Shim(scratch, scratch / "server" / "data")
        self.power = seed % 2 == 1
        self.shim.set("undo", int(self.power))
        self.shim.set("sync_lies", int(broken == "does not sync"))
        self.server = Server(scratch / "server", config=SETTINGS, data=self.shim.data,
            env=self.shim.env)
        self.workers, self.count, self.number = [], collections.Counter(), 0
        self.trouble = 0  # rounds that it goes on for
        # What dead workers had: (job, how often it had been handed out, wid, whether
        # nobody can have taken it since).
        self.late = []
        self.fill_up()

    def facts(self):
        c = self.count
        return (f"{c['commands']} commands ({c['HELD']} HELD, {c['back']} jobs back, "
            f"{c['lost']} answers lost, {c['late words']} late words), {c['refused']} refused by the disk, {c['kills']} kills"
            f" ({'power cuts' if self.power else 'kill -9'}), {c['unanswered']} unanswered, "
            f"{c['looks']} looks at memory and disk, {c['jobs']} jobs")

    def fill_up(self):
        while len(self.workers) < WORKERS:
            self.number += 1
            self.workers.append(Worker(self, self.number))

    # ---- commands: a line, and what its answer means ----

    def say(self, worker, line, answered, unknown):
        """answered(reply) and unknown() tell the model; one of them is called."""
        worker.sent.append((answered, unknown))
        worker.lines.append(line)

    def settled(self, job, what, *places):
        """The two functions of a command that moves one job there, or not."""
        def answered(reply):
            job.told.append(f"{what}: {str(reply)[:30]}")
            if self.is_refusal(reply):
                self.model.refused(job, *places)
                return False
            if isinstance(reply, ServerError):
                raise Disagreement(f"{job}: {reply.text}")
            self.model.put(job, *places)
            self.written = True
            return True
        return answered, lambda: self.model.unanswered(job, *places)

    def is_refusal(self, reply):
        if isinstance(reply, ServerError) and NOT_WRITTEN in reply.text:
            if not self.troubled:
                raise Disagreement(f"refused by a disk that works: {reply.text}")
            self.count["refused"] += 1
            return True
        return False

    def new_job(self):
        self.count["jobs"] += 1
        r = self.random
        queue = QUEUES[r.random() < .3]
        fields = {"jid": f"walk-{self.seed}-{self.count['jobs']:07d}", "jobtype": "t",
            "args": ["x" * r.choice([0, 10, 10, 200, 3000])], "queue": queue,
            "retry": r.choice([25, 25, 25, 0])}
        later = r.random() < .1
        if later:
            fields["at"] = "2100-01-01T00:00:00Z"
        return fields, self.model.add(fields["jid"], queue, fields["retry"]), \
            SCHEDULED if later else QUEUED

    def push(self, worker):
        fields, job, place = self.new_job()
        self.say(worker, "PUSH " + compact(fields), *self.settled(job, "PUSH", place))

    def pushb(self, worker):
        new = [self.new_job() for _ in range(self.random.randrange(2, 6))]
        def answered(reply):
            if self.is_refusal(reply):
                refused = {job.jid: "" for _, job, _ in new}
            else:
                if isinstance(reply, ServerError):
                    raise Disagreement(f"PUSHB: {reply.text}")
                refused = json.loads(reply)
                self.written = self.written or len(refused) < len(new)
            for _, job, place in new:
                if job.jid not in refused:
                    self.model.put(job, place)
                elif not refused[job.jid] or self.is_refusal(ServerError(refused[job.jid])):
                    self.model.refused(job, place)
                else:
                    raise Disagreement(f"{job} was not pushed: {refused[job.jid]}")
        def unknown():
            for _, job, place in new:
                self.model.unanswered(job, place)
        self.say(worker, "PUSHB " + compact([f for f, _, _ in new]), answered, unknown)

    def fetch(self, worker):
        queue = self.random.choice(QUEUES)
        if self.budget[queue] <= 0 or worker.client in worker.disowned:
            return self.push(worker)
        self.budget[queue] -= 1
        def answered(reply):
            if self.is_refusal(reply):
                self.fetch_refused.add(queue)
            elif reply is None:
                raise Disagreement(f"FETCH {queue} found nothing, and there are "
                    f"{len(self.model.certain(QUEUED, queue))}")
            elif isinstance(reply, ServerError):
                raise Disagreement(f"FETCH: {reply.text}")
            else:
                jid, fails = JID.search(reply)[1].decode(), COUNT.search(reply)
                self.fetched.append((worker, jid, queue, int(fails[1]) + 1 if fails else 0))
        return self.say(worker, f"FETCH {queue}", answered, lambda: None)

    def settle(self, worker):
        if not worker.held:
            return self.fetch(worker)
        job = worker.held.pop(self.random.randrange(len(worker.held)))
        verb, more = self.random.choice([("ACK", {}), ("ACK", {}), ("ACK", {"result": 1}),
            ("RELEASE", {}), ("FAIL", {}), ("FAIL", {"retry": -1}), ("FAIL", {"retry": 0})])
        if verb == "ACK":
            places = [GONE]
        elif job.cancelled or more.get("retry") == -1:
            places = [DEAD]
        elif more.get("retry") == 0 or (verb == "FAIL" and job.retry == 0):
            places = [GONE]
        else:  # its time comes in 15 s or more
            places = [QUEUED] if verb == "RELEASE" else [RETRIES, QUEUED]
        answered, unknown = self.settled(job, f"{verb} {more}", *places)
        def back(reply):
            done = answered(reply)
            if verb == "FAIL":
                self.model.failed(job, done)
            if not done and worker in self.workers:
                worker.held.append(job)  # still ours
        def nobody_knows():
            unknown()
            if verb == "FAIL":
                self.model.failed(job, False)
        return self.say(worker, f"{verb} " + compact(dict(more, jid=job.jid)), back, nobody_knows)

    def hold(self, worker, foreign=()):
        """HELD, with a random share of what it holds: the rest is back when that is
        answered, and this is the only connection that gets jobs from then on."""
        r = self.random
        share = r.choice([0, .5, .9, 1])
        kept = [j for j in worker.held if r.random() < share]
        gone = [j for j in worker.held if j not in kept]
        names = [j.jid for j in (worker.held if self.broken == "names all" else kept)]
        names += [j.jid for j in foreign] + ["nobody"]
        r.shuffle(names)
        worker.held = kept
        worker.disowned = set(worker.clients) - {worker.client}
        self.count["HELD"] += 1
        # Who is cancelled is dead; whether, nobody may know.
        places = {False: [QUEUED], True: [DEAD], None: [QUEUED, DEAD]}
        def answered(reply):
            for job in gone:
                job.told.append(f"not in HELD: {str(reply)[:30]}")
            if self.is_refusal(reply):
                for job in gone:
                    self.model.refused(job, *places[job.cancelled])
                worker.held += gone
                return
            if isinstance(reply, ServerError):
                raise Disagreement(f"HELD: {reply.text}")
            self.count["back"] += len(gone)
            self.written = self.written or bool(gone)
            for job in gone:
                if job.cancelled is False:
                    self.model.came_back(job)
                else:
                    self.model.put(job, *places[job.cancelled])
        def unknown():
            for job in gone:
                self.model.unanswered(job, *places[job.cancelled])
        self.say(worker, "HELD " + compact({"jids": names}), answered, unknown)

    def lose_answer(self, worker):
        """It gives up a connection with questions whose answers it has not read, and
        says on another what it has: whatever was in them is where it was. Alone in
        its round, for what waits behind it is handed out meanwhile."""
        queue = self.random.choice(QUEUES)
        jobs = min(self.budget[queue], self.random.randrange(1, 6))
        lost = self.random.choice([c for c in worker.clients if c is not worker.client])
        if self.troubled or jobs <= 0 or lost in worker.disowned:
            return self.hold(worker)
        lost.send(f"FETCHB {jobs} {queue}\r\n" if self.random.random() < .5 else
            f"FETCH {queue}\r\n" * jobs)
        if self.random.random() < .7:  # else it may not even have been read
            assert select.select([lost.socket], [], [], 60 * SLOW)[0], "no answer to a FETCH"
        self.count["lost"] += 1
        self.doubt_late()
        worker.renew(lost)
        return self.hold(worker)

    def speak_late(self, worker):
        """How a job ended that a dead worker had: that counts unless somebody has taken
        it since, whether the worker's grace is over or not. Alone in its round."""
        self.late = [l for l in self.late if l[0].handed == l[1] and not l[0].unless and
            l[0].jid in self.model.jobs and l[0].may <= {QUEUED, RESERVED}]
        if not self.late:
            return self.beat(worker)
        job, _, wid, sure = self.late.pop(self.random.randrange(len(self.late)))
        verb = self.random.choice(["ACK", "FAIL"])
        places = [GONE] if verb == "ACK" or job.retry == 0 else [RETRIES, QUEUED]
        answered, unknown = self.settled(job, f"late {verb}", *places)
        def heard(reply):
            text = reply.text if isinstance(reply, ServerError) else ""
            if "being given back" in text or (not sure and "Job not found" in text):
                return
            done = answered(reply)
            self.count["late words"] += bool(done)
            if verb == "FAIL":
                self.model.failed(job, done)
        def nobody_knows():
            unknown()
            self.model.failed(job, False)
        wid = "nobody" if self.broken == "names nobody" else wid
        return self.say(worker, f"{verb} " + compact({"jid": job.jid, "wid": wid}), heard,
            nobody_knows)

    def doubt_late(self):
        """A question whose answer nobody has read may have taken any of them."""
        self.late = [l[:3] + (False,) for l in self.late]

    def trespass(self, worker):
        """A FETCH on a connection that gets no more jobs ends it."""
        client = self.random.choice(list(worker.disowned))
        client.send(f"FETCH {self.random.choice(QUEUES)}\r\n")
        try:
            reply = client.reply()
        except (EOFError, OSError):
            self.count["trespasses"] += 1
            return worker.renew(client)
        raise Disagreement(f"{worker.wid} asked where it gets no jobs, and was told {reply}")

    def cancel(self, worker):
        """Alone in its round, so that nobody else has the job in hand."""
        job = self.random.choice(list(self.model.jobs.values()))
        if job.unless or len(job.may) > 1 or job.may & {DEAD}:
            return
        held = RESERVED in job.may
        if held and not any(job in w.held for w in self.workers):
            return
        if held:
            self.model.failed(job, False)  # its end as cancelled counts
        def answered(reply):
            if self.is_refusal(reply):
                if held:
                    job.cancelled = None  # nobody knows
                self.model.refused(job, *([DEAD, RESERVED] if held else [GONE]))
                return
            job.told.append("CANCEL")
            if isinstance(reply, ServerError):
                raise Disagreement(f"CANCEL of {job}: {reply.text}")
            self.written = True
            if json.loads(reply) != {"removed": int(not held), "told": int(held)}:
                raise Disagreement(f"CANCEL of {job}: {reply}")
            if held:
                job.cancelled = True
            else:
                self.model.put(job, GONE)
        def unknown():
            self.model.unanswered(job, *([DEAD] if held else [GONE]))
        self.say(worker, "CANCEL " + compact({"jid": job.jid}), answered, unknown)

    def requeue(self, worker):
        target, place = self.random.choice([("retries", RETRIES), ("dead", DEAD),
            ("scheduled", SCHEDULED)])
        def moved(*_):
            for job in self.model.jobs.values():
                if place in job.may:
                    self.model.moved(job)
                    self.model.unanswered(job, QUEUED)
        self.say(worker, "MUTATE " + compact({"cmd": "requeue", "target": target}), moved, moved)

    def beat(self, worker):
        def answered(reply):
            if isinstance(reply, ServerError):
                raise Disagreement(f"BEAT: {reply.text}")
        self.say(worker, "BEAT " + compact({"wid": worker.wid}), answered, lambda: None)

    def info(self, worker):
        def answered(reply):
            if not isinstance(reply, bytes):
                raise Disagreement(f"INFO: {reply}")
        self.say(worker, "INFO", answered, lambda: None)

    # ---- a round ----

    def disk(self):
        """The disk begins to fail, or works again."""
        self.trouble -= 1
        if self.trouble == 0:
            self.shim.quiet()
            self.shim.set("sync_lies", int(self.broken == "does not sync"))
        elif self.trouble < 0 and self.random.random() < TROUBLES:
            r = self.random
            self.trouble = r.randrange(2, 6)
            kind = r.choice(["write", "torn", "sync", "slow"])
            if kind == "slow":
                self.shim.set("sync_ms", r.choice([2, 10, 30]))
            elif kind == "sync":
                self.shim.set("sync_error", errno.EIO)
            else:
                self.shim.set("write_torn", int(kind == "torn"))
                self.shim.set("write_good", r.randrange(8))
                self.shim.set("write_error", r.choice([errno.EIO, errno.ENOSPC]))
            self.count[kind] += 1
        self.troubled = self.trouble >= 0  # the last failure may be told late

    def plan(self):
        """Who says what in this round."""
        r, model = self.random, self.model
        self.budget = {q: len(model.certain(QUEUED, q)) for q in QUEUES}
        self.fetched, self.fetch_refused, self.written = [], set(), False
        if r.random() < .2 and model.jobs:
            talking = [r.choice(self.workers)]
            acts = [self.cancel, self.requeue, self.lose_answer, self.speak_late]
            weights, most = [12, 1, 3, 4], 1
        else:
            talking = r.sample(self.workers, r.randrange(1, WORKERS))
            crowded = len(model.jobs) > CROWD
            acts = [self.push, self.pushb, self.fetch, self.settle, self.beat, self.info]
            weights, most = [0 if crowded else 28, 0 if crowded else 4, 25, 30, 3, 2], BURST
        model.begin(len(talking) == 1)
        for worker in talking:
            worker.sent, worker.lines = [], []
            worker.client = r.choice(worker.clients)
            if most > 1 and r.random() < .1:
                self.begin_with_held(worker)
            for _ in range(r.randrange(1, most + 1)):
                r.choices(acts, weights)[0](worker)
        return [w for w in talking if w.sent]

    def begin_with_held(self, worker):
        """After some outcomes, and before any question: what it brought could not be
        in the list."""
        for _ in range(self.random.randrange(4)):
            if worker.held:
                self.settle(worker)
        others = [j for w in self.workers if w is not worker for j in w.held]
        self.hold(worker, self.random.sample(others, min(3, len(others))))

    def answers(self, worker):
        """Reads all that come, and tells the model."""
        for at, (answered, _) in enumerate(worker.sent):
            try:
                reply = worker.client.reply()
            except (OSError, EOFError):
                if not self.killing:
                    raise Disagreement(f"{worker.wid}: no answer to {worker.lines[at][:200]}\n"
                        + self.server.program.output()[-2000:]
                        + f"\nexit status {self.server.program.process.poll()}")
                for _, unknown in worker.sent[at:]:
                    self.count["unanswered"] += 1
                    unknown()
                return
            answered(reply)

    def round(self):
        self.disk()
        talking = self.plan()
        self.killing = self.random.random() < KILLS
        killer = None
        for worker in talking:
            self.count["commands"] += len(worker.lines)
        if self.killing:
            killer = threading.Timer(self.random.uniform(0, .006), self.server.kill9)
            killer.start()
        for worker in talking:
            try:
                worker.client.send("\r\n".join(worker.lines) + "\r\n")
            except OSError:
                if not self.killing:
                    raise
        for worker in talking:
            self.answers(worker)
        # Others may have pushed in this round what was fetched in it.
        for worker, jid, queue, failures in self.fetched:
            worker.held.append(self.model.handed_out(jid, queue, failures))
        if self.written and not self.shim_fails():
            self.model.disk_works()
        if killer:
            killer.join()
            self.come_back()
        elif self.random.random() < .01:
            self.lose(self.random.choice(self.workers))
        elif talking and talking[0].disowned and self.random.random() < .1:
            self.trespass(talking[0])

    def shim_fails(self):
        return self.shim.get("write_error") or self.shim.get("sync_error")

    def lose(self, worker):
        """A worker dies; what it held waits again in a moment."""
        worker.close()
        for job in worker.held:
            self.model.put(job, RESERVED, QUEUED, *([DEAD] if job.cancelled is not False else []))
        self.late += [(j, j.handed, worker.wid, True) for j in worker.held if j.cancelled is False]
        self.workers.remove(worker)
        self.fill_up()

    # ---- the truth ----

    def come_back(self):
        self.count["kills"] += 1
        self.shim.quiet()
        self.trouble, self.troubled = 0, False
        for worker in self.workers:
            worker.close()
        self.workers = []
        self.model.killed()
        self.doubt_late()
        if self.power:
            self.shim.power_cut()
        self.shim.set("sync_lies", int(self.broken == "does not sync"))
        self.server.start()
        self.look()
        self.fill_up()

    def rows(self, client):
        """What is on disk, once memory says the same."""
        f = client.faktory()
        db = sqlite3.connect(f"file:{self.server.data}/faktotum.db?mode=ro", uri=True)
        rows = db.execute("SELECT state, jid FROM jobs").fetchall()
        db.close()
        states = collections.Counter(state for state, _ in rows)
        sets = f["sets"]
        memory = [sum(f["queues"].values()), sets["working"], sets["scheduled"],
            sets["retries"], sets["dead"]]
        return (rows,) if [states[i] for i in range(1, 6)] == memory else None

    def look(self):
        self.count["looks"] += 1
        with self.server.client() as c:
            rows, = wait_for("memory and disk to agree", lambda: self.rows(c), 30)
        self.model.seen(rows)

    def run(self, commands):
        looked = 0
        while self.count["commands"] < commands:
            self.round()
            if self.count["commands"] - looked > LOOK and self.trouble < 0:
                looked = self.count["commands"]
                self.look()
        self.shim.quiet()
        self.look()
        self.killing = True
        self.server.kill9()
        self.come_back()
        for name in ("kills", "refused", "unanswered", "back", "lost", "trespasses",
                "late words"):
            assert commands < 20_000 or self.count[name], f"nothing was {name} in this walk"

    def close(self):
        for worker in self.workers:
            worker.close()
        self.server.close()
        done = run([BUILD / "faktotum-server", "check", "--data", self.server.data],
            limit=60 * SLOW)
        assert done.returncode == 0, done.stdout + done.stderr
        self.shim.close()

    def abandon(self):
        self.server.kill9()
