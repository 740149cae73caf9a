"""processes - what the kernel says about a process: memory, time, children.

SPDX-License-Identifier: ISC
"""
import os
import resource
import subprocess
import time


def ticks(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def reaped_faults(pid):
    """Page faults of all the programs that a process, and those below it, have
    started and seen to end: a program does not run without some."""
    with open("/proc/%d/stat" % pid) as f:
        total = int(f.read().rpartition(")")[2].split()[8])
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as f:
            total += sum(reaped_faults(int(child)) for child in f.read().split())
    return total


def faults_of(program):
    """Of one run: the fewest of several."""
    def once():
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
        subprocess.run([program], check=True, env={})
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before
    return min(once() for _ in range(5))


def own_pss_mb(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return next(int(x.split()[1]) for x in f if x.startswith("Pss:")) / 1024


def children(pid):
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as f:
            total += len(f.read().split())
    return total


def connections(pid):
    """How many TCP sockets a process has open."""
    with open("/proc/net/tcp") as f:
        tcp = {"socket:[%s]" % line.split()[9] for line in list(f)[1:]}
    n = 0
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            n += os.readlink("/proc/%d/fd/%s" % (pid, fd)) in tcp
        except OSError:
            pass
    return n


def wakeups(pid, seconds):
    """How often its threads began to wait, each second, while nothing happens."""
    def count():
        total = 0
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/status" % (pid, task)) as f:
                total += next(int(x.split()[1]) for x in f if x.startswith("voluntary"))
        return total
    time.sleep(1)
    before = count()
    time.sleep(seconds)
    return (count() - before) / seconds


def pss_mb(pid):
    """Of the process and all below it."""
    total = own_pss_mb(pid)
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as f:
            total += sum(pss_mb(int(child)) for child in f.read().split())
    return total
