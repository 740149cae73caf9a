"""The tests of the units, each with a unit or a program that is broken: what is
promised elsewhere in this folder must fail then, and say why.

SPDX-License-Identifier: ISC
"""
import pytest
import test_cgroup
import test_server
import test_supervisor
from test_cgroup import pytestmark as unified

SERVER, UNIT = "faktotum-server.service", "faktotum.service"


def broken(host, unit, text):
    """What a packager could have forgotten or mistaken."""
    host.drop_in(unit, text, name="broken")


def fails(test, *arguments, why):
    with pytest.raises(AssertionError, match=why):
        test(*arguments)


def test_a_server_that_is_not_waited_for(host):
    """Type=exec: `systemctl start` returns before clients are welcome, and the
    manager is told nothing."""
    broken(host, SERVER, "Type=exec\nNotifyAccess=none")
    with pytest.raises((AssertionError, ConnectionRefusedError), match="listening at|refused"):
        test_server.test_it_starts_ready_and_private(host)


def test_a_password_that_does_not_arrive(host):
    """Without LoadCredential= the server asks for none."""
    broken(host, SERVER, "LoadCredential=")
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        test_server.test_the_credential_is_the_password(host)


def test_a_supervisor_that_never_is_ready(served):
    """READY=1 is not said: the start fails when its time is over."""
    broken(served, UNIT, "ExecStart=\nExecStart=/usr/bin/env -u NOTIFY_SOCKET "
        "/usr/bin/faktotum run -c /etc/faktotum/faktotum.yaml\nTimeoutStartSec=2s\nRestart=no")
    fails(test_supervisor.test_the_journal_has_levels, served, why="faktotum.service failed")


def test_a_stop_that_is_too_short(served):
    """TimeoutStopSec= below the grace."""
    broken(served, UNIT, "TimeoutStopSec=5s")
    fails(test_supervisor.test_check_asks_systemd_about_the_unit, served, why="TimeoutStopSec 5 s")


def test_a_supervisor_that_is_root(served):
    """User=root: so would be its jobs."""
    broken(served, UNIT, "User=root\nGroup=root")
    fails(test_supervisor.test_jobs_run_as_the_unit_s_user, served, why=r"'root\\n' == 'faktotum\\n'")


def test_a_reload_that_asks_nobody(served):
    """ExecReload= without `faktotum check`: a bad file is no failure."""
    broken(served, UNIT, "ExecReload=\nExecReload=/bin/kill -HUP $MAINPID")
    fails(test_supervisor.test_reload_takes_a_good_file_and_refuses_a_bad_one, served,
        why="assert 0 != 0")


@unified
def test_a_unit_that_keeps_its_tree(served):
    """Without Delegate= the cgroup is not the supervisor's."""
    broken(served, UNIT, "Delegate=no")
    fails(test_cgroup.test_the_tree_is_the_supervisor_s, served, why="cgroup.procs|assert 0 == ")
