"""disk - the server's data directory on a disk that is full, broken, slow, or
loses its power. A client hears an error; what was acknowledged stays.

SPDX-License-Identifier: ISC
"""
import errno
import os
import subprocess

from fault.rows import Skip, row
from support.account import reserved
from support.client import ServerError, compact, new_job

REFUSED = "pushes are refused, the server lives, nothing acknowledged lost, works again after"


def refused(scene):
    """Waits until a push is answered with an error; returns its text."""
    def one():
        with scene.server.client() as c:
            answer = c.call('PUSH {"jid":"refused-0001","jobtype":"work","args":[],"at":'
                '"2199-01-01T00:00:00Z"}')
        return isinstance(answer, ServerError) and answer.text
    def tried():
        try:
            return one()
        except ServerError as e:
            return e.text
    return scene.wait("a push to be refused", tried, 30)


def works_again(scene):
    """Takes away what refused() has pushed, which needs a disk that works."""
    def cleared():
        try:
            with scene.server.client() as c:
                c.mutate("clear", "scheduled")
                return c.sets()["scheduled"] == 0
        except ServerError:
            return False
    scene.wait("the server to write again", cleared, 30)
    scene.more(20, "work to go on after the disk's trouble")


def through_shim(new, error, times=3, **more):
    """Writes or syncs fail for a while, again and again, under load."""
    scene = new.under_load()
    said = set()
    for _ in range(times):
        for name, value in more.items():
            scene.shim.set(name, value)
        said.add(refused(scene))
        scene.shim.quiet()
        works_again(scene)
    met = scene.shim.get("writes_met") + scene.shim.get("syncs_met")
    wrong = [] if met else ["no write or sync met the trouble"]
    text = os.strerror(error)
    if not any(text in s for s in said):
        wrong.append(f"no error says {text!r}: {sorted(said)}")
    return scene.finish(f"{met} refused by the disk, clients heard: {sorted(said)[0]}", wrong)


@row("write-EIO", REFUSED)
def write_eio(new):
    return through_shim(new, errno.EIO, write_error=errno.EIO)


@row("write-torn", REFUSED)
def write_torn(new):
    """Half of each write gets there, after some that succeed."""
    return through_shim(new, errno.EIO, write_good=2, write_torn=1, write_error=errno.EIO)


@row("write-ENOSPC", REFUSED)
def write_enospc(new):
    scene = new.under_load()
    scene.shim.set("write_error", errno.ENOSPC)
    said = refused(scene)
    scene.shim.quiet()
    works_again(scene)
    wrong = [] if "full" in said else [f"the error does not say what it is: {said}"]
    return scene.finish(f"{scene.shim.get('writes_met')} writes refused; clients heard: {said}",
        wrong)


@row("write-EROFS", REFUSED)
def write_erofs(new):
    """What a file system answers that went read-only under a program."""
    return through_shim(new, errno.EROFS, write_error=errno.EROFS)


@row("sync-EIO", REFUSED)
def sync_eio(new):
    return through_shim(new, errno.EIO, sync_error=errno.EIO)


@row("sync-slow", "nothing lost, nothing twice, only slower")
def sync_slow(new):
    scene = new.under_load()
    scene.shim.set("sync_ms", 300)
    scene.more(30)
    scene.shim.quiet()
    met = scene.shim.get("syncs_met")
    return scene.finish(f"{met} syncs took 300 ms more", [] if met else ["no sync was slow"])


@row("power-cut", "what no sync had confirmed is gone, and no acknowledged job with it")
def power_cut(new):
    """kill -9, and the files lose every write since their last sync. Reserved
    jobs may run again: what ended them may be among what is gone."""
    scene = new.scene()
    scene.shim.set("undo", 1)
    if new.broken == "does not sync":
        scene.shim.set("sync_lies", 1)
    scene.supervise()
    scene.produce()
    undone = 0
    for _ in range(4):
        scene.more(30)
        scene.server.kill9()
        undone += scene.shim.power_cut()
        scene.server.start()
        scene.allowed |= reserved(scene.server)
    scene.more(20)
    return scene.finish(f"4 cuts, {undone} writes taken back")


