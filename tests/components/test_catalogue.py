"""Each kind has a builder, monitoring, a decision about its backup, and a page."""

from __future__ import annotations

import re

import pytest

from components.aws.platform import BUILDERS
from components.kinds.catalogue import CATALOGUE
from components.monitoring.simple import without_metrics
from config.kinds import models
from config.kinds.backend import PersistentBackend
from config.kinds.stateful import Stateful
from review.graph import ROOT

DECLARED_ONLY = {"gateway": "nginx in front of services; fidelity names it as not deployed", "external": "not ours"}
"""Kinds that the program does not deploy, and why."""
EXAMPLES = ("adding-a-kind.md", "adding-a-system.md", "glossary.md")
"""Pages that name kinds as examples, without saying what they do."""
PAGES = {p.name: p.read_text(encoding="utf-8") for p in (ROOT / "docs").glob("*.md") if p.name not in EXAMPLES}


@pytest.mark.parametrize("kind", sorted(models()))
def test_a_kind_is_built_or_is_named_as_not_built(kind: str) -> None:
    layer = BUILDERS if models()[kind].layer == "platform" else CATALOGUE
    assert (kind in layer) is not (kind in DECLARED_ONLY)


@pytest.mark.parametrize("kind", sorted(models()))
def test_a_kind_is_described_on_a_page(kind: str) -> None:
    word = re.compile(rf"`{kind}`|kind: {kind}\b")
    assert [page for page, text in PAGES.items() if word.search(text)] != []


def test_kinds_without_metrics_are_named() -> None:
    silent = {kind for kind, entry in CATALOGUE.items() if entry.monitoring is without_metrics}
    assert silent == {"elasticsearch", "kibana", "logstash", "manifests"}


@pytest.mark.parametrize("kind", sorted(k for k, m in models().items() if issubclass(m, Stateful)))
def test_a_store_says_whether_its_data_need_a_backup(kind: str) -> None:
    model = models()[kind]
    assert "backup_field" in vars(model)
    assert model.backup_field is None or model.backup_field in model.model_fields


def test_a_backend_with_a_volume_needs_no_backup() -> None:
    """Metrics, logs, silences and dashboards are made again, or expire."""
    backends = {kind: m for kind, m in models().items() if issubclass(m, PersistentBackend)}
    assert backends.keys() == {"alertmanager", "elasticsearch", "grafana", "loki", "prometheus"}
