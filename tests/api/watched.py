"""A server with everything that has metrics switched on, and traffic that moves what it safely can."""
import hashlib
import re
import time

from harness import CLASSIFY, Server, post_bytes, wait_until

KEY = "watched-key-0123456789"
BEARER = {"Authorization": f"Bearer {KEY}"}


def serve(bundle, folder):
    keys = folder / "keys"
    keys.write_text(f"watched:{hashlib.sha256(KEY.encode()).hexdigest()}\n", encoding="utf-8")
    return Server(bundle, f"auth.keys_file={keys}", "admin.address=127.0.0.1", "admin.port=0")


def metrics_text(client):
    answer = client.request("GET", "/metrics", headers=BEARER)
    assert answer.status == 200
    return answer.body.decode()


def wait_in_flight(client, count):
    """Until so many requests are under way beside the one that asks."""
    wait_until(lambda: int(re.search(r"^jobcode_http_requests_in_flight (\d+)$", metrics_text(client), re.M)[1]) == count + 1)


def miss_deadline(server, client):
    """A body that comes when the time is over: a 504."""
    head, body = post_bytes({"title": "nurse"}, f"Authorization: Bearer {KEY}\r\nX-Request-Timeout-Ms: 1\r\n").split(b"\r\n\r\n")
    wait_in_flight(client, 0)
    with server.raw() as raw:
        raw.send(head + b"\r\n\r\n")
        wait_in_flight(client, 1)
        time.sleep(0.01)
        raw.send(body)
        assert raw.read().status == 504


def make_traffic(server):
    with server.client() as client, server.admin() as admin:
        for title in ("nurse", "nurse", "cook", "lawyer"):
            assert client.post({"title": title}, BEARER).status == 200
        assert client.post({"title": ""}, BEARER).status == 422
        assert client.post({"title": "nurse"}).status == 401
        assert client.get("/readyz").status == 200
        assert client.get("/nothing").status == 404
        assert client.request("GET", CLASSIFY + "?title=cook", headers=BEARER).status == 200
        assert admin.request("POST", "/admin/reload", headers=BEARER).status == 200
        miss_deadline(server, client)
