"""The unit files that are delivered fit the programs they start.

What systemd itself says of them: contrib/check-units, in `make check`.

SPDX-License-Identifier: ISC
"""
import json
import re

import pytest

from support.program import ROOT, run
from support.supervisor import FAKTOTUM
from support.server import SERVER

UNITS = ROOT / "contrib/systemd"
SUPERVISORS = ["faktotum.service", "faktotum@.service"]


def setting(name, key):
    return re.findall(rf"^{key}=(.*)$", (UNITS / name).read_text(), re.M)


@pytest.mark.parametrize("unit", SUPERVISORS)
def test_the_longest_stop_fits(tmp_path, unit):
    """Our own unit passes `faktotum check --unit` with the default graces and
    with every job's grace as long as it may be by default; not with more."""
    file = tmp_path / "t.yaml"

    def check(**settings):
        job = {"exec": ["/bin/true"], "grace": settings.pop("grace", "10s")}
        file.write_text(json.dumps({"jobs": {"t": job}, **settings}))
        return run([FAKTOTUM, "check", "-c", file, "--unit", UNITS / unit])

    assert check().returncode == 0
    assert check(grace="25s").returncode == 0
    refused = check(shutdown={"grace": "10m"})
    assert refused.returncode == 78 and b"TimeoutStopSec 90 s" in refused.stderr


@pytest.mark.parametrize("unit", SUPERVISORS)
def test_both_supervisors_are_one(unit):
    """The template differs from the plain unit by the configuration's name
    alone: what is learned of one holds for the other."""
    def body(name, instance):
        text = (UNITS / name).read_text().split("\n[Unit]\n")[1].replace(" (%i)", "")
        text = text.replace("NAME", "%i").replace("faktotum@%i.service", "UNIT")
        return text.replace(f"/{instance}.yaml", "/X.yaml").replace(f"/{instance}\n", "/X\n") \
            .replace("faktotum.service", "UNIT")
    assert body("faktotum.service", "faktotum") == body("faktotum@.service", "%i")


@pytest.mark.parametrize("unit", SUPERVISORS + ["faktotum-server.service"])
def test_exit_codes_that_stay(tmp_path, unit):
    """A mistake in the configuration, and no configuration, are among the exit
    codes after which the manager does not try again."""
    program = SERVER if "server" in unit else FAKTOTUM
    verb = [] if "server" in unit else ["run"]
    kept = setting(unit, "RestartPreventExitStatus")[0].split()
    bad = tmp_path / "bad.yaml"
    bad.write_text("nonsense: 1\n")
    for file in (bad, tmp_path / "none.yaml"):
        assert str(run([program, *verb, "-c", file]).returncode) in kept
    assert str(run([program, "--no-such-option"]).returncode) in kept


def test_the_delivered_settings_are_good():
    """server.yaml is what the server would do without it, and passes."""
    done = run([SERVER, "-c", UNITS / "server.yaml", "--check"])
    assert done.returncode == 0, done.stderr
    reference = run([FAKTOTUM, "check", "--reference"]).stdout.decode()
    for line in (UNITS / "server.yaml").read_text().splitlines():
        if line and not line.startswith("#"):
            key, value = line.split(": ")
            assert re.search(rf"\| `{key}` \|.*\| `{re.escape(value)}` \|", reference), line
