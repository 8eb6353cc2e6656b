"""A model with exemplars: they vote, and the nearest with a match's code is its evidence."""
import subprocess

import pytest

import harness


@pytest.fixture(scope="module")
def voting(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voting") / "bundle"
    subprocess.run([harness.MAKE_FAKE_BUNDLE, "--exemplars", str(folder)], check=True, timeout=harness.TIMEOUT_S)
    with harness.Server(folder) as running:
        yield running


@pytest.fixture
def voter(voting):
    with voting.client() as connected:
        yield connected


def evidence(result):
    """code -> what speaks for it."""
    return {match["code"]: match.get("evidence") for match in result["matches"]}


def test_own_words(voter):
    (result,) = voter.classify({"title": " ICU  nurse", "top_n": 40})
    found = evidence(result)
    assert result["matches"][0]["code"] == "29-1141.00"
    assert found["29-1141.00"] == {"title": "icu nurse", "similarity": 1.0}
    assert found["29-2061.00"]["title"] == "night nurse"
    assert 0 < found["29-2061.00"]["similarity"] < 1
    assert found["23-1011.00"] is None  # no exemplar has it
    assert sum(value is not None for value in found.values()) <= 2 * 3  # k is 3, two codes at most


def test_vote(client, voter):
    """The scores with the vote less those without are a vote of weight 0.6 in all."""
    posting = {"title": "java developer", "top_n": 40}
    (plain,), (voted,) = client.classify(posting), voter.classify(posting)
    before = {match["code"]: match["score"] for match in plain["matches"]}
    gains = {match["code"]: match["score"] - before[match["code"]] for match in voted["matches"]}
    assert abs(sum(gains.values()) - 0.6) < 40 * 1e-4 + 1e-6
    assert max(gains, key=gains.get) == "15-1252.00"
    assert all(gain > -1.1e-4 for gain in gains.values())
    assert [match["code"] for match in voted["matches"] if gains[match["code"]] > 2e-3 and "evidence" not in match] == []


def test_not_ascii(voter):
    (result,) = voter.classify({"title": "Caf\u00e9 chef"})
    assert result["matches"][0]["evidence"] == {"title": "caf\u00e9 chef", "similarity": 1.0}


def test_list(voter):
    """Equal texts have equal evidence, an empty one none; a group has that of its best category."""
    titles = ["truck driver", "---", "night nurse", "Truck Driver"]
    results = voter.classify({"postings": [{"title": title} for title in titles], "top_n": 3})
    assert results[0]["matches"] == results[3]["matches"]
    assert results[0]["matches"][0]["evidence"]["title"] == "truck driver"
    assert results[1]["matches"] == []
    assert results[2]["matches"][0]["evidence"]["title"] == "night nurse"
    (group,) = voter.classify({"title": "truck driver", "top_n": 1, "level": "major"})[0]["matches"]
    assert (group["code"], group["evidence"]["title"]) == ("53-0000", "truck driver")


def test_query_form(voter):
    answer = voter.get("/v1/classify", title="icu nurse", top_n=1).json()
    assert answer["results"][0]["matches"][0]["evidence"]["similarity"] == 1.0


def test_model(client, voter):
    assert voter.get("/v1/model").json()["exemplars"] == {"texts": 6, "k": 3}
    assert "exemplars" not in client.get("/v1/model").json()
    (result,) = client.classify({"title": "icu nurse"})
    assert all("evidence" not in match for match in result["matches"])
