"""What the server asks of the system for its threads: event threads come before the workers."""
import os
import pathlib

import harness

NICE, POLICY = 16, 38  # fields of /proc/PID/task/TID/stat, counted from the state


def nicenesses(server):
    """Of the workers, and of all other threads."""
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()
    stats = [task.joinpath("stat").read_text(encoding="utf-8").rpartition(")")[2].split() for task in tasks]
    threads = [(int(stat[POLICY]), int(stat[NICE])) for stat in stats]
    return ([nice for policy, nice in threads if policy == os.SCHED_BATCH],
            [nice for policy, nice in threads if policy != os.SCHED_BATCH])


def check(server, added):
    """A worker asks when it begins, which may be after the server is ready."""
    own = os.nice(0)
    wanted = [min(19, own + added)] * 2
    harness.wait_until(lambda: nicenesses(server)[0] == wanted, f"the workers are not {wanted}")
    _, others = nicenesses(server)
    assert set(others) == {own} and len(others) >= 4


def test_workers_are_nicer(server):
    check(server, 5)


def test_as_nice_as_is_wanted(bundle):
    for nice in (0, 19):
        with harness.Server(bundle, f"workers.nice={nice}") as server:
            check(server, nice)
