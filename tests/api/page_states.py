"""What the pages are looked at in: states, widths, schemes; and answers for them. Needs no selenium, which may be missing."""

DESKTOP, PHONE = (1280, 900), (390, 844)
LOOKS = [(scheme, size) for scheme in ("light", "dark") for size in (DESKTOP, PHONE)]
STATES = ["empty", "single", "list", "trouble", "docs"]
LIST = "nurse\n---\ncook\nsoftware developer"


def problem(status, code, detail="", pointer=None, retry_after=None):
    """An answer for FAKE_FETCH."""
    body = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail, "request_id": "0123"}
    if pointer:
        body["pointer"] = pointer
    headers = {"Content-Type": "application/problem+json"} | ({"Retry-After": str(retry_after)} if retry_after else {})
    return [status, headers, body]


def open_state(browser, url, state):
    if state == "docs":
        browser.open(f"{url}/docs")
        browser.until(lambda: browser.find_all(".copied button"))
        browser.run("for (const e of document.querySelectorAll('details')) e.open = true")
        return
    browser.open(f"{url}/")
    browser.until(lambda: browser.text("#model"))
    if state == "single":
        browser.press("nurse")
        browser.until(lambda: browser.text("#status"))
    elif state == "list":
        browser.paste(LIST)
        browser.find("#classify").click()
        browser.until_text("#status", "4 titles classified.")
        browser.run("for (const e of document.querySelectorAll('details')) e.open = true")
    elif state == "trouble":
        browser.press("---")
        browser.until_text("#trouble", "does not accept")
