"""The little of Markdown that openapi.yaml's descriptions use, as HTML: paragraphs, lists, indented code, `code` and
**strong**."""
import html
import re

_INLINE = re.compile(r"``(?P<long>.+?)``|`(?P<code>[^`]+)`|\*\*(?P<strong>.+?)\*\*")
_UNKNOWN = re.compile(r"^(#|>|\d+\. |\||```)|!?\[[^]]*\]\(", re.MULTILINE)


def inline(text):
    out, at = [], 0
    for match in _INLINE.finditer(text):
        out.append(html.escape(text[at:match.start()]))
        name, inner = match.lastgroup, match.group(match.lastgroup)
        tag = "strong" if name == "strong" else "code"
        out.append(f"<{tag}>{inline(inner) if tag == 'strong' else html.escape(inner)}</{tag}>")
        at = match.end()
    return "".join(out) + html.escape(text[at:])


def _block(text):
    if text.startswith("    "):
        code = "\n".join(line[4:] for line in text.splitlines())
        return f"<pre><code>{html.escape(code)}</code></pre>"
    if text.startswith("- "):
        items = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
        return "<ul>" + "".join(f"<li>{inline(' '.join(item.split()))}</li>" for item in items) + "</ul>"
    return f"<p>{inline(' '.join(text.split()))}</p>"


def render(text):
    """Refuses what it would not show as it is meant."""
    if unknown := _UNKNOWN.search(re.sub(r"`[^`]*`", "", text)):
        raise ValueError(f"Markdown that is not known here: {unknown.group()!r} in {text!r}")
    return "\n".join(_block(block) for block in re.split(r"\n[ ]*\n", text.strip("\n").rstrip()) if block.strip())
