"""Reloading the model: what is good is swapped in, what is not is kept out and said. Under load: test_reload_soak.py."""
import json
import shutil
import signal
import threading
import time

import pytest

import harness
from bundles import DAMAGES, VARIANTS, damage, model, reload, serve, switch, version_of
from harness import Server, attempt, expect_problem, long_title, post_bytes, wait_until

RELOAD = "/admin/reload"


def events_of(server, name):
    return [event for event in server.log_events() if event["event"] == name]


def check_of_one_model(answer, variants):
    """The codes of an answer are of the version that it names. Returns the variant."""
    number = {version_of(variants / number): number for number in VARIANTS}[answer["model"]]
    for result in answer["results"]:
        assert all(match["code"].endswith("." + number) for match in result["matches"]), answer
    return number


def test_new_version_is_visible(variants, current):
    with serve(current) as server, server.client() as client:
        assert model(server) == version_of(variants / "01")
        switch(current, variants / "02")
        assert model(server) == version_of(variants / "01")  # nobody asked for it
        answer = reload(server)
        assert answer.status == 200
        document = answer.json()
        assert document.pop("load_ms") >= 0
        assert document == {"previous": version_of(variants / "01"), "version": version_of(variants / "02"), "changed": True}
        assert model(server) == version_of(variants / "02")
        assert check_of_one_model(client.post({"title": "nurse"}).json(), variants) == "02"
        assert client.get("/v1/categories", q="11-1021").json()["categories"][0]["code"] == "11-1021.02"
        metrics = client.metrics()
        assert metrics['jobcode_model_reloads_total{result="changed"}'] == 1
        assert metrics["jobcode_model_last_load_successful"] == 1
        assert abs(metrics["jobcode_model_loaded_timestamp_seconds"] - time.time()) < 600
        assert [series for series in metrics if series.startswith(f'jobcode_model_info{{version="{version_of(variants / "02")}"')]
        assert [(event["cause"], event["model"]) for event in events_of(server, "reloaded")] == [
            ("request", version_of(variants / "02"))]


def test_same_content_is_not_swapped(variants, current, tmp_path):
    with serve(current) as server:
        version = version_of(variants / "01")
        for folder in (variants / "01", shutil.copytree(variants / "01", tmp_path / "copy")):
            switch(current, folder)
            document = reload(server).json()
            assert (document["previous"], document["version"], document["changed"]) == (version, version, False)
        with server.client() as client:
            assert client.metrics()['jobcode_model_reloads_total{result="unchanged"}'] == 2
        assert len(events_of(server, "reload_unchanged")) == 2 and not events_of(server, "reloaded")


