"""The page at / in Chromium: one title, the keyboard alone, and what it says when something goes wrong."""
import hashlib

import pytest

from harness import Server
from page_states import PHONE, problem


def matches(browser):
    """[(name, code, percent)] as shown."""
    return [tuple(browser.run("return arguments[0].querySelector(arguments[1]).innerText", item, selector)
                  for selector in (".name > :first-child", "code", ".percent"))
            for item in browser.find_all("#matches > li")]


def expected(result):
    return [(match["title"], match["code"], f"{100 * match['confidence']:.1f}%") for match in result["matches"]]


def until_matches(browser, title):
    browser.until(lambda: browser.text("#single-heading") == title and browser.text("#status"), f"no answer for {title}")


# ---- one title ----


def test_typing_gets_codes(page, client):
    browser = page()
    browser.press("nurse")
    until_matches(browser, "nurse")
    result = client.classify({"title": "nurse"})[0]
    shown = matches(browser)
    assert [row[:2] for row in shown] == [row[:2] for row in expected(result)]
    # Four decimals are sent, one is shown: the last may be rounded either way.
    assert all(abs(float(a[2][:-1]) - float(b[2][:-1])) < 0.11 for a, b in zip(shown, expected(result)))
    assert browser.text("#single-decision .badge").lower() == result["decision"]
    assert browser.text("#status").startswith(f"{len(shown)} match") and shown[0][0] in browser.text("#status")
    assert "Answered in" in browser.text("#single-time") and "in the service" in browser.text("#single-time")
    link = browser.find("#matches a")
    assert link.get_attribute("href") == f"https://www.onetonline.org/link/summary/{shown[0][1]}"
    assert link.get_attribute("rel") == "noopener noreferrer" and link.get_attribute("target") == "_blank"
    fills = browser.run("return [...document.querySelectorAll('#matches .fill')].map((e) => e.offsetWidth)")
    assert fills == sorted(fills, reverse=True) and fills[0] > 0


def test_controls(page, client):
    browser = page()
    browser.press("nurse")
    until_matches(browser, "nurse")
    browser.run("const e = document.getElementById('top-n'); e.value = 2; e.dispatchEvent(new Event('input'))")
    browser.until(lambda: len(browser.find_all("#matches > li")) == 2)
    browser.run("const e = document.getElementById('level'); e.value = 'major'; e.dispatchEvent(new Event('input'))")
    result = client.classify({"title": "nurse", "top_n": 2, "level": "major"})[0]
    browser.until(lambda: browser.texts("#matches code") == [match["code"] for match in result["matches"]])
    assert browser.texts("#matches .best a") == [match["best"]["title"] for match in result["matches"]]
    assert browser.calls()[-1]["body"] == {"title": "nurse", "top_n": 2, "level": "major"}


def test_what_is_typed_in_one_go_is_asked_once(page):
    browser = page()
    browser.run("""const e = document.getElementById("titles");
        for (const part of ["n", "nu", "nur", "nurse"]) { e.value = part; e.dispatchEvent(new Event("input")); }""")
    until_matches(browser, "nurse")
    assert [call["body"]["title"] for call in browser.calls()] == ["nurse"]


def test_a_newer_request_aborts_the_older(page):
    browser = page("hang")
    browser.paste("nurse")
    browser.until(lambda: len(browser.calls()) == 1)
    browser.paste(" manager")
    until_matches(browser, "nurse manager")
    first, *_, last = browser.calls()
    assert first["aborted"] and not last["aborted"] and last["body"]["title"] == "nurse manager"


def test_address_can_be_shared(page):
    browser = page()
    browser.press("cook & baker")
    until_matches(browser, "cook & baker")
    address = browser.driver.current_url
    assert "/#title=cook+%26+baker" in address
    for behind in (address[address.index("#"):], "?title=cook+%26+baker&top_n=1"):
        browser = page(behind=behind)
        until_matches(browser, "cook & baker")
    assert len(browser.find_all("#matches > li")) == 1
    browser.run("const e = document.getElementById('titles'); e.value = ''; e.dispatchEvent(new Event('input'))")
    browser.until(lambda: "#" not in browser.driver.current_url and not browser.find("#single").is_displayed())


def test_text_stays_text(page):
    browser = page()
    title = "<img src=x onerror=alert(1)> nurse"
    browser.paste(title)
    until_matches(browser, title)
    assert not browser.find_all("#single img")


def test_model_and_examples(page, client):
    model = client.get("/v1/model").json()
    browser = page()
    browser.until_text("#model", model["model"])
    assert model["attribution"] in browser.text("#model")
    browser.find("#examples button").click()
    until_matches(browser, "ICU Nurse (Nights)")
    assert not browser.find("#examples").is_displayed()


# ---- the keyboard alone ----


def test_keyboard(page):
    from selenium.webdriver.common.keys import Keys
    browser = page()
    assert browser.run("return document.activeElement.id") == "titles"
    browser.press("nurse")
    browser.press(Keys.ENTER)
    until_matches(browser, "nurse")
    assert browser.run("return document.getElementById('titles').value") == "nurse"
    assert [browser.tab() for _ in range(3)] == ["level", "top-n", "classify"]
    n = len(browser.calls())
    browser.press(Keys.ENTER)
    browser.until(lambda: len(browser.calls()) == n + 1)
    assert browser.tab() == "API key"
    browser.press(Keys.ENTER)
    assert browser.tab() == "key"
    assert browser.tab() == browser.text("#matches a")


