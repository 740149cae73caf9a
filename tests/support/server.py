"""server - faktotum-server on a free port and a directory of its own.

SPDX-License-Identifier: ISC
"""
import re
from pathlib import Path

from support.client import Client
from support.ports import free_port
from support.program import BUILD, Program
from support.waiting import wait_for


SERVER = BUILD / "faktotum-server"


class Server:
    """Runs from birth; restart() comes back on the same data and port."""

    def __init__(self, scratch, config=None, env=None, data=None, before=lambda: None,
            web="off"):
        self.scratch = Path(scratch)
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.data = Path(data) if data else self.scratch / "data"
        self.password = None
        self.env = env
        self.before = before
        self.config = None
        self.web = web
        if config is not None:
            self.config = self.scratch / "server.yaml"
            self.config.write_text(config)
        self.port = free_port()
        self.start()

    def start(self):
        port_file = self.scratch / "port"
        port_file.unlink(missing_ok=True)
        argv = [SERVER, "--listen", f"127.0.0.1:{self.port}",
            "--port-file", port_file, "--data", self.data]
        if self.config:
            argv += ["-c", self.config]
        if self.web:
            argv += ["--web", self.web]
        self.program = Program(argv, self.scratch / "server.log", self.env, self.before)
        wait_for("the server to listen or end", lambda: not self.program.alive()
            or (port_file.exists() and port_file.read_text().endswith("\n")), 20)
        assert self.program.alive(), self.program.output()
        self.port = int(port_file.read_text())
        return self

    def restart(self):
        """Stops it the friendly way, checks that, and starts it again."""
        status = self.program.stop()
        assert status == 0, f"exit {status}\n{self.program.output()}"
        return self.start()

    def kill9(self):
        self.program.kill9()

    @property
    def web_port(self):
        """Where it answers HTTP; with web="127.0.0.1:0"."""
        said = r"answering on http://127\.0\.0\.1:(\d+)"
        return int(wait_for("the web's address",
            lambda: re.findall(said, self.program.output()))[-1])

    def client(self, **fields):
        return Client(self.port, **fields)

    @property
    def url(self):
        return f"tcp://127.0.0.1:{self.port}"

    def close(self):
        self.program.close()
