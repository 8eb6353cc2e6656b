"""A device that is lost ends the program, which others start again; one that is full does not. It is played by an
encoder that fails as a file says (failing_encoder.c)."""
import os
import signal

import pytest

import harness
from bundles import model, reload, serve, switch, version_of
from harness import Server, expect_problem

LOST = {"code": "device", "detail": "an illegal memory access"}


@pytest.fixture
def fault(monkeypatch, tmp_path):
    """The file that says how the encoder of the servers that are started fails: not at all, first."""
    path = tmp_path / "fault"
    path.touch()
    monkeypatch.setattr(harness, "SERVER", os.environ["JOBCODE_FAILING_SERVER"])
    monkeypatch.setenv("JOBCODE_FAULT", str(path))
    return path


def events_of(events, name):
    return [event for event in events if event["event"] == name]


def expect_leaving(server, cause):
    """It ends by itself, after the event that names the cause, and not well. Returns the events."""
    status, events = server.wait()
    assert status == 1
    (event,) = events_of(events, cause)
    assert event["code"] == LOST["code"] and LOST["detail"] in event["detail"]
    assert events_of(events, "draining")[0]["signal"] == "none: a device is lost"
    assert len(events_of(events, "stopped")) == 1
    return events


def expect_refused(answer):
    expect_problem(answer, 503, "shutting_down")
    assert int(answer.headers["retry-after"]) >= 1


def test_lost_at_a_request(bundle, fault):
    """The request is refused, not failed; readiness is gone while the rest drains."""
    with Server(bundle, "shutdown.grace=10m", "cache.size=0") as server, server.client() as client:
        assert client.post({"title": "nurse"}).status == 200
        fault.write_text("lost", encoding="utf-8")
        expect_refused(client.post({"postings": [{"title": f"nurse {i}"} for i in range(20)]}))
        harness.wait_until(lambda: '"event":"draining"' in server.log_text())
        with server.client() as later:
            assert (later.get("/readyz").status, later.get("/livez").status) == (503, 200)
        with server.client() as later:
            expect_refused(later.post({"title": "nurse"}))
        server.terminate()
        events = expect_leaving(server, "batch_failed")
        assert not events_of(events, "request_failed")


def test_lost_behind_another_failure(bundle, fault):
    """A batch fails for want of memory, and the device is lost where its titles are tried one by one."""
    with Server(bundle, "cache.size=0", "workers.count=1") as server, server.client() as client:
        fault.write_text("late", encoding="utf-8")
        expect_refused(client.post({"postings": [{"title": "nurse"}, {"title": "welder"}]}))
        status, events = server.wait()
        assert status == 1
        assert [event["code"] for event in events_of(events, "batch_failed")] == ["out_of_memory", "device"]


@pytest.mark.parametrize("cause", ["request", "signal"])
def test_lost_at_a_reload(variants, current, fault, cause):
    with serve(current) as server:
        switch(current, variants / "02")
        fault.write_text("lost", encoding="utf-8")
        if cause == "request":
            expect_refused(reload(server))
        else:
            server.process.send_signal(signal.SIGHUP)
        events = expect_leaving(server, "reload_refused")
        assert events_of(events, "reload_refused")[0]["cause"] == cause


def test_lost_at_a_watched_reload(variants, current, fault):
    with serve(current, "model.watch=10ms") as server:
        fault.write_text("lost", encoding="utf-8")
        switch(current, variants / "02")
        expect_leaving(server, "reload_refused")


def test_lost_at_a_canary(bundle, fault):
    """Nobody asks anything."""
    with Server(bundle, "health.canary_interval=10ms") as server:
        fault.write_text("lost", encoding="utf-8")
        expect_leaving(server, "batch_failed")


def test_lost_at_the_start(bundle, fault):
    fault.write_text("lost", encoding="utf-8")
    with pytest.raises(AssertionError, match="start_failed.*an illegal memory access"):
        Server(bundle)


def test_no_room_for_a_second_model(variants, current, fault):
    """The reload is refused with the figures, and the model that served serves on."""
    with serve(current, "cache.size=0") as server, server.client() as client:
        switch(current, variants / "02")
        fault.write_text("full", encoding="utf-8")
        problem = expect_problem(reload(server), 409, "reload_refused")
        assert "GPU 0 has no room for 5000 bytes: of its 16000, 400 are free" in problem["detail"]
        fault.write_text("", encoding="utf-8")
        assert model(server) == version_of(variants / "01")
        assert client.post({"title": "nurse"}).status == 200
        assert client.get("/readyz").status == 200
        assert reload(server).json()["version"] == version_of(variants / "02")


def test_no_room_for_a_batch(bundle, fault):
    """Its titles are answered one by one, and the same as ever."""
    body = {"postings": [{"title": title} for title in ("nurse", "welder", "registered nurse")]}
    with Server(bundle, "cache.size=0", "workers.count=1") as server, server.client() as client:
        wanted = client.post(body).json()
        fault.write_text("small", encoding="utf-8")
        assert client.post(body).json() == wanted
        assert client.metrics()["jobcode_batch_failures_total"] >= 1
        fault.write_text("full", encoding="utf-8")
        expect_problem(client.post(body), 503, "out_of_memory")
        fault.write_text("", encoding="utf-8")
        assert client.post(body).json() == wanted
        assert client.get("/readyz").status == 200
