"""The dashboard and the alerts ask for nothing that a live server does not export, and leave nothing out."""
import re

import pytest
import yaml

import monitoring
import watched
from monitoring import SCRAPE_LABELS, SYNTHETIC, Expression

# Exported, and on no panel on purpose: why.
NOT_SHOWN = {
    "process_virtual_memory_bytes": "address space, not memory: a sanitizer's is terabytes",
}


@pytest.fixture(scope="module")
def page(bundle, tmp_path_factory):
    with watched.serve(bundle, tmp_path_factory.mktemp("keys")) as server:
        watched.make_traffic(server)
        with server.client() as client:
            yield monitoring.Page(watched.metrics_text(client))


def expressions():
    for where, text, _ in monitoring.queries():
        yield where, Expression(text)
    for rule in monitoring.rules():
        yield rule.get("alert") or rule["record"], Expression(rule["expr"])


def check_matcher(page, where, metric, label, how, value):
    assert label in page.labels(metric), f"{where}: {metric} has no label {label}"
    if label in SCRAPE_LABELS or how in ("!=", "!~"):
        return
    values = {labels.get(label) for labels in page.samples[metric]}
    if how == "=":
        assert value in values, f"{where}: {metric} has no {label}={value}"
    else:
        assert any(re.fullmatch(value, other or "") for other in values), f"{where}: nothing is {label}=~{value}"
        # Each of a list of names exists.
        names = value.split("|") if re.fullmatch(r"[\w|]+", value) else []
        assert set(names) <= values, f"{where}: {set(names) - values}"


def test_names_exist(page):
    known = monitoring.recorded()
    n_selectors = 0
    for where, expression in expressions():
        labels = set(SCRAPE_LABELS)
        for metric, matchers in expression.selectors:
            n_selectors += 1
            if metric in SYNTHETIC | known:
                continue
            assert metric in page.samples, f"{where}: there is no {metric}"
            labels |= page.labels(metric)
            for matcher in matchers:
                check_matcher(page, where, metric, *matcher)
        assert expression.selectors and expression.labels <= labels, f"{where}: {expression.labels - labels}"
    assert n_selectors > 100


def test_everything_is_shown(page):
    shown = {page.family(metric) for _, text, _ in monitoring.queries() for metric, _ in Expression(text).selectors}
    assert set(page.kinds) == {page.family(name) for name in page.samples}
    assert not shown & set(NOT_SHOWN)
    assert set(page.kinds) - shown == set(NOT_SHOWN)


def test_a_name_that_is_not_there_is_noticed(page):
    expression = Expression('sum by (job, le) (rate(jobcode_nope_bucket{reason=~"a|b",code!="x"}[5m])) / on (job) up > 1e-3 or vector(0)')
    assert expression.selectors == [("jobcode_nope_bucket", [("reason", "=~", "a|b"), ("code", "!=", "x")]), ("up", [])]
    assert expression.labels == {"job", "le"}
    with pytest.raises(AssertionError, match="has no label colour"):
        check_matcher(page, "here", "jobcode_requests_refused_total", "colour", "=", "red")
    with pytest.raises(AssertionError, match="has no reason=nope"):
        check_matcher(page, "here", "jobcode_requests_refused_total", "reason", "=", "nope")
    with pytest.raises(AssertionError, match="nope"):
        check_matcher(page, "here", "jobcode_requests_refused_total", "reason", "=~", "internal|nope")


def test_panels():
    document = monitoring.dashboard()
    rows = [panel["title"] for panel in document["panels"] if panel["type"] == "row"]
    assert rows == ["Overview", "Traffic and errors", "Latency by stage", "Batching and queue", "Admission and refusals",
                    "Cache", "Model and reloads", "Process", "GPUs"]
    variables = {variable["name"]: variable for variable in document["templating"]["list"]}
    assert set(variables) == {"datasource", "job", "instance"} and variables["datasource"]["type"] == "datasource"
    ids = [panel["id"] for panel in document["panels"]]
    assert len(ids) == len(set(ids)) and document["uid"]
    titles = [panel["title"] for panel in monitoring.panels()]
    assert len(titles) == len(set(titles))
    taken = set()
    for panel in document["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, f'{panel["title"]} lies on another panel'
        taken |= cells
    for panel in monitoring.panels():
        assert panel["fieldConfig"]["defaults"]["unit"] and panel["description"].endswith("."), panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}" and panel["targets"]
        for target in panel["targets"]:
            assert target["legendFormat"] and target["datasource"]["uid"] == "${datasource}", panel["title"]
            for _, matchers in Expression(monitoring.fill_in(target["expr"])).selectors:
                assert {"job", "instance"} <= {label for label, _, _ in matchers}, f'{panel["title"]}: all servers at once'


def test_alerts_say_what_to_do():
    names = [alert["alert"] for alert in monitoring.alerts()]
    assert len(names) == len(set(names)) and len(names) >= 20
    for alert in monitoring.alerts():
        name = alert["alert"]
        assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}, name
        assert alert["labels"] in ({"severity": "critical"}, {"severity": "warning"}), name
        assert set(alert["annotations"]) == {"summary", "description"}, name
        assert len(alert["annotations"]["description"]) > 80, f"{name}: and then?"
        for other in re.findall(r"Jobcode\w+", alert["annotations"]["description"]):
            assert other in names, f"{name} sends people to {other}"


def labels_left(expression):
    """Of what an alert finds: those it groups by, or those that a recorded name begins with, or where it was scraped."""
    levels = {metric.split(":")[0] for metric, _ in expression.selectors if ":" in metric}
    return expression.labels or levels or SCRAPE_LABELS


def test_alerts_name_labels_that_are_left():
    for alert in monitoring.alerts():
        wanted = {label for text in alert["annotations"].values() for label in re.findall(r"\$labels\.(\w+)", text)}
        assert wanted <= labels_left(Expression(alert["expr"])), alert["alert"]


def test_every_alert_is_tried():
    """Each fires in a case of alerts_test.yaml, and in the first one, where all is well, has what it looks at."""
    cases = yaml.safe_load(monitoring.RULE_TESTS.read_text(encoding="utf-8"))["tests"]
    firing = {sample["labels"] for case in cases for check in case.get("promql_expr_test", ())
              for sample in check.get("exp_samples", ())}
    assert firing == {'{alertname="%s"}' % alert["alert"] for alert in monitoring.alerts()}
    well = cases[0]
    assert all("exp_samples" not in check for check in well["promql_expr_test"])
    present = {re.match(r"[\w:]+", series["series"]).group() for series in well["input_series"]} | monitoring.recorded()
    for rule in monitoring.rules():
        missing = {metric for metric, _ in Expression(rule["expr"]).selectors} - present
        assert not missing, f"{rule}: {missing}"
