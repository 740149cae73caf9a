# moving - from a stock server to ours, with jobs in every state.
#
# A real stock server is given jobs, stopped as its operator would stop it,
# and its Redis started on what it left. What our server then has is what the
# stock server said it had, and our supervisor runs all of it.
#
# SPDX-License-Identifier: ISC
import json
import os
import shutil
import subprocess

from peers import LONG, Failed, OurServer, Process, expect, read, wait_for

HANDLERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "handlers")
WID = "moving-worker-1"
ARGS = [1, "grün <&>", None, {"deep": [True, 9007199254740991]}]
LATER = "2099-01-01T00:00:00.5Z"


def job(name, **members):
    return {"jid": "moving-" + name, "jobtype": "record", "args": [name] + ARGS,
            "queue": "default", "retry": 5, **members}


def fetch(wire, queue):
    got = wait_for(lambda: wire("FETCH", queue), LONG, "a job of " + queue)
    return json.loads(got)["jid"]


def fill(server):
    """Jobs in every state. Returns the jids that are to run in the end."""
    with server.dial(wid=WID) as wire:
        wire("BEAT", {"wid": WID})
        for state, retry in (("retry", 5), ("dead", -1), ("held", 5)):
            wire("PUSH", job(state + "-1", queue="first", retry=retry))
            jid = fetch(wire, "first")
            if state != "held":
                wire("FAIL", {"jid": jid, "errtype": "E", "message": "boom",
                              "backtrace": ["line"]})
        for i in range(300):
            wire("PUSH", job("queued-%03d" % i))
        wire("PUSH", job("paused-1", queue="paused"))
        wire("QUEUE", "PAUSE paused")
        for i in range(2):
            wire("PUSH", job("scheduled-%d" % i, at=LATER, custom={"n": i}))
        wire("PUSH", job("done-1", queue="first"))
        wire("ACK", {"jid": fetch(wire, "first")})
    names = ["retry-1", "dead-1", "paused-1", "scheduled-0", "scheduled-1"]
    return {"moving-" + n for n in names + ["queued-%03d" % i for i in range(300)]}


def counts(info):
    sets = {k: v for k, v in info["sets"].items()
            if k in ("scheduled", "retries", "dead", "working")}
    queues = {k: v for k, v in info["queues"].items() if v > 0}
    return info["total_processed"], info["total_failures"], sets, queues


def its_redis(stage, db):
    """As docs/operations.md has it: on a copy, which the original outlives."""
    place = stage.path("copy")
    os.mkdir(place)
    shutil.copy(os.path.join(db, "faktory.rdb"), place)
    stage.closes(Ending(Process(
        [shutil.which("redis-server"), "--port", "0", "--dir", place, "--dbfilename",
         "faktory.rdb", "--unixsocket", os.path.join(place, "redis.sock"), "--save", ""],
        stage.path("process.log"))))
    return place


class Ending:
    def __init__(self, process):
        self.close = process.kill


def bring(stage, source, data):
    """Our import, once the Redis has loaded its file (before that: 66, 69, 75)."""
    def done():
        p = subprocess.run([stage.ours, "import", "--data", data, source], text=True,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=LONG)
        if p.returncode in (66, 69, 75):
            return None
        if p.returncode != 0:
            raise Failed("import: status %d: %s" % (p.returncode, p.stderr))
        return p.stdout
    return wait_for(done, LONG, "the import")


def moves_every_job(stage):
    stock = stage.server()
    wanted = fill(stock)
    before = counts(stock.info())
    expect(before[2], {"scheduled": 2, "retries": 1, "dead": 1, "working": 1}, "sets there")
    expect(before[3], {"default": 300, "paused": 1}, "queues there")
    stock.stop()
    directory = stage.path("ours")
    os.mkdir(directory)
    table = bring(stage, its_redis(stage, os.path.join(stock.directory, "db")),
                  os.path.join(directory, "data"))

    ours = stage.starts(OurServer(stage.ours, directory))
    expect(counts(ours.info()), before, "what INFO counts, after:\n" + table)
    with ours.dial(wid=WID) as wire:
        wire("BEAT", {"wid": WID})
        wire("ACK", {"jid": "moving-held-1"})  # its worker has come back
        for target in ("scheduled", "retries", "dead"):
            wire("MUTATE", {"cmd": "requeue", "target": target})
        wire("QUEUE", "RESUME paused")
    run_all(stage, ours, wanted, before[0])


def run_all(stage, server, wanted, processed):
    out, config = stage.path("out"), stage.path("faktotum.yaml")
    with open(config, "w") as f:
        json.dump({"queues": ["first", "default", "paused"], "concurrency": 8, "jobs": {
            "record": {"exec": [os.path.join(HANDLERS, "record"), out]}}}, f)  # JSON is YAML
    stage.process([stage.faktotum, "run", "-c", config], FAKTORY_URL=server.url())

    def over():
        info = server.info()
        return (info["total_processed"] == processed + 1 + len(wanted)
                and not any(info["queues"].values()) and not info["sets"]["working"])
    wait_for(over, 2 * LONG, "all jobs to have run")
    got = [json.loads(line) for line in read(out).splitlines()]
    expect(sorted(j["jid"] for j in got), sorted(wanted), "jids that ran")
    for j in got:
        expect(j["args"], [j["jid"][len("moving-"):]] + ARGS, "args of " + j["jid"])
    failed = {j["jid"]: j["failure"]["message"] for j in got if j.get("failure")}
    expect(failed, {"moving-retry-1": "boom", "moving-dead-1": "boom"}, "what had failed")


TESTS = [moves_every_job]
