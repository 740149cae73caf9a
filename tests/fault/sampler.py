"""sampler - what the two programs hold, sampled, kept as CSV, drawn, judged.

SPDX-License-Identifier: ISC
"""
import csv
import shutil
import subprocess
import threading
import time
from pathlib import Path

from fault.trend import Trend

EVERY = 0.5  # seconds
# series -> (title, unit, growth over the second half below which all is well)
SERIES = {
    "supervisor_rss": ("supervisor, memory", "kB", 1500),
    "supervisor_fds": ("supervisor, descriptors", "", 12),
    "supervisor_zombies": ("supervisor, zombies", "", 12),
    "server_rss": ("server, memory", "kB", 3000),
    "server_fds": ("server, descriptors", "", 12),
    "wal": ("server, log", "kB", 20_000),
}


def status_of(pid, name):
    with open(f"/proc/{pid}/status", encoding="utf8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(name))


class Sampler(threading.Thread):
    def __init__(self, supervisor, server):
        super().__init__(daemon=True)
        self.supervisor, self.server = supervisor, server
        self.times, self.values = [], {name: [] for name in SERIES}
        self.marks = []  # (time, what was done)
        self.over = threading.Event()
        self.began = time.monotonic()

    def mark(self, what):
        self.marks.append((time.monotonic() - self.began, what))

    def sample(self):
        server = self.server.program
        return {
            "supervisor_rss": status_of(self.supervisor.pid, "VmRSS"),
            "supervisor_fds": self.supervisor.descriptors(),
            "supervisor_zombies": sum(s == "Z" for _, s in self.supervisor.children()),
            "server_rss": status_of(server.pid, "VmRSS"),
            "server_fds": server.descriptors(),
            "wal": next(self.server.data.glob("*-wal")).stat().st_size // 1024,
        }

    def run(self):
        while not self.over.wait(EVERY):
            try:
                now = self.sample()
            except (OSError, StopIteration):
                continue  # the server is being started again
            self.times.append(time.monotonic() - self.began)
            for name, value in now.items():
                self.values[name].append(value)

    def stop(self):
        self.over.set()
        self.join()

    # ---- afterwards ----

    def complaints(self):
        wrong = []
        for name, (title, unit, least) in SERIES.items():
            t = Trend(self.times, self.values[name], least)
            print(f"{title:24} median {t.middle:.0f} {unit}, grew by {t.grew:.0f} in the second "
                f"half, {t.allowed:.0f} allowed")
            if not t.enough:
                wrong.append(f"{title}: too few samples to judge")
            elif t.grows():
                wrong.append(f"{title}: grew by {t.grew:.0f} {unit} in the second half, "
                    f"{t.allowed:.0f} allowed")
        return wrong

    def write(self, path):
        """The CSV, and a plot beside it where there is gnuplot."""
        path = Path(path)
        with open(path, "w", newline="", encoding="utf8") as f:
            out = csv.writer(f)
            out.writerow(["seconds", *SERIES])
            for i, at in enumerate(self.times):
                out.writerow([f"{at:.1f}", *(self.values[n][i] for n in SERIES)])
        print(f"samples: {path}")
        if shutil.which("gnuplot") is None:
            print("SKIPPED the plot: there is no gnuplot; contrib/install-deps soak installs it")
            return
        picture = path.with_suffix(".png")
        done = subprocess.run(["gnuplot"], input=self.script(path, picture), text=True,
            capture_output=True)
        assert done.returncode == 0 and picture.exists(), done.stderr
        print(f"plot: {picture}")

    def script(self, path, picture):
        lines = ["set datafile separator ','", "set terminal pngcairo size 1200,1400",
            f"set output '{picture}'", "set multiplot layout 6,1", "set key off",
            "set yrange [0:*]", "set xlabel 'seconds'"]
        for at, what in self.marks:
            lines.append(f"set arrow from {at:.1f}, graph 0 to {at:.1f}, graph 1 nohead dt 3")
        for column, (title, unit, _) in enumerate(SERIES.values(), 2):
            lines.append(f"set title '{title}{', ' + unit if unit else ''}'")
            lines.append(f"plot '{path}' using 1:{column} with lines")
        return "\n".join(lines) + "\n"
