"""What the tests of the pages share: headless Chromium, its log and its network, and answers put in the service's place."""
import json
import os
import pathlib
import tempfile
import time

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from harness import TIMEOUT_S
from page_states import LOOKS, PHONE

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"

# Stands before fetch: classifications meet the listed answers first, [status, headers, body] each, or "hang" until they are
# aborted; null, and what comes after the list, goes to the service. So does the question for the model, with a list of its
# own. window.calls keeps what was asked, window.troubles what stood in the place for troubles, each time the texts of its
# nodes: a wait may be over before anyone looks.
FAKE_FETCH = """
window.calls = [];
window.answers = ANSWERS;
window.modelAnswers = MODEL;
const real = window.fetch;
window.fetch = async (path, options = {}) => {
  if (path === "/v1/classify") {
    const call = { body: JSON.parse(options.body), headers: { ...options.headers }, aborted: false };
    window.calls.push(call);
    options.signal.addEventListener("abort", () => { call.aborted = true; });
  }
  const answer = (path === "/v1/classify" ? window.answers : window.modelAnswers).shift();
  if (!answer) return real(path, options);
  if (answer === "hang") return new Promise((_, reject) => options.signal.addEventListener("abort",
    () => reject(options.signal.reason)));
  if (answer === "unreachable") throw new TypeError("Failed to fetch");
  const [status, headers, body] = answer;
  return new Response(JSON.stringify(body), { status, headers });
};
window.troubles = [];
new MutationObserver(() => {
  const texts = [...(document.getElementById("trouble")?.childNodes ?? [])].map((node) => node.textContent.trim());
  if (texts.length && String(texts) !== String(window.troubles.at(-1))) window.troubles.push(texts);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


class Browser:
    def __init__(self):
        for program in (CHROMIUM, DRIVER):
            if not os.path.exists(program):
                pytest.skip(f"{program} is not installed")
        self.downloads = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        arguments = ["--headless=new", "--disable-dev-shm-usage", "--disable-background-networking", "--lang=en"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # it has none for root
        for argument in arguments:
            options.add_argument(argument)
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_script_timeout(TIMEOUT_S)
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads.name)
        self.look(*LOOKS[0])
        self.script_id = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        self.downloads.cleanup()

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def look(self, scheme, size):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.cdp("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=size == PHONE)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=size == PHONE)

    def open(self, url, answers=(), model_answers=()):
        """A fresh page, also where only what is behind the # differs."""
        if self.script_id:
            self.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=self.script_id)
        source = FAKE_FETCH.replace("ANSWERS", json.dumps(list(answers))).replace("MODEL", json.dumps(list(model_answers)))
        self.script_id = self.cdp("Page.addScriptToEvaluateOnNewDocument", source=source)["identifier"]
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def run_async(self, script, *arguments):
        """script: an expression, awaited; arguments[i] are its arguments."""
        return self.driver.execute_async_script(
            f"const done = arguments[arguments.length - 1]; ({script})(...arguments).then(done, (e) => done('error: ' + e))",
            *arguments)

    def until(self, condition, message=""):
        return WebDriverWait(self.driver, TIMEOUT_S, poll_frequency=0.05).until(lambda _: condition(), message)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText.trim())", selector)

    def text(self, selector):
        texts = self.texts(selector)
        return texts[0] if texts else ""

    def until_text(self, selector, part):
        self.until(lambda: part in self.text(selector), f"no {part!r} in {selector}")

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def press_with(self, modifier, key):
        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def tab(self):
        """Goes on to what the keyboard reaches next; returns its id or text, and sees that its focus shows."""
        self.press(Keys.TAB)
        name, outline = self.run("""const e = document.activeElement, s = getComputedStyle(e);
            return [e.id || e.innerText.trim(), s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2]""")
        assert outline, f"the focus on {name!r} is not visible"
        return name

    def paste(self, text):
        """As from the clipboard: at once, where the focus is."""
        self.cdp("Input.insertText", text=text)

    def calls(self):
        return self.run("return window.calls")

    def troubles(self):
        return self.run("return window.troubles")

    def console_errors(self):
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requested_urls(self):
        """Since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def downloaded(self, name):
        path = pathlib.Path(self.downloads.name) / name
        deadline = time.monotonic() + TIMEOUT_S
        while not path.exists():
            assert time.monotonic() < deadline, f"{name} was not downloaded"
            time.sleep(0.05)
        data = path.read_bytes()
        path.unlink()
        return data
