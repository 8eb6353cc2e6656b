"""schemathesis makes up requests from openapi.yaml, right ones and wrong ones, and holds the answers against it: no 5xx, no
status, header or body that is not documented, and nothing wrong accepted (schemathesis.toml).
JOBCODE_SCHEMATHESIS_EXAMPLES: the most it makes up for an operation, 20 unless told; the seed is always the same.
2,000 take a quarter of an hour or more: `meson test -t 0`."""
import os
import re
import subprocess

import pytest

from harness import ROOT, Server

TOOL = ROOT / ".cache/api-tools/bin/schemathesis"
EXAMPLES = int(os.environ.get("JOBCODE_SCHEMATHESIS_EXAMPLES", "20"))
pytestmark = pytest.mark.skipif(not TOOL.exists(), reason=f"{TOOL} is not there (scripts/lib.sh: install_tools)")


@pytest.fixture(scope="module")
def server(bundle):
    with Server(bundle, "admin.address=127.0.0.1", "admin.port=0") as running:
        yield running


def n_passed(port, folder, *options):
    command = [TOOL, "--config-file", ROOT / "tests/api/schemathesis.toml", "run", ROOT / "openapi.yaml",
               "--url", f"http://127.0.0.1:{port}", "--phases", "examples,coverage,fuzzing", "--seed", "1",
               "--max-examples", str(EXAMPLES), "--no-color", "--warnings", "off", *options]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120 + 10 * EXAMPLES)
    assert result.returncode == 0, result.stdout + result.stderr
    generated, passed = map(int, re.search(r"(\d+) generated, (\d+) passed", result.stdout).groups())
    assert generated == passed
    return passed


def test_public(server, tmp_path):
    assert n_passed(server.port, tmp_path, "--exclude-path", "/admin/reload") >= 8 * EXAMPLES
    with server.client() as client:  # those of deadlines that were too short apart
        failures = [series for series in client.metrics() if re.search(r'http_requests_total.*code="5(?!0[34])', series)]
    assert not failures


def test_admin(server, tmp_path):
    assert n_passed(server.admin_port, tmp_path, "--include-path", "/admin/reload") >= EXAMPLES


def test_it_would_notice(server, tmp_path):
    """Told that categories are numbers, and that there is no 422, it says so."""
    text = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    other = text.replace("    Category:\n      type: object", "    Category:\n      type: integer")
    other = other.replace('        "422": {$ref: "#/components/responses/UnprocessableParameters"}\n', "")
    assert len(text) - len(other) > 60
    (tmp_path / "other.yaml").write_text(other, encoding="utf-8")
    command = [TOOL, "--config-file", ROOT / "tests/api/schemathesis.toml", "run", tmp_path / "other.yaml", "--url",
               f"http://127.0.0.1:{server.port}", "--include-path", "/v1/categories", "--phases", "examples,coverage",
               "--seed", "1", "--no-color", "--continue-on-failure"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert "Response violates schema" in result.stdout and "Undocumented status code" in result.stdout
