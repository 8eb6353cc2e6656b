"""The installed units, as systemd-analyze sees them."""

import re
import shutil
import subprocess

import pytest

from conftest import only

WORST_EXPOSURE = 2.0  # of 10, as `systemd-analyze security` counts; most of it: it may use the network, and W^X is off


@pytest.fixture(scope="session")
def systemd_root(tool, tree, tmp_path_factory):
    """The installation as a system's root, with the host's units, which ours name, and stand-ins for its commands."""
    analyze = tool("systemd-analyze")
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(tree, root, dirs_exist_ok=True)
    shutil.copytree("/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True, dirs_exist_ok=True)
    for command in ("bin/kill", "bin/systemctl"):
        (root / command).parent.mkdir(exist_ok=True)
        (root / command).write_text("#!/bin/sh\n", encoding="utf-8")
        (root / command).chmod(0o755)
    return analyze, root


def test_units_verify(systemd_root):
    analyze, root = systemd_root
    names = ["jobcode-server.service", "jobcode-train.service", "jobcode-train.timer"]
    result = subprocess.run([analyze, f"--root={root}", "verify", *names], capture_output=True, text=True)
    ours = [line for line in (result.stdout + result.stderr).splitlines() if "jobcode" in line]
    assert result.returncode == 0 and not ours, result.stdout + result.stderr


def test_verify_refuses(systemd_root, tree):
    analyze, root = systemd_root
    unit = only(tree, "jobcode-server.service")
    wrong = root / unit.relative_to(tree).parent / "jobcode-wrong.service"
    wrong.write_text(
        unit.read_text(encoding="utf-8")
        .replace("/jobcode-server --config", "/jobcode-serve --config")
        .replace("PrivateTmp=", "PrivateTemp="),
        encoding="utf-8",
    )
    result = subprocess.run(
        [analyze, f"--root={root}", "verify", "jobcode-wrong.service"], capture_output=True, text=True
    )
    assert result.returncode != 0 and "not executable" in result.stderr and "PrivateTemp" in result.stderr


@pytest.mark.parametrize("name", ["jobcode-server.service", "jobcode-train.service"])
def test_exposure(tool, tree, name):
    path = only(tree, name)
    result = subprocess.run(
        [tool("systemd-analyze"), "security", "--offline=true", str(path)], capture_output=True, text=True
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    assert found, result.stdout + result.stderr
    assert float(found.group(1)) <= WORST_EXPOSURE, result.stdout
