"""The trainer from the sample postings to a model that serves: what it prints, writes and publishes."""
import os
import re

import pytest

import harness
import trainer

METHODS = ["direct", "average", "contrastive", "exemplar", "softmax", "blend"]

# tests/data/README.md: the bad rows, those of codes that are none, and the one without a text.
REJECTED = {
    126: "8 fields, the header has 6", 224: "'ONET' is 'RN'", 230: "4 fields, the header has 6",
    231: "field 3: text behind the closing quote", 355: "'29-0000.00' is no category",
    524: "'15-9999.00' is no category", 670: "'77-1234.00' is no category", 765: "'77-1234.00' is no category",
    808: "'ONET' is '15-1252.0'", 833: "after cleaning", 883: "neither a title nor a body",
    894: "8 fields, the header has 6", 950: "invalid UTF-8", 1042: "neither a title nor a body",
    1047: "invalid UTF-8", 1060: "'ONET' is empty", 1178: "field 3: text behind the closing quote",
    1253: "1 field, the header has 6", 1277: "a quote is opened and not closed"}


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, bundle):
    shop = trainer.Workshop(tmp_path_factory.mktemp("evaluate"), bundle)
    return shop, shop.run("evaluate", "split.kind=stratified")


@pytest.fixture(scope="module")
def published(tmp_path_factory, bundle):
    """A softmax model, fitted without the test rows."""
    shop = trainer.Workshop(tmp_path_factory.mktemp("fit"), bundle)
    return shop, shop.fit()


@pytest.fixture
def shop(tmp_path, bundle):
    return trainer.Workshop(tmp_path, bundle)


# ---- evaluate ----


def test_table(evaluated):
    _, result = evaluated
    rows = trainer.table(result)
    assert list(rows) == METHODS
    for row in rows.values():
        assert 0 <= row["low"] <= row["top-1"] <= row["high"] <= 1
        assert row["top-1"] <= row["top-3"] <= row["top-5"] <= 1
        assert row["n"] == rows["direct"]["n"] > 50
    # The fake encoder knows words, not what they mean: the titles that were seen help, a category's name hardly.
    assert rows["blend"]["top-1"] > rows["average"]["top-1"] > rows["direct"]["top-1"]


def test_what_is_said_of_the_rows(evaluated):
    shop, result = evaluated
    said = result.stderr
    assert f"read: 406 rows of postings, 19 bad (see {shop.rejects}), 14 unclassified and left out, " \
           "7 of old codes mapped" in said
    assert "375 examples of 1016 categories" in said
    roles = [int(n) for n in re.search(r"split: (\d+) examples train, (\d+) validation, (\d+) test, (\d+) unused",
                                       said).groups()]
    assert sum(roles) == 375 and roles[2] == trainer.table(result)["direct"]["n"]
    assert "rare categories" in said


def test_report_json(evaluated):
    shop, result = evaluated
    report, rows = shop.read_report(), trainer.table(result)
    read = report["read"]
    assert (read["n_rows"], read["n_bad"], read["n_unclassified"], read["n_mapped_code"], read["n_undated"]) == \
           (406, 19, 14, 7, 7)
    sizes = {size["rows"]: size["n_categories"] for size in report["data"]["category_sizes"]}
    assert [sizes[key] for key in sorted(sizes, key=lambda key: int(str(key).split("-")[0].rstrip("+")))] == \
           [1016 - 43, 9, 10, 11, 13]  # rows of a parted code only train, and make no category larger
    assert report["data"]["n_rows"] == 375
    split = report["split"]
    assert split["n_train"] + split["n_validation"] + split["n_test"] + split["n_unused"] == 375
    assert split["n_test_rows_whose_title_trains"] == 0
    assert [method["name"] for method in report["methods"]] == METHODS
    for method in report["methods"]:
        assert abs(method["top_1"]["value"] - rows[method["name"]]["top-1"]) < 1e-4
        assert method["n"] == split["n_test"]
    assert report["chosen"] == max(report["methods"], key=lambda method: method["top_1"]["value"])["name"]


