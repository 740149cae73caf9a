# client.py CASE - one promise about the Python client and worker, checked
# through their public interface against the server at FAKTORY_URL. Silent
# and 0 when it holds; status 1 with the reason when it does not.
#
# SPDX-License-Identifier: ISC
import datetime
import os
import signal
import sys
import tempfile
import threading
import time

from pyfaktory import Client, Consumer, Job, JobFilter, MutateOperation, Producer
from pyfaktory.util.enums import State


LONG = 90  # seconds for what needs no time of its own, on a busy machine


def expect(got, want, what):
    if got != want:
        raise SystemExit("%s: %r, expected %r" % (what, got, want))


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("gave up after %g s waiting for %s" % (seconds, what))
        time.sleep(0.02)


def info():
    with Client() as client:
        return client.info()["faktory"]


def push(*jobs):
    with Client() as client:
        for job in jobs:
            Producer(client=client).push(job)


def work_until(done, handlers, seconds=LONG, wid="python-work-12345"):
    """Runs the library's worker until done() is true, then interrupts it
    as a person would."""
    def interrupt():
        try:
            wait_for(done, seconds, "the worker's jobs")
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    # An interrupt may leave the library's heartbeat waiting behind a FETCH on
    # a socket that is closed: then its time-out is what ends the program. The
    # library also waits so long for each answer, and for a FETCH's 2 s.
    with Client(role="consumer", worker_id=wid, beat_period=1, timeout=20) as client:
        consumer = Consumer(client=client, queues=["critical", "default"],
                            priority="strict", concurrency=2)
        for name, handler in handlers.items():
            consumer.register(name, handler, bind=True)
        threading.Thread(target=interrupt, daemon=True).start()
        try:
            consumer.run()
        except (SystemExit, TimeoutError):
            pass  # how it always ends, or with its pool still at work
    expect(bool(done()), True, "the work is done")


def note(jid, path, *args):
    with open(path, "a") as f:
        f.write("%s %.6f %r\n" % (jid, time.time(), list(args)))


def breaks(jid, *args):
    raise ValueError("as asked")


def fine(jid, *args):
    return None


def case_push():
    push(Job(jobtype="note", args=[1]))
    expect(info()["queues"]["default"], 1, "size of the queue")


def case_bulk_push():
    jobs = [Job(jobtype="note", args=[i]) for i in range(1000)]
    bad = Job(jobtype="", args=[])
    with Client() as client:
        refused = Producer(client=client).push_bulk(jobs + [bad])
    expect(list(refused), [bad.jid], "refused jobs")
    expect("jobtype" in refused[bad.jid], True, "the reason names the jobtype")
    expect(info()["queues"]["default"], 1000, "size of the queue")


def case_scheduled():
    seen = tempfile.NamedTemporaryFile()

    def push_at(moment, *args):
        at = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
        push(Job(jobtype="note", args=[*args], at=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")))

    # Of two: one to be seen waiting, however long that takes, one to come.
    push_at(time.time() + 3600)
    expect(info()["sets"]["scheduled"], 1, "scheduled jobs")
    due = time.time() + 1.5
    push_at(due, seen.name)
    work_until(lambda: info()["total_processed"] == 1, {"note": note})
    ran = float(open(seen.name).read().split()[1])
    expect(ran >= due - 0.000001, True, "the job came after its time")
    expect(info()["sets"]["scheduled"], 1, "scheduled jobs")


def case_fetch_and_ack():
    seen = tempfile.NamedTemporaryFile()
    args = ["grün <&>", 2.5, 9007199254740991, None, [{"a": True}]]
    job = Job(jobtype="note", args=[seen.name, *args], custom={"tenant": "a b"})
    push(job)
    work_until(lambda: info()["total_processed"] == 1, {"note": note})
    jid, _, got = open(seen.name).read().rstrip("\n").split(" ", 2)
    expect(jid, job.jid, "jid")
    expect(got, repr(args), "args")
    expect(info()["sets"]["working"], 0, "reservations")


def case_fail():
    push(Job(jobtype="breaks", args=[]))
    work_until(lambda: info()["total_processed"] == 1, {"breaks": breaks})
    now = info()
    expect(now["sets"]["retries"], 1, "jobs to be retried")
    expect(now["sets"]["working"], 0, "reservations")
    expect(now["total_failures"], 1, "failures")


def once(jid, path):
    """Fails the first time it sees the path, which is then longer."""
    note(jid, path)
    if len(open(path).readlines()) == 1:
        raise ValueError("not yet")


def case_retry():
    seen = tempfile.NamedTemporaryFile()
    push(Job(jobtype="once", args=[seen.name]))
    # The first retry is due after 15 to 44 s.
    work_until(lambda: info()["total_processed"] == 2, {"once": once},
               seconds=44 + LONG)
    now = info()
    expect(now["total_failures"], 1, "failures")
    expect(now["sets"]["retries"], 0, "jobs to be retried")


def case_beat():
    """Several beats of one a second, and the worker is still at work."""
    seen = tempfile.NamedTemporaryFile()
    end = time.monotonic() + 3
    push(Job(jobtype="note", args=[seen.name]))
    work_until(lambda: time.monotonic() > end and info()["total_processed"] == 1,
               {"note": note})


def case_work():
    push(*[Job(jobtype="breaks" if i % 10 == 0 else "fine", args=[i],
               queue="critical" if i % 2 == 0 else "default") for i in range(40)])
    work_until(lambda: info()["total_processed"] == 40,
               {"fine": fine, "breaks": breaks})
    now = info()
    expect(now["total_failures"], 4, "failures")
    expect(now["sets"]["retries"], 4, "jobs to be retried")
    expect(now["sets"]["working"], 0, "reservations")


def case_obey():
    """Runs until the server says terminate, and tells when it has heard
    quiet. The driver decides when that is."""
    def tell(client):
        wait_for(lambda: client.state == State.QUIET, LONG, "quiet")
        print("quiet", flush=True)

    with Client(role="consumer", worker_id="python-obey-12345", beat_period=1) as client:
        consumer = Consumer(client=client, queues=["default"], concurrency=1)
        consumer.register("fine", fine, bind=True)
        threading.Thread(target=tell, args=(client,), daemon=True).start()
        try:
            consumer.run()
        except SystemExit:
            pass
        expect(client.state, State.TERMINATING, "state at the end")


def case_password():
    case_push()


def case_wrong_password():
    try:
        Client().connect()
    except Exception as error:
        expect("Invalid password" in str(error), True, "the error names the password")
        return
    raise SystemExit("a wrong password was accepted")


def case_mutate():
    at = (datetime.datetime.now(datetime.timezone.utc)
          + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    jobs = [Job(jobtype=t, args=[], at=at) for t in ("note", "note", "other")]
    push(*jobs)

    def mutate(cmd, target, **which):
        every = {"jids": None, "regexp": None, "jobtype": None, **which}
        with Client() as client:
            client.mutate(MutateOperation(
                cmd=cmd, target=target, filter=JobFilter(**every) if which else None))
    mutate("discard", "scheduled", jobtype="other")
    expect(info()["sets"]["scheduled"], 2, "scheduled jobs")
    mutate("kill", "scheduled", jids=[jobs[0].jid])
    expect(info()["sets"]["dead"], 1, "dead jobs")
    mutate("requeue", "scheduled", regexp="*")
    expect(info()["queues"]["default"], 1, "size of the queue")
    mutate("clear", "dead")
    expect(info()["sets"]["dead"], 0, "dead jobs")


if __name__ == "__main__":
    # Whoever starts this in the background of a shell has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    globals()["case_" + sys.argv[1].replace(" ", "_")]()
