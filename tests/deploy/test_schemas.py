"""The rendered manifests against schemas: Kubernetes' own, and a typed model of the ServiceMonitor."""

import json
import subprocess

import pytest
import yaml

from conftest import TOOLS, find

# Kinds that a cluster has only with an operator or an API that it brings: kubernetes-validate knows nothing of them.
FOREIGN = {"ServiceMonitor", "Gateway", "HTTPRoute"}
# Of Kubernetes: what deploy/README.md asks for, and what kubernetes-validate knows.
OLDEST, NEWEST = "1.29", "1.37"


def check(documents, version, tool, tmp_path):
    ours = [document for document in documents if document["kind"] not in FOREIGN]
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all(ours), encoding="utf-8")
    result = subprocess.run(
        [tool("kubernetes-validate"), "--strict", "-k", version, str(path)], capture_output=True, text=True
    )
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert said.count("passed for resource") == len(ours) and "WARN" not in said, said


def test_schemas_of_the_oldest(all_documents, tool, tmp_path):
    check(all_documents, OLDEST, tool, tmp_path)


def test_schemas(documents, tool, tmp_path):
    check(documents, NEWEST, tool, tmp_path)


def test_schemas_refuse(all_documents, tool, tmp_path):
    """The validator can fail."""
    deployment = json.loads(json.dumps(find(all_documents, "Deployment")))
    deployment["spec"]["template"]["spec"]["terminationGracePeriod"] = 50
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(deployment), encoding="utf-8")
    assert subprocess.run([tool("kubernetes-validate"), "--strict", str(path)], capture_output=True).returncode != 0


SERVICE_MONITOR = """
import json, sys
from cloudcoil.models.prometheus_operator.v1 import ServiceMonitor
given = json.load(sys.stdin)
print(json.dumps(ServiceMonitor.model_validate(given).model_dump(mode="json", by_alias=True, exclude_none=True)))
"""


def test_service_monitor(all_documents):
    """By a typed model of the operator's kind; a member that it does not know is lost in it, and so is found."""
    if not (TOOLS / "python").exists():
        pytest.skip("the models of the Prometheus operator are not installed")
    given = find(all_documents, "ServiceMonitor")
    result = subprocess.run(
        [str(TOOLS / "python"), "-c", SERVICE_MONITOR], input=json.dumps(given), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    known = json.loads(result.stdout)
    assert known["spec"] == given["spec"] and known["kind"] == given["kind"]
