"""What the API tests share: the server as a process, a client whose every answer is held against openapi.yaml, raw sockets."""
import http.client
import json
import math
import os
import pathlib
import random
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.parse

import jsonschema
import yaml

SERVER = os.environ["JOBCODE_SERVER"]
MAKE_FAKE_BUNDLE = os.environ["JOBCODE_MAKE_FAKE_BUNDLE"]
ROOT = pathlib.Path(os.environ["JOBCODE_SOURCE_ROOT"])
SPEC = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))

# Sanitizers keep freed memory and take time: bounds on either are looser with them.
SANITIZED = any(name in pathlib.Path(SERVER).read_bytes() for name in (b"__asan_init", b"__tsan_init"))

# The machine may be busy with other work and stall any thread for seconds. So no test goes by how long something takes:
# it waits for what it can see, with a limit that only a hang reaches; the server's own deadlines, where one is to be
# reached, are longer than a stall for what is to be in time; and what has to happen before work is done is tried again
# where the work was done too soon (attempt, while_busy).
TIMEOUT_S = 120
N_ATTEMPTS = 10

JSON = "application/json"
CLASSIFY = "/v1/classify"


# ---- the contract ----

_resolver = jsonschema.RefResolver.from_schema(SPEC)


def resolve(node):
    while "$ref" in node:
        _, node = _resolver.resolve(node["$ref"])
    return node


def validate(value, schema):
    jsonschema.Draft202012Validator(schema, resolver=_resolver).validate(value)


def documented_response(method, path, status):
    """What openapi.yaml says of an answer. Fails where it does not document it."""
    responses = SPEC["components"]["responses"]
    operations = SPEC["paths"].get(path)
    if operations is None:
        assert status == 404, f"{method} {path}: {status}, and the path is not documented"
        return responses["NotFound"]
    operation = operations.get("get" if method == "HEAD" else method.lower())
    if operation and str(status) in operation["responses"]:
        return resolve(operation["responses"][str(status)])
    assert not (operation and status == 405), f"{method} {path}: refused, and the method is documented"
    # A path may be another listener's, and has methods that are no operations.
    undocumented = {404: "NotOnThisListener"} if any("404" in some["responses"] for some in operations.values()) else {}
    if operation is None:
        undocumented |= {405: "MethodNotAllowed"} if method != "OPTIONS" else {204: "Options"}
    assert status in undocumented, f"{method} {path}: {status} is not documented"
    return responses[undocumented[status]]


# On answers of every kind, or HTTP's own; what openapi.yaml says of them it says once, in its description.
PLAIN_HEADERS = {
    "date", "connection", "content-length", "content-type", "content-encoding", "cache-control", "x-content-type-options",
    "referrer-policy", "content-security-policy", "cross-origin-resource-policy", "strict-transport-security"}

# (method, path, status, word) of every answer that was held against the document. The word: see documented_words.
answered = set()


def word_of(document):
    """What a client switches on beside the status: a problem's code, a probe's status."""
    return (document.get("code") or document.get("status")) if isinstance(document, dict) else None


def documented_words(response):
    """The words of a response's examples, of all its content types."""
    for content in response.get("content", {}).values():
        examples = [example["value"] for example in content.get("examples", {}).values()]
        for example in examples + ([content["example"]] if "example" in content else []):
            yield word_of(example)


def check_headers(documented, answer):
    names = documented.get("headers", {})
    for name, header in names.items():
        header = resolve(header)
        value = answer.headers.get(name.lower())
        assert value is not None or not header.get("required"), f"no {name}"
        if value is not None:
            schema = resolve(header["schema"])
            validate(int(value) if schema.get("type") == "integer" else value, schema)
    unknown = set(answer.headers) - {name.lower() for name in names} - PLAIN_HEADERS
    assert not unknown, f"not documented: {unknown}"


def check_against_spec(method, path, answer):
    if path.startswith("/page/"):
        return  # what the page loads is its own, and of no contract
    documented = documented_response(method, path, answer.status)
    check_headers(documented, answer)
    content_type = answer.headers.get("content-type")
    if "content" not in documented:
        assert content_type is None
        answered.add((method, path, answer.status, None))
        return
    assert content_type in documented["content"], f"{method} {path}: {content_type}"
    if method == "HEAD":
        assert answer.body == b""
        return
    assert int(answer.headers["content-length"]) == len(answer.body)
    schema = documented["content"][content_type]["schema"]
    parse = json.loads if "json" in content_type else yaml.safe_load if "yaml" in content_type else bytes.decode
    document = parse(answer.body)
    validate(document, schema)
    word = word_of(document)
    if word:
        assert word in set(documented_words(documented)), f"{method} {path}: {answer.status} {word} is not documented"
    answered.add((method, path, answer.status, word))
    if content_type == "application/problem+json":
        assert document["status"] == answer.status
        assert document["request_id"] == answer.headers["x-request-id"]


