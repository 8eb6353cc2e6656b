"""Fixtures: a fake model made once, and a server a file that is stopped, and its end checked, whatever happens."""
import hashlib
import json
import shutil
import subprocess

import pytest

import harness
from bundles import make_variants
from page_states import LOOKS

SLOW_PIECES = 32  # of 16 MiB


def pytest_sessionfinish(session, exitstatus):
    """A file whose every test was skipped ends with 77, which meson shows as skipped."""
    stats = session.config.pluginmanager.get_plugin("terminalreporter").stats
    if exitstatus == 0 and stats.get("skipped") and not stats.get("passed"):
        session.exitstatus = 77


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "bundle"
    subprocess.run([harness.MAKE_FAKE_BUNDLE, str(folder)], check=True, timeout=harness.TIMEOUT_S)
    return folder


@pytest.fixture(scope="session")
def variants(tmp_path_factory):
    """Two bundles whose codes end in their number, 01 and 02."""
    return make_variants(tmp_path_factory.mktemp("variants"))


@pytest.fixture
def current(variants, tmp_path):
    """A link to variant 01."""
    link = tmp_path / "current"
    link.symlink_to(variants / "01")
    return link


@pytest.fixture(scope="session")
def slow_bundle(bundle, tmp_path_factory):
    """One more file, of a size that takes a while to verify and no room (it is sparse)."""
    folder = shutil.copytree(bundle, tmp_path_factory.mktemp("slow") / "bundle")
    digest, piece = hashlib.sha256(), bytes(1 << 24)
    with open(folder / "filler.bin", "wb") as file:
        file.truncate(SLOW_PIECES * len(piece))
    for _ in range(SLOW_PIECES):
        digest.update(piece)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["filler.bin"] = digest.hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(bundle):
    with harness.Server(bundle) as running:
        yield running


@pytest.fixture
def client(server):
    with server.client() as connected:
        yield connected


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; a file's tests are skipped where there is none."""
    pytest.importorskip("selenium")
    from browser import Browser  # needs selenium
    with Browser() as opened:
        yield opened


@pytest.fixture
def page(browser, server):
    """Opens the page, with answers put in the service's place; what it then does must stay with its server."""
    def open_page(*answers, behind=""):
        browser.open(f"{url}/{behind}", answers)
        return browser
    url = f"http://127.0.0.1:{server.port}"
    yield open_page
    assert browser.console_errors() == []
    assert all(address.startswith((f"{url}/", "blob:", "about:")) for address in browser.requested_urls())


@pytest.fixture
def any_look(browser):
    """The browser, whose look a test may change."""
    yield browser
    browser.look(*LOOKS[0])