def mount(place, *options):
    done = subprocess.run(["mount", *options, place], capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip(f"mount {' '.join(options)}: {done.stderr.strip()}")


class SmallDisk:
    """A file system of 32 MB: the log alone may take 16 before it is emptied."""

    def __init__(self, place):
        self.place = place
        place.mkdir()
        mount(place, "-t", "tmpfs", "-o", "size=32m,mode=0700", "tmpfs")

    def fill(self):
        with open(self.place / "ballast", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError as e:
                assert e.errno == errno.ENOSPC, e

    def empty(self):
        (self.place / "ballast").unlink()

    def close(self):
        done = subprocess.run(["umount", "-l", self.place], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@row("disk-full", REFUSED)
def disk_full(new):
    """A tmpfs, really full; nobody pretends."""
    disk = SmallDisk(new.scratch / "small")
    new.also_close(disk)
    scene = new.under_load(data=disk.place / "data")
    said = None
    for _ in range(2):
        disk.fill()
        with scene.server.client() as c:
            def full():
                # Far away in time, so that no supervisor meets it.
                job = new_job("work", "x" * 2000, at="2199-01-01T00:00:00Z")
                answer = c.call("PUSH " + compact(job))
                return isinstance(answer, ServerError) and answer.text
            said = scene.wait("the disk to be full", full, 60)
            assert c.info(), "reading goes on"
        disk.empty()
        works_again(scene)
    return scene.finish(f"twice; clients heard: {said}",
        [] if "full" in said else [f"the error does not say so: {said}"])


@row("disk-filled", "pushes are refused before the end; all that was taken is worked off")
def disk_filled(new):
    """By jobs and their log alone, and nobody makes room."""
    disk = SmallDisk(new.scratch / "small")
    new.also_close(disk)
    scene = new.under_load(data=disk.place / "data")
    for p in scene.producers:
        p.pause.set()
    pushed, said = scene.producers[0], None
    with scene.server.client() as c:
        while said is None:
            scene.look()
            jobs = [new_job("work", "x" * 20_000, reserve_for=60) for _ in range(50)]
            pushed.pushed += len(jobs)
            try:
                refused = c.pushb(jobs)
            except ServerError as e:
                refused = {j["jid"]: e.text for j in jobs}
            pushed.acknowledged += [j["jid"] for j in jobs if j["jid"] not in refused]
            said = next(iter(refused.values()), None)
            assert pushed.pushed < 50_000, "the disk did not fill"
    return scene.finish(f"heard: {said}",
        [] if "no room" in said else ["the server did not stop before the end"])


@row("read-only-start", "the server says so and does not start; starts when it can write again")
def read_only_start(new):
    """The data directory's file system is remounted read-only while the server
    is away, and back."""
    disk = SmallDisk(new.scratch / "small")
    new.also_close(disk)
    scene = new.under_load(data=disk.place / "data")
    scene.server.kill9()
    mount(disk.place, "-o", "remount,ro")
    said = len(scene.server.program.output())
    refusal = ""
    try:
        scene.server.start()
        wrong = ["it started on a file system that it cannot write to"]
    except AssertionError:
        refusal = scene.server.program.output()[said:].strip().splitlines()[-1]
        status = scene.server.program.wait()
        wrong = [] if status in (73, 74) and "ead-only" in refusal \
            else [f"exit status {status}: {refusal}"]
    mount(disk.place, "-o", "remount,rw")
    if wrong:
        scene.server.kill9()
    scene.server.start()
    scene.allowed |= reserved(scene.server)
    scene.more(20)
    return scene.finish(f"heard: {refusal}", wrong)
