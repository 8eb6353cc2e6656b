#!/usr/bin/env python3
"""openapi.yaml as a page and as JSON: render_docs.py OPENAPI_YAML TEMPLATE DOCS_HTML OPENAPI_JSON. What it does not
know how to show stops the build: nothing of the contract is left out in silence."""
import html
import json
import pathlib
import sys

import yaml

sys.dont_write_bytecode = True  # the build leaves the source tree as it is
import markdown
from render_schema import check_known, describe, escape, render_schema

PUBLIC = "http://127.0.0.1:8080"  # of the samples
TAGS = {"classify": "Classify", "model": "Model", "operations": "Operations", "page": "Pages"}


def resolve(spec, node):
    while "$ref" in node:
        target = spec
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def as_json(value):
    return html.escape(json.dumps(value, indent=2, ensure_ascii=False))


def code_block(text, label):
    """text: HTML."""
    return f'<div class="copied"><pre aria-label="{escape(label)}"><code>{text}</code></pre></div>'


# ---- examples ----


def media_examples(media):
    """[(summary, value)]"""
    if "example" in media:
        return [("Example", media["example"])]
    return [(example.get("summary", name.replace("_", " ")), example["value"])
            for name, example in media.get("examples", {}).items()]


def render_samples(operation):
    """curl to be seen, other languages behind their names. The server's address is marked, for the page to put its own."""
    out = []
    for sample in operation["x-codeSamples"]:
        check_known(sample, {"lang", "label", "source"})
        source = html.escape(sample["source"].strip(), quote=False).replace(PUBLIC, f"<span data-origin>{PUBLIC}</span>")
        block = code_block(source, f"{sample['label']} {operation['operationId']}")
        is_shell = sample["lang"] == "Shell"
        out.append(block if is_shell else f"<details><summary>{escape(sample['label'])}</summary>{block}</details>")
    return "".join(out)


def render_examples(content, title):
    out = []
    for media in content.values():
        for i, (summary, value) in enumerate(media_examples(media)):
            is_open = " open" if title == "Answer" and i == 0 else ""
            text = html.escape(value) if isinstance(value, str) else as_json(value)
            out.append(f"<details{is_open}><summary>{title}: {escape(summary)}</summary>"
                       f"{code_block(text, summary)}</details>")
    return "".join(out)


# ---- operations ----


def common_parameters(spec):
    """Those of every operation: they are told once, with the headers."""
    lists = [operation["parameters"] for item in spec["paths"].values() for operation in item.values()]
    return [parameter for parameter in lists[0] if all(parameter in others for others in lists)]


def render_parameter(parameter):
    check_known(parameter, {"name", "in", "description", "schema", "required", "example"})
    return (f"<dt><code>{escape(parameter['name'])}</code> <span>in the {parameter['in']},</span> "
            f"{describe(parameter['schema'])}</dt><dd>{markdown.render(parameter['description'])}</dd>")


def render_parameters(operation, spec):
    common = common_parameters(spec)
    own = [resolve(spec, parameter) for parameter in operation["parameters"] if parameter not in common]
    return f"<h4>Parameters</h4><dl>{''.join(map(render_parameter, own))}</dl>" if own else ""


def render_request(operation):
    request = operation.get("requestBody")
    if not request:
        return ""
    check_known(request, {"description", "required", "content"})
    kinds = ", ".join(f"<code>{kind}</code>: {describe(media['schema'])}" for kind, media in request["content"].items())
    return f"<h4>Request</h4>{markdown.render(request.get('description', ''))}<p>{kinds}</p>" + render_examples(request["content"], "Request")


def render_answer(status, answer, spec):
    check_known(answer, {"description", "headers", "content"})
    content = answer.get("content", {})
    kinds = ", ".join(f"{describe(media['schema'])} <span>{escape(kind)}</span>" for kind, media in content.items())
    headers = ", ".join(f"<code>{escape(name)}</code>" for name in answer.get("headers", {}) if name != "X-Request-Id")
    return (f'<dt><strong class="status-{status[0]}xx">{status}</strong> {kinds}</dt><dd>'
            f"{markdown.render(answer['description'])}{f'<p>Headers: {headers}</p>' if headers else ''}"
            f"{render_examples(content, 'Answer')}</dd>")


