"""model - where each job may be, by what the server has answered.

A job has a set of places; it grows by what nobody can know (an answer that did
not come, a time that may have passed) and shrinks when the truth is looked at.

SPDX-License-Identifier: ISC
"""

QUEUED, RESERVED, SCHEDULED, RETRIES, DEAD, GONE = (
    "queued", "reserved", "scheduled", "retries", "dead", "gone")
# As the numbers in the table of jobs.
ON_DISK = {1: QUEUED, 2: RESERVED, 3: SCHEDULED, 4: RETRIES, 5: DEAD}


class Disagreement(Exception):
    """The server is not where the model says it may be."""


class Job:
    __slots__ = ("jid", "queue", "number", "retry", "may", "unless", "fresh", "cancelled",
        "told", "placed", "since", "failures", "handed")

    def __init__(self, jid, queue, number, retry):
        self.jid, self.queue, self.number, self.retry = jid, queue, number, retry
        self.may = frozenset([GONE])
        # What a kill would make possible beside it: effects that were refused
        # and may be in the log until the disk has worked again.
        self.unless = frozenset()
        self.fresh = True       # has only ever waited since its push
        # Its place is still that of its push: it has been handed out and come
        # back, and has not failed.
        self.placed = True
        self.since = 0          # the round in which it came back
        self.failures = 0       # None: nobody knows
        self.handed = 0         # how often it has been handed out
        self.cancelled = False  # its worker is to be told; it ends as dead
        self.told = []          # commands about it, as they were answered

    def __repr__(self):
        return (f"{self.jid} (may be {'/'.join(sorted(self.may))}, after "
            f"{', '.join(self.told[-6:]) or 'nothing'})")


class Model:
    def __init__(self):
        self.jobs = {}            # those that may be there
        self.ended = set()        # jids that are surely gone
        self.newest = {}          # queue -> number of the last fresh job handed out
        self.doubted = set()      # jobs with `unless`
        # Jobs that several push at once have one number: nobody knows which
        # of them came first.
        self.numbers, self.in_order = 0, 1
        self.round = 0
        self.back = set()         # jobs that HELD gave back, and that wait

    def begin(self, alone):
        self.in_order = int(alone)
        self.round += 1
        self.numbers += 1

    def add(self, jid, queue, retry):
        self.numbers += self.in_order
        job = self.jobs[jid] = Job(jid, queue, self.numbers, retry)
        return job

    def put(self, job, *places):
        """It is in one of these now."""
        job.may = frozenset(places)
        self.back.discard(job)
        if job.may == {GONE}:
            self.jobs.pop(job.jid, None)
            self.ended.add(job.jid)

    def came_back(self, job):
        """A worker does not have it, and has said so: it waits at its old place
        at once, and nothing has been counted."""
        self.put(job, QUEUED)
        job.since = self.round
        self.back.add(job)

    def is_passed_over(self, job):
        """By this one that is handed out: what HELD gave back before this round,
        and stands in front of it."""
        self.back = {j for j in self.back if j.may == {QUEUED} and j.placed}
        for other in self.back:
            if (job.placed and other.queue == job.queue and other.number < job.number
                    and other.since < self.round):
                return other
        return None

    def failed(self, job, certain=True):
        """A FAIL was answered; or, not certain, has happened or not."""
        job.placed = False
        job.failures = job.failures + 1 if certain and job.failures is not None else None

    def moved(self, job):
        """Somebody may have put it behind others."""
        job.fresh = job.placed = False

    def refused(self, job, *places):
        """It was to go there, and the disk refused."""
        job.unless |= frozenset(places)
        self.doubted.add(job)
        if job.may == {GONE}:
            self.jobs[job.jid] = job

    def disk_works(self):
        """Something was written after what was refused."""
        for job in self.doubted:
            job.unless = frozenset()
            if job.may == {GONE}:
                self.put(job, GONE)
        self.doubted.clear()

    def unanswered(self, job, *places):
        job.may |= frozenset(places)

    def killed(self):
        """Refused effects may be there; workers are gone, and what they held
        comes back; a FETCH may have taken what waited."""
        for job in list(self.jobs.values()):
            job.may |= job.unless
            job.unless = frozenset()
            if job.may & {QUEUED, RESERVED}:
                job.may |= {QUEUED, RESERVED}
            if RESERVED in job.may and job.cancelled:
                job.may |= {DEAD}
        self.doubted.clear()

    def handed_out(self, jid, queue, failures):
        """failures: how many the job told of."""
        job = self.jobs.get(jid)
        if job is None:
            raise Disagreement(f"{jid} was handed out and is "
                f"{'gone' if jid in self.ended else 'nobody has pushed it'}")
        if QUEUED not in job.may and not (job.may & {SCHEDULED, RETRIES}):
            raise Disagreement(f"{job} was handed out")
        if job.queue != queue:
            raise Disagreement(f"{job} was handed out of {queue}")
        if job.fresh:
            before = self.newest.get(queue, 0)
            if self.in_order and job.number < before:
                raise Disagreement(f"{job} was handed out behind a later one")
            self.newest[queue] = max(before, job.number)
        over = self.is_passed_over(job) if self.in_order else None
        if over:
            raise Disagreement(f"{job} was handed out, and in front of it is {over}")
        if job.failures not in (None, failures):
            raise Disagreement(f"{job} tells of {failures} failures, and had {job.failures}")
        job.failures = failures
        job.handed += 1
        job.fresh = job.cancelled = False
        self.put(job, RESERVED)
        return job

    def seen(self, rows):
        """The truth: (state, jid) of all that is on disk."""
        there = {}
        for state, jid in rows:
            if jid in there:
                raise Disagreement(f"{jid} is there twice: {there[jid]} and {ON_DISK[state]}")
            there[jid] = ON_DISK[state]
        for jid, place in there.items():
            job = self.jobs.get(jid)
            if job is None:
                raise Disagreement(f"{jid} is {place} and should be gone")
            if place not in job.may:
                raise Disagreement(f"{job} is {place}")
            if place != QUEUED:
                job.fresh = False
            if place not in (QUEUED, RESERVED):
                job.placed = False
            # What has no hand on it any more moves by itself.
            if place == RESERVED and QUEUED in job.may:
                self.put(job, *{RESERVED, QUEUED} | ({DEAD} if job.cancelled else set()))
            elif place in (RETRIES, SCHEDULED) and QUEUED in job.may:
                self.put(job, place, QUEUED)
            else:
                self.put(job, place)
        for job in [j for jid, j in self.jobs.items() if jid not in there]:
            if GONE not in job.may:
                raise Disagreement(f"acknowledged and lost: {job}")
            if not job.unless:
                self.put(job, GONE)

    def certain(self, place, queue=None):
        want = frozenset([place])
        return [j for j in self.jobs.values() if j.may == want and
            (queue is None or j.queue == queue)]