# ---- answers and clients ----


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """One keep-alive connection; each answer is checked against openapi.yaml."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def request(self, method, target, body=None, headers=None, chunked=False):
        headers = dict(headers or {})
        if method == "POST":
            headers.setdefault("Content-Type", JSON)
        self.connection.request(method, target, body, headers, encode_chunked=chunked)
        response = self.connection.getresponse()
        lower = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, lower, response.read())
        check_against_spec(method, urllib.parse.unquote(target.split("?")[0]), answer)
        return answer

    def get(self, target, **parameters):
        if parameters:
            target += "?" + urllib.parse.urlencode(parameters)
        return self.request("GET", target)

    def post(self, document, headers=None):
        body = document if isinstance(document, (bytes, str)) else json.dumps(document, ensure_ascii=False)
        return self.request("POST", CLASSIFY, body.encode() if isinstance(body, str) else body, headers)

    def classify(self, document):
        """Posts, expects 200, returns the results."""
        answer = self.post(document)
        assert answer.status == 200, answer.body
        return answer.json()["results"]

    def refused(self, document, status, code, pointer=None):
        """Posts, expects a problem, returns it."""
        answer = self.post(document)
        return expect_problem(answer, status, code, pointer)

    def metrics(self):
        """name{labels} -> value."""
        text = self.get("/metrics").body.decode()
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {series: float(value) for series, value in samples}

    def wait_for_metrics(self, holds):
        """Until they are as wanted; returns them."""
        deadline = time.monotonic() + TIMEOUT_S
        while not holds(metrics := self.metrics()):
            assert time.monotonic() < deadline, metrics
            time.sleep(0.005)
        return metrics

    def wait_in_flight(self, count):
        """Until so many requests are under way beside the one that asks; one that was answered still is for a moment."""
        return self.wait_for_metrics(lambda metrics: metrics["jobcode_http_requests_in_flight"] == count + 1)


def expect_problem(answer, status, code, pointer=None):
    problem = answer.json()
    assert (answer.status, problem["code"], problem.get("pointer")) == (status, code, pointer), problem
    return problem


# Members that are of the moment or the machine.
PASSING = {"workers", "load_ms", "previous", "changed"}


def same(answer, documented):
    """Numbers may differ by a step of the last decimal: other machines round otherwise."""
    if isinstance(documented, dict):
        return answer.keys() == documented.keys() and all(
            name in PASSING or same(answer[name], documented[name]) for name in documented)
    if isinstance(documented, list):
        return len(answer) == len(documented) and all(map(same, answer, documented))
    if isinstance(documented, float):
        return math.isclose(answer, documented, abs_tol=1.01e-4)
    return answer == documented


def wait_until(condition, what="it did not come"):
    """what: said where it does not come."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def attempt(act):
    """Acts until that returns something, and returns it; nothing is that what it had to forestall had happened already."""
    for _ in range(N_ATTEMPTS):
        if found := act():
            return found
    raise AssertionError("it was always too late")


def while_busy(server, request, probe):
    """Probes while the request is worked on, sent again where it was answered too soon, until the probe returns something."""
    deadline = time.monotonic() + TIMEOUT_S
    with server.raw() as busy:
        while time.monotonic() < deadline:
            busy.send(request)
            found = None
            while not found and not busy.is_answered() and time.monotonic() < deadline:
                found = probe()
            assert busy.read().status == 200
            if found:
                return found
    raise AssertionError("it was always too fast")


