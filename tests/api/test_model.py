"""The default model (JOBCODE_MODEL: its complete folder) on titles it must get right, however its encoder is run."""
import os

import pytest

from harness import Server, run

MODEL = os.environ.get("JOBCODE_MODEL")
HAS_TORCH = "libtorch none" not in run("--version").stdout
pytestmark = pytest.mark.skipif(not MODEL, reason="JOBCODE_MODEL is not set")

ENCODERS = [("onednn", "f32"), ("onednn", "int8")] + [("torch", "f32")] * HAS_TORCH


@pytest.fixture(scope="module", params=ENCODERS, ids="-".join)
def server(request):
    backend, precision = request.param
    with Server(MODEL, f"encoder.backend={backend}", f"encoder.precision={precision}") as running:
        running.encoder = request.param
        yield running


def first_three(client, posting):
    (result,) = client.classify({**posting, "top_n": 3})
    return [match["code"] for match in result["matches"]]


def test_nurse(client):
    nurses = ("29-1141.", "29-1151.", "29-1161.", "29-1171.", "29-2061.")
    assert any(code.startswith(nurses) for code in first_three(client, {"title": "ICU Nurse (Nights)"}))


@pytest.mark.parametrize("posting, code", [
    ({"title": "Senior Java Developer"}, "15-1252.00"),
    ({"title": "", "body": "<p>Senior Java Developer</p>"}, "15-1252.00"),
    ({"title": "HGV / truck driver"}, "53-3032.00"),
    ({"title": "Primary school teacher"}, "25-2021.00"),
])
def test_titles(client, posting, code):
    assert code in first_three(client, posting)


def test_batch_composition_changes_nothing(client):
    titles = [f"{a} {b}" for a in ("senior", "junior", "night shift", "lead") for b in ("nurse", "java developer", "cook", "welder")]
    alone = [client.classify({"title": title})[0]["matches"] for title in titles]
    together = [result["matches"] for result in client.classify({"postings": [{"title": title} for title in titles]})]
    for one, other in zip(alone, together):
        assert [match["code"] for match in one] == [match["code"] for match in other]
        assert all(abs(x["score"] - y["score"]) < 1.5e-4 for x, y in zip(one, other))


def test_model_is_described(server, client):
    model = client.get("/v1/model").json()
    assert (model["encoder"]["backend"], model["encoder"]["precision"]) == server.encoder
    assert model["taxonomy"] == "O*NET-SOC 2019"
    assert "CC BY 4.0" in model["attribution"]
    assert len(model["encoder"]["source_sha256"]) == 64
    assert model["categories"] == client.get("/v1/categories", limit=0).json()["total"] > 800


@pytest.mark.skipif(HAS_TORCH, reason="built with libtorch")
def test_no_torch():
    refused = run("--check", "--set", f"model.folder={MODEL}", "--set", "encoder.backend=torch")
    assert refused.returncode == 1 and "no libtorch" in refused.stderr


def test_int8_is_not_torchs():
    refused = run("--check", "--set", f"model.folder={MODEL}", "--set", "encoder.backend=torch",
                  "--set", "encoder.precision=int8")
    assert refused.returncode == 1 and "needs encoder.backend onednn" in refused.stderr
