"""The result cache: an answer from it is, byte for byte, the one that was computed; it can be off; it has bounds."""
import subprocess

import pytest

import harness
from harness import Server, long_title, post_bytes

TITLES = ["nurse", "ICU Nurse (Nights)", "senior java developer", "truck driver", "x", "caf\u00e9 chef", "night nurse"]
REQUESTS = [{"title": title} for title in TITLES] + [
    {"title": "registered nurse", "top_n": 40},
    {"title": "registered nurse", "level": "major", "top_n": 3},
    {"title": "registered nurse", "level": "detailed"},
    {"body": "<p>We need a welder.</p>", "id": 7},
    {"postings": [{"title": title, "id": title} for title in TITLES] + [{"title": "--"}], "top_n": 2},
]


@pytest.fixture(scope="module")
def voting(tmp_path_factory):
    """A model with exemplars, whose answers have evidence."""
    folder = tmp_path_factory.mktemp("voting") / "bundle"
    subprocess.run([harness.MAKE_FAKE_BUNDLE, "--exemplars", str(folder)], check=True, timeout=harness.TIMEOUT_S)
    return folder


def encoded(client):
    return client.metrics()["jobcode_titles_encoded_total"]


@pytest.mark.parametrize("kind", ["bundle", "voting"])
def test_hits_equal_computed_answers(request, kind):
    folder = request.getfixturevalue(kind)
    with Server(folder) as cached, Server(folder, "cache.size=0") as plain:
        with cached.client() as client, plain.client() as other:
            first = [client.post(document).body for document in REQUESTS]
            before = encoded(client)
            second = [client.post(document).body for document in REQUESTS]
            assert encoded(client) == before, "something was computed again"
            assert first == second == [other.post(document).body for document in REQUESTS]


def test_fewer_from_more(bundle):
    """An answer of many matches serves who wants fewer, and not the other way."""
    with Server(bundle) as server, server.client() as client:
        (five,) = client.classify({"title": "nurse", "top_n": 5})
        assert encoded(client) == 1
        (three,) = client.classify({"title": "Nurse!", "top_n": 3})  # other text, other tokens
        assert encoded(client) == 2
        (three,) = client.classify({"title": " NURSE", "top_n": 3})
        assert encoded(client) == 2
        assert three["matches"] == five["matches"][:3] and three["decision"] == five["decision"]
        (ten,) = client.classify({"title": "nurse", "top_n": 10})
        assert encoded(client) == 3 and len(ten["matches"]) == 10
        (all_there_are,) = client.classify({"title": "nurse", "top_n": 100})
        (again,) = client.classify({"title": "nurse", "top_n": 99})
        assert encoded(client) == 4 and again == all_there_are
        client.classify({"title": "nurse", "top_n": 3, "level": "major"})
        assert encoded(client) == 5


def test_off(bundle):
    with Server(bundle, "cache.size=0") as server, server.client() as client:
        for number in range(3):
            client.classify({"title": "nurse"})
            assert encoded(client) == number + 1
        metrics = client.metrics()
        for name in ("hits_total", "misses_total", "shared_total", "evictions_total", "bytes", "entries"):
            assert metrics["jobcode_cache_" + name] == 0
        assert metrics["jobcode_titles_total"] == 3


def test_bounded(bundle):
    size = 64 * 1024
    with Server(bundle, "cache.size=64KiB") as server, server.client() as client:
        for number in range(10):
            postings = [{"title": f"welder {number}-{i}"} for i in range(200)]
            client.classify({"postings": postings})
            assert 0 < client.metrics()["jobcode_cache_bytes"] <= size
        metrics = client.metrics()
        assert metrics["jobcode_cache_misses_total"] == 2000
        assert metrics["jobcode_cache_entries"] + metrics["jobcode_cache_evictions_total"] == 2000


def test_equal_titles_under_way(bundle):
    """Many clients that ask the same new title behind a busy worker: computed once, and all get the same answer."""
    busy = post_bytes({"postings": [{"title": long_title(number)} for number in range(1000)], "top_n": 1})
    with Server(bundle, "workers.count=1") as server, server.client() as client:
        with server.raw() as holding:
            holding.send(busy)
            client.wait_for_metrics(lambda metrics: metrics["jobcode_cache_misses_total"] == 1000)  # all are queued
            asking = [server.raw() for _ in range(30)]
            for raw in asking:
                raw.send(post_bytes({"title": "nurse"}))
            answers = {raw.read().body for raw in asking}
            assert len(answers) == 1
            assert len(holding.read().json()["results"]) == 1000
            for raw in asking:
                raw.__exit__()
        metrics = client.metrics()
        assert metrics["jobcode_titles_encoded_total"] == 1001
        assert metrics["jobcode_titles_total"] == 1030
        assert metrics["jobcode_cache_hits_total"] + metrics["jobcode_cache_shared_total"] == 29
