"""deploy/: what the alerts and the dashboard ask for is what /metrics gives; the compose file and the unit lock the service in."""
import json
import re

import pytest
import yaml
from support.server import ROOT

METRIC = re.compile(r"(carers_\w+)(\{[^}]*\})?")
LABELS = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')


def given(text):
    """Each metric's name, with the values of each of its labels."""
    names = {}
    for name, labels in METRIC.findall("\n".join(line for line in text.splitlines() if not line.startswith("#"))):
        for label, value in LABELS.findall(labels):
            names.setdefault(name, {}).setdefault(label, set()).add(value)
        names.setdefault(name, {})
    return names


def asked():
    """(where, expression) of all alerts and panels."""
    for group in yaml.safe_load((ROOT / "deploy/alerts.yaml").read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in json.loads((ROOT / "deploy/grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


@pytest.fixture(scope="module")
def metrics(settings, run_folder, tokens):
    """What a service with its webhooks on gives, after a good answer, a bad request and a webhook's."""
    from support.client import Api
    from support.server import Server
    server = Server({**settings, "CARERS_WEBHOOKS": "true"}, run_folder).start()
    api = Api(server, tokens)
    try:
        assert api.get("/v1/me", role="practitioner").status_code == 200
        assert api.get("/v1/nothing").status_code == 404
        return given(api.get("/metrics").text)
    finally:
        server.stop()


@pytest.mark.parametrize("where, expression", list(asked()), ids=lambda value: value if " " not in value else value.replace(" ", "-")[:40])
def test_every_metric_and_label_that_is_asked_for_is_given(metrics, where, expression):
    for name, labels in METRIC.findall(expression):
        assert name in metrics, f"{where} asks for {name}, which /metrics does not give"
        for label, value in LABELS.findall(labels):
            if label in ("instance", "job"):  # Prometheus gives them
                continue
            assert label in metrics[name], f"{where}: {name} has no label {label}"
            if label in ("state", "result"):
                assert value in metrics[name][label], f"{where}: {label} of {name} is never {value}"
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        for label in set(labels.split(", ")) - {"instance"}:
            assert any(label in metrics[name] for name, _ in METRIC.findall(expression)), f"{where} sums by {label}, which there is none of"


def test_every_metric_that_is_given_has_its_place_on_the_dashboard(metrics):
    text = (ROOT / "deploy/grafana-dashboard.json").read_text(encoding="utf-8")
    assert {name for name in metrics if name not in text} == set()


def test_panels_say_what_they_are_and_have_ids_of_their_own():
    panels = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] and (panel["type"] == "row" or panel["description"]) for panel in panels)


@pytest.mark.parametrize("name", ["database", "migrate", "service"])
def test_containers_cannot_write_gain_rights_or_hold_secrets_in_their_environment(name):
    compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))
    service = compose["services"][name]

    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]
    assert "cap_add" not in service and "privileged" not in service
    for variable, value in service["environment"].items():
        assert "PASSWORD" not in variable.removesuffix("_FILE") or variable.endswith("_FILE"), variable
        assert "password=" not in value, variable
    for secret in service["secrets"]:
        assert "file" in compose["secrets"][secret if isinstance(secret, str) else secret["source"]]


def test_the_image_is_not_roots_and_looks_after_its_health():
    text = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")
    last = text.rsplit("\nFROM ", 1)[1]

    assert last.startswith("scratch") and "USER 10001:10001" in last
    assert 'CMD ["/usr/bin/carers-api", "health"]' in last


def test_settings_of_the_samples_are_settings_of_the_service():
    known = set(re.findall(r'"(CARERS_\w+)"', (ROOT / "include/base/settings.def").read_text(encoding="utf-8")))
    ours = {"CARERS_IMAGE", "CARERS_PUBLISH"}  # of compose.yaml itself
    for path in (*(ROOT / "docker").glob("*"), *(ROOT / "deploy").glob("*"), ROOT / "docs/operations.md"):
        if path.is_file():
            named = set(re.findall(r"\bCARERS_[A-Z_]+\b", path.read_text(encoding="utf-8")))
            assert named <= known | ours, f"{path.name}: {sorted(named - known - ours)}"
