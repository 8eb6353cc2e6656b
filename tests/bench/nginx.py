"""nginx as a yardstick: it answers a constant JSON to whatever it is asked, and does not look at the request's body."""
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

START_S = 10
CONFIGURATION = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes {workers};
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 '{body}'; }}
    }}
}}
"""


def find():
    """None where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """With the face of a Server."""

    def __init__(self, n_bytes, n_workers):
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        path = pathlib.Path(self.folder.name) / "nginx.conf"
        path.write_text(CONFIGURATION.format(folder=self.folder.name, workers=n_workers, port=self.port,
                                             body="{}" + " " * (n_bytes - 2)), encoding="utf-8")
        self.process = subprocess.Popen([find(), "-p", self.folder.name, "-c", path], stderr=subprocess.DEVNULL)
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.process.kill()
        errors = pathlib.Path(self.folder.name) / "error.log"
        raise SystemExit("nginx did not start: " + (errors.read_text(encoding="utf-8") if errors.exists() else ""))

    def metrics(self):
        return {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=START_S)
        self.folder.cleanup()