def test_report_html_needs_no_network(evaluated):
    shop, _ = evaluated
    page = (shop.report / "report.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    assert all(name in page for name in METHODS)
    for fetch in (r"""(?:src|href|action|poster|data|srcset)\s*=\s*["']?\s*(?!["']?#)[^"'\s>]*//""", r"@import",
                  r"url\(\s*[\"']?(?!#|data:)", r"<(?:link|iframe|object|embed|base)\b", r"<script[^>]+src",
                  r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon"):
        assert not re.search(fetch, page, re.I), fetch


def test_rejects(evaluated):
    shop, _ = evaluated
    rejects = shop.read_rejects()
    assert set(rejects) == set(REJECTED)
    for line, reason in REJECTED.items():
        assert reason in rejects[line], (line, rejects[line])


def test_unknown_codes_as_configured(shop):
    """Dropped they are counted and no bad rows, kept they are categories."""
    dropped = shop.run("evaluate", "methods=direct", "codes.unknown=drop")
    assert "15 bad" in dropped.stderr and "4 of codes that are no category, left out" in dropped.stderr
    kept = shop.run("evaluate", "methods=direct", "codes.unknown=keep", "codes.unclassified=keep")
    assert "4 of codes that became categories" in kept.stderr and "1020 categories" in kept.stderr
    assert set(shop.read_rejects()) == {line for line, why in REJECTED.items() if "no category" not in why}


# ---- fit ----


def test_published(published):
    shop, result = published
    version = shop.manifest()["version"]
    assert os.readlink(shop.current) == version and shop.versions() == [version]
    assert version.startswith("postings-softmax-") and version in result.stdout
    assert f"published: {shop.current}" in result.stdout
    metrics = shop.manifest()["metrics"]
    assert abs(metrics["top_1"] - trainer.table(result)["softmax"]["top-1"]) < 1e-4
    assert harness.run("--check", "--set", f"model.folder={shop.current}").returncode == 0


def test_same_seed_same_version(published, shop):
    """In another folder with a cache of its own; another seed makes another model."""
    first, _ = published
    shop.fit()
    assert shop.versions() == first.versions()
    shop.fit("refuse_worse=")
    assert shop.versions() == first.versions()
    shop.fit("seed=2", "refuse_worse=")
    assert len(shop.versions()) == 2 and shop.manifest()["version"] not in first.versions()


def test_old_versions_go(shop):
    seen = []
    for seed in range(1, 5):
        shop.fit("keep=2", "method=contrastive", f"seed={seed}", "refuse_worse=", "report=")
        seen.append(shop.manifest()["version"])
    assert len(set(seen)) == 4
    assert shop.versions() == sorted(seen[-2:])


def test_second_run_takes_all_vectors_from_the_cache(published):
    shop, first = published
    again = shop.run("evaluate", "methods=direct")
    assert re.search(r"encode: 0 of (\d+) texts are in", first.stderr)
    found, of = re.search(r"encode: (\d+) of (\d+) texts are in", again.stderr).groups()
    assert found == of


@pytest.mark.parametrize("part", ["body", "title_body"])
def test_bodies(shop, part):
    """A model of bodies in chunks, with sentences for the rare categories, is one that serves."""
    shop.fit(f"text.part={part}", "text.chunks=3", "augment.rows=10", "method=average")
    assert shop.read_report()["read"]["n_cut_from_bodies"] > 0
    with harness.Server(shop.current) as server, server.client() as client:
        (result,) = client.classify({"title": "Registered Nurse", "body": "<p>Night shifts at the ward.</p>"})
        assert len(result["matches"]) == 5


# ---- serve ----


def test_blend_serves_with_evidence(shop):
    shop.fit("method=blend")
    with harness.Server(shop.current) as server, server.client() as client:
        assert client.get("/v1/model").json()["model"] == shop.manifest()["version"]
        (result,) = client.classify({"title": "Line Cook", "top_n": 3})
        assert result["matches"][0]["code"].startswith("35-")
        assert "cook" in result["matches"][0]["evidence"]["title"].lower()
        assert result["decision"] in ("accept", "review")
        for level, pattern in (("major", r"\d\d"), ("minor", r"\d\d-\d.*"), ("broad", r"\d\d-\d{3}.*")):
            (rolled,) = client.classify({"title": "Line Cook", "top_n": 3, "level": level})
            confidences = [match["confidence"] for match in rolled["matches"]]
            assert all(re.match(pattern, match["code"]) for match in rolled["matches"])
            assert confidences == sorted(confidences, reverse=True)
            assert confidences[0] >= result["matches"][0]["confidence"] - 1e-3


# ---- compare, refuse ----


def test_compare(published, shop):
    present, _ = published
    shop.fit("method=direct", "refuse_worse=")
    same = shop.run("compare", options=["--a", present.current, "--b", present.current])
    assert "verdict on B: not worse" in same.stdout and "right only in A 0, only in B 0" in same.stdout
    worse = shop.run("compare", options=["--a", present.current, "--b", shop.current], status=trainer.WORSE)
    assert "verdict on B: worse" in worse.stdout and shop.manifest()["version"] in worse.stdout
    shop.run("compare", options=["--a", shop.current, "--b", present.current])
    shop.run("compare", options=["--a", present.current, "--b", shop.current, "--margin", "1"])


def test_worse_model_is_refused(shop):
    shop.fit()
    good = shop.manifest()["version"]
    refused = shop.fit("method=direct", status=trainer.WORSE)
    assert f"refused: {shop.current} stays as it is" in refused.stdout and "published" not in refused.stdout
    assert shop.manifest()["version"] == good and shop.versions() == [good]
    shop.fit("method=direct", "refuse_worse=")
    assert shop.manifest()["method"] == "direct" and good in shop.versions()
