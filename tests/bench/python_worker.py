"""python_worker CONCURRENCY - the worker that somebody would write in Python
to run a program for each job.

SPDX-License-Identifier: ISC
"""
import subprocess
import sys

from pyfaktory import Client, Consumer


def bench(*_):
    subprocess.run(["/bin/true"], check=True)


if __name__ == "__main__":
    with Client(role="consumer") as client:
        consumer = Consumer(client=client, queues=["bench"], concurrency=int(sys.argv[1]))
        consumer.register("bench", bench)
        consumer.run()
