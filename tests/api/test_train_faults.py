"""The trainer when things go wrong: wrong configurations, interrupts, kills at any moment."""
import random
import re
import signal
import subprocess
import sys
import time

import pytest

import harness
import trainer

KILLS = 12
INTERRUPTS = 5  # tries: an encoding may be over before the signal comes


@pytest.fixture
def shop(tmp_path, bundle):
    return trainer.Workshop(tmp_path, bundle)


# ---- how it is called ----


@pytest.mark.parametrize("command, options", [
    ("fit", ["--config", "--set"]),
    ("evaluate", ["--config", "--set"]), ("compare", ["--config", "--set", "--a", "--b", "--margin"]),
    ("assemble", ["--model", "--weights", "--output"])])
def test_help(command, options):
    assert command in trainer.run("--help").stdout
    result = trainer.run(command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.findall(r"^  (--[a-z-]+)", result.stdout, re.M) == options


def test_help_config_has_every_key():
    described = trainer.run("--help-config").stdout
    for line in trainer.CONFIG.read_text(encoding="utf-8").splitlines():
        key = re.match(r"( *)(?:- )?([a-z_]+):", line)
        assert not key or key.group(2) in described, line


@pytest.mark.parametrize("arguments, said", [
    ([], "usage:"), (["magic"], "no command 'magic'"), (["fit"], "--config is missing"),
    (["fit", "--config"], "--config needs a value"), (["fit", "--fast"], "--fast is no option"),
    (["compare", "--config", trainer.CONFIG, "--a", "x"], "--b is missing"),
    (["compare", "--config", trainer.CONFIG, "--a", "x", "--b", "x", "--margin", "2"], "from 0 to 1, not '2'"),
    (["fit", "--config", "/nonexistent.yaml"], "'/nonexistent.yaml': No such file"),
    (["fit", "--config", trainer.CONFIG, "--set", "keep"], "expected key=value")])
def test_called_wrongly(arguments, said):
    result = trainer.run(*arguments)
    assert result.returncode == trainer.USAGE and said in result.stderr, result


# ---- configurations ----


def test_unknown_key_in_a_file(tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text("name: a\npostigns:\n  - path: x\n", encoding="utf-8")
    result = trainer.run("fit", "--config", config)
    assert result.returncode == trainer.USAGE
    assert f"{config}:2:1: unknown key 'postigns'; did you mean 'postings'?" in result.stderr


@pytest.mark.parametrize("assignment, said", [
    ("magic=1", "unknown key 'magic'"), ("postings.0.nonsense=x", "unknown key 'postings.0.nonsense'"),
    ("postings.5.path=x", "postings.5"), ("split.test=2", "0.001 to 0.9, not '2'"),
    ("text.part=foo", "title|body|title_body, not 'foo'"), ("seed=-1", "not '-1'")])
def test_bad_setting(shop, assignment, said):
    result = shop.fit(assignment, status=trainer.USAGE)
    assert said in result.stderr


@pytest.mark.parametrize("assignment, said", [
    ("postings.0.path=/nonexistent.csv", "'/nonexistent.csv': No such file"),
    ("postings.0.path=README.md", "README.md: the name does not end in .csv"),
    ("postings.0.columns.code=SOC", "postings.csv: no column 'SOC' (code); there are: 'ID', 'POSTED', 'TITLE_RAW'"),
    ("postings.0.columns.title=JOB", "postings.csv: no column 'JOB'; there are: 'ID', 'POSTED', 'TITLE_RAW'"),
    ("postings.0.columns.split=FOLD", "postings.csv: no column 'FOLD'"),
    ("codes.crosswalk=/nonexistent.csv", "'/nonexistent.csv': No such file"),
    ("codes.crosswalk=tests/data/postings.csv", "postings.csv: no columns 'O*NET-SOC 2010 Code'"),
    ("source.categories=/nonexistent.tsv", "'/nonexistent.tsv': No such file"),
    ("source.categories=tests/data/postings.csv", "postings.csv:1: no column 'code'"),
    ("encoder.weights=/nonexistent", "'/nonexistent/vocab.txt': No such file"),
    ("encoder.kind=magic", "'magic'"), ("method=magic", "no method 'magic'; there are: direct, average"),
    ("max_bad_rows=many", "max_bad_rows: 'many'"), ("refuse_worse=much", "refuse_worse: 'much'"),
    ("split.kind=column", "columns.split"), ("split.kind=postings", "nothing to test with"),
    ("cache=FILE", "FILE"), ("output=FILE", "FILE"), ("report=FILE", "FILE")])
def test_refused(shop, assignment, said):
    """Exit status 1, the last line says what and why, nothing is published. FILE: a file where a folder should be."""
    file = shop.folder / "file.txt"
    file.write_text("not a folder", encoding="utf-8")
    said = said.replace("FILE", str(file))
    result = shop.fit(assignment.replace("FILE", str(file)), status=1)
    last = result.stderr.splitlines()[-1]
    assert last.startswith("jobcode-train fit: ") and said in last, result.stderr
    assert not shop.current.exists()


def test_unreadable_crosswalk(shop):
    """A file with the columns and rows that are no codes, and one of bytes."""
    path = shop.folder / "crosswalk.csv"
    for content in (b"O*NET-SOC 2010 Code,O*NET-SOC 2010 Title,O*NET-SOC 2019 Code,O*NET-SOC 2019 Title\nx,y,z,w\n",
                    bytes(range(256)) * 20):
        path.write_bytes(content)
        result = shop.fit(f"codes.crosswalk={path}", status=1)
        assert str(path) in result.stderr.splitlines()[-1], result.stderr


def test_too_many_bad_rows(shop):
    """The run stops, and rejects.csv is there to see why."""
    result = shop.fit("max_bad_rows=4%", status=1)
    assert "19 of 406 rows are bad, and 4% of them may be" in result.stderr
    assert "postings.csv:126: 8 fields, the header has 6" in result.stderr
    assert len(shop.read_rejects()) == 19
    shop.fit("max_bad_rows=19")


def test_current_of_another_make(shop):
    """What is no link of ours is not replaced, and no rubbish stays behind."""
    shop.current.mkdir(parents=True)
    result = shop.fit("refuse_worse=", status=1)
    assert f"'{shop.current}' is not a symbolic link: move it away" in result.stderr
    assert [path.name for path in shop.output.iterdir() if ".tmp-" in path.name] == []


def test_present_model_that_cannot_be_compared_with(shop):
    shop.fit("method=average")
    version = shop.manifest()["version"]
    result = shop.fit("method=average", "text.part=body", status=1)
    assert "cannot compare with the model in place" in result.stderr and "text.part" in result.stderr
    assert shop.manifest()["version"] == version
    shop.fit("method=average", "text.part=body", "refuse_worse=")
    assert shop.manifest()["encoder"]["part"] == "body"


# ---- signals ----


@pytest.fixture(scope="module")
def long_postings(tmp_path_factory):
    """Bodies that take the fake encoder seconds."""
    path = tmp_path_factory.mktemp("postings") / "long.csv"
    script = harness.ROOT / "tests/bench/make_postings.py"
    subprocess.run([sys.executable, script, "--rows", "10000", "--output", path], check=True, timeout=300)
    return path


def wait_for_vectors(process, cache):
    """Until some are in the cache, or all is over."""
    deadline = time.monotonic() + harness.TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        if any(path.stat().st_size > 1 << 16 for path in cache.glob("*.vectors")):
            return
        time.sleep(0.002)


def test_interrupt_while_encoding(shop, long_postings):
    """Exit status 130, and the next run goes on from the cache. A run that is faster than the signal tells nothing."""
    sets = [f"postings.0.path={long_postings}", "text.part=title_body", "methods=direct"]
    for attempt in range(INTERRUPTS):
        cache = shop.folder / f"cache-{attempt}"
        process = shop.start("evaluate", *sets, f"cache={cache}")
        wait_for_vectors(process, cache)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=4 * harness.TIMEOUT_S)
        status = process.returncode
        if status == trainer.INTERRUPTED:
            break
        assert status in (0, -signal.SIGINT) and re.search(r"^encode: \d+ in", said, re.M), said
    else:
        pytest.skip("the encoding was over before every signal")
    done, of = re.search(r"interrupted: (\d+) of (\d+) texts are encoded and kept in", said).groups()
    assert 0 < int(done) <= int(of)
    again = shop.run("evaluate", *sets, f"cache={cache}")
    assert f"encode: {done} of {of} texts are in" in again.stderr
    assert trainer.table(again)["direct"]["n"] > 0


def test_kill_at_any_moment(shop):
    """`current` always is a whole version, whatever moment a fit was killed at, and the next fit works, with the cache
    that the killed one wrote too."""
    begin = time.monotonic()
    shop.fit("seed=0", "refuse_worse=")
    duration_s = time.monotonic() - begin
    rng = random.Random(1)
    n_killed = 0
    for seed in range(1, KILLS + 1):
        before = shop.manifest()["version"]
        begin = time.monotonic()
        process = shop.start("fit", f"seed={seed}", "refuse_worse=", f"cache={shop.cache}-{seed // 2}")
        try:
            process.communicate(timeout=duration_s * rng.uniform(0.3, 1.2))
            duration_s = min(duration_s, time.monotonic() - begin)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        n_killed += process.returncode == -signal.SIGKILL
        assert process.returncode in (0, -signal.SIGKILL)
        after = shop.manifest()["version"]
        assert after != before or process.returncode != 0
        assert after in shop.versions() and after == shop.current.resolve().name
        checked = harness.run("--check", "--set", f"model.folder={shop.current}")
        assert checked.returncode == 0, checked.stderr
    assert n_killed > 0
    shop.fit("seed=100", "refuse_worse=")
    assert shop.manifest()["version"] in shop.versions() and len(shop.versions()) <= 3
    assert harness.run("--check", "--set", f"model.folder={shop.current}").returncode == 0
