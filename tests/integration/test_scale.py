"""docs/scale.md: its figures are those of the simulation.

SPDX-License-Identifier: ISC
"""
import json
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def simulate(root, *argv):
    return subprocess.run([root / "tests/bench/simulate", *argv], capture_output=True, text=True,
        timeout=300)


def test_the_page_has_the_figures_of_the_simulation():
    """Whoever measures anew, or changes the model, changes the page too."""
    done = simulate(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_other_constants_are_another_page(tmp_path):
    """The check can fail: a server half as fast needs twice the shards, and
    the page does not say so."""
    (tmp_path / "tests/bench").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    for name in ("tests/bench/simulate", "tests/bench/measured.json", "docs/scale.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    kept = tmp_path / "tests/bench/measured.json"
    measured = json.loads(kept.read_text())
    measured["cycles_100"] //= 2
    kept.write_text(json.dumps(measured))
    done = simulate(tmp_path, "--check")
    assert done.returncode == 1 and "shards" in done.stderr
