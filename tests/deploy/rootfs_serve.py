#!/usr/bin/env python3
"""Runs the image that rootfs.py built and asks it: rootfs_serve.py IMAGE_JSON

The server runs as the image says, on a read-only tree, as its user, with no capability and no way to get one, in
namespaces of its own for mounts, processes and network (loopback alone). Its health check runs beside it. Then it
is used as deploy/kubernetes uses it: an empty volume is seeded, the CronJob's own command line trains on the sample
postings, and the running server, which watches the volume, serves what was published.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import yaml

from rootfs import MOUNT

ROOT = pathlib.Path(os.environ.get("JOBCODE_SOURCE_ROOT") or pathlib.Path(__file__).resolve().parents[2])
TIMEOUT_S = 300

# The tree read-only, but for volumes; loopback alone.
ENTER = (
    """
tree=$1; shift
ip link set lo up
"""
    + MOUNT
    + """
while [ "$1" != -- ]; do
  mkdir -p "$tree$2"
  mount --bind ${3:+-o "$3"} "$1" "$tree$2"
  shift 3
done
shift
mount -o remount,bind,ro "$tree"
exec sleep infinity
"""
)


class Container:
    """Namespaces with the image in them, held by a process that sleeps."""

    def __init__(self, image, volumes=()):
        self.image = image
        arguments = []
        for source, target, options in volumes:
            arguments += [str(source), target, options]
        self.holder = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--pid",
                "--net",
                "--ipc",
                "--uts",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-euc",
                ENTER,
                "enter",
                image["tree"],
                *arguments,
                "--",
            ]
        )
        self.init = self._find_sleeper()

    def _find_sleeper(self):
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline and self.holder.poll() is None:
            for pid in children.read_text(encoding="ascii").split():
                if pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == "sleep":
                    return pid
            time.sleep(0.05)
        raise AssertionError("the namespaces were not set up")

    def command(self, words, user=None, workdir=None):
        user, group = (user or self.image["user"]).split(":")
        return [
            "nsenter",
            "--target",
            self.init,
            "--mount",
            "--pid",
            "--net",
            "--ipc",
            "--uts",
            "chroot",
            self.image["tree"],
            "env",
            "-C",
            workdir or self.image["workdir"],
            "setpriv",
            "--reuid",
            user,
            "--regid",
            group,
            "--clear-groups",
            "--bounding-set=-all",
            "--inh-caps=-all",
            "--no-new-privs",
            *words,
        ]

    def start(self, words, **options):
        return subprocess.Popen(self.command(words), env=self.image["environment"], **options)

    def run(self, words):
        return subprocess.run(
            self.command(words), env=self.image["environment"], capture_output=True, text=True, timeout=TIMEOUT_S
        )

    def close(self):
        self.holder.kill()
        self.holder.wait()


ASK = r"""
exec 3<>/dev/tcp/127.0.0.1/"$1"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
cat <&3
"""


def ask(container, target, port=8080):
    """The answer's body, asked from inside."""
    answer = container.run(["bash", "-euc", ASK, "ask", str(port), target])
    assert answer.returncode == 0, answer.stderr
    head, _, body = answer.stdout.partition("\n\n")
    return head.split("\n")[0].strip(), body


def wait_for(what, condition):
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"never: {what}")


def is_healthy(container):
    return container.run(container.image["healthcheck"]).returncode == 0


def stop(server, image):
    """As an engine stops it: its signal to the process; then it must end well."""
    children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii").split()
    os.kill(int(children[0]) if children else server.pid, getattr(signal, image["stop_signal"]))
    assert server.wait(TIMEOUT_S) == 0, f"exit status {server.returncode}"