def test_keyboard_makes_a_list(page):
    from selenium.webdriver.common.keys import Keys
    browser = page()
    browser.press("nurse")
    browser.press_with(Keys.SHIFT, Keys.ENTER)
    browser.press("cook")
    browser.press(Keys.ENTER)  # in a list: the next line
    browser.press("manager")
    assert browser.run("return document.getElementById('titles').value") == "nurse\ncook\nmanager"
    assert browser.text("#classify") == "Classify 3 titles"
    browser.press_with(Keys.CONTROL, Keys.ENTER)
    browser.until_text("#status", "3 titles classified.")
    assert browser.texts("#rows .title") == ["nurse", "cook", "manager"]


def test_keyboard_of_a_phone(page, any_look):
    """Its Enter begins another line: it has no Shift+Enter."""
    from selenium.webdriver.common.keys import Keys
    browser = page()
    any_look.look("light", PHONE)
    assert browser.run("return matchMedia('(pointer: coarse)').matches")
    browser.press("nurse")
    until_matches(browser, "nurse")
    browser.press(Keys.ENTER)
    browser.press("cook")
    assert browser.run("return document.getElementById('titles').value") == "nurse\ncook"
    assert browser.text("#hint") == "2 titles."
    browser.find("#classify").click()
    browser.until_text("#status", "2 titles classified.")


# ---- what goes wrong ----

@pytest.mark.parametrize("answer, words", [
    (problem(422, "text_too_long", "1204 characters; the limit is 1000.", "/title"),
     "The service does not accept this: 1204 characters; the limit is 1000. (/title)"),
    (problem(400, "malformed_json", "Line 1, column 2."), "The service does not accept this: Line 1, column 2."),
    (problem(500, "internal"), "The service failed. Its log has the request as 0123."),
    ("unreachable", "The service cannot be reached."),
    ([502, {"Content-Type": "text/html"}, "<h1>Bad Gateway</h1>"], "Something between here and the service answered 502."),
])
def test_refusals_in_words(page, answer, words):
    browser = page(answer)
    browser.paste("nurse")
    browser.until(lambda: browser.text("#trouble") == words, f"not {words!r}")
    assert not browser.find("#single").is_displayed() and browser.text("#status") == ""
    browser.paste(" 2")  # and the next answer takes it away
    until_matches(browser, "nurse 2")
    assert browser.text("#trouble") == ""


@pytest.mark.parametrize("answer, words", [
    (problem(503, "overloaded", retry_after=2), "The service is overloaded."),
    (problem(503, "starting", retry_after=2), "The service is not ready: its model is still being loaded."),
    (problem(503, "shutting_down", retry_after=2), "The service is not ready: it is shutting down."),
    (problem(504, "deadline_exceeded", retry_after=2), "The service could not answer in time."),
    (problem(429, "rate_limited", retry_after=2), "This API key has reached its rate."),
])
def test_waits_as_told(page, answer, words):
    browser = page(answer)
    browser.run("""window.times = []; const asked = window.calls.push.bind(window.calls);
        window.calls.push = (call) => { window.times.push(performance.now()); return asked(call); };""")
    browser.paste("nurse")
    until_matches(browser, "nurse")
    assert browser.text("#trouble") == ""
    assert browser.troubles() == [[words, "", "Trying again in 2 seconds.", f"Trying again in {left} s."] for left in (2, 1)]
    first, second = browser.run("return window.times")
    assert second - first >= 1990  # not sooner than Retry-After says


def test_a_service_that_is_not_ready(browser, server):
    """Said before anything is typed, and no longer once it is."""
    answers = [problem(503, "starting", retry_after=1)]
    browser.open(f"http://127.0.0.1:{server.port}/", model_answers=answers)
    browser.until(lambda: browser.text("#model") and browser.text("#trouble") == "")
    assert [said for said, *_ in browser.troubles()][:1] == ["The service is not ready: its model is still being loaded."]


def test_a_real_refusal(browser, server):
    browser.open(f"http://127.0.0.1:{server.port}/")
    browser.paste("nurse " * 200)
    browser.until_text("#trouble", "The service does not accept this:")
    assert "(/title)" in browser.text("#trouble")


def test_key(browser, bundle, tmp_path):
    """Asked for in words, sent as a header, and kept nowhere."""
    keys = tmp_path / "keys"
    keys.write_text(f"someone:{hashlib.sha256(b'the-key').hexdigest()}\n", encoding="ascii")
    with Server(bundle, f"auth.keys_file={keys}") as server:
        browser.open(f"http://127.0.0.1:{server.port}/")
        browser.until_text("#trouble", "The service asks for an API key")
        browser.press("nurse")
        browser.until(lambda: browser.calls())
        browser.until_text("#trouble", "The service asks for an API key")
        browser.find("#key").send_keys("wrong\n")
        browser.until_text("#trouble", "The service does not know this API key.")
        browser.find("#key").clear()
        browser.find("#key").send_keys("the-key\n")
        until_matches(browser, "nurse")
        browser.until(lambda: browser.text("#model"))
        assert browser.text("#trouble") == ""
        assert browser.calls()[-1]["headers"]["Authorization"] == "Bearer the-key"
        assert "the-key" not in browser.driver.current_url
        assert browser.run("return localStorage.length + sessionStorage.length + document.cookie.length") == 0
        browser.driver.refresh()
        browser.until_text("#trouble", "The service asks for an API key")
        assert browser.run("return document.getElementById('key').value") == ""
