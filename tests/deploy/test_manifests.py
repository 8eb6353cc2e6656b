"""The manifests, rendered by kubectl: of one mind with each other and with the server (test_schemas.py: schemas)."""

import re

import yaml

import harness
from conftest import KUBERNETES, ROOT, find

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
UNANSWERED_S = 2  # after shutdown.timeout: what is left gets 503, and the process ends (src/server/life/lifecycle.c)


def pods(documents):
    """(document, pod template) of each workload."""
    for document in documents:
        if document["kind"] == "Deployment":
            yield document, document["spec"]["template"]
        elif document["kind"] == "CronJob":
            yield document, document["spec"]["jobTemplate"]["spec"]["template"]


def all_containers(template):
    return template["spec"].get("initContainers", []) + template["spec"]["containers"]


def server_pod(documents):
    return find(documents, "Deployment")["spec"]["template"]["spec"]


def server_container(documents):
    (container,) = server_pod(documents)["containers"]
    return container


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)([a-z]*)", str(text)).groups()
    return int(number) * UNITS[unit or "s"]


def config_of(documents, prefix="jobcode-server-", file="server.yaml"):
    maps = [
        document
        for document in documents
        if document["kind"] == "ConfigMap" and document["metadata"]["name"].startswith(prefix)
    ]
    assert len(maps) == 1
    return maps[0]["data"][file]


def setting(documents, key):
    """What the server gets: the defaults of config/server.yaml, the ConfigMap over them, --set over both."""
    arguments = server_container(documents)["args"]
    for assignment in reversed([words[1] for words in zip(arguments, arguments[1:]) if words[0] == "--set"]):
        name, value = assignment.split("=", 1)
        if name == key:
            return value
    section, name = key.split(".")
    for text in (config_of(documents), (ROOT / "config/server.yaml").read_text(encoding="utf-8")):
        value = yaml.safe_load(text).get(section, {}).get(name)
        if value is not None:
            return value
    raise AssertionError(f"no key {key}")


def matches(selector, labels):
    return selector.items() <= labels.items()


# ---- names that must agree ----


def test_namespace_and_name(documents):
    for document in documents:
        if document["kind"] != "Namespace":
            assert document["metadata"].get("namespace") == "jobcode", (document["kind"], document["metadata"]["name"])
        assert document["metadata"]["labels" if document["kind"] != "ConfigMap" else "name"]


def test_image(documents):
    images = {container["image"] for _, template in pods(documents) for container in all_containers(template)}
    version = re.search(r"^\s*version: '([^']+)'", (ROOT / "meson.build").read_text(encoding="utf-8"), re.M).group(1)
    tagged = f"registry.example.org/jobcode:{version}"
    wants_gpu = "nvidia.com/gpu" in server_container(documents)["resources"]["limits"]
    assert images in ([{f"{tagged}-cuda"}] if wants_gpu else [{"jobcode"}, {tagged}])


def test_volumes_and_what_they_name_exist(documents):
    names = {(document["kind"], document["metadata"]["name"]) for document in documents}
    for _, template in pods(documents):
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        for volume in volumes.values():
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in names
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names
        mounted = {mount["name"] for container in all_containers(template) for mount in container["volumeMounts"]}
        assert mounted == set(volumes)
        assert ("ServiceAccount", template["spec"]["serviceAccountName"]) in names


