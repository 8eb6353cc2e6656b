"""The files of the pages over HTTP: each is what the source tree has, may be kept, and is asked for again cheaply."""
import gzip
import hashlib
import html.parser
import re
import shutil
import subprocess

import pytest

from harness import ROOT, SPEC, TIMEOUT_S, Server

PAGES = ROOT / "src/server/page"
FILES = {f"/page/{file.name}": file for kind in ("*.js", "*.css", "*.svg") for file in sorted(PAGES.glob(kind))}
FILES |= {"/": PAGES / "index.html", "/openapi.yaml": ROOT / "openapi.yaml"}
MADE = ["/docs", "/openapi.json"]


def raw_get(server, target, headers="", method="GET"):
    with server.raw() as raw:
        raw.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        return raw.read(method)


@pytest.mark.parametrize("path", FILES)
def test_files_are_the_source(client, path):
    answer = client.get(path)
    assert answer.body == FILES[path].read_bytes()
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'


@pytest.mark.parametrize("path", [*FILES, *MADE])
def test_headers(client, path):
    for method in ("GET", "HEAD"):
        headers = client.request(method, path).headers
        assert headers["cache-control"] == "no-cache" and headers["vary"] == "Accept-Encoding"
        assert headers["x-content-type-options"] == "nosniff"
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/docs", "/page/style.css", "/page/icon.svg"])
def test_revalidation(server, path):
    """Each coding has its tag; a 304 has the headers of the 200, and no body."""
    for coding in ("", "Accept-Encoding: gzip\r\n"):
        full = raw_get(server, path, coding)
        tag = full.headers["etag"]
        assert full.status == 200 and ("content-encoding" in full.headers) == tag.endswith('-gzip"')
        for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            with server.raw() as raw:
                request = f"GET {path} HTTP/1.1\r\nHost: x\r\n{coding}If-None-Match: {condition}\r\n\r\n".encode()
                raw.send(request + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                kept = raw.read("HEAD")
                assert kept.status == 304 and kept.headers["etag"] == tag
                assert raw.read().json() == {"status": "live"}  # the connection is in step
            for name in ("cache-control", "vary", "content-security-policy"):
                assert kept.headers[name] == full.headers[name]
            assert "content-type" not in kept.headers
        for condition in ('"other"', tag.strip('"'), ""):
            assert raw_get(server, path, f"{coding}If-None-Match: {condition}\r\n").status == 200
        assert raw_get(server, path, f"{coding}If-None-Match: {tag}\r\n", "HEAD").status == 304


def test_the_tag_of_another_coding_is_another(server):
    plain, zipped = (raw_get(server, "/", coding) for coding in ("", "Accept-Encoding: gzip\r\n"))
    assert plain.headers["etag"] != zipped.headers["etag"] and gzip.decompress(zipped.body) == plain.body
    assert raw_get(server, "/", f"If-None-Match: {zipped.headers['etag']}\r\n").status == 200


@pytest.mark.parametrize("path", ["/page/", "/page/app.mjs", "/page/../app.js", "/page/index.html"])
def test_no_other_files(client, path):
    assert client.get(path).status == 404


def test_documented_304(client):
    for path in [*FILES, *MADE]:
        tag = client.get(path).headers["etag"]
        assert client.request("GET", path, headers={"If-None-Match": tag}).status == 304


def test_others_are_not_kept(client):
    for path in ("/livez", "/v1/model", "/nothing"):
        answer = client.request("GET", path, headers={"If-None-Match": "*"})
        assert answer.status != 304 and "etag" not in answer.headers and answer.headers["cache-control"] == "no-store"


def test_a_refused_page_is_no_page(client):
    answer = client.request("GET", "/", headers={"Accept": "image/png"})
    assert answer.status == 406 and "etag" not in answer.headers
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert client.request("POST", "/", b"{}").status == 405


def test_pages_want_no_key_and_are_on_the_public_listener(bundle, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"someone:{hashlib.sha256(b'key').hexdigest()}\n", encoding="ascii")
    sets = (f"auth.keys_file={keys}", "admin.address=127.0.0.1", "admin.port=0")
    with Server(bundle, *sets) as server, server.client() as client, server.admin() as admin:
        assert client.get("/v1/model").status == 401
        for path in [*FILES, *MADE]:
            assert client.get(path).status == 200
        admin.connection.request("GET", "/")
        response = admin.connection.getresponse()
        response.read()
        assert response.status == 404


def test_openapi_json_is_the_same_document(client):
    assert client.get("/openapi.json").json() == SPEC


# ---- /docs without a browser ----


class Page(html.parser.HTMLParser):
    """Ids, references to them, and the text of the first <pre> of each operation."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.curls, self.text, self.in_pre = [], [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if attributes.get("href", "").startswith("#"):
            self.links.append(attributes["href"][1:])
        if tag == "pre":
            self.in_pre = attributes.get("aria-label", "").startswith("curl ")
            if self.in_pre:
                self.curls.append("")

    def handle_endtag(self, tag):
        self.in_pre &= tag != "pre"

    def handle_data(self, data):
        self.text.append(data)
        if self.in_pre:
            self.curls[-1] += data


@pytest.fixture
def docs(client):
    return Page(client.get("/docs").body.decode())


def test_docs_are_complete(docs):
    """Every operation, status, parameter and schema; no name twice; no link to nothing."""
    text = "".join(docs.text)
    operations = [operation for item in SPEC["paths"].values() for operation in item.values()]
    assert len(docs.ids) == len(set(docs.ids)) and set(docs.links) <= set(docs.ids)
    assert {operation["operationId"] for operation in operations} <= set(docs.ids)
    assert {f"schema-{name}" for name in SPEC["components"]["schemas"]} <= set(docs.ids)
    for schema in SPEC["components"]["schemas"].values():
        assert all(name in text for name in schema.get("properties", {}))
    for operation in operations:
        assert operation["summary"] in text and all(status in text for status in operation["responses"])
    assert len(docs.curls) == len(operations) and "{{" not in text


def test_curl_examples_run(bundle, docs):
    """What /docs says to type gets what openapi.yaml says."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    with Server(bundle, "admin.address=127.0.0.1", "admin.port=0") as server:
        for command in docs.curls:
            command = command.replace(":8080", f":{server.port}").replace(":8081", f":{server.admin_port}")
            command += " -s -S -o /dev/null -w '%{http_code}'"
            result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=TIMEOUT_S)
            assert (result.stdout, result.stderr) == ("200", ""), command


def test_nothing_comes_from_elsewhere():
    """The one address of another host is that of the links to occupations; the namespace of SVG is a name."""
    for path in PAGES.glob("*.*"):
        if path.suffix in (".html", ".js", ".css", ".svg"):
            found = set(re.findall(r"https?://[^/\"'`\s]+", path.read_text(encoding="utf-8")))
            assert found <= {"https://www.onetonline.org", "http://www.w3.org"}, path
