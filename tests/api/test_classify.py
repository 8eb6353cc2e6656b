"""Classification: both forms of a request, order, equal answers, fall-backs, Unicode, the query form."""
import concurrent.futures
import json
import math
import random

import pytest

from harness import CLASSIFY, expect_problem


def codes(result):
    return [match["code"] for match in result["matches"]]


def assert_same_answer(a, b):
    """The same matches; a batch of another size may round a score's last digit otherwise."""
    assert codes(a) == codes(b)
    for x, y in zip(a["matches"], b["matches"]):
        for name in {"score", "confidence"} & x.keys():
            assert abs(x[name] - y[name]) < 1.5e-4


@pytest.mark.parametrize("title, code", [
    ("Registered Nurses", "29-1141.00"),
    ("REGISTERED  nurses!", "29-1141.00"),
    ("Software Developers", "15-1252.00"),
    ("Lawyers", "23-1011.00"),
])
def test_a_category_finds_itself(client, title, code):
    (result,) = client.classify({"title": title})
    assert result["matches"][0]["code"] == code
    assert "id" not in result and "error" not in result


def test_matches_are_ranked(client):
    (result,) = client.classify({"title": "Senior Software Developer", "top_n": 40})
    scores = [match["score"] for match in result["matches"]]
    assert [match["rank"] for match in result["matches"]] == list(range(1, 41))
    assert scores == sorted(scores, reverse=True)
    assert len(set(codes(result))) == 40


def test_confidence(client):
    """With all 40 categories asked for, the formula of models/README.md on the shown scores."""
    sharpness, saturation, power = 10, 2, 1.5  # the model's
    for title in ("Senior Software Developer", "Registered Nurses", "anything at all"):
        (result,) = client.classify({"title": title, "top_n": 40})
        weights = [math.exp(sharpness * match["score"]) for match in result["matches"]]
        weights = [(w / (sum(weights) + saturation * w)) ** power for w in weights]
        for match, weight in zip(result["matches"], weights):
            assert abs(match["confidence"] - weight / sum(weights)) < 1e-3
        (first,) = client.classify({"title": title, "top_n": 1})
        assert abs(first["matches"][0]["confidence"] - result["matches"][0]["confidence"]) < 1.5e-4
        assert first["decision"] == result["decision"] == "accept"  # the model's min_confidence is 0


def test_top_n(client):
    full = client.classify({"title": "nurse", "top_n": 40})[0]
    assert len(client.classify({"title": "nurse"})[0]["matches"]) == 5
    for top_n in (1, 2, 39, 40, 41, 100):
        (result,) = client.classify({"title": "nurse", "top_n": top_n})
        assert codes(result) == codes(full)[:top_n]
    for result in client.classify({"postings": [{"title": "nurse"}, {"title": "cook"}], "top_n": 3}):
        assert len(result["matches"]) == 3


LEVELS = {"major": 2, "minor": 4, "broad": 6, "detailed": 7}


def group_code(code, level):
    """The group of an O*NET-SOC code, by the rule of the SOC 2018."""
    if level == "minor" and code[:5] in ("15-12", "31-11", "51-51"):
        return code[:5] + "00"
    return code[:LEVELS[level]] + "00-0000"[LEVELS[level]:]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("title", ["Registered nurse", "software manager", "Heavy truck driver (nights)", "anything"])