def render_answers(operation, spec):
    answers = [(status, resolve(spec, answer)) for status, answer in operation["responses"].items()]
    good = [pair for pair in answers if pair[0] < "300"]
    other = [pair for pair in answers if pair[0] >= "300"]
    rendered_good, rendered_other = ("".join(render_answer(*pair, spec) for pair in pairs) for pairs in (good, other))
    return (f"<h4>Answers</h4><dl>{rendered_good}</dl><details><summary>Other answers: "
            f"{', '.join(status for status, _ in other)}</summary><dl>{rendered_other}</dl></details>")


def key_words(operation):
    return "Wants a key, where the operator asks for keys." if operation["security"] else "Wants no key."


def render_operation(path, method, operation, spec):
    check_known(operation, {"tags", "operationId", "security", "summary", "description", "parameters", "requestBody",
                            "responses", "x-codeSamples"})
    name = operation["operationId"]
    return (f'<section class="card operation" id="{name}" aria-labelledby="{name}-heading"><h3 id="{name}-heading">'
            f'<span class="method">{method.upper()}</span> <code>{escape(path)}</code></h3>'
            f"<p class=\"summary\">{markdown.inline(operation['summary'])}</p>"
            f"{markdown.render(operation.get('description', ''))}"
            f"{render_samples(operation)}"
            f"<p class=\"hint\">{key_words(operation)}</p>"
            f"{render_parameters(operation, spec)}{render_request(operation)}{render_answers(operation, spec)}"
            "</section>")


def operations_of(spec, tag):
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if operation["tags"] == [tag]:
                yield path, method, operation


def render_operations(spec):
    out = []
    for tag in spec["tags"]:
        out.append(f'<h2 id="tag-{tag["name"]}">{TAGS[tag["name"]]}</h2>')
        out += [render_operation(*row, spec) for row in operations_of(spec, tag["name"])]
    return "\n".join(out)


def render_contents(spec):
    out = []
    for tag in spec["tags"]:
        links = "".join(f'<li><a href="#{operation["operationId"]}"><span class="method">{method.upper()}</span> '
                        f"{escape(path)}</a></li>" for path, method, operation in operations_of(spec, tag["name"]))
        is_open = "" if tag["name"] == "page" else " open"
        out.append(f"<details{is_open}><summary>{TAGS[tag['name']]}</summary><ul>{links}</ul></details>")
    links = "".join(f'<li><a href="#schema-{name}">{name}</a></li>' for name in spec["components"]["schemas"])
    return "".join(out) + f"<details><summary>Schemas</summary><ul>{links}</ul></details>"


def render_headers(spec):
    """Of every request, then of answers."""
    common = "".join(render_parameter(resolve(spec, parameter)) for parameter in common_parameters(spec))
    return common + "".join(f"<dt><code>{escape(name)}</code> {describe(header['schema'])}</dt>"
                   f"<dd>{markdown.render(header['description'])}</dd>"
                   for name, header in spec["components"]["headers"].items())


def main():
    source, template, docs, openapi_json = map(pathlib.Path, sys.argv[1:])
    spec = yaml.safe_load(source.read_text(encoding="utf-8"))
    check_known(spec, {"openapi", "info", "servers", "tags", "paths", "components"})
    parts = {
        "description": markdown.render(spec["info"]["description"]),
        "summary": escape(spec["info"]["summary"]),
        "contents": render_contents(spec),
        "operations": render_operations(spec),
        "headers": render_headers(spec),
        "schemas": "\n".join(render_schema(name, schema) for name, schema in spec["components"]["schemas"].items()),
    }
    page = template.read_text(encoding="utf-8")
    for name, text in parts.items():
        assert page.count(f"{{{{{name}}}}}") == 1, name
        page = page.replace(f"{{{{{name}}}}}", text)
    docs.write_text(page, encoding="utf-8")
    openapi_json.write_text(json.dumps(spec, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
