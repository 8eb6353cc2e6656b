"""The examples of README.md and openapi.yaml (x-codeSamples) run, as they stand but for the port, in the language they are
in, and what they print is the server's answer; with the real model (JOBCODE_MODEL) the documented one, too."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from harness import ROOT, SPEC, TIMEOUT_S, Server, resolve, same, validate

MODEL = os.environ.get("JOBCODE_MODEL")
JAVASCRIPT, PYTHON, SHELL = "JavaScript", "Python", "Shell"
INTERPRETERS = {JAVASCRIPT: ["node", "--input-type=module", "-"], PYTHON: [sys.executable, "-"], SHELL: ["bash", "-eu", "-"]}

# What the samples in programming languages print of an answer.
MATCHES = "{0[code]} {0[title]} {0[confidence]}"
PRINTED = {
    "classify": lambda answer: [MATCHES.format(match) for match in answer["results"][0]["matches"]],
    "classifyQuery": lambda answer: [MATCHES.format(match) for match in answer["results"][0]["matches"]],
    "categories": lambda answer: ["{0[code]} {0[title]}".format(category) for category in answer["categories"]],
    "model": lambda answer: ["{0[model]} {0[taxonomy]} {0[categories]}".format(answer)],
}

OPERATIONS = {operation["operationId"]: operation for item in SPEC["paths"].values() for operation in item.values()}
SAMPLES = [(name, sample["lang"]) for name, operation in OPERATIONS.items() for sample in operation["x-codeSamples"]]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(bundle):
    with Server(MODEL or bundle, "admin.address=127.0.0.1", "admin.port=0") as running:
        yield running


def run_sample(server, language, source):
    program = INTERPRETERS[language]
    if not shutil.which(program[0]):
        pytest.skip(f"{program[0]} is not installed")
    source, n_hosts = re.subn(r"\b(?:localhost|127\.0\.0\.1):8080\b", f"127.0.0.1:{server.port}", source)
    source, n_admin = re.subn(r"\b127\.0\.0\.1:8081\b", f"127.0.0.1:{server.admin_port}", source)
    assert n_hosts + n_admin == 1
    result = subprocess.run(program, input=source, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def numbers_apart(text):
    """Lines without their numbers, and the numbers: languages write 1.0 otherwise."""
    pattern = r"(?<= )\d+(?:\.\d+)?$"
    return [re.sub(pattern, "", line) for line in text], [float(n) for line in text for n in re.findall(pattern, line)]


def documented_answer(operation):
    """Media type, schema and the example of what the samples ask."""
    ((media, content),) = resolve(operation["responses"]["200"])["content"].items()
    return media, content["schema"], content["examples"]["one"]["value"] if "examples" in content else content["example"]


def sample_of(operation, language):
    (source,) = [sample["source"] for sample in operation["x-codeSamples"] if sample["lang"] == language]
    return source


@pytest.mark.parametrize("name, language", [sample for sample in SAMPLES if sample[1] == SHELL])
def test_curl_of_the_document(server, name, language):
    output = run_sample(server, language, sample_of(OPERATIONS[name], language))
    media, schema, documented = documented_answer(OPERATIONS[name])
    if name in ("openapi", "openapiJson"):  # JSON is YAML
        assert yaml.safe_load(output) == SPEC
    elif media == "application/json":
        answer = json.loads(output)
        validate(answer, schema)
        if MODEL or set(documented) == {"status"}:
            assert same(answer, documented)
    else:
        assert set(documented.splitlines()[:-1]) <= set(output.splitlines())


@pytest.mark.parametrize("name, language", [sample for sample in SAMPLES if sample[1] != SHELL])
def test_programs_of_the_document(server, name, language):
    """They print what the operation's curl gets."""
    operation = OPERATIONS[name]
    lines = run_sample(server, language, sample_of(operation, language)).splitlines()
    answer = json.loads(run_sample(server, SHELL, sample_of(operation, SHELL)))
    assert lines and numbers_apart(lines) == numbers_apart(PRINTED[name](answer))


@pytest.mark.parametrize("language", [PYTHON, JAVASCRIPT])
def test_errors_are_told(server, language):
    """A sample that checks the answer says the problem's code."""
    program = INTERPRETERS[language]
    if not shutil.which(program[0]):
        pytest.skip(f"{program[0]} is not installed")
    source = sample_of(OPERATIONS["classify"], language)
    source = source.replace("ICU Nurse (Nights)", "---").replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
    result = subprocess.run(program, input=source, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert result.returncode == 1 and "empty_text: No letter or digit" in result.stderr


def test_samples_are_there():
    """curl for every operation; the other languages where an application calls it."""
    for name, operation in OPERATIONS.items():
        languages = {language for sample, language in SAMPLES if sample == name}
        assert languages == ({SHELL, PYTHON, JAVASCRIPT} if name in PRINTED else {SHELL}), name


def blocks_of_readme(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def curl_of_readme():
    """(command, documented output) of each curl at a prompt."""
    for block in blocks_of_readme("console"):
        for command, output in re.findall(r"^\$ (curl .*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            yield command, output


def test_curl_of_the_readme(server):
    examples = list(curl_of_readme())
    assert examples
    for command, output in examples:
        answer, documented = json.loads(run_sample(server, SHELL, command)), json.loads(output)
        validate(answer, SPEC["components"]["schemas"]["ClassifyAnswer"])
        assert len(answer["results"][0]["matches"]) == len(documented["results"][0]["matches"])
        if MODEL:
            assert same(answer, documented)


@pytest.mark.parametrize("block, language", [("python", PYTHON), ("js", JAVASCRIPT)])
def test_programs_of_the_readme(server, block, language):
    """They ask what the README's curl asks."""
    (source,) = blocks_of_readme(block)
    command, _ = next(curl_of_readme())
    matches = json.loads(run_sample(server, SHELL, command))["results"][0]["matches"]
    assert run_sample(server, language, source).splitlines() == ["{code} {title}".format(**match) for match in matches]
