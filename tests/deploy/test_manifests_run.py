"""The programs with the manifests' own configuration: it is accepted, probes are routes, the trainer publishes."""

import os
import subprocess

import pytest
import yaml

import harness
from conftest import KUBERNETES, ROOT, find

SERVER_YAML = KUBERNETES / "base/server.yaml"
TRAIN_YAML = KUBERNETES / "components/retrain/train.yaml"


def deployment():
    return yaml.safe_load((KUBERNETES / "base/deployment.yaml").read_text(encoding="utf-8"))["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def server(bundle):
    """On free ports of the loopback: the addresses and ports themselves are held against the manifests elsewhere."""
    with harness.Server(
        bundle, "admin.port=0", "http.address=127.0.0.1", "admin.address=127.0.0.1", config=SERVER_YAML
    ) as running:
        yield running


def test_configuration_is_accepted(bundle):
    checked = harness.run("--config", str(SERVER_YAML), "--set", f"model.folder={bundle}", "--check")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("overlay", ["cpu", "gpu-t4"])
def test_arguments_are_accepted(render, bundle, overlay):
    """The overlay's own --set; the fake encoder asks for no GPU."""
    pod = find(render(KUBERNETES / "overlays" / overlay), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    arguments = [str(SERVER_YAML) if word == "/etc/jobcode/server.yaml" else word for word in container["args"]]
    checked = harness.run(*arguments, "--set", f"model.folder={bundle}", "--check")
    assert checked.returncode == 0, checked.stderr


def test_an_unknown_key_is_not(bundle, tmp_path):
    wrong = tmp_path / "server.yaml"
    wrong.write_text(SERVER_YAML.read_text(encoding="utf-8").replace("grace:", "drain_grace:"), encoding="utf-8")
    checked = harness.run("--config", str(wrong), "--set", f"model.folder={bundle}", "--check")
    assert "drain_grace" in harness.error_line(checked)["detail"]


@pytest.mark.parametrize("name", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probes_answer(server, name):
    probe = deployment()["containers"][0][name]["httpGet"]
    assert probe["port"] == "admin"
    with server.admin() as admin:
        assert admin.get(probe["path"]).status == 200


def test_metrics_are_on_the_admin_listener_alone(server):
    with server.admin() as admin, server.client() as client, server.raw() as raw:
        assert admin.get("/metrics").status == 200
        assert client.request("POST", "/admin/reload").status == 404
        raw.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.read().status == 404


def test_trainer_publishes_where_servers_read(bundle, tmp_path):
    """The CronJob's command line, with the fake encoder, on the sample postings; twice, as every week."""
    cronjob, _ = yaml.safe_load_all((KUBERNETES / "components/retrain/cronjob.yaml").read_text(encoding="utf-8"))
    (container,) = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["/usr/bin/jobcode-train"]
    models = tmp_path / "models"
    models.mkdir()
    arguments = [TRAIN_YAML if word == "/etc/jobcode/train.yaml" else word for word in container["args"]]
    for key, value in {
        "postings.0.path": ROOT / "tests/data/postings.csv",
        "max_bad_rows": "10%",
        "output": "/proc/self/cwd",  # like a volume on a read-only root: nothing can be written beside it
        "source.categories": ROOT / "models/onet-30.1/categories.tsv",
        "rejects": tmp_path / "rejects.csv",
        "cache": tmp_path / "cache",
        "report": tmp_path / "report",
        "encoder.kind": "fake",
        "encoder.weights": bundle,
    }.items():
        arguments += ["--set", f"{key}={value}"]
    for _ in range(2):
        result = subprocess.run(
            [os.environ["JOBCODE_TRAIN"], *map(str, arguments)],
            cwd=models,
            capture_output=True,
            text=True,
            timeout=harness.TIMEOUT_S * 4,
        )
        assert result.returncode == 0, result.stdout + result.stderr
    checked = harness.run("--config", str(SERVER_YAML), "--set", f"model.folder={models}/current", "--check")
    assert checked.returncode == 0, checked.stderr
