"""The pages in Chromium by rules that are not about one of them: widths, origins, other people's pages."""
import http.server
import threading

import pytest

from harness import Server
from page_states import LOOKS, STATES, open_state


@pytest.mark.parametrize("state", STATES)
def test_fits_its_width(any_look, server, state):
    for scheme, size in LOOKS[:2]:
        any_look.look(scheme, size)
        open_state(any_look, f"http://127.0.0.1:{server.port}", state)
        width, window = any_look.run("return [document.documentElement.scrollWidth, innerWidth]")
        assert width <= window == size[0]


def test_dark_is_dark(any_look, server):
    def brightness():
        return sum(int(part) for part in any_look.run(
            "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)"))
    for path in ("/", "/docs"):
        any_look.open(f"http://127.0.0.1:{server.port}{path}")
        any_look.look("light", LOOKS[0][1])
        light = brightness()
        any_look.look("dark", LOOKS[0][1])
        assert brightness() < 150 < 600 < light


def test_docs_stay_with_their_server(browser, server):
    url = f"http://127.0.0.1:{server.port}"
    browser.open(f"{url}/docs")
    browser.until(lambda: f"{url}/v1/classify" in browser.text("#classify pre"))
    assert "http://127.0.0.1:8081/admin/reload" in browser.text("#reload pre")
    assert browser.console_errors() == []
    urls = browser.requested_urls()
    assert len(urls) >= 5 and all(address.startswith((f"{url}/", "about:")) for address in urls)


def test_docs_with_the_keyboard(browser, server):
    from selenium.webdriver.common.keys import Keys
    browser.open(f"http://127.0.0.1:{server.port}/docs")
    assert browser.tab() == "Skip to the interface"
    browser.press(Keys.ENTER)
    assert browser.run("return document.activeElement.id") == "main"
    assert browser.tab() == "openapi.yaml"


def test_policy_holds(browser, server):
    """What the page may not do it cannot do: other hosts, inline scripts, markup made of text."""
    browser.open(f"http://127.0.0.1:{server.port}/")
    refused = browser.run_async("""async () => {
      const seen = [];
      document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
      await fetch("http://127.0.0.2:1/").catch(() => {});
      document.head.append(Object.assign(document.createElement("style"), { textContent: "body { color: red }" }));
      document.head.append(Object.assign(document.createElement("img"), { src: "http://127.0.0.2:1/x.png" }));
      try { document.body.innerHTML = "<b>x</b>"; } catch (e) { seen.push(e.name); }
      await new Promise((resolve) => setTimeout(resolve, 100));
      return seen.sort();
    }""")
    assert {"connect-src", "style-src-elem", "img-src", "TypeError"} <= set(refused)
    browser.console_errors()


# ---- pages of other origins ----


class Blank(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<!doctype html><title>another site</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def sites():
    """The origins of two other sites."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blank) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


FETCH = """async (url) => {
  const response = await fetch(url + "/v1/classify", { method: "POST", body: '{"title": "nurse"}',
    headers: { "Content-Type": "application/json", "X-API-Key": "key" } });
  const answer = await response.json();
  return [response.status, answer.results[0].matches[0].code, response.headers.get("X-Request-Id") !== null,
    response.headers.get("Server-Timing") !== null, response.headers.get("ETag")];
}"""

FETCH_PROBLEM = """async (url) => {
  const response = await fetch(url + "/v1/classify?title=---");
  return [response.status, (await response.json()).code];
}"""


def test_cors_as_a_browser_does_it(browser, bundle, sites):
    """The allowed origin reads answers and problems, preflight and all; another one, and no origin configured, read nothing."""
    allowed, other = sites
    with Server(bundle, f"cors.origins={allowed}") as server, server.client() as client:
        url, code = f"http://127.0.0.1:{server.port}", client.classify({"title": "nurse"})[0]["matches"][0]["code"]
        browser.open(allowed)
        assert browser.run_async(FETCH, url) == [200, code, True, True, None]
        assert browser.run_async(FETCH_PROBLEM, url) == [422, "empty_text"]
        browser.open(other)
        for script in (FETCH, FETCH_PROBLEM):
            assert browser.run_async(script, url) == "error: TypeError: Failed to fetch"
        assert any("CORS policy" in message for message in browser.console_errors())
    with Server(bundle) as server:
        browser.open(allowed)
        assert browser.run_async(FETCH_PROBLEM, f"http://127.0.0.1:{server.port}") == "error: TypeError: Failed to fetch"
