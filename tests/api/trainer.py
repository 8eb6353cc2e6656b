"""The trainer as a program: runs on the sample postings with the fake encoder, everything it writes in one folder."""
import csv
import json
import os
import subprocess

import harness

TRAIN = os.environ["JOBCODE_TRAIN"]
CONFIG = harness.ROOT / "config/postings.yaml"
SAMPLE = harness.ROOT / "tests/data/postings.csv"

WORSE, USAGE, INTERRUPTED = 3, 2, 130


def run(*arguments, timeout_s=4 * harness.TIMEOUT_S):
    """To the end, in the repository's root, which the paths of config/postings.yaml start from."""
    return subprocess.run([TRAIN, *map(str, arguments)], cwd=harness.ROOT, capture_output=True, text=True,
                          timeout=timeout_s, env=harness.environment())


class Workshop:
    """A folder with one run's report, rejects and cache, and the models that it published."""

    def __init__(self, folder, bundle):
        self.folder = folder
        self.output, self.report, self.rejects = folder / "models", folder / "report", folder / "rejects.csv"
        self.cache = folder / "cache"
        self.current = self.output / "current"
        self.settings = [f"encoder.weights={bundle}", f"output={self.output}", f"report={self.report}",
                         f"rejects={self.rejects}", f"cache={self.cache}", "encoder.kind=fake", "threads=2"]

    def command(self, name, *sets, options=()):
        command = [name, "--config", str(CONFIG), *map(str, options)]
        for assignment in [*self.settings, *sets]:
            command += ["--set", assignment]
        return command

    def run(self, name, *sets, options=(), status=0):
        result = run(*self.command(name, *sets, options=options))
        assert result.returncode == status, result
        return result

    def fit(self, *sets, status=0):
        return self.run("fit", *sets, status=status)

    def start(self, name, *sets):
        """Without waiting; standard error is a pipe."""
        return subprocess.Popen([TRAIN, *self.command(name, *sets)], cwd=harness.ROOT, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, env=harness.environment())

    def versions(self):
        """The published ones, by name."""
        return sorted(path.name for path in self.output.iterdir() if path.is_dir() and not path.is_symlink() and
                      ".tmp-" not in path.name)

    def manifest(self):
        return json.loads((self.current / "manifest.json").read_text(encoding="utf-8"))

    def read_report(self):
        return json.loads((self.report / "report.json").read_text(encoding="utf-8"))

    def read_rejects(self):
        """line -> reason."""
        with open(self.rejects, encoding="utf-8", newline="") as file:
            return {int(row["line"]): row["reason"] for row in csv.DictReader(file)}


def table(result):
    """The printed table of methods: method -> {column: value}."""
    lines = result.stdout.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith("method "))
    names = lines[begin].replace("95 % interval", "low high").replace("fit s", "fit_s").split()
    rows = {}
    for line in lines[begin + 1:]:
        fields = line.split()
        if len(fields) != len(names):
            break
        rows[fields[0]] = {name: float(field) for name, field in zip(names[1:], fields[1:])}
    return rows