def test_levels(client, title, level):
    """All groups, against sums over all categories."""
    (plain,) = client.classify({"title": title, "top_n": 40})
    answer = client.post({"title": title, "top_n": 40, "level": level}).json()
    assert answer["level"] == level
    (rolled,) = answer["results"]
    sums, bests = {}, {}
    for match in plain["matches"]:
        code = group_code(match["code"], level)
        sums[code] = sums.get(code, 0) + match["confidence"]
        bests.setdefault(code, {"code": match["code"], "title": match["title"]})
    assert sorted(codes(rolled)) == sorted(sums)
    assert [match["rank"] for match in rolled["matches"]] == list(range(1, len(sums) + 1))
    for match in rolled["matches"]:
        assert abs(match["confidence"] - sums[match["code"]]) < 40 * 0.5e-4 + 1e-4
        best = next(row for row in plain["matches"] if row["code"] == match["best"]["code"])
        assert best["title"] == match["best"]["title"] and group_code(best["code"], level) == match["code"]
        first = next(row for row in plain["matches"] if row["code"] == bests[match["code"]]["code"])
        assert best["score"] == first["score"]  # equal scores may stand in either order
        assert "score" not in match
        assert match.get("title") == (best["title"] if level == "detailed" else match.get("title"))
        assert ("title" in match) == (level in ("major", "detailed"))
    confidences = [match["confidence"] for match in rolled["matches"]]
    assert confidences == sorted(confidences, reverse=True)
    assert rolled["decision"] == "accept"  # the model's min_confidence is 0


def test_level_names_major_groups(client):
    for title, code, name in (("Registered Nurses", "29-0000", "Healthcare Practitioners and Technical"),
                              ("Software Developers", "15-0000", "Computer and Mathematical")):
        match = client.classify({"title": title, "level": "major"})[0]["matches"][0]
        assert (match["code"], match["title"], match["best"]["title"]) == (code, name, title)


def test_levels_of_a_list(client):
    postings = [{"id": n, "title": title} for n, title in enumerate(("nurse", "cook", "---", "nurse"))]
    answer = client.post({"postings": postings, "level": "broad", "top_n": 3}).json()
    assert list(answer) == ["model", "taxonomy", "level", "results"]
    assert [len(result["matches"]) for result in answer["results"]] == [3, 3, 0, 3]
    assert answer["results"][2]["error"]["code"] == "empty_text"
    assert answer["results"][0]["matches"] == answer["results"][3]["matches"]
    assert "level" not in client.post({"postings": postings}).json()


def test_levels_at_the_same_time(server):
    """Equal titles of many connections, each with its own level or none: the batcher puts them together."""
    def ask(level):
        with server.client() as client:
            document = {"title": "Registered nurse", **({"level": level} if level else {})}
            return [client.post(document).json() for _ in range(30)]

    levels = [*LEVELS, None] * 4
    with concurrent.futures.ThreadPoolExecutor(len(levels)) as pool:
        answers = dict(zip(enumerate(levels), pool.map(ask, levels)))
    for (_, level), of_level in answers.items():
        for answer in of_level:
            assert answer.get("level") == level
            assert_same_answer(answer["results"][0], answers[levels.index(level), level][0]["results"][0])
            assert ("score" in answer["results"][0]["matches"][0]) == (level is None)


def test_answer_names_the_model(client):
    answer = client.post({"title": "nurse"}).json()
    model = client.get("/v1/model").json()
    assert answer["model"] == model["model"]
    assert answer["taxonomy"] == model["taxonomy"] == "O*NET-SOC 2019"


def test_ids_come_back_in_order(client):
    ids = ["a1", 7, -1, 0, "", "ü", "日本語 😀", 'quote " backslash \\ slash / tab \t', "é" * 256, 2**63 - 1, -(2**63), "a1"]
    postings = [{"id": id, "title": f"nurse {number}"} for number, id in enumerate(ids)]
    results = client.classify({"postings": postings})
    assert [result["id"] for result in results] == ids
    assert client.classify({"title": "x", "id": "single"})[0]["id"] == "single"
    escaped = client.classify('{"postings":[{"id":"\\u00fc\\ud83d\\ude00\\n\\u001f","title":"x"},{"title":"y"}]}')
    assert escaped[0]["id"] == "ü😀\n\x1f" and "id" not in escaped[1]


