"""The page at / in Chromium with a list: the table, its order, the file, and what interrupts it."""
import csv
import io

from page_states import problem


def titles(n):
    return [f"nurse {number}" if number % 3 else f"cook {number}" for number in range(n)]


def start(browser, lines):
    browser.paste("\n".join(lines))
    browser.find("#classify").click()


def finish(browser, lines):
    start(browser, lines)
    browser.until_text("#status", "titles classified.")


def read_csv(data):
    assert data.startswith(b"\xef\xbb\xbf") and data.endswith(b"\r\n") and data.count(b"\n") == data.count(b"\r\n")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def test_a_thousand(page, client):
    """All of them, in parts, in the order pasted, as the service answers them."""
    browser, lines = page(), titles(1000)
    finish(browser, lines)
    assert browser.text("#status") == "1,000 titles classified." and browser.text("#list-heading") == "1,000 titles"
    results = client.classify({"postings": [{"title": line} for line in lines]})
    assert browser.texts("#rows .title") == lines
    assert browser.texts("#rows td.code") == [result["matches"][0]["code"] for result in results]
    assert [text.lower() for text in browser.texts("#rows .decision")] == [result["decision"] for result in results]
    assert browser.run("const p = document.getElementById('progress'); return [p.value, p.max]") == [1000, 1000]
    assert "1,000 of 1,000 titles" in browser.text("#list-summary")
    sizes = [len(call["body"]["postings"]) for call in browser.calls()]
    assert sum(sizes) == 1000 and max(sizes) <= 100
    assert not browser.find("#cancel").is_displayed() and not browser.find("#continue").is_displayed()
    rows = read_csv(download(browser))
    assert [row["title"] for row in rows] == lines and rows[-1]["row"] == "1000"
    for row, result in zip(rows, results):
        assert row["decision"] == result["decision"] and row["error"] == ""
        for match in result["matches"]:
            rank = match["rank"]
            assert (row[f"code_{rank}"], row[f"occupation_{rank}"]) == (match["code"], match["title"])
            assert float(row[f"confidence_{rank}"]) == match["confidence"]


def download(browser):
    browser.find("#download").click()
    return browser.downloaded("jobcode.csv")


def test_too_many(page):
    browser = page()
    start(browser, titles(1001))
    browser.until_text("#trouble", "These are 1,001 titles; the page takes 1,000 at once.")
    assert browser.calls() == [] and not browser.find("#list").is_displayed()


def test_sorting(page):
    browser = page()
    lines = ["nurse 10", "nurse 9", "---", "cook 1", "Nurse 8", "software developer"]
    finish(browser, lines)

    def order(column):
        browser.find(f'[data-sort="{column}"]').click()
        return browser.texts("#rows .title"), browser.find(f'th:has([data-sort="{column}"])').get_attribute("aria-sort")

    by_title = ["---", "cook 1", "Nurse 8", "nurse 9", "nurse 10", "software developer"]
    assert order("title") == (by_title, "ascending")
    assert order("title") == (by_title[::-1], "descending")
    for column, first in (("confidence", "descending"), ("code", "ascending"), ("occupation", "ascending"), ("decision", "ascending")):
        for direction in (first, "descending" if first == "ascending" else "ascending"):
            shown, said = order(column)
            assert said == direction and shown[-1] == "---"  # without a value: last, either way
            values = browser.texts({"confidence": "#rows td:nth-child(5)", "code": "#rows td.code",
                                    "occupation": "#rows td.occupation > :first-child", "decision": "#rows .decision"}[column])
            values = [float(value[:-1]) if column == "confidence" else value.lower() for value in values if value][:5]
            assert values == sorted(values, reverse=direction == "descending")
        assert len(browser.find_all("th[aria-sort]")) == 1
    assert order("number") == (lines, "ascending")


def test_keyboard_sorts_and_downloads(page):
    from selenium.webdriver.common.keys import Keys
    browser = page()
    browser.press("nurse")
    browser.press_with(Keys.SHIFT, Keys.ENTER)
    browser.press("cook")
    browser.press_with(Keys.CONTROL, Keys.ENTER)
    browser.until_text("#status", "2 titles classified.")
    names = []
    while not names or names[-1] != "download":
        names.append(browser.tab())
        assert len(names) < 12
    browser.press(Keys.ENTER)
    assert len(read_csv(browser.downloaded("jobcode.csv"))) == 2
    assert [browser.tab().split()[0] for _ in range(2)] == ["No.", "Title"]
    browser.press(Keys.SPACE)
    assert browser.texts("#rows .title") == ["cook", "nurse"]


