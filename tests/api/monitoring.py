"""What deploy/monitoring says, taken apart: the dashboard's panels, the rules, and the metrics and labels of an expression."""
import json
import re

import yaml

import harness

FOLDER = harness.ROOT / "deploy/monitoring"
RULES, RULE_TESTS = FOLDER / "alerts.yaml", FOLDER / "alerts_test.yaml"

# Prometheus's own: no server exports these.
SYNTHETIC = {"up"}
SCRAPE_LABELS = {"job", "instance"}

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|[0-9.]+(?:[eE][-+]?\d+)?|[=!<>]=|[=!]~|\S')
_LABEL_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = _LABEL_LISTS | {"and", "or", "unless", "bool", "offset"}


class Expression:
    """selectors: (metric, [(label, operator, value)]); labels: those it groups or matches by."""

    def __init__(self, text):
        self.text, self.selectors, self.labels = text, [], set()
        tokens = _TOKEN.findall(text) + [""]
        at = 0
        while at < len(tokens) - 1:
            at = self._take(tokens, at)

    def _take(self, tokens, at):
        token, following = tokens[at], tokens[at + 1]
        assert token != "{", f"a selector without a name: {self.text}"
        if token in _LABEL_LISTS and following == "(":
            end = tokens.index(")", at)
            self.labels.update(label for label in tokens[at + 2:end] if label != ",")
            return end + 1
        if not re.fullmatch(r"[a-zA-Z_:][\w:]*", token) or token in _WORDS or following in ("(", "by", "without"):
            return at + 1
        matchers = []
        if following == "{":
            end = tokens.index("}", at)
            inside = [part for part in tokens[at + 2:end] if part != ","]
            matchers = [(label, how, json.loads(value)) for label, how, value in zip(*[iter(inside)] * 3, strict=True)]
            at = end - 1
        self.selectors.append((token, matchers))
        return at + 2 if following == "{" else at + 1


class Page:
    """/metrics: families with their kind, samples by name with the label sets they have."""

    def __init__(self, text):
        self.kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
        self.samples = {}
        for name, labels in re.findall(r"^([a-zA-Z_]\w*)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
            pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)
            self.samples.setdefault(name, []).append({label: json.loads(f'"{value}"') for label, value in pairs})

    def family(self, name):
        bare = re.sub(r"_(bucket|sum|count)$", "", name)
        return bare if self.kinds.get(bare) == "histogram" else name

    def labels(self, name):
        return {label for labels in self.samples[name] for label in labels} | SCRAPE_LABELS


def dashboard():
    return json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def fill_in(text):
    """Grafana's variables, as it would."""
    return text.replace("$__rate_interval", "5m").replace("$job", ".+").replace("$instance", ".+")


def queries():
    """(where, expression, legend) of all the dashboard asks."""
    document = dashboard()
    for panel in panels():
        for target in panel["targets"]:
            yield f'{panel["title"]} {target["refId"]}', fill_in(target["expr"]), target["legendFormat"]
    for annotation in document["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["name"], fill_in(annotation["expr"]), annotation["textFormat"]


def rules():
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def recorded():
    return {rule["record"] for rule in rules() if "record" in rule}
