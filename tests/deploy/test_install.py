"""What `meson install` puts where, the units that say so too, and the first model of an empty folder."""

import configparser
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

import harness
from conftest import ROOT, only

# With these a unit may write what it lists, reach the network, or run code that it wrote itself; the rest it must not.
PRIVILEGES = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "MemoryDenyWriteExecute": "no",
    "User": "jobcode",
}


class Unit(configparser.RawConfigParser):
    """A unit's options; of a repeated one the values are joined by a line feed."""

    def __init__(self, path):
        class Repeated(dict):
            def __setitem__(self, key, value):
                if key in self and isinstance(value, list):
                    value = self[key] + value
                super().__setitem__(key, value)

        super().__init__(
            strict=False, dict_type=Repeated, delimiters=("=",), comment_prefixes=("#",), empty_lines_in_values=False
        )
        self.optionxform = str
        self.read_string(path.read_text(encoding="utf-8").replace("\\\n", " "))


def installed(tree, path):
    """Where a path of the running system is, in the installation."""
    return tree / str(path).lstrip("/")


@pytest.fixture(scope="session")
def prefix(tree):
    return only(tree, "bin/jobcode-server").parent.parent


@pytest.fixture(params=["jobcode-server.service", "jobcode-train.service"])
def unit(request, tree):
    return Unit(only(tree, request.param))


def test_what_is_installed(tree):
    names = {str(path.relative_to(tree)).rsplit("share/", 1)[-1] for path in tree.rglob("*") if path.is_file()}
    assert {f"jobcode/models/onet-30.1/{path.name}" for path in (ROOT / "models/onet-30.1").iterdir()} <= names
    assert {"jobcode/config/onet.yaml", "jobcode/config/postings.yaml", "jobcode/models/NOTICE"} <= names
    assert only(tree, "etc/jobcode/server.yaml").read_bytes() == (ROOT / "config/server.yaml").read_bytes()
    assert only(tree, "sysusers.d/jobcode.conf") and only(tree, "tmpfiles.d/jobcode.conf")


def test_units_start_what_is_installed(tree, unit):
    words = unit["Service"]["ExecStart"].split()
    assert os.access(installed(tree, words[0]), os.X_OK)
    config = words[words.index("--config") + 1]
    if words[0].endswith("server"):
        assert installed(tree, config).is_file()
    else:  # the user's own, without which it is not started
        assert unit["Unit"]["ConditionPathExists"] == config
        assert pathlib.Path(config).parent == pathlib.Path(
            "/", only(tree, "etc/jobcode/server.yaml").parent.relative_to(tree)
        )


def test_units_are_confined(unit):
    service = dict(unit["Service"])
    assert {name: service.get(name) for name in PRIVILEGES} == PRIVILEGES
    assert service["SystemCallFilter"].split("\n") == ["@system-service", "~@privileged"]
    assert "ReadWritePaths" not in service or service["ReadWritePaths"] == service["WorkingDirectory"]


def test_units_agree_on_folders(tree):
    server, train = (Unit(only(tree, f"jobcode-{name}.service"))["Service"] for name in ("server", "train"))
    assert server["WorkingDirectory"] == train["WorkingDirectory"]
    sets = dict(word.split("=", 1) for word in train["ExecStart"].split() if "=" in word)
    assert (
        yaml.safe_load((ROOT / "config/server.yaml").read_text(encoding="utf-8"))["model"]["folder"]
        == f"{sets['output']}/current"
    )
    created = [
        line.split()[1]
        for line in only(tree, "tmpfiles.d/jobcode.conf").read_text(encoding="utf-8").splitlines()
        if line[:2] == "d "
    ]
    assert created == [server["WorkingDirectory"], f"{server['WorkingDirectory']}/{sets['output']}"]
    assert server["WorkingDirectory"] in only(tree, "sysusers.d/jobcode.conf").read_text(encoding="utf-8")


def test_stop_leaves_time_to_drain(tree):
    service = Unit(only(tree, "jobcode-server.service"))["Service"]
    shutdown = yaml.safe_load((ROOT / "config/server.yaml").read_text(encoding="utf-8"))["shutdown"]
    grace, timeout = (int(re.fullmatch(r"(\d+)s", shutdown[name]).group(1)) for name in ("grace", "timeout"))
    assert int(re.fullmatch(r"(\d+)s", service["TimeoutStopSec"]).group(1)) >= grace + timeout + 2
    assert service["KillSignal"] == "SIGTERM" and "HUP" in service["ExecReload"]
    assert (
        int(service["LimitNOFILE"])
        > 2 * yaml.safe_load((ROOT / "config/server.yaml").read_text(encoding="utf-8"))["http"]["connections"]
    )


# ---- seed-model ----


@pytest.fixture(scope="session")
def seed_model(tree, prefix, tmp_path_factory):
    """seed_model(ROOT, MODEL...): the installed script, with the paths of this installation."""
    script = only(tree, "jobcode/seed-model")
    final = "/" + str(prefix.relative_to(tree))
    moved = tmp_path_factory.mktemp("seed") / "seed-model"
    moved.write_text(script.read_text(encoding="utf-8").replace(f"{final}/", f"{prefix}/"), encoding="utf-8")
    moved.chmod(0o755)
    assert os.access(script, os.X_OK)

    def run(*arguments):
        return subprocess.run(
            [str(moved), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=harness.TIMEOUT_S,
            env=harness.environment(),
        )

    return run


def test_seed_fills_an_empty_folder_once(seed_model, bundle, tmp_path):
    root = tmp_path / "models"
    root.mkdir()
    first = seed_model(root, bundle)
    assert first.returncode == 0, first.stderr
    version = os.readlink(root / "current")
    assert sorted(path.name for path in root.iterdir()) == sorted(["current", version])
    made = (root / version).stat().st_ino
    assert seed_model(root, bundle).returncode == 0
    assert (root / version).stat().st_ino == made
    checked = harness.run("--set", f"model.folder={root}/current", "--check")
    assert checked.returncode == 0, checked.stderr


def test_seed_leaves_the_trainers_model(seed_model, bundle, tmp_path):
    root = tmp_path / "models"
    shutil.copytree(bundle, root / "trained")
    (root / "current").symlink_to("trained")
    assert seed_model(root, bundle).returncode == 0
    assert os.readlink(root / "current") == "trained" and len(list(root.iterdir())) == 2


def test_seed_is_ended_half_way_and_run_again(seed_model, bundle, tmp_path):
    """The version is there, the link is not."""
    root = tmp_path / "models"
    assert seed_model(root, bundle).returncode == 0
    (root / "current").unlink()
    assert seed_model(root, bundle).returncode == 0
    assert (root / "current/manifest.json").is_file()


def test_seed_says_what_is_wrong(seed_model, bundle, tmp_path):
    root = tmp_path / "models"
    root.mkdir()
    (root / "current").symlink_to("gone")
    refused = seed_model(root, bundle)
    assert refused.returncode == 1 and "leads to no model" in refused.stderr
    assert seed_model(tmp_path / "other", tmp_path).returncode == 1  # no bundle there
    assert not (tmp_path / "other/current").is_symlink()
    assert seed_model().returncode != 0


def test_default_is_the_installed_model(seed_model, tmp_path):
    """Portable, so it wants the encoder's weights, and says so."""
    root = tmp_path / "models"
    root.mkdir()
    refused = seed_model(root)
    assert refused.returncode == 1 and "onet-30.1" in refused.stderr, refused.stderr