class Raw:
    """A socket, to send what http.client would not."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self, method="GET"):
        """The next answer, or None where the server closed."""
        line = self.file.readline()
        if not line:
            return None
        status = int(line.split()[1])
        headers = {}
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, value = line.decode("latin-1").split(":", 1)
            headers[name.strip().lower()] = value.strip()
        if status == 100:
            return self.read(method)
        body = b"" if method == "HEAD" else self.file.read(int(headers.get("content-length", 0)))
        return Answer(status, headers, body)

    def is_answered(self):
        """Or closed."""
        return bool(select.select([self.socket], [], [], 0)[0])

    def read_all(self):
        """All that comes until the server closes, or resets because it left bytes unread."""
        received = b""
        try:
            while some := self.socket.recv(1 << 16):
                received += some
        except ConnectionError:
            pass
        return received

    def reset(self):
        """Closes with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.__exit__()


def post_bytes(body, headers=""):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"POST {CLASSIFY} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def long_title(number):
    """Different for each number, and as many tokens as the model takes: work for the encoder."""
    digits = f"{number:08d}"
    return " ".join(digits[i % 8] + "abcdefghijklmnop"[i % 16] for i in range(120))


# ---- the server ----


def quiet_port():
    """A free port that the system gives to nobody else, though it be free for a moment: below the ephemeral ones."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Server:
    """The program, waited for until it is ready (or, wait_for="listening", until it can be asked)."""

    def __init__(self, bundle, *sets, config=None, wait_for="ready"):
        command = [SERVER] + (["--config", str(config)] if config else [])
        # Without canaries titles are counted to the last one; the tests of health switch them on.
        defaults = ("http.port=0", f"model.folder={bundle}", "workers.count=2", "requests.timeout=5m", "requests.timeout_max=5m",
                    "shutdown.grace=0", "shutdown.timeout=5m", "health.canary_interval=0")
        for assignment in defaults + sets:
            command += ["--set", assignment]
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, stderr=self.log, env=environment())
        self.port = self.admin_port = None
        self.ended = False
        self._wait_for(wait_for)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            if not self.ended:
                self.stop()
        elif self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _wait_for(self, name):
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            for line in self.log_text().splitlines():
                if '"event":"listening"' in line:
                    event = json.loads(line)
                    setattr(self, "port" if event["listener"] == "http" else "admin_port", int(event["port"]))
                if f'"event":"{name}"' in line and self.port:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.process.kill()
        self.process.wait()
        raise AssertionError(f"the server did not start: {self.log_text()}")

    def has_open(self, name):
        """Whether the program has a file of this name open."""
        folder = pathlib.Path(f"/proc/{self.process.pid}/fd")
        for link in folder.iterdir():
            try:
                if pathlib.Path(os.readlink(link)).name == name:
                    return True
            except FileNotFoundError:  # closed meanwhile
                pass
        return False

    def wait_for_event(self, name):
        """Until the log has it."""
        wait_until(lambda: f'"event":"{name}"' in self.log_text(), f"no {name} in the log")

    def log_text(self):
        """As long as it runs its whole lines: the rest of another may be on its way."""
        is_running = self.process.poll() is None
        text = os.pread(self.log.fileno(), 1 << 24, 0).decode("utf-8")
        return text[:text.rfind("\n") + 1] if is_running else text

    def client(self):
        return Client(self.port)

    def admin(self):
        return Client(self.admin_port)

    def raw(self):
        return Raw(self.port)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        """The exit status; the log is checked to be JSON lines, which a sanitizer's report is not."""
        try:
            status = self.process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.ended = True
        return status, self.log_events()

    def stop(self):
        if self.process.poll() is None:
            self.terminate()
        status, events = self.wait()
        assert status == 0, f"exit status {status}: {self.log_text()}"
        return events

    def log_events(self):
        events = []
        for line in self.log_text().splitlines():
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                raise AssertionError(f"not a log line: {self.log_text()}") from None
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
            assert event["level"] in ("debug", "info", "warn", "error")
            assert re.fullmatch(r"[a-z_]+", event["event"])
            assert all(isinstance(value, str) for value in event.values())
            events.append(event)
        return events

    def n_fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1))


def environment():
    tsan, lsan = (f"suppressions={ROOT / 'tests/support' / name}" for name in ("tsan.supp", "lsan.supp"))
    return {**os.environ, "TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS") or tsan,
            "LSAN_OPTIONS": os.environ.get("LSAN_OPTIONS") or lsan + ":print_suppressions=0"}


def run(*arguments):
    """Runs the server's program to its end."""
    return subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, env=environment())


def error_line(result):
    """The one error a failed program logs."""
    assert result.returncode == 1, result
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    errors = [line for line in lines if line["level"] == "error"]
    assert len(errors) == 1, result.stderr
    return errors[0]