def test_thousand_postings(client):
    words = "nurse developer software manager engineer senior junior teacher truck driver sales cook".split()
    chosen = random.Random(1)
    titles = [" ".join(chosen.choices(words, k=1 + number % 9)) for number in range(1000)]
    results = client.classify({"postings": [{"id": n, "title": title} for n, title in enumerate(titles)], "top_n": 3})
    assert [result["id"] for result in results] == list(range(1000))
    seen = {}
    for title, result in zip(titles, results):
        assert codes(seen.setdefault(title, result)) == codes(result)
    for number in range(0, 1000, 97):
        assert_same_answer(client.classify({"title": titles[number], "top_n": 3})[0], results[number])


@pytest.mark.parametrize("title", ["Registered nurse", "Heavy truck driver " * 20, "x"])
def test_equal_titles_equal_answers(client, title):
    (alone,) = client.classify({"title": title})
    others = [{"title": f"worker {number} " * (1 + number % 30)} for number in range(300)]
    for position in (0, 1, 150, 299):
        postings = others[:position] + [{"title": title}] + others[position:]
        assert_same_answer(alone, client.classify({"postings": postings})[position])
    results = client.classify({"postings": [{"title": title}] * 1000})
    assert all(result == results[0] for result in results)
    assert_same_answer(alone, results[0])


def test_html_and_the_body(client):
    (plain,) = client.classify({"title": "Registered Nurses"})
    for posting in (
        {"title": "<h1>Registered&nbsp;<b>Nurses</b></h1>"},
        {"title": "Registered Nurses https://example.org/jobs?id=1"},
        {"title": "Registered Nurses", "body": "<p>Software Developers</p>"},
        {"title": "", "body": "<style>p{}</style><p>Registered</p><p>Nurses</p>"},
        {"title": None, "body": "Registered Nurses"},
        {"title": " \t", "body": "Registered Nurses"},
        {"title": "<b></b>--", "body": "<script>Software()</script>Registered&#32;Nurses"},
        {"body": "Registered Nurses"},
    ):
        assert client.classify(posting)[0]["matches"] == plain["matches"], posting


EMPTY = [{"title": ""}, {"title": "---"}, {"title": "<p></p>", "body": "<br>"}, {"title": "https://example.org"},
         {"body": "\u200b"}, {"title": "\u0301"}]


@pytest.mark.parametrize("posting", EMPTY)
def test_no_text_alone(client, posting):
    client.refused(posting, 422, "empty_text")


def test_no_text_in_a_list(client):
    postings = [{"id": 1, "title": "nurse"}] + EMPTY + [{"id": 2, "title": "cook"}]
    results = client.classify({"postings": postings})
    assert results[0]["id"] == 1 and results[-1]["id"] == 2
    assert results[0]["matches"] and results[-1]["matches"]
    for result in results[1:-1]:
        assert result["matches"] == [] and result["error"]["code"] == "empty_text"
    (only,) = client.classify({"postings": [{"title": ""}]})
    assert only["error"]["code"] == "empty_text"


def test_unicode(client):
    (plain,) = client.classify({"title": "Registered Nurses"})
    for title in ("Régistered Nursés", "REGISTERED NURSES", "Registered\u00a0Nurses\u0000".replace("\u0000", "")):
        assert client.classify({"title": title})[0]["matches"] == plain["matches"], title
    for title in ("看護師", "مهندس برمجيات", "Ärztin / Arzt (m/w/d) 😀", "e\u0301" * 400, "\U0010ffff a"):
        assert client.classify({"title": title})[0]["matches"], title
    raw = client.post(json.dumps({"title": "看護師 😀"})).json()  # escaped
    assert raw["results"] == client.classify({"title": "看護師 😀"})


@pytest.mark.parametrize("query, title", [
    ("title=Registered%20Nurses", "Registered Nurses"),
    ("title=Registered+Nurses", "Registered Nurses"),
    ("title=ICU+Nurse+%28Nights%29", "ICU Nurse (Nights)"),
    ("title=%52egistered%20%4Eurses&top_n=5", "Registered Nurses"),
    ("title=R%C3%A9gistered+Nurses", "Registered Nurses"),
    ("title=&body=Registered+Nurses", "Registered Nurses"),
    ("body=%3Cp%3ERegistered+Nurses%3C/p%3E", "Registered Nurses"),
    ("title=C%2B%2B+developer", "C++ developer"),
])
def test_query_form(client, query, title):
    answer = client.request("GET", f"{CLASSIFY}?{query}")
    assert answer.status == 200
    assert answer.json()["results"] == client.classify({"title": title})