def check_confined(server_status):
    """That the test confines the process as it says, and that the process runs confined."""
    fields = dict(line.split(":\t", 1) for line in server_status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == set(fields["Gid"].split()) == {"10001"}, fields
    assert fields["CapEff"] == fields["CapBnd"] == "0" * 16 and fields["NoNewPrivs"] == "1", fields


def first_match(body):
    return json.loads(body)["results"][0]["matches"][0]["code"]


def serve_as_is(image):
    """ENTRYPOINT and CMD, HEALTHCHECK, STOPSIGNAL."""
    container = Container(image)
    try:
        assert not is_healthy(container)
        start = time.monotonic()
        server = container.start(image["command"], stderr=subprocess.DEVNULL)
        wait_for("healthy", lambda: is_healthy(container))
        print(f"healthy after {time.monotonic() - start:.1f} s")
        status = container.run(["bash", "-c", 'cat "/proc/$(pidof jobcode-server)/status"']).stdout
        check_confined(status)
        for target in ("/", "/tmp", "/usr/share/jobcode", "/var/lib"):
            assert container.run(["touch", f"{target}/written"]).returncode != 0, target
        head, body = ask(container, "/v1/classify?title=ICU+Nurse&top_n=1")
        assert head.endswith("200 OK") and first_match(body).startswith("29-1141"), (head, body)
        print(f"ICU Nurse: {first_match(body)}")
        stop(server, image)
        assert not is_healthy(container)
    finally:
        container.close()


def check_backends(image):
    """Every library is there, and a GPU is missing because there is none, or because the image has no CUDA."""
    container = Container(image)
    try:
        for program in ("jobcode-server", "jobcode-train"):
            linked = container.run(["ldd", f"/usr/bin/{program}"])
            assert linked.returncode == 0 and "not found" not in linked.stdout, linked.stdout + linked.stderr
            assert ("/usr/local/cuda/" in linked.stdout) is image["has_cuda"], linked.stdout
        version = container.run([image["command"][0], "--version"]).stdout
        assert ("CUDA none" not in version) is image["has_cuda"], version
        on_gpu = ["--set", "encoder.backend=cuda", "--set", "encoder.precision=f16", "--set", "encoder.device=cuda:0"]
        checked = container.run([*image["command"], *on_gpu, "--check"])
        says = "there is no GPU 0" if image["has_cuda"] else "has no CUDA"
        assert checked.returncode == 1 and says in checked.stderr, checked.stderr
        print(f"{version.strip()}; on a GPU: {json.loads(checked.stderr.splitlines()[-1])['detail']}")
    finally:
        container.close()


def documents(folder, name):
    return list(yaml.safe_load_all((ROOT / "deploy/kubernetes" / folder / name).read_text(encoding="utf-8")))


def retrain(image):
    """Seed, serve, train with the CronJob's command line, and be served the new model."""
    cronjob = documents("components/retrain", "cronjob.yaml")[0]
    container_spec = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    with tempfile.TemporaryDirectory() as volumes:
        volumes = pathlib.Path(volumes)
        for name in ("models", "postings", "etc"):
            (volumes / name).mkdir()
        for name in ("models", "postings"):
            os.chown(volumes / name, 10001, 10001)
        volumes.chmod(0o755)
        (volumes / "postings/postings.csv").write_bytes((ROOT / "tests/data/postings.csv").read_bytes())
        for source in ("base/server.yaml", "components/retrain/train.yaml"):
            path = ROOT / "deploy/kubernetes" / source
            (volumes / "etc" / path.name).write_bytes(path.read_bytes())
        container = Container(
            image,
            [
                (volumes / "models", "/models", ""),
                (volumes / "postings", "/postings", ""),
                (volumes / "etc", "/etc/jobcode", "ro"),
            ],
        )

        try:
            seed = container.run(["/usr/libexec/jobcode/seed-model", "/models"])
            assert seed.returncode == 0, seed.stderr
            server = container.start(
                [
                    "/usr/bin/jobcode-server",
                    "--config",
                    "/etc/jobcode/server.yaml",
                    "--set",
                    "model.folder=/models/current",
                    "--set",
                    "model.watch=1s",
                    "--set",
                    "shutdown.grace=0",
                ],
                stderr=subprocess.DEVNULL,
            )
            wait_for("healthy", lambda: is_healthy(container))
            old = json.loads(ask(container, "/v1/model")[1])["model"]
            start = time.monotonic()
            train = container.run(container_spec["command"] + container_spec["args"] + ["--set", "max_bad_rows=10%"])
            assert train.returncode == 0, train.stdout + train.stderr
            new = wait_for("the new model", lambda: {json.loads(ask(container, "/v1/model")[1])["model"]} - {old})
            print(f"retrained in {time.monotonic() - start:.0f} s: {old} -> {new.pop()}")
            stop(server, image)
        finally:
            container.close()


def main():
    image = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    check_backends(image)
    serve_as_is(image)
    retrain(image)
    print("the image serves, and retrains")


if __name__ == "__main__":
    main()
