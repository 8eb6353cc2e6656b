"""docker/Dockerfile, without building it: of one mind with the project. rootfs.py runs its steps."""

import re

import dockerfile
import pytest
import yaml

from conftest import KUBERNETES, ROOT

DOCKERFILE = ROOT / "docker/Dockerfile"


@pytest.fixture(scope="module")
def stages():
    return dockerfile.read(DOCKERFILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ignored():
    return dockerfile.Ignored((ROOT / ".dockerignore").read_text(encoding="utf-8"))


def default_config():
    return yaml.safe_load((ROOT / "config/server.yaml").read_text(encoding="utf-8"))


def test_runs_as_nobody_in_particular(stages):
    image = stages[-1]
    assert image.last("USER") == "10001:10001"
    assert image.last("STOPSIGNAL") == "SIGTERM"
    users = next(text for name, text in image.steps if name == "RUN" and "useradd" in text)
    assert "--uid 10001 --gid 10001" in users and "--gid 10001 jobcode" in users
    order = [name for name, _ in image.steps]
    assert order.index("USER") > max(index for index, name in enumerate(order) if name in ("RUN", "COPY"))


def test_manifests_run_as_the_same_user(stages):
    deployment = yaml.safe_load((KUBERNETES / "base/deployment.yaml").read_text(encoding="utf-8"))
    security = deployment["spec"]["template"]["spec"]["securityContext"]
    assert f"{security['runAsUser']}:{security['runAsGroup']}" == stages[-1].last("USER")


def test_serves_on_the_port_it_says(stages):
    image = stages[-1]
    port = default_config()["http"]["port"]
    assert image.last("EXPOSE") == str(port)
    assert f":-{port}}}" in (ROOT / "docker/healthcheck.sh").read_text(encoding="utf-8")
    assert dockerfile.command(image.last("CMD")) == [
        "--config",
        "/etc/jobcode/server.yaml",
        "--set",
        "http.address=0.0.0.0",
    ]
    assert default_config()["model"]["folder"] == "models/current" and image.last("WORKDIR") == "/usr/share/jobcode"


def test_health_check_fits_the_start(stages):
    options, words = dockerfile.healthcheck(stages[-1].last("HEALTHCHECK"))
    assert set(options) == {"interval", "timeout", "start-period", "retries"}
    copied = [text.split() for name, text in stages[-1].steps if name == "COPY"]
    assert ["docker/healthcheck.sh", words[0]] in copied


def test_labels(stages):
    image = stages[-1]
    labels = dockerfile.assignments(image.last("LABEL"))
    arguments = {}
    for text in (text for name, text in image.steps if name == "ARG"):
        arguments.update(dockerfile.assignments(text))
    project = (ROOT / "meson.build").read_text(encoding="utf-8")
    assert arguments["VERSION"] == re.search(r"^\s*version: '([^']+)'", project, re.M).group(1)
    assert labels["org.opencontainers.image.licenses"] == re.search(r"license: '([^']+)'", project).group(1)
    assert dockerfile.substitute(labels["org.opencontainers.image.version"], arguments) == arguments["VERSION"]


def versions(name):
    """Of a list for pip: {package: version}; each is pinned by its SHA-256."""
    lines = [line for line in (ROOT / "scripts" / name).read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    found = [re.fullmatch(r"([\w-]+)==([\d.]+) --hash=sha256:[0-9a-f]{64}", line) for line in lines]
    assert lines and all(found), lines
    return {match.group(1): match.group(2) for match in found}


def test_cuda_is_off_unless_asked_for(stages):
    build = stages[0]
    arguments = {}
    for text in (text for name, text in build.steps if name == "ARG"):
        arguments.update(dockerfile.assignments(text))
    assert arguments == {"CUDA": "disabled"}
    setup = next(text for name, text in build.steps if name == "RUN" and "meson setup" in text)
    assert '-Dcuda="${CUDA}"' in setup and "nvidia_root" not in setup
    options = (ROOT / "meson_options.txt").read_text(encoding="utf-8")
    root = re.search(r"option\('nvidia_root'.*?value: '([^']+)'", options, re.S).group(1)
    fetch = next(text for name, text in build.steps if name == "RUN" and "fetch_cuda" in text)
    assert f"fetch_cuda {root};" in fetch and f"/image{root}/lib/" in fetch
    assert f"echo {root}/lib | tee" in fetch and "ldconfig" in fetch  # which lets the programs find it
    assert any(name == "RUN" and text.startswith("ldconfig") for name, text in stages[-1].steps)


def test_cuda_is_pinned(stages):
    """One release of the toolkit, and of it the image gets what the programs link to."""
    pinned = versions("cuda.txt")
    assert {pinned[f"nvidia-{name}"].rsplit(".", 1)[0] for name in ("cuda-nvcc", "cuda-crt", "nvvm")} == {"13.0"}
    assert pinned["nvidia-cuda-runtime"].startswith("13.0.") and pinned["nvidia-cublas"].startswith("13.")
    fetch = next(text for name, text in stages[0].steps if name == "RUN" and "fetch_cuda" in text)
    copied = set(re.search(r"for name in ([\w ]+);", fetch).group(1).split())
    wanted = re.findall(r"find_library\('(cu\w+)'", (ROOT / "src/cuda/meson.build").read_text(encoding="utf-8"))
    assert len(wanted) == 2 and copied == {*wanted, "cublasLt"}  # which cuBLAS itself wants
    versions("weights.txt")


def test_driver_comes_from_the_runtime(stages):
    """Of the driver nothing is in the image, nor does it claim GPUs: that is for --gpus, or the device plugin."""
    environment = dockerfile.assignments(stages[-1].last("ENV"))
    assert environment == {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}


def test_context_holds_what_is_copied(stages, ignored):
    for stage in stages:
        for name, text in stage.steps:
            if name == "COPY" and not text.startswith("--from="):
                for source in text.split()[:-1]:
                    assert source == "." or (ignored.lets_in(source) and (ROOT / source).is_file()), source


@pytest.mark.parametrize(
    "path, wanted",
    [
        ("src/server/main.c", True),
        ("scripts/lib.sh", True),
        ("scripts/cuda.txt", True),
        ("src/cuda/kernels.cu", True),
        ("models/onet-30.1/manifest.json", True),
        ("deploy/meson.build", True),
        ("src/server/api/__pycache__/embed.pyc", False),
        ("models/current/model.safetensors", False),
        (".cache/weights/vocab.txt", False),
        (".git/config", False),
        ("tests/meson.build", False),
        ("README.md", False),
        ("docker/Dockerfile", False),
    ],
)
def test_context(ignored, path, wanted):
    assert ignored.lets_in(path) is wanted


@pytest.mark.parametrize("text", ["ADD a /b", "RUN <<END", "COPY a b \\", "FROM a b c", "RUN true"])
def test_reader_refuses_what_it_does_not_know(text):
    with pytest.raises(dockerfile.Unknown):
        dockerfile.read(text)


def test_reader_joins_and_substitutes():
    (stage,) = dockerfile.read(
        "ARG BASE=a:b\n# note\nFROM ${BASE} AS x\nRUN one && \\\n# between\n    two\n"
        'HEALTHCHECK --retries=3 CMD ["c"]\n'
    )
    assert (stage.base, stage.name) == ("a:b", "x")
    assert stage.last("RUN").split() == ["one", "&&", "two"]
    assert dockerfile.healthcheck(stage.last("HEALTHCHECK")) == ({"retries": "3"}, ["c"])