@pytest.mark.parametrize("level", LEVELS)
def test_query_form_takes_a_level(client, level):
    answer = client.get(CLASSIFY, title="Registered Nurses", level=level, top_n=4).json()
    assert answer == client.post({"title": "Registered Nurses", "level": level, "top_n": 4}).json()
    assert answer["level"] == level


@pytest.mark.parametrize("query, code", [
    ("", "invalid_member"),
    ("top_n=3", "invalid_member"),
    ("title=x&top_n=0", "invalid_member"),
    ("title=x&top_n=101", "invalid_member"),
    ("title=x&top_n=", "invalid_member"),
    ("title=x&top_n=3%00", "invalid_member"),
    ("title=x&top_n=99999999999999999999999", "invalid_member"),
    ("title=x&level=soc", "invalid_member"),
    ("title=x&level=", "invalid_member"),
    ("title=x&level=major%00", "invalid_member"),
    ("title=x&Title=y", "unknown_member"),
    ("title=x&id=3", "unknown_member"),
    ("title=x&=", "unknown_member"),
    ("title", "empty_text"),
    ("title=", "empty_text"),
    ("title=%00", "empty_text"),
    ("title=" + "x" * 1001, "text_too_long"),
])
def test_query_form_refuses(client, query, code):
    pointer = "/title" if code == "text_too_long" else "/level" if "level" in query else None
    expect_problem(client.request("GET", f"{CLASSIFY}?{query}"), 422, code, pointer)


@pytest.mark.parametrize("value", ["%FF", "%C3", "%ED%A0%80", "abc%F5", "%C0%AF"])
def test_query_form_refuses_invalid_utf8(client, value):
    problem = expect_problem(client.request("GET", f"{CLASSIFY}?title={value}"), 422, "invalid_member")
    assert "UTF-8" in problem["detail"]


def test_query_form_takes_odd_escapes(client):
    for value in ("a%00b", "%", "%zz", "100%25", "a%0d%0ab"):
        assert client.request("GET", f"{CLASSIFY}?title=nurse+{value}").status == 200


def test_query_form_takes_the_longest_title(client):
    """A thousand characters of four bytes each, percent-encoded: 12,000 bytes of URL."""
    assert client.get(CLASSIFY, title="\U00020000" * 1000).status == 200


def test_categories(client):
    everything = client.get("/v1/categories").json()
    assert everything["total"] == len(everything["categories"]) == client.get("/v1/model").json()["categories"]
    assert client.get("/v1/categories", q="NURSE").json()["categories"] == [
        category for category in everything["categories"] if "nurse" in category["title"].lower()]
    assert client.get("/v1/categories", q="29-1141").json()["total"] == 1
    assert client.get("/v1/categories", q="").json() == everything
    assert client.get("/v1/categories", q="no such thing").json()["categories"] == []
    paged = []
    while len(paged) < everything["total"]:
        page = client.get("/v1/categories", limit=7, offset=len(paged)).json()
        assert page["total"] == everything["total"] and page["limit"] == 7 and page["offset"] == len(paged)
        paged += page["categories"]
    assert paged == everything["categories"]
    assert client.get("/v1/categories", limit=0).json()["categories"] == []
    assert client.get("/v1/categories", offset=1000000000).json()["categories"] == []


@pytest.mark.parametrize("query, code", [
    ("limit=2001", "invalid_member"), ("limit=-1", "invalid_member"), ("limit=x", "invalid_member"),
    ("offset=1000000001", "invalid_member"), ("offset=1.5", "invalid_member"), ("page=2", "unknown_member"),
])
def test_categories_refuses(client, query, code):
    expect_problem(client.request("GET", f"/v1/categories?{query}"), 422, code)
