"""supervisor - `faktotum run` with a configuration of its own.

SPDX-License-Identifier: ISC
"""
import json
import signal
import time
from pathlib import Path

from support.program import BUILD, Program

FAKTOTUM = BUILD / "faktotum"


class Supervisor:
    """
    settings is what would stand in the YAML file, as Python values (JSON is
    YAML). `url` fills in server:, unless settings has one; None leaves it out.
    """

    def __init__(self, scratch, url, settings, env=None, name="supervisor",
            before=lambda: None):
        self.scratch = Path(scratch)
        settings = dict(settings)
        settings.setdefault("beat", "1s")
        if url is not None:
            settings.setdefault("server", url)
        self.config = self.scratch / f"{name}.yaml"
        self.config.write_text(json.dumps(settings, indent=1) + "\n")
        self.log = self.scratch / f"{name}.log"
        self.env, self.before = env, before
        self.start()

    def start(self):
        self.program = Program([FAKTOTUM, "run", "-c", self.config], self.log, self.env,
            self.before)
        return self

    def __getattr__(self, name):
        return getattr(self.program, name)

    def close(self):
        """Three signals, so that no handler is waited for."""
        for _ in range(3):
            if self.program.alive():
                self.program.signal(signal.SIGTERM)
                time.sleep(0.1)
        self.program.close()


def script(scratch, name, text, shell="/bin/sh"):
    """An executable file with this text; returns its path."""
    path = Path(scratch) / name
    path.write_text(f"#!{shell}\n{text}\n")
    path.chmod(0o755)
    return str(path)
