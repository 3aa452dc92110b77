"""The VPN's file, and what is said when it cannot be written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from cli.openvpn import profile, read, write
from config.errors import ConfigError

VALUES = {
    "endpoint": "*.cvpn-endpoint-1.prod.clientvpn.us-east-1.amazonaws.com",
    "authority": "AUTHORITY\n",
    "certificate": "CERTIFICATE\n",
    "key": "KEY\n",
    "serverName": "vpn.staging.shop.example.com",
}


def test_it_leads_to_the_endpoint_and_to_no_other_server() -> None:
    text = profile(VALUES)
    assert "remote cvpn-endpoint-1.prod.clientvpn.us-east-1.amazonaws.com 443\nremote-random-hostname\n" in text
    assert "remote-cert-tls server\nverify-x509-name vpn.staging.shop.example.com name\n" in text
    assert "<ca>\nAUTHORITY\n</ca>\n<cert>\nCERTIFICATE\n</cert>\n<key>\nKEY\n</key>\n" in text


def test_it_is_its_owners_alone_and_written_whole(tmp_path: Path) -> None:
    file = tmp_path / "shop-staging.ovpn"
    file.write_text("earlier")
    write(read(json.dumps(VALUES), "x"), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == profile(VALUES)
    assert [path.name for path in tmp_path.iterdir()] == ["shop-staging.ovpn"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[secret]", "not JSON"),
        ("{}", "endpoint, authority, certificate, key, serverName missing"),
        (json.dumps({**VALUES, "key": None}), "key missing"),
        ('"[secret]"', "missing"),
    ],
)
def test_what_is_no_output_is_told(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read(text, "standard input")
    assert "--show-secrets" in str(caught.value)
