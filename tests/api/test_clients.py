"""Connections: keep-alive, pipelining, many at once, slow ones, and those that break off."""
import json
import threading
import time

from harness import CLASSIFY, Server, long_title, post_bytes

WORDS = ["nurse", "software developer", "truck driver", "lawyer", "cook", "teacher", "welder", "sales manager"]


def wait_until_idle(server):
    """No request is under way but the one that asks."""
    with server.client() as client:
        assert client.wait_in_flight(0)["jobcode_queue_titles"] == 0
        assert client.post({"title": "nurse"}).status == 200


def test_keep_alive(server):
    with server.raw() as raw:
        for number in range(100):
            raw.send(post_bytes({"id": number, "title": "nurse"}))
            assert raw.read().json()["results"][0]["id"] == number


def test_connection_close(server):
    for request in (post_bytes({"title": "x"}, "Connection: close\r\n"), b"GET /livez HTTP/1.0\r\n\r\n"):
        with server.raw() as raw:
            raw.send(request)
            assert raw.read().status == 200
            assert raw.read() is None


def test_pipelining(server):
    """Different requests in one write: the answers come in order, also behind refusals."""
    with server.raw() as raw:
        expected, requests = [], b""
        for number in range(60):
            if number % 5 == 4:
                requests += b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
                expected.append((404, None))
            elif number % 5 == 3:
                requests += post_bytes(b"{")
                expected.append((400, None))
            elif number % 5 == 2:
                requests += b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
                expected.append((200, None))
            else:
                requests += post_bytes({"id": number, "title": WORDS[number % 8]})
                expected.append((200, number))
        raw.send(requests)
        for status, id in expected:
            answer = raw.read()
            assert answer.status == status
            if id is not None:
                assert answer.json()["results"][0]["id"] == id


def test_many_connections(server):
    """64 connections at once: each gets its own answers."""
    with server.client() as client:
        answers = {word: client.classify({"title": word})[0]["matches"] for word in WORDS}
    problems = []

    def work(thread):
        try:
            with server.client() as client:
                for number in range(50):
                    id, word = f"{thread}-{number}", WORDS[(thread + number) % 8]
                    (result,) = client.classify({"id": id, "title": word})
                    if result["id"] != id or [m["code"] for m in result["matches"]] != [m["code"] for m in answers[word]]:
                        problems.append((id, result))
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems[:3]


def test_several_event_threads(bundle):
    with Server(bundle, "http.threads=4", "workers.count=4") as server:
        test_many_connections(server)
        test_pipelining(server)


def test_long_and_short_together(server):
    """Requests of a thousand titles do not hold up single ones for their whole length."""
    big = post_bytes({"postings": [{"title": long_title(number)} for number in range(1000)], "top_n": 1})
    with server.raw() as first, server.raw() as second, server.client() as single:
        first.send(big)
        second.send(big)
        for number in range(20):
            assert single.classify({"id": number, "title": "nurse"})[0]["id"] == number
        for raw in (first, second):
            assert len(raw.read().json()["results"]) == 1000


def test_byte_by_byte(server):
    with server.raw() as raw:
        for byte in post_bytes({"title": "x"}):
            raw.send(bytes([byte]))
            time.sleep(0.001)
        assert raw.read().status == 200


def test_resets_while_sending(server):
    request = post_bytes({"title": "nurse " * 100})
    for number in range(60):
        raw = server.raw()
        raw.send(request[:len(request) * number // 60])
        raw.reset()
    wait_until_idle(server)


def test_resets_while_waiting(server):
    for number in range(60):
        raw = server.raw()
        raw.send(post_bytes({"postings": [{"title": long_title(number * 50 + i)} for i in range(50)]}))
        if number % 2:
            time.sleep(0.002)
        raw.reset()
    wait_until_idle(server)


def test_unread_answers(server):
    """Clients that send and never read, then go: large answers fill their windows."""
    request = post_bytes({"postings": [{"title": f"nurse {number}"} for number in range(1000)], "top_n": 40})
    connections = [server.raw() for _ in range(5)]
    for raw in connections:
        raw.send(request)
    time.sleep(0.3)
    with server.client() as client:
        assert client.post({"title": "nurse"}).status == 200
    for raw in connections:
        raw.reset()
    wait_until_idle(server)


def test_half_closed(bundle):
    """A client that says it will send no more still gets its answer, and the connection ends at the latest when idle."""
    with Server(bundle, "http.idle_timeout=10s") as server:
        with server.raw() as raw:
            raw.send(post_bytes({"id": 1, "title": "nurse"}))
            raw.socket.shutdown(1)
            assert raw.read().json()["results"][0]["id"] == 1
            assert raw.read() is None
        with server.raw() as raw:  # in the middle of the body: there is nothing to answer
            raw.send(post_bytes({"title": "nurse"})[:-3])
            raw.socket.shutdown(1)
            assert raw.read() is None
        wait_until_idle(server)


def test_half_closed_while_it_is_parsed(bundle):
    """Seconds of parsing are not the client's: a request that is here is answered."""
    with Server(bundle, "limits.body=64MiB") as server, server.raw() as raw:
        raw.send(post_bytes(b'{"title":"' + b"\\u0061" * (8 << 20) + b'"}'))
        raw.socket.shutdown(1)
        assert raw.read().status == 422


def test_idle_connections_end(bundle):
    sets = ("http.idle_timeout=3s", "http.body_timeout=1s")
    with Server(bundle, *sets) as server, server.raw() as idle, server.raw() as stuck:
        stuck.send(post_bytes({"title": "nurse"})[:-3])
        assert idle.read() is None
        assert stuck.read().status == 408
        assert stuck.read() is None


def test_connection_limit(bundle):
    """One over the limit waits, and is served when another goes."""
    with Server(bundle, "http.connections=4") as server:
        held = [server.raw() for _ in range(4)]
        for raw in held:
            raw.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert raw.read().status == 200
        with server.raw() as waiting:
            waiting.send(f"GET {CLASSIFY}?title=x HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            waiting.socket.settimeout(0.3)
            try:
                early = waiting.read()
            except TimeoutError:
                early = None
            assert early is None
        for raw in held:
            raw.__exit__()
        with server.client() as client:
            assert json.loads(client.get("/livez").body) == {"status": "live"}
