"""Fixtures: the rendered overlays, the fake model, and where the tools are."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(os.environ["JOBCODE_SOURCE_ROOT"])
BUILD = pathlib.Path(os.environ["JOBCODE_BUILD_ROOT"])
TOOLS = ROOT / ".cache/deploy-tools/bin"
KUBERNETES = ROOT / "deploy/kubernetes"

sys.path.insert(0, str(ROOT / "tests/api"))  # harness: the server as a process
import harness  # noqa: E402


def pytest_sessionfinish(session, exitstatus):
    """A file whose every test was skipped ends with 77, which meson shows as skipped."""
    stats = session.config.pluginmanager.get_plugin("terminalreporter").stats
    if exitstatus == 0 and stats.get("skipped") and not stats.get("passed"):
        session.exitstatus = 77


@pytest.fixture(scope="session")
def tool():
    """tool(name): its path; skips where it is not installed."""

    def find(name):
        path = TOOLS / name if (TOOLS / name).exists() else shutil.which(name)
        if not path:
            pytest.skip(f"{name} is not installed")
        return str(path)

    return find


@pytest.fixture(scope="session")
def render(tool):
    """render(folder): the documents of a kustomization, each rendered once."""
    rendered = {}

    def documents(folder):
        folder = str(folder)
        if folder not in rendered:
            result = subprocess.run([tool("kubectl"), "kustomize", folder], capture_output=True, text=True)
            assert result.returncode == 0, result.stderr
            rendered[folder] = [document for document in yaml.safe_load_all(result.stdout) if document]
        return rendered[folder]

    return documents


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    """A kustomization with every component, as a user writes one: the base, and `gateway` and `api-keys` too."""
    tree = tmp_path_factory.mktemp("kubernetes") / "kubernetes"
    shutil.copytree(KUBERNETES, tree)
    components = ["retrain", "ingress", "gateway", "monitoring", "api-keys"]
    assert sorted(components) == sorted(path.name for path in (tree / "components").iterdir())
    overlay = yaml.safe_load((tree / "overlays/cpu/kustomization.yaml").read_text(encoding="utf-8"))
    overlay["components"] = [f"../../components/{name}" for name in components]
    (tree / "overlays/all").mkdir()
    (tree / "overlays/all/kustomization.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    return tree / "overlays/all"


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "bundle"
    subprocess.run([harness.MAKE_FAKE_BUNDLE, str(folder)], check=True, timeout=harness.TIMEOUT_S)
    return folder


# ---- documents ----


def find(documents, kind, name=None):
    found = [
        document for document in documents if document["kind"] == kind and name in (None, document["metadata"]["name"])
    ]
    assert len(found) == 1, (kind, name, len(found))
    return found[0]


@pytest.fixture(params=["base", "overlays/cpu", "overlays/gpu-t4", "all"])
def documents(request, render, everything):
    """Of the base, of each overlay, and of all components together."""
    return render(everything if request.param == "all" else KUBERNETES / request.param)


@pytest.fixture
def all_documents(render, everything):
    return render(everything)


# ---- the installation ----


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """The installation, under a DESTDIR."""
    folder = tmp_path_factory.mktemp("install")
    meson = shutil.which("meson")
    if not meson:
        pytest.skip("meson is not on the path")
    result = subprocess.run(
        [meson, "install", "-C", str(BUILD), "--no-rebuild", "--destdir", str(folder)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def only(tree, pattern):
    (path,) = tree.rglob(pattern)
    return path
