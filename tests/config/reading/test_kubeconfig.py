"""Which cluster a kubeconfig leads to."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.reading.kubeconfig import certificate_authority, fingerprint

PEM = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(b"authority") + b"\n-----END CERTIFICATE-----\n"


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ca.pem").write_bytes(PEM)
    content = {
        "current-context": "inline",
        "contexts": [{"name": n, "context": {"cluster": n}} for n in ("inline", "file", "none")],
        "clusters": [
            {"name": "inline", "cluster": {"certificate-authority-data": base64.b64encode(PEM).decode()}},
            {"name": "file", "cluster": {"certificate-authority": "ca.pem"}},
            {"name": "none", "cluster": {}},
        ],
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(content))
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


@pytest.mark.parametrize("context", [None, "inline", "file"])
def test_finds_the_authority(context: str | None, kubeconfig: Path) -> None:
    assert certificate_authority(context) == PEM


def test_a_cluster_without_one(kubeconfig: Path) -> None:
    assert certificate_authority("none") is None


def test_an_unknown_context_is_told(kubeconfig: Path) -> None:
    with pytest.raises(ConfigError, match="no context 'prod'; known: inline, file, none"):
        certificate_authority("prod")


def test_no_kubeconfig_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    with pytest.raises(ConfigError, match="no kubeconfig found"):
        certificate_authority(None)


def test_a_file_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a: [")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(ConfigError, match="not a kubeconfig"):
        certificate_authority(None)


def test_the_first_of_several_files_wins(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(
        json.dumps({"current-context": "extra", "contexts": [{"name": "extra", "context": {"cluster": "file"}}]})
    )
    monkeypatch.setenv("KUBECONFIG", f"{kubeconfig}:{other}")
    assert certificate_authority(None) == PEM
    assert certificate_authority("extra") == PEM


def test_the_fingerprint_is_of_the_certificate() -> None:
    assert fingerprint(PEM) == "8f76fd501bb68ef71f4e276bc28f29bce1003b0c2c9d9478de81b5bfc0cde1e9"
    with pytest.raises(ValueError, match="no certificate"):
        fingerprint(b"nothing")
