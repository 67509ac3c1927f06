"""The manifests fit Kubernetes' own schemas, and name only what exists."""

import copy
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from typer.testing import CliRunner

from deploy.manifest import read_all
from holdfast.api.auth.middleware import PUBLIC_PATHS
from holdfast.cli.main import app
from holdfast.config import load
from holdfast.config.loading import STORAGE_VARIABLES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
KUSTOMIZATION = read_all(FOLDER / "kustomization.yaml")[0]
VERSIONS = ("1.29", "1.37")  # of Kubernetes, whose own schemas the validator has
SCALED = {
    "scaleTargetRef",
    "minReplicaCount",
    "maxReplicaCount",
    "pollingInterval",
    "cooldownPeriod",
    "triggers",
}  # KEDA
KNOWN = {*STORAGE_VARIABLES.values(), "ANTHROPIC_API_KEY", "OPENAI_API_KEY"}
WINDOWS_KEY = "HOLDFAST_METRICS_KEY"  # filled into the window's template

MANIFESTS = [each for name in KUSTOMIZATION["resources"] for each in read_all(FOLDER / name)]
NAMED = {(each["kind"], each["metadata"]["name"]): each for each in MANIFESTS}
PODS = {name: each["spec"]["template"] for (kind, name), each in NAMED.items() if kind in {"Deployment", "Job"}}
CONTAINERS = [(name, container) for name, pod in PODS.items() for container in pod["spec"]["containers"]]
CONFIG = NAMED["ConfigMap", "holdfast"]["data"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_manifests_fit_the_schemas_of_kubernetes(version: str) -> None:
    for manifest in MANIFESTS:
        if manifest["kind"] == "ScaledObject":
            assert set(manifest["spec"]) <= SCALED
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelled_field_would_be_seen() -> None:
    wrong = copy.deepcopy(NAMED["Deployment", "holdfast-worker"])
    wrong["spec"]["template"]["spec"]["containers"][0]["ressources"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="ressources"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_the_volumes_and_variables_that_its_containers_name(name: str) -> None:
    pod = PODS[name]["spec"]
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    for container in pod["containers"]:
        assert {"cpu", "memory"} == set(container["resources"]["requests"])
        assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes
        for variable in container.get("env", []):
            secret = "holdfast-metrics" if container["name"] == "window" else "holdfast"
            assert variable["name"] in ({WINDOWS_KEY} if container["name"] == "window" else KNOWN)
            assert variable["valueFrom"]["secretKeyRef"]["name"] == secret


@pytest.mark.parametrize("name", PODS)
def test_a_cluster_that_allows_only_restricted_pods_takes_them(name: str) -> None:
    """As https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted asks for."""
    pod = PODS[name]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]
    user = re.search(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user is not None, "the image runs as root"
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user[1]), "a cluster cannot tell whether a named user is root"


def test_each_version_has_a_migration_of_its_own_so_that_it_can_be_applied_again() -> None:
    (image,) = KUSTOMIZATION["images"]
    (labels,) = KUSTOMIZATION["labels"]
    (replacement,) = KUSTOMIZATION["replacements"]
    assert labels["pairs"] == {"app.kubernetes.io/version": image["newTag"]}
    assert replacement["source"]["fieldPath"] == "metadata.labels.[app.kubernetes.io/version]"
    (target,) = replacement["targets"]
    assert ("Job", target["select"]["name"]) in NAMED
    assert target["select"]["name"].split("-")[target["options"]["index"]] == "version"


def test_whoever_selects_finds_what_it_is_for() -> None:
    for (kind, name), each in NAMED.items():
        if kind in {"Deployment", "PodDisruptionBudget"}:
            assert each["spec"]["selector"]["matchLabels"] == PODS[name]["metadata"]["labels"]


@pytest.mark.parametrize(("name", "container"), [pair for pair in CONTAINERS if pair[1]["image"] == "holdfast"])
def test_a_command_and_its_options_exist(name: str, container: dict[str, Any]) -> None:
    words = container["args"]
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0, f"{name}: {done.output}"
    assert all(word in done.output for word in words if word.startswith("--"))


def test_probes_ask_for_paths_that_need_no_key_and_for_no_others() -> None:
    (api, window) = PODS["holdfast-api"]["spec"]["containers"]
    asked = set()
    for probe in (api["livenessProbe"], api["readinessProbe"]):
        asked.add(probe["httpGet"]["path"])
        assert probe["httpGet"]["port"] == api["ports"][0]["name"]
    assert asked == {"/livez", "/readyz"} <= PUBLIC_PATHS
    assert "livenessProbe" not in window
    assert api["ports"][0]["containerPort"] == load(None, env={}).server.port


def test_the_api_listens_where_its_service_and_the_window_look_for_it() -> None:
    (api, _window) = PODS["holdfast-api"]["spec"]["containers"]
    assert api["args"][-2:] == ["--host", "0.0.0.0"]
    service = NAMED["Service", "holdfast-api"]["spec"]
    assert service["selector"] == PODS["holdfast-api"]["metadata"]["labels"]
    assert service["ports"][0]["targetPort"] == api["ports"][0]["name"]
    assert f"127.0.0.1:{api['ports'][0]['containerPort']};" in CONFIG["default.conf.template"]


def test_the_window_lets_figures_through_with_a_key_that_can_do_no_more() -> None:
    pod, template = PODS["holdfast-api"], CONFIG["default.conf.template"]
    window = pod["spec"]["containers"][1]
    notes = pod["metadata"]["annotations"]
    assert re.findall(r"location (.*) {", template) == [f"= {notes['prometheus.io/path']}", "/"]
    assert f"listen {notes['prometheus.io/port']};" in template
    assert window["ports"][0]["containerPort"] == int(notes["prometheus.io/port"])
    assert f'"Bearer ${{{window["env"][0]["name"]}}}"' in template
    making = re.search(r"holdfast key create --name metrics (.*) \\", (FOLDER / "kustomization.yaml").read_text())
    assert making is not None
    assert making[1] == "--all-tenants --scope watch"


def test_the_configuration_is_valid_and_a_worker_may_finish_its_calls(tmp_path: Path) -> None:
    (tmp_path / "holdfast.toml").write_text(CONFIG["holdfast.toml"])
    keys = {"ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "b"}
    settings = load(tmp_path / "holdfast.toml", env=keys)
    assert settings.plan("smart").routes
    assert PODS["holdfast-worker"]["spec"]["terminationGracePeriodSeconds"] > settings.worker.grace


def test_the_scaler_scales_the_workers_by_a_figure_that_is_measured() -> None:
    spec = NAMED["ScaledObject", "holdfast-worker"]["spec"]
    (trigger,) = spec["triggers"]
    assert ("Deployment", spec["scaleTargetRef"]["name"]) in NAMED
    assert trigger["type"] == "prometheus"
    assert set(trigger["metadata"]) == {"serverAddress", "query", "threshold"}
    (measured,) = set(re.findall(r"holdfast_\w+", trigger["metadata"]["query"]))
    assert f"| `{measured}` | gauge |" in METRICS  # which is held against what the API exposes
    assert "replicas" not in NAMED["Deployment", "holdfast-worker"]["spec"]  # or each apply would undo the scaler


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_reads_them_as_we_do() -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER)], check=False, capture_output=True, text=True, timeout=280
    )
    assert built.returncode == 0, built.stderr
    assert built.stdout.count("\nkind: ") == len(MANIFESTS)
    assert f"name: holdfast-migration-{KUSTOMIZATION['images'][0]['newTag']}\n" in built.stdout
