"""promtool on the rules, their unit tests and a live page; and a real Prometheus that scrapes a server and is asked it all."""
import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
import yaml

import harness
import monitoring
import watched

pytestmark = pytest.mark.skipif(not (shutil.which("promtool") and shutil.which("prometheus")),
                                reason="promtool and prometheus are not installed")


def promtool(*arguments, stdin=None):
    result = subprocess.run(["promtool", *map(str, arguments)], input=stdin, capture_output=True, text=True,
                            timeout=harness.TIMEOUT_S)
    return result.returncode, result.stdout + result.stderr


def test_rules():
    status, output = promtool("check", "rules", "--lint-fatal", monitoring.RULES)
    assert status == 0, output


def test_alerts_fire_and_do_not():
    status, output = promtool("test", "rules", monitoring.RULE_TESTS)
    assert status == 0, output


def test_alerts_are_really_tried(tmp_path):
    """With every alert out of reach the unit tests miss each of them."""
    document = yaml.safe_load(monitoring.RULES.read_text(encoding="utf-8"))
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = "vector(0) > 1"
    (tmp_path / monitoring.RULES.name).write_text(yaml.safe_dump(document), encoding="utf-8")
    shutil.copy(monitoring.RULE_TESTS, tmp_path)
    status, output = promtool("test", "rules", tmp_path / monitoring.RULE_TESTS.name)
    missed = set(re.findall(r"Jobcode\w+", output))
    assert status != 0 and missed == {alert["alert"] for alert in monitoring.alerts()}


def test_dashboard_parses(tmp_path):
    rules = [{"record": f"query:{number}", "expr": text} for number, (_, text, _) in enumerate(monitoring.queries())]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    status, output = promtool("check", "rules", path)
    assert status == 0, output


class Prometheus:
    """The program, on a port of its own choice, scraping one server."""

    def __init__(self, folder, server):
        config = {
            "global": {"scrape_interval": "200ms", "evaluation_interval": "200ms"},
            "rule_files": [str(monitoring.RULES)],
            "scrape_configs": [{"job_name": "jobcode", "authorization": {"credentials": watched.KEY},
                                "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.log = folder / "log"
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 "--web.listen-address=127.0.0.1:0", "--log.level=info"], stderr=log, stdout=subprocess.DEVNULL)
        self.port = None

    def __enter__(self):
        self.wait_for(self.find_port)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(harness.TIMEOUT_S)

    def find_port(self):
        found = re.search(r'msg="Listening on" address=127\.0\.0\.1:(\d+)', self.log.read_text(encoding="utf-8"))
        if found:
            self.port = int(found.group(1))
        return found and "Server is ready" in self.log.read_text(encoding="utf-8")

    def wait_for(self, condition):
        deadline = time.monotonic() + harness.TIMEOUT_S
        while not condition():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text(encoding="utf-8")
            time.sleep(0.05)

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=harness.TIMEOUT_S) as answer:
            return json.load(answer)["data"]

    def query(self, text):
        data = self.get("query", query=text)
        return data["result"] if data["resultType"] == "vector" else [{"metric": {}, "value": data["result"]}]

    def value(self, text):
        result = self.query(text)
        return float(result[0]["value"][1]) if result else None


@pytest.fixture(scope="module")
def prometheus(bundle, tmp_path_factory):
    """It has seen the server before any traffic, and after each of two rounds."""
    with watched.serve(bundle, tmp_path_factory.mktemp("keys")) as server, \
            Prometheus(tmp_path_factory.mktemp("prometheus"), server) as running:
        reloads = 'jobcode_model_reloads_total{result="unchanged"}'
        for number in range(3):
            running.wait_for(lambda number=number: running.value(reloads) == number)
            if number < 2:
                watched.make_traffic(server)
        running.wait_for(lambda: all(rule["health"] != "unknown" for rule in rules_of(running)))
        running.wait_for(lambda: all(running.query(name) for name in monitoring.recorded()))
        with server.client() as client:
            running.page = watched.metrics_text(client)
        yield running


def rules_of(prometheus):
    return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]


def test_metrics_are_conventional(prometheus):
    status, output = promtool("check", "metrics", stdin=prometheus.page)
    assert status == 0 and output == "", output


# Nothing to show, and rightly so, where all is well.
EMPTY = {"Reloads", "Restarts"}


def test_every_query_shows_something(prometheus):
    for where, text, legend in monitoring.queries():
        result = prometheus.query(text)
        assert (not result) == (where in EMPTY), f"{where}: {text}"
        for label in re.findall(r"\{\{(\w+)\}\}", legend):
            assert all(label in series["metric"] for series in result), f"{where}: {label} is not in the answer"


def test_rules_evaluate(prometheus):
    rules = rules_of(prometheus)
    assert len(rules) == len(monitoring.rules())
    for rule in rules:
        assert rule["health"] == "ok", rule
        assert rule.get("state") in (None, "inactive", "pending"), rule