def test_same_version_of_another_content_is_swapped(variants, current, tmp_path):
    other = shutil.copytree(variants / "01", tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    manifest["canaries"].pop()
    (other / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with serve(current) as server:
        switch(current, other)
        document = reload(server).json()
        assert document["previous"] == document["version"] and document["changed"] is True


@pytest.mark.parametrize("kind", DAMAGES)
def test_bad_bundle_is_kept_out(variants, current, tmp_path, kind):
    bad = shutil.copytree(variants / "02", tmp_path / "bad")
    reason = damage(bad, kind)
    with serve(current) as server, server.client() as client:
        switch(current, bad)
        assert reason in expect_problem(reload(server), 409, "reload_refused")["detail"]
        assert check_of_one_model(client.post({"title": "nurse"}).json(), variants) == "01"
        metrics = client.metrics()
        assert metrics['jobcode_model_reloads_total{result="refused"}'] == 1
        assert metrics["jobcode_model_last_load_successful"] == 0 and metrics["jobcode_ready"] == 1
        (refused,) = events_of(server, "reload_refused")
        assert refused["level"] == "error" and reason in refused["detail"] and refused["model"] == version_of(variants / "01")
        switch(current, variants / "02")
        assert reload(server).json()["changed"] is True
        assert client.metrics()["jobcode_model_last_load_successful"] == 1


def test_nothing_there(current, variants):
    with serve(current) as server:
        current.unlink()
        assert "manifest.json" in expect_problem(reload(server), 409, "reload_refused")["detail"]
        assert model(server) == version_of(variants / "01")


def test_sighup(variants, current):
    with serve(current) as server:
        switch(current, variants / "02")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_event("reloaded")
        assert model(server) == version_of(variants / "02")
        assert events_of(server, "reloaded")[0]["cause"] == "signal"


def test_not_on_the_public_listener(variants, current):
    with serve(current) as server, server.client() as client, server.admin() as admin:
        expect_problem(client.request("POST", RELOAD), 404, "not_found")
        expect_problem(client.request("GET", RELOAD), 404, "not_found")
        expect_problem(admin.request("GET", RELOAD), 405, "method_not_allowed")
        connection = admin.connection
        connection.request("POST", harness.CLASSIFY, b'{"title":"nurse"}', {"Content-Type": harness.JSON})
        response = connection.getresponse()
        response.read()
        assert response.status == 404
        assert admin.get("/readyz").status == admin.get("/livez").status == admin.get("/startupz").status == 200
        assert "jobcode_ready" in admin.metrics() and "jobcode_ready" in client.metrics()


def test_off_by_default(current):
    with Server(current) as server, server.client() as client:
        assert server.admin_port is None
        expect_problem(client.request("POST", RELOAD), 404, "not_found")


def test_metrics_on_the_admin_listener_only(current):
    with serve(current, "admin.metrics_only=true") as server, server.client() as client, server.admin() as admin:
        client.connection.request("GET", "/metrics")
        response = client.connection.getresponse()
        response.read()
        assert response.status == 404
        assert admin.metrics()["jobcode_ready"] == 1


def test_in_flight_requests_end_on_their_model(variants, current):
    """Requests of a thousand titles each, one worker, and a swap while it is at them."""
    body = post_bytes({"postings": [{"title": long_title(i)} for i in range(1000)], "top_n": 1})
    answered = 'jobcode_http_requests_total{route="POST /v1/classify",code="200"}'
    sets = ("workers.count=1", "workers.batch_titles=1", "workers.queue_titles=100000", "workers.queue_tokens=1000000000",
            "cache.size=0")

    def act():
        switch(current, variants / "01")
        with serve(current, *sets) as server:
            long = [server.raw() for _ in range(12)]
            for raw in long:
                raw.send(body)
            with server.client() as client:
                client.wait_for_metrics(lambda metrics: metrics["jobcode_queue_titles"] >= 1000 or long[-1].is_answered())
                switch(current, variants / "02")
                assert reload(server).json()["changed"] is True
                answered_before = client.metrics().get(answered, 0)
                assert check_of_one_model(client.post({"title": "nurse"}).json(), variants) == "02"
            numbers = []
            for raw in long:
                answer = raw.read()
                assert answer.status == 200 and len(answer.json()["results"]) == 1000
                numbers.append(check_of_one_model(answer.json(), variants))
                raw.__exit__()
        return numbers.count("01") > answered_before  # some of the old model were left after the swap
    attempt(act)


def test_cached_answers_are_of_their_model(variants, current):
    with serve(current) as server, server.client() as client:
        def ask():
            return check_of_one_model(client.post({"title": "nurse"}).json(), variants)

        assert [ask(), ask()] == ["01", "01"]
        assert client.metrics()["jobcode_cache_hits_total"] == 1
        switch(current, variants / "02")
        assert reload(server).json()["changed"] is True
        assert [ask(), ask()] == ["02", "02"]
        assert client.metrics()["jobcode_cache_hits_total"] == 2
        wait_until(lambda: client.metrics()["jobcode_cache_entries"] == 1)  # those of the model that is gone went, too


def test_concurrent_requests_share_loads(variants, current):
    with serve(current) as server:
        switch(current, variants / "02")
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(reload(server))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.status for answer in answers] == [200] * 20
        assert {answer.json()["version"] for answer in answers} == {version_of(variants / "02")}
        assert any(answer.json()["changed"] for answer in answers)
        assert len(events_of(server, "reloaded")) == 1


def test_watch(variants, current, tmp_path):
    with Server(current, "model.watch=20ms") as server:
        switch(current, variants / "02")
        server.wait_for_event("reloaded")
        assert model(server) == version_of(variants / "02")
        assert events_of(server, "reloaded")[0]["cause"] == "watch"

        half = tmp_path / "half"  # what is still being copied is tried again until it is whole
        half.mkdir()
        shutil.copy(variants / "01" / "manifest.json", half)
        switch(current, half)
        server.wait_for_event("reload_refused")
        assert model(server) == version_of(variants / "02")
        for path in (variants / "01").iterdir():
            if path.name != "manifest.json":  # half of that would be another bundle
                shutil.copy(path, half)
        wait_until(lambda: model(server) == version_of(variants / "01"))

        current.unlink()  # gone, and back with another
        server.wait_for_event("watch_failed")
        with server.client() as client:
            assert client.post({"title": "nurse"}).status == 200
        current.symlink_to(variants / "02")
        wait_until(lambda: model(server) == version_of(variants / "02"))
        assert len(events_of(server, "watch_failed")) == len(events_of(server, "reload_refused")) == 1


def test_reload_while_draining(current):
    with serve(current, "shutdown.grace=10m") as server:
        server.terminate()
        server.wait_for_event("draining")
        answer = reload(server)
        expect_problem(answer, 503, "shutting_down")
        assert int(answer.headers["retry-after"]) >= 1
        server.terminate()
        assert server.wait()[0] == 0
