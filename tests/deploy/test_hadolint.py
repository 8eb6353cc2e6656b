"""docker/Dockerfile is clean for hadolint."""

import subprocess

from conftest import ROOT


def test_hadolint(tool):
    result = subprocess.run(
        [tool("hadolint"), "--no-color", str(ROOT / "docker/Dockerfile")], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_hadolint_refuses(tool):
    result = subprocess.run(
        [tool("hadolint"), "--no-color", "-"], input="FROM debian:latest\nRUN cd /tmp\n", capture_output=True, text=True
    )
    assert result.returncode != 0 and "DL3007" in result.stdout
