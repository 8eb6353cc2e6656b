"""JSON Schemas of openapi.yaml as HTML, for render_docs.py."""
import html
import json

import markdown

KNOWN = {"$ref", "type", "description", "enum", "const", "oneOf", "anyOf", "items", "properties", "required", "format",
         "default", "additionalProperties", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum",
         "pattern", "examples"}
BOUNDS = (("minimum", "at least {}"), ("maximum", "at most {}"), ("minLength", "at least {} characters"),
          ("maxLength", "at most {} characters"), ("minItems", "at least {} items"), ("maxItems", "at most {} items"))


def escape(text):
    return html.escape(str(text))


def check_known(node, known):
    if unknown := set(node) - known:
        raise ValueError(f"not known here: {', '.join(sorted(unknown))} in {json.dumps(node)[:200]}")


def code(value):
    return f"<code>{escape(value if isinstance(value, str) else json.dumps(value))}</code>"


def _kind(schema):
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f'<a href="#schema-{name}">{name}</a>'
    if "const" in schema:
        return "always " + code(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(code, schema["enum"]))
    if "oneOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["oneOf"])
    kind = schema.get("type", "object")
    if kind == "array":
        return "list of " + _kind(schema["items"])
    return " or ".join(kind) if isinstance(kind, list) else kind


def describe(schema):
    """One line: what it is and its bounds."""
    check_known(schema, KNOWN)
    parts = [_kind(schema)]
    parts += [words.format(f"{schema[name]:,}") for name, words in BOUNDS if name in schema]
    if "pattern" in schema:
        parts.append("matches " + code(schema["pattern"]))
    if "default" in schema:
        parts.append("default " + code(schema["default"]))
    return f'<span>{", ".join(parts)}</span>'


def _render_body(schema):
    """What follows the line: description, examples, members."""
    out = [markdown.render(schema.get("description", ""))]
    if examples := schema.get("examples"):
        out.append(f"<p>For example {', '.join(map(code, examples))}.</p>")
    if choices := [", ".join(map(code, choice["required"])) for choice in schema.get("anyOf", [])]:
        out.append(f"<p>Must have {' or '.join(choices)}.</p>")
    if properties := schema.get("properties"):
        out.append("<dl>")
        for name, member in properties.items():
            needed = " <em>required</em>" if name in schema.get("required", []) else ""
            inner = _render_body({key: value for key, value in member.items() if key != "$ref"})
            out.append(f"<dt>{code(name)} {describe(member)}{needed}</dt><dd>{inner}</dd>")
        out.append("</dl>")
    if isinstance(extra := schema.get("additionalProperties"), dict):
        out.append(f"<p>Members of any name: {describe(extra)}.</p>")
    if "items" in schema:
        out.append(_render_body({key: value for key, value in schema["items"].items() if key != "$ref"}))
    return "".join(out)


def render_schema(name, schema):
    return (f'<section class="card" id="schema-{name}" aria-labelledby="schema-{name}-heading">'
            f'<h3 id="schema-{name}-heading">{name}</h3><p>{describe(schema)}</p>{_render_body(schema)}</section>')
