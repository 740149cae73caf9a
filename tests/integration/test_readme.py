"""The commands that the README shows do what it says.

SPDX-License-Identifier: ISC
"""
import re
import subprocess

from support.program import BUILD, ROOT, environment

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)


def blocks():
    return BLOCK.findall((ROOT / "README.md").read_text())


def test_run_once_of_the_readme():
    """A reader's first handler runs without a server and greets."""
    shown = [b for b in blocks() if "faktotum run-once" in b]
    assert len(shown) == 1
    text = shown[0].replace("build/faktotum", str(BUILD / "faktotum"))
    done = subprocess.run(["sh", "-ec", text], cwd=ROOT, capture_output=True,
        env=environment(), timeout=60)
    assert done.returncode == 0, done.stderr
    assert b"world" in done.stderr
    assert b'"done"' in done.stdout


def test_handler_of_the_readme_is_the_example():
    """What is printed there is the file that it names."""
    example = (ROOT / "examples/handlers/hello.sh").read_text()
    shown = [b for b in blocks() if b.startswith("#!/bin/sh")]
    assert len(shown) == 1
    code = [l.split("#")[0].rstrip() for l in shown[0].splitlines()[1:]]
    for line in filter(None, code):
        assert line in example, line


def test_configuration_of_the_readme_is_the_example():
    """The YAML that is shown stands in the file that it names."""
    shown = re.search(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    assert shown.group(1).strip() in (ROOT / "examples/hello.yaml").read_text()
