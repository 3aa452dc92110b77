"""Who is told of what: by Alertmanager's own tool, and on the graph."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from components.core.rendered import as_yaml
from components.kinds.alertmanager.configuration import Configuration, configuration
from config.kinds import Alertmanager
from tests.components.graphs import inputs, recorded
from tests.components.watching import watched
from tests.servers import require
from tests.systems import WATCHED


def declared() -> Alertmanager:
    found: Alertmanager = watched("spacetime").declared("alertmanager")
    return found


def route(file: Path, *labels: str) -> str:
    command = ["amtool", "config", "routes", "test", f"--config.file={file}", *labels]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


ROUTES = [
    (("slack", "pagerduty"), "critical", "critical"),
    (("slack", "pagerduty"), "warning", "warning"),
    (("slack", "pagerduty"), "info", "null"),
    (("slack",), "critical", "critical"),
    (("slack",), "warning", "warning"),
    (("pagerduty",), "critical", "critical"),
    (("pagerduty",), "warning", "null"),
    ((), "critical", "null"),
    ((), "warning", "null"),
    ((), "info", "null"),
]


@pytest.mark.servers
@pytest.mark.parametrize(("there", "severity", "receiver"), ROUTES)
def test_routes(there: tuple[str, ...], severity: str, receiver: str, tmp_path: Path) -> None:
    require("amtool")
    file = tmp_path / "alertmanager.yml"
    file.write_text(as_yaml(configuration(declared(), there)))
    checked = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert route(file, "alertname=X", f"severity={severity}", "component=redis") == receiver


def receivers(found: Configuration) -> dict[str, tuple[bool, bool]]:
    """Receiver to whether it tells Slack, and PagerDuty."""
    return {r.name: (bool(r.slack_configs), bool(r.pagerduty_configs)) for r in found.receivers}


def test_what_is_critical_wakes_somebody() -> None:
    assert receivers(configuration(declared(), ("slack", "pagerduty"))) == {
        "null": (False, False),
        "critical": (True, True),
        "warning": (True, False),
    }
    assert receivers(configuration(declared(), ())) == {"null": (False, False)}


def test_secrets_are_files_and_go_through_the_proxy() -> None:
    text = as_yaml(configuration(declared(), ("slack", "pagerduty")))
    assert text.count("api_url_file: /etc/alertmanager/secrets/slack-url") == 2
    assert text.count("routing_key_file: /etc/alertmanager/secrets/pagerduty-routing-key") == 1
    assert text.count("proxy_url: http://172.16.241.10:3128") == 3


def test_without_a_secret_it_starts_and_tells_nobody() -> None:
    pod = inputs(recorded(*WATCHED), "Deployment", "tell")["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == ["files", "data"]
    text = inputs(recorded(*WATCHED), "ConfigMap", "tell")["data"]["alertmanager.yml"]
    assert "slack" not in text
    assert "receiver: 'null'" in text
    assert "stringData" not in inputs(recorded(*WATCHED), "Secret", "alerting")


def test_with_the_secret_it_is_mounted_and_rolls_the_pod() -> None:
    given = "  understudy:given:\n    alerting:\n      slack:\n        secure: 'v1:x'\n"
    nodes = recorded(*WATCHED, stack=given)
    template = inputs(nodes, "Deployment", "tell")["spec"]["template"]
    [secrets] = [volume for volume in template["spec"]["volumes"] if volume["name"] == "secrets"]
    source = {"secret": {"name": "alerting", "items": [{"key": "slack", "path": "slack"}]}}
    assert secrets["projected"] == {"sources": [source], "defaultMode": 0o440}
    assert "understudy.dev/secrets" in template["metadata"]["annotations"]
    assert (
        "api_url_file: /etc/alertmanager/secrets/slack"
        in inputs(nodes, "ConfigMap", "tell")["data"]["alertmanager.yml"]
    )


def test_silences_outlive_the_pod() -> None:
    claim = inputs(recorded(*WATCHED), "PersistentVolumeClaim", "data-tell-0")
    assert claim["spec"]["resources"]["requests"]["storage"] == "1G"
    spec = inputs(recorded(*WATCHED), "Deployment", "tell")["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    assert "--storage.path=/alertmanager" in spec["template"]["spec"]["containers"][0]["args"]
