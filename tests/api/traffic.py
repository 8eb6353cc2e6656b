"""Steady traffic whose every answer must be good, and the answer to what was asked; nothing is asked a second time."""
import json
import threading
import time
import traceback

from harness import JSON, Raw, Server, long_title, post_bytes

MAX_KEPT = 20  # failures whose words are kept; all are counted


def make_documents(count, batch_titles):
    """Requests with titles of their own: one title each, and every eighth a batch of so many long ones."""
    words = ("nurse", "software developer", "sales manager", "truck driver", "civil engineer", "school teacher")
    documents = []
    for number in range(count):
        if number % 8 == 7:
            postings = [{"id": f"{number}-{i}", "title": long_title(number * 1000 + i)} for i in range(batch_titles)]
            documents.append({"postings": postings, "top_n": 1})
        else:
            documents.append({"id": f"{number}", "title": f"{words[number % len(words)]} {number}"})
    return documents


def ask_directly(bundle, documents):
    """version -> the results of each document: what the answers under load are held against."""
    with Server(bundle) as server, server.client() as client:
        answers = [client.post(document).json() for document in documents]
    (version,) = {answer["model"] for answer in answers}
    assert len({json.dumps(answer["results"]) for answer in answers}) == len(documents), "answers cannot be told apart"
    return {version: [answer["results"] for answer in answers]}


class Traffic:
    """
    So many keep-alive connections, each asking one document after another: as fast as answers come, or paced to
    `per_second` requests over all of them (who is late goes on at once). A request fails where its connection breaks,
    where the status is not 200, where X-Request-Id is not the one sent, or where the results are not those that the
    model named in the answer gave for this document before. Only an answer's `Connection: close` ends a connection.
    """

    def __init__(self, port, documents, expected, connections, per_second=None):
        self.port, self.documents, self.expected = port, documents, expected
        self.interval = connections / per_second if per_second else 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.answered = dict.fromkeys(expected, 0)  # by version
        self.failed, self.failures = 0, []
        self.started = self.seconds = None
        self.threads = [threading.Thread(target=self._work, args=(n, connections)) for n in range(connections)]

    def __enter__(self):
        self.started = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.seconds = time.monotonic() - self.started

    def n_answered(self):
        with self.lock:
            return sum(self.answered.values())

    def check(self):
        """All that were sent were answered, and right."""
        assert self.failed == 0, f"{self.failed} failed, {self.n_answered()} did not: {self.failures}"
        assert self.n_answered() > 0

    def _work(self, number, connections):
        raw, serial = None, 0
        due = self.started + self.interval * number / connections
        while not self.stopping.wait(max(0, due - time.monotonic())):
            due += self.interval
            serial += 1
            at = (number * 7 + serial) % len(self.documents)
            try:
                if raw is None:
                    raw = Raw(self.port)
                answer = self._ask(raw, at, f"{number}-{serial}")
            except Exception:
                self._note_failure(f"connection {number}, request {serial}", traceback.format_exc(limit=2))
                answer = None
            if raw is not None and (answer is None or answer.headers.get("connection", "").lower() == "close"):
                raw.__exit__()
                raw = None
        if raw is not None:
            raw.__exit__()

    def _ask(self, raw, at, name):
        raw.send(post_bytes(self.documents[at], f"X-Request-Id: {name}\r\n"))
        answer = raw.read()
        assert answer is not None, "closed without an answer"
        assert answer.status == 200, (answer.status, answer.body[:500])
        assert answer.headers["content-type"] == JSON and answer.headers["x-request-id"] == name, answer.headers
        document = answer.json()
        assert document["results"] == self.expected[document["model"]][at], f"another answer: {answer.body[:500]}"
        with self.lock:
            self.answered[document["model"]] += 1
        return answer

    def _note_failure(self, where, what):
        with self.lock:
            self.failed += 1
            if len(self.failures) < MAX_KEPT:
                self.failures.append(f"{time.monotonic() - self.started:.3f} s, {where}: {what}")
