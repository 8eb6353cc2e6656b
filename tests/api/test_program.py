"""The program: its options, its configuration's errors, and --check against damaged bundles."""
import json
import re
import shutil
import socket

import pytest
import yaml

from harness import ROOT, SERVER, TIMEOUT_S, Server, error_line, run

BUNDLE_FILES = ["manifest.json", "categories.safetensors", "categories.tsv", "vocab.txt"]


def check(bundle, *sets):
    arguments = [f"--set={assignment}" for assignment in (f"model.folder={bundle}", *sets)]
    return run("--check", *arguments)


@pytest.fixture
def copy(bundle, tmp_path):
    """A bundle to damage."""
    return shutil.copytree(bundle, tmp_path / "damaged")


def test_help():
    result = run("--help")
    assert result.returncode == 0 and result.stderr == ""
    for option in ("--config", "--set", "--check", "--help-config", "--version"):
        assert option in result.stdout


def test_version():
    result = run("--version")
    assert result.returncode == 0
    assert re.fullmatch(r"jobcode-server \d+\.\d+\.\d+ \(oneDNN [0-9.]+, libtorch [^)]+\)\n", result.stdout)


def test_help_config_lists_every_key():
    result = run("--help-config")
    config = yaml.safe_load((ROOT / "config/server.yaml").read_text(encoding="utf-8"))
    keys = [f"{section}.{key}" for section, values in config.items() for key in values]
    assert result.returncode == 0
    assert re.findall(r"^([a-z]+\.[a-z_]+) \(", result.stdout, re.MULTILINE) == keys


@pytest.mark.parametrize("arguments", [["--nope"], ["--config"], ["stray"], ["--check", "stray"], ["--set"]])
def test_wrong_usage(arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert "Usage: " in result.stderr and result.stdout == ""


def test_check_good(bundle):
    result = check(bundle)
    assert result.returncode == 0 and result.stderr == ""
    assert "good" in result.stdout


def test_check_reads_the_configuration(bundle):
    result = run("--check", "--config", str(ROOT / "config/server.yaml"), "--set", f"model.folder={bundle}")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", BUNDLE_FILES)
def test_missing_file(copy, name):
    (copy / name).unlink()
    error = error_line(check(copy))
    assert name in error["detail"], error


@pytest.mark.parametrize("name", BUNDLE_FILES[1:])
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_flipped_byte(copy, name, where):
    path = copy / name
    data = bytearray(path.read_bytes())
    data[{"first": 0, "middle": len(data) // 2, "last": -1}[where]] ^= 1
    path.write_bytes(data)
    error = error_line(check(copy))
    assert name in error["detail"], error


@pytest.mark.parametrize("name", BUNDLE_FILES)
def test_cut_file(copy, name):
    path = copy / name
    path.write_bytes(path.read_bytes()[:-10])
    assert name in error_line(check(copy))["detail"]


def edit_manifest(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_manifest_is_not_json(copy):
    (copy / "manifest.json").write_bytes(b"\x7b\xff")
    assert "manifest.json" in error_line(check(copy))["detail"]


def test_another_format_version(copy):
    edit_manifest(copy, lambda manifest: manifest.update(format_version=99))
    error = error_line(check(copy))
    assert "manifest.json" in error["detail"] and error["code"] == "unsupported", error


@pytest.mark.parametrize("n_right", [1, 130])  # before it: more than are asked at once, too
def test_wrong_canary(copy, n_right):
    canaries = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))["canaries"]
    title = canaries[1]["title"]
    wrong = {"title": title, "code": "29-1141.00"}
    edit_manifest(copy, lambda manifest: manifest.update(canaries=[*canaries[:1] * n_right, wrong]))
    error = error_line(check(copy))
    assert error["code"] == "model" and title in error["detail"] and "29-1141.00" in error["detail"], error


def test_no_bundle(tmp_path):
    assert "nowhere" in error_line(check(tmp_path / "nowhere"))["detail"]


def test_bad_bundle_does_not_start(copy):
    (copy / "vocab.txt").unlink()
    error = error_line(run(f"--set=model.folder={copy}", "--set=http.port=0"))
    assert error["event"] == "start_failed" and "vocab.txt" in error["detail"]


@pytest.mark.parametrize("text, place, part", [
    ("http:\n  prot: 1\n", "2:3", "http.port"),
    ("http:\n  port: many\n", "2:3", "many"),
    ("http:\n  port: 70000\n", "2:3", "65535"),
    ("http:\n  port: 1\n  port: 2\n", "3:3", "port"),
    ("http: [\n", None, ""),
    ("limits:\n  body: 8\n", "2:3", "limits.body"),
    ("log:\n  level: loud\n", "2:3", "debug"),
    ("\thttp:\n", None, ""),
])
def test_bad_configuration(tmp_path, text, place, part):
    path = tmp_path / "server.yaml"
    path.write_text(text, encoding="utf-8")
    error = error_line(run("--check", "--config", str(path)))
    assert error["event"] == "config_failed"
    assert re.search(re.escape(str(path)) + (f":{place}:" if place else r":\d+:\d+:"), error["detail"]), error
    assert part in error["detail"], error


def test_configuration_missing(tmp_path):
    assert "absent.yaml" in error_line(run("--config", str(tmp_path / "absent.yaml")))["detail"]


@pytest.mark.parametrize("assignment, part", [
    ("http.port", "http.port"), ("http.prot=1", "http.port"), ("http.port=-1", "http.port"), ("=1", ""), ("http=1", "http"),
    ("limits.top_n=2", "model.top_n"), ("limits.postings=9999", "workers.queue_titles"),
    ("admin.metrics_only=true", "admin.address"), ("model.watch=5", "model.watch"),
    ("encoder.device=gpu", "encoder.device"), ("encoder.device=cuda:", "encoder.device"),
])
def test_bad_set(bundle, assignment, part):
    error = error_line(check(bundle, assignment))
    assert error["event"] == "config_failed" and part in error["detail"], error


def test_set_wins_over_the_file(bundle, tmp_path):
    path = tmp_path / "server.yaml"
    path.write_text("model:\n  top_n: 7\nlimits:\n  top_n: 9\n", encoding="utf-8")
    with Server(bundle, "model.top_n=3", config=path) as server, server.client() as client:
        assert len(client.classify({"title": "nurse"})[0]["matches"]) == 3
        client.refused({"title": "nurse", "top_n": 10}, 422, "invalid_member", "/top_n")


def test_port_in_use(bundle):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = error_line(run(f"--set=model.folder={bundle}", f"--set=http.port={port}"))
        assert error["event"] == "start_failed" and str(port) in error["detail"]


@pytest.mark.parametrize("address", ["localhost.invalid", "1.2.3", "300.1.1.1", ""])
def test_bad_address(bundle, address):
    error = error_line(run(f"--set=model.folder={bundle}", "--set=http.port=0", f"--set=http.address={address}"))
    assert "http.address" in error["detail"] or address in error["detail"]


def test_bad_admin_address(bundle):
    error = error_line(run(f"--set=model.folder={bundle}", "--set=http.port=0", "--set=admin.address=300.1.1.1"))
    assert error["event"] == "start_failed" and "admin.address" in error["detail"]


def test_ipv6(bundle):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with Server(bundle, "http.address=::1") as server, socket.create_connection(("::1", server.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_program_exists():
    assert shutil.which(SERVER) == SERVER
