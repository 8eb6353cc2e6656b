"""openapi.yaml is OpenAPI, says all it should, and is what the program does: routes, problem codes, limits, examples; and
it is what the server sends. test_contract_statuses.py drives what it documents."""
import re
import subprocess

import pytest
import yaml

from harness import ROOT, SPEC, TIMEOUT_S, resolve, validate


def walk(node):
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def operations():
    for path, item in SPEC["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def test_routes_are_the_table():
    source = (ROOT / "src/server/api/routes.c").read_text(encoding="utf-8")
    table = re.findall(r'^    \{"([A-Z]+)", "([^"]+)", \w+, (true|false), ', source, re.MULTILINE)
    assert len(table) >= 9
    # The row of every path is not one of the document's, nor is what the page loads.
    table = [row for row in table if not row[1].endswith("*")]
    assert {(method, path) for method, path, _ in table} == {(method, path) for method, path, _ in operations()}
    for method, path, has_body in table:
        assert ("requestBody" in SPEC["paths"][path][method.lower()]) == (has_body == "true")


def test_is_valid_openapi():
    tool = ROOT / ".cache/api-tools/bin/openapi-spec-validator"
    if not tool.exists():
        pytest.skip(f"{tool} is not there (scripts/lib.sh: install_tools)")
    result = subprocess.run([tool, ROOT / "openapi.yaml"], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert result.returncode == 0, result.stdout + result.stderr


def problem_table():
    """(status, code, title)"""
    source = (ROOT / "src/server/api/problem.c").read_text(encoding="utf-8")
    table = re.findall(r'\{(\d{3}), "([a-z_]+)", "([^"]+)"', source)
    assert len(table) >= 14
    return [(int(status), code, title) for status, code, title in table]


def test_problem_codes_are_the_table():
    code = SPEC["components"]["schemas"]["Problem"]["properties"]["code"]
    assert code["enum"] == [code for _, code, _ in problem_table()]
    assert sorted(re.findall(r"`([a-z_]+)`", code["description"])) == sorted([*code["enum"], "request_id"])


def test_every_problem_has_an_example():
    examples = [node for node in walk(SPEC) if isinstance(node, dict) and "request_id" in node and "code" in node]
    shown = {(example["status"], example["code"], example["title"]) for example in examples
             if isinstance(example["code"], str)}
    assert shown == set(problem_table())


def test_all_is_described():
    """Operations, parameters, answers; and an example of every body."""
    tags = {tag["name"] for tag in SPEC["tags"] if tag["description"]}
    for method, path, operation in operations():
        where = f"{method} {path}"
        assert operation["summary"] and operation["description"] and set(operation["tags"]) <= tags, where
        parameters = [resolve(parameter) for parameter in operation["parameters"]]
        assert all(parameter["description"] for parameter in parameters), where
        assert {"X-Request-Id", "traceparent"} <= {parameter["name"] for parameter in parameters}, where
        for status, response in operation["responses"].items():
            response = resolve(response)
            assert response["description"], f"{where} {status}"
            assert "X-Request-Id" in response.get("headers", {}) or status in ("414", "431"), f"{where} {status}"
            for media, content in response.get("content", {}).items():
                assert "example" in content or "examples" in content, f"{where} {status} {media}"


def test_limits_are_the_defaults():
    config = yaml.safe_load((ROOT / "config/server.yaml").read_text(encoding="utf-8"))
    schemas = SPEC["components"]["schemas"]
    assert schemas["PostingList"]["properties"]["postings"]["maxItems"] == config["limits"]["postings"]
    assert schemas["Title"]["maxLength"] == config["limits"]["title_chars"]
    assert schemas["Body"]["maxLength"] == config["limits"]["text_chars"]
    assert schemas["TopN"]["maximum"] == config["limits"]["top_n"]
    assert schemas["TopN"]["default"] == config["model"]["top_n"]
    assert config["limits"]["body"] == "8MiB" and "8 MiB" in SPEC["components"]["responses"]["BodyTooLarge"]["description"]


def test_references_resolve_and_nothing_is_unused():
    references = {node["$ref"] for node in walk(SPEC) if isinstance(node, dict) and "$ref" in node}
    for reference in references:
        resolve({"$ref": reference})
    named = {f"#/components/{kind}/{name}" for kind, entries in SPEC["components"].items() for name in entries}
    # Those that no operation answers: they are for paths and methods that are not documented. Schemes go by name.
    assert named - references == {f"#/components/{name}" for name in (
        "responses/NotFound", "responses/MethodNotAllowed", "responses/Options", "securitySchemes/bearer", "securitySchemes/apiKey")}


def test_operations_have_distinct_ids():
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))


def test_examples_are_valid():
    count = 0
    for node in walk(SPEC):
        if not isinstance(node, dict) or not isinstance(node.get("schema"), dict):
            continue
        examples = [example["value"] for example in node.get("examples", {}).values()]
        examples += [node["example"]] if "example" in node else []
        for example in examples:
            validate(example, node["schema"])
            count += 1
    assert count >= 8


def test_request_examples_work(client):
    for example in SPEC["paths"]["/v1/classify"]["post"]["requestBody"]["content"]["application/json"]["examples"].values():
        postings = example["value"].get("postings", [example["value"]])
        results = client.classify(example["value"])
        assert [result.get("id") for result in results] == [posting.get("id") for posting in postings]


def test_server_sends_the_file(client):
    answer = client.get("/openapi.yaml")
    assert answer.body == (ROOT / "openapi.yaml").read_bytes()


def test_every_get_route_answers(client):
    for method, path, operation in operations():
        if method == "GET":
            query = {parameter["name"]: parameter["example"] for parameter in operation.get("parameters", [])
                     if "example" in parameter}
            assert client.get(path, **query).status == 200


def test_security_headers(client):
    for path in SPEC["paths"]:
        headers = client.request("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == ("no-cache" if "etag" in headers else "no-store")