def test_selectors_find_the_server(documents):
    labels = find(documents, "Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        find(documents, "Deployment")["spec"]["selector"]["matchLabels"],
        find(documents, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        find(documents, "NetworkPolicy", "jobcode-server")["spec"]["podSelector"]["matchLabels"],
        find(documents, "Service", "jobcode")["spec"]["selector"],
        find(documents, "Service", "jobcode-admin")["spec"]["selector"],
    ]
    selectors += [
        spread["labelSelector"]["matchLabels"] for spread in server_pod(documents)["topologySpreadConstraints"]
    ]
    assert all(selector and matches(selector, labels) for selector in selectors)
    target = find(documents, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", find(documents, "Deployment")["metadata"]["name"])
    for document, template in pods(documents):
        if document["kind"] == "CronJob":  # no Service may send a client there
            assert not any(matches(selector, template["metadata"]["labels"]) for selector in selectors)


def test_ports(documents):
    ports = {port["name"]: port["containerPort"] for port in server_container(documents)["ports"]}
    assert ports == {"http": setting(documents, "http.port"), "admin": setting(documents, "admin.port")}
    assert setting(documents, "http.address") == setting(documents, "admin.address") == "0.0.0.0"
    for document in documents:
        if document["kind"] == "Service":
            assert all(port["targetPort"] in ports for port in document["spec"]["ports"])
    policy = find(documents, "NetworkPolicy", "jobcode-server")["spec"]
    assert {port["port"] for rule in policy["ingress"] for port in rule["ports"]} == set(ports)
    assert policy["egress"] == [] and set(policy["policyTypes"]) == {"Ingress", "Egress"}


def test_ways_in(all_documents):
    service = find(all_documents, "Service", "jobcode")["spec"]["ports"][0]
    backend = find(all_documents, "Ingress")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "jobcode", "port": {"name": service["name"]}}
    (rule,) = find(all_documents, "HTTPRoute")["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "jobcode", "port": service["port"]}]
    most_s = seconds(setting(all_documents, "requests.timeout_max"))
    assert seconds(rule["timeouts"]["request"]) > most_s
    annotations = find(all_documents, "Ingress")["metadata"]["annotations"]
    assert int(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > most_s
    body = re.fullmatch(r"(\d+)MiB", setting(all_documents, "limits.body")).group(1)
    assert annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == f"{body}m"
    assert not any("cors" in name for name in annotations) and "filters" not in rule


def test_metrics(all_documents):
    monitor = find(all_documents, "ServiceMonitor")["spec"]
    labels = find(all_documents, "Service", "jobcode-admin")["metadata"]["labels"]
    assert matches(monitor["selector"]["matchLabels"], labels)
    assert not matches(
        monitor["selector"]["matchLabels"], find(all_documents, "Service", "jobcode")["metadata"]["labels"]
    )
    (endpoint,) = monitor["endpoints"]
    ports = {
        port["name"]: port["targetPort"] for port in find(all_documents, "Service", "jobcode-admin")["spec"]["ports"]
    }
    assert ports[endpoint["port"]] == "admin"
    assert endpoint["path"] in harness.SPEC["paths"]
    assert endpoint["authorization"]["credentials"]["name"]  # /metrics wants a key where there are keys


def test_metric_names_exist():
    known = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/server/observe").glob("*.c"))
    for path in KUBERNETES.rglob("*.yaml"):
        for name in re.findall(r"\bjobcode_\w+", path.read_text(encoding="utf-8")):
            assert f'"{name}"' in known, f"{path}: {name}"


# ---- drain, sizes, rights ----


def test_drain_fits(documents):
    grace, timeout = (seconds(setting(documents, f"shutdown.{name}")) for name in ("grace", "timeout"))
    assert server_pod(documents)["terminationGracePeriodSeconds"] >= grace + timeout + UNANSWERED_S
    assert "lifecycle" not in server_container(documents)
    ready = server_container(documents)["readinessProbe"]
    assert ready["failureThreshold"] * ready["periodSeconds"] + ready["timeoutSeconds"] < grace
    # What is accepted at the last moment has its whole time.
    assert (
        seconds(setting(documents, "requests.timeout"))
        <= seconds(setting(documents, "requests.timeout_max"))
        <= timeout
    )


def test_confined(documents):
    assert find(documents, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for _, template in pods(documents):
        spec = template["spec"]
        pod = spec["securityContext"]
        assert pod["runAsNonRoot"] and pod["runAsUser"] == pod["runAsGroup"] == pod["fsGroup"] == 10001
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False and not spec.get("hostNetwork")
        for container in all_containers(template):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            resources = container["resources"]
            assert {"cpu", "memory"} <= set(resources["limits"]) and resources["requests"].items() <= resources[
                "limits"
            ].items()


def test_available_while_nodes_are_drained(documents):
    assert "replicas" not in find(documents, "Deployment")["spec"]
    autoscaler = find(documents, "HorizontalPodAutoscaler")["spec"]
    assert (
        autoscaler["maxReplicas"]
        > autoscaler["minReplicas"]
        > find(documents, "PodDisruptionBudget")["spec"]["maxUnavailable"]
    )


def test_servers_read_what_the_trainer_publishes(all_documents):
    train = yaml.safe_load(config_of(all_documents, "jobcode-train-", "train.yaml"))
    assert setting(all_documents, "model.folder") == f"{train['output']}/current"
    assert train["keep"] >= 2 and seconds(setting(all_documents, "model.watch")) > 0
    trainer = find(all_documents, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    def claim(spec, container, path):
        (name,) = [mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == path]
        return [volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"] if volume["name"] == name]

    server = server_pod(all_documents)
    assert claim(trainer, trainer["containers"][0], train["output"]) == claim(
        server, server["containers"][0], train["output"]
    )
    assert claim(server, server["initContainers"][0], train["output"]) == claim(
        server, server["containers"][0], train["output"]
    )


def test_gpu_overlay(render):
    documents = render(KUBERNETES / "overlays/gpu-t4")
    spec = server_pod(documents)
    assert spec["nodeSelector"] == {"nvidia.com/gpu.product": "Tesla-T4"}
    assert [toleration["key"] for toleration in spec["tolerations"]] == ["nvidia.com/gpu"]
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    encoder = {name: setting(documents, f"encoder.{name}") for name in ("backend", "device", "precision")}
    assert encoder == {"backend": "cuda", "device": "cuda:0", "precision": "f16"}
    assert int(setting(documents, "workers.count")) >= 2  # else nothing is packed while a batch runs
    for document, template in pods(documents):  # a GPU is taken by who encodes on it, and by nobody else
        for container in all_containers(template):
            uses = document["kind"] == "Deployment" and container["name"] == "server"
            assert ("nvidia.com/gpu" in container["resources"]["limits"]) is uses
    for name in ("base", "overlays/cpu"):
        others = render(KUBERNETES / name)
        assert "nodeSelector" not in server_pod(others) and setting(others, "encoder.backend") == "onednn"


def test_gpu_overlay_changes_nothing_else(render):
    """Of the configuration: what the overlay `cpu` says of drain, volumes and listeners holds there, too."""
    arguments = {
        name: server_container(render(KUBERNETES / f"overlays/{name}"))["args"] for name in ("cpu", "gpu-t4")
    }
    own = arguments["gpu-t4"][len(arguments["cpu"]) :]
    assert arguments["gpu-t4"][: len(arguments["cpu"])] == arguments["cpu"] and own[::2] == ["--set"] * (len(own) // 2)
    keys = [assignment.partition("=")[0] for assignment in own[1::2]]
    assert {key.partition(".")[0] for key in keys} == {"encoder", "workers"} and len(set(keys)) == len(keys)
    configs = {config_of(render(KUBERNETES / f"overlays/{name}")) for name in ("cpu", "gpu-t4")}
    assert len(configs) == 1


def test_start_has_time(render):
    """The driver's context and the libraries' first reading come on top of what a CPU's server does."""
    probes = {
        name: server_container(render(KUBERNETES / f"overlays/{name}"))["startupProbe"] for name in ("cpu", "gpu-t4")
    }
    allowed = {name: probe["failureThreshold"] * probe["periodSeconds"] for name, probe in probes.items()}
    assert allowed["gpu-t4"] >= 2 * allowed["cpu"] and probes["gpu-t4"]["httpGet"] == probes["cpu"]["httpGet"]