def test_csv_is_safe_and_exact(page):
    """RFC 4180's quoting; and nothing that a spreadsheet would run."""
    browser = page()
    lines = ['nurse, "ICU"', "=HYPERLINK(\"http://x\",\"nurse\")", "+nurse", "-nurse", "@nurse", "nurse = cook", "Pflegekraft für Ältere",
             "\uff1dnurse", "---"]
    finish(browser, lines)
    rows = read_csv(download(browser))
    shown = [f"'{line}" if line[0] in "=+-@\uff1d" else line for line in lines]
    assert [row["title"] for row in rows] == shown
    assert rows[-1]["decision"] == "" and rows[-1]["code_1"] == "" and rows[-1]["error"]
    assert not any(str(value).startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


def test_csv_quotes_lines(page):
    """Line breaks cannot be pasted into a title; the writer knows them all the same."""
    browser = page()
    text = browser.run_async("""async (table) => (await import("/page/csv.js")).writeCsv(table)""",
                             [["a\nb", "c\r\nd", "\t=1", " e ", 0.5, -0.5, "", None, '"']])
    assert text == '"a\nb","c\r\nd",\'\t=1," e ",0.5,-0.5,,,""""\r\n'


def test_cancel_and_continue(page):
    browser = page(None, "hang")
    lines = titles(200)
    start(browser, lines)
    browser.until(lambda: len(browser.calls()) == 2)
    browser.until_text("#list-summary", "50 of 200")
    browser.find("#cancel").click()
    browser.until_text("#status", "Cancelled.")
    browser.until(lambda: browser.run("return document.activeElement.id") == "continue")
    assert not browser.find("#cancel").is_displayed() and browser.calls()[1]["aborted"]
    assert len(read_csv(download(browser))) == 200
    browser.find("#continue").click()
    browser.until_text("#status", "200 titles classified.")
    sent = [posting["title"] for call in browser.calls()[:1] + browser.calls()[2:] for posting in call["body"]["postings"]]
    assert sent == lines  # none twice
    assert not browser.find("#continue").is_displayed()


def test_waits_and_goes_on(page):
    browser = page(None, problem(503, "overloaded", retry_after=2), None, problem(429, "rate_limited", retry_after=1))
    start(browser, titles(120))
    browser.until_text("#status", "120 titles classified.")
    assert [said for said, *_ in browser.troubles()][:1] == ["The service is overloaded."]
    assert browser.text("#trouble") == "" and len(browser.calls()) == 5


def test_one_refused_title_does_not_stop_the_list(page):
    browser = page(problem(422, "text_too_long", "1204 characters; the limit is 1000.", "/postings/1/title"))
    finish(browser, ["nurse", "x" * 20, "cook", "---"])
    assert "1204 characters; the limit is 1000." in browser.texts("#rows .occupation")[1]
    assert "2 not classified" in browser.text("#list-summary")
    assert [len(call["body"]["postings"]) for call in browser.calls()] == [4, 3]
    assert all(browser.texts("#rows td.code")[row] for row in (0, 2))


def test_smaller_parts_where_parts_are_too_large(page):
    browser = page(problem(422, "too_many_postings", "50 postings; the limit is 30.", "/postings"))
    finish(browser, titles(60))
    assert [len(call["body"]["postings"]) for call in browser.calls()] == [50, 25, 25, 10]


def test_a_failure_keeps_what_is_done(page):
    browser = page(None, problem(500, "internal"))
    start(browser, titles(120))
    browser.until_text("#trouble", "The service failed.")
    assert "50 of 120" in browser.text("#list-summary")
    browser.find("#continue").click()
    browser.until_text("#status", "120 titles classified.")
    assert browser.text("#trouble") == ""


def test_levels_and_matches(page, client):
    browser = page()
    browser.run("document.getElementById('level').value = 'major'; document.getElementById('top-n').value = 2")
    finish(browser, ["nurse", "cook"])
    results = client.classify({"postings": [{"title": "nurse"}, {"title": "cook"}], "level": "major", "top_n": 2})
    assert browser.texts("#rows td.code") == [result["matches"][0]["code"] for result in results]
    assert browser.run("return [...document.querySelectorAll('#rows details code')].map((e) => e.textContent)") == [
        result["matches"][1]["code"] for result in results]
