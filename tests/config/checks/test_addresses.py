"""Accounts, networks, zones and names that would not hold together are answered with their line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.derivation.derive import derive
from config.errors import ConfigError
from config.loader import parse
from config.reading.files import SYSTEMS

ROOT = SYSTEMS.parent.parent
TEXT = (SYSTEMS / "quikapp.yaml").read_text(encoding="utf-8")
STAGING = TEXT.index("  staging:\n    namespace")
ZONES = "zones: [us-east-1a, us-east-1b, us-east-1c]"

Mistake = tuple[str, str, str, str, str]
"""What is wrong, the text replaced, its replacement, the text of the line that the answer names, and what it says."""
MISTAKES: list[Mistake] = [
    ("networks of two environments overlap", "cidr: 10.50.0.0/16", "cidr: 10.40.0.0/15", "cidr: 10.40.0.0/15", "overlaps production's 10.40.0.0/16"),
    ("VPNs of two environments overlap", "vpnCidr: 10.52.0.0/22", "vpnCidr: 10.42.0.0/22", "vpnCidr: 10.42.0.0/22", "overlaps production's 10.42.0.0/22"),
    ("subnets overlap", "data: [10.50.16.0/22", "data: [10.50.64.0/22", "data: [10.50.64.0/22", "10.50.64.0/22 overlaps subnets.private[0] 10.50.64.0/18"),
    ("a subnet outside", "data: [10.50.16.0/22", "data: [10.99.16.0/22", "data: [10.99.16.0/22", "10.99.16.0/22 is not inside 10.50.0.0/16"),
    ("the VPN inside the network", "vpnCidr: 10.52.0.0/22", "vpnCidr: 10.50.32.0/22", "vpnCidr: 10.50.32.0/22", "overlaps cidr 10.50.0.0/16"),
    ("a VPN too small", "vpnCidr: 10.52.0.0/22", "vpnCidr: 10.52.0.0/28", "vpnCidr: 10.52.0.0/28", "between /12 and /22"),
    ("a subnet missing", "public: [10.50.0.0/22, 10.50.4.0/22, 10.50.8.0/22]", "public: [10.50.0.0/22]", "public: [10.50.0.0/22]", "1 networks for 3 zones"),
    ("production's domain", "domain: staging.quikapp.com", "domain: quikapp.com", "domain: quikapp.com", "'quikapp.com' is production's domain"),
    ("production's account", 'id: "444455556666"', 'id: "111122223333"', 'id: "111122223333"', "111122223333 is production's account"),
    ("an account of eleven digits", 'id: "444455556666"', 'id: "44445555666"', 'id: "44445555666"', "an AWS account id has 12 digits, this has 11"),
    ("an instance class that nobody sells", "instance: kafka.m7g.xlarge", "instance: kafka.m9g.xlarge", "instance: kafka.m9g.xlarge", "kafka has no instance class kafka.m9g.xlarge"),
    ("a size that nobody sells", "instance: cache.r6g.xlarge", "instance: cache.r6g.micro", "instance: cache.r6g.micro", "cache.r6g is sold from large to 16xlarge"),
    ("a class of another service", "instance: m6i.2xlarge", "instance: db.r6g.2xlarge", "instance: db.r6g.2xlarge", "ec2 has no instance class db.r6g.2xlarge"),
    ("two zones for three nodes", ZONES, "zones: [us-east-1a, us-east-1b]", "zones: [us-east-1a, us-east-1b]", "2 zones for the 3 nodes of 'mongodb'"),
    ("a zone elsewhere", ZONES, "zones: [us-east-1a, us-east-1b, eu-west-1a]", "account:", "eu-west-1a is not in us-east-1"),
    ("more gateways than zones", "natGateways: 3", "natGateways: 4", "natGateways: 4", "4 gateways for 3 zones"),
    ("everybody at the cluster's API", "publicAccessCidrs: [203.0.113.0/28]", "publicAccessCidrs: [0.0.0.0/0]", "publicAccessCidrs: [0.0.0.0/0]", "0.0.0.0/0 is everybody"),
    ("no account", "    account:\n", "    cloud:\n", "cloud:", "unknown key"),
    ("logs into a bucket for uploads", "    logs: logs\n    hostName", "    logs: uploads\n    hostName", "logs: uploads", "'uploads' is no bucket that receives logs"),
    ("a CDN before nothing", "bucket: assets", "bucket: asset", "bucket: asset", "'asset' is no bucket that others read"),
    ("a bucket without logs", '    name: "{system}-{environment}-uploads"\n    logs: logs\n', '    name: "{system}-{environment}-uploads"\n', "uploads:", "give it 'logs'"),
    ("an add-on less", "      metrics-server: v0.8.0-eksbuild.1\n", "", "addons:", "metrics-server missing"),
    ("backups for ever", "    database: quikapp\n\n  mysql", "    database: quikapp\n    backupRetention: 90d\n\n  mysql", "backupRetention: 90d", "AWS keeps backups for 1 to 35 whole days"),
    ("one node", "    nodes: 2\n    database: quikapp\n\n  mysql", "    nodes: 1\n    database: quikapp\n\n  mysql", "nodes: 1", "Multi-AZ needs a writer and a reader"),
    ("Kafka that one broker stops", "    storage: 1024Gi", "    storage: 1024Gi\n    minimumInSync: 3", "kafka:", "or the loss of one broker stops writers"),
    ("a second network", "  vpn:\n", "  other:\n    kind: network\n  vpn:\n", "other:", "a second network, beside 'network'"),
]  # fmt: skip


def spoiled(old: str, new: str) -> str:
    """In staging's part where it is there, else in production's declaration."""
    place = STAGING if TEXT.find(old, STAGING) >= 0 else 0
    assert TEXT.find(old, place) >= 0, old
    return TEXT[:place] + TEXT[place:].replace(old, new, 1)


def every(text: str) -> None:
    """Reads the declaration, and derives each of its environments."""
    system = parse(text, "quikapp.yaml")
    for environment in system.environments:
        derive(system, environment)


@pytest.mark.parametrize(("old", "new", "line", "said"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_answered_with_its_line(old: str, new: str, line: str, said: str) -> None:
    text = spoiled(old, new)
    with pytest.raises(ConfigError) as caught:
        every(text)
    found = [problem for problem in caught.value.problems if said in str(problem)]
    assert found, str(caught.value)
    assert found[0].line is not None
    assert line in text.splitlines()[found[0].line - 1]


@pytest.mark.parametrize(
    ("path", "host"), [("cdn.hostName", "cdn.quikapp.com"), ("ingress.hosts", ["api.quikapp.com"])]
)
def test_a_host_outside_of_the_environments_domain_is_refused(path: str, host: object) -> None:
    change = f"    changes:\n      - because: a mistake of somebody\n        set: {{{path}: {host}}}\n"
    system = parse(TEXT.replace("    changes:\n", change, 1), "quikapp.yaml")
    with pytest.raises(ConfigError, match=r"is not inside 'staging\.quikapp\.com'") as caught:
        derive(system, "staging")
    assert path in str(caught.value)


def test_a_system_on_aws_needs_an_account() -> None:
    start = TEXT.index("    account:\n", STAGING)
    end = TEXT.index("    cluster:\n", start)
    with pytest.raises(ConfigError, match="'account' is missing: the system has components on AWS"):
        parse(TEXT[:start] + TEXT[end:], "quikapp.yaml")


@pytest.mark.parametrize(
    ("word", "begin", "end", "first"),
    [
        ("network", "  network:\n", "  vpn:\n", "components.vpn"),
        ("zone", "  names:\n", "  logs:\n", "components.cluster"),
        ("eks", "  cluster:\n    kind", "  ingress:\n", "components.vpn"),
    ],
)
def test_what_others_stand_on_has_to_be_there(word: str, begin: str, end: str, first: str) -> None:
    start = TEXT.index(begin)
    text = TEXT[:start] + TEXT[TEXT.index(end, start) :]
    if word == "eks":  # what was assumed of it goes with it
        text = "\n".join(
            line for line in text.splitlines() if not line.strip().startswith(("- cluster.", "paths: [cluster."))
        )
        text = text.replace(
            "its images come from this registry\n", "its images come from this registry\n    paths: [postgres.nodes]\n"
        )
    with pytest.raises(ConfigError, match=f"{first}: the system declares no {word} for it"):
        parse(text, "quikapp.yaml")


def test_a_vpn_needs_addresses_for_people() -> None:
    with pytest.raises(ConfigError, match="'vpnCidr' is missing, which 'vpn' needs"):
        parse(TEXT.replace("      vpnCidr: 10.52.0.0/22\n", ""), "quikapp.yaml")


def test_the_command_answers_without_a_traceback_and_with_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "quikapp.yaml"
    file.write_text(spoiled("cidr: 10.50.0.0/16", "cidr: 10.40.0.0/15"), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "cli", "check", str(file)]
    result = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "quikapp.yaml:" in result.stderr
    assert "Traceback" not in result.stderr + result.stdout
