"""CockroachDB: what is deployed, and what it is told.

No CockroachDB can be had on the machines that test this, so its command lines and its SQL are held against its manual, v23.1:
flags of https://www.cockroachlabs.com/docs/v23.1/cockroach-start, …/cockroach-init and …/cockroach-sql, settings of
…/cluster-settings, statements in ``cockroachdb.lark``. What runs them, setup.sh, runs for real against a program that answers
as the manual says.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lark import Lark

from components.kinds.cockroachdb import SETUP, start
from components.kinds.cockroachdb.statements import as_file, schedules, settings, statements
from config.derivation.derive import derive
from config.kinds import CockroachDB
from config.loader import load
from review.graph import Node, graph
from tests.components.graphs import inputs, node

FLAGS = {
    "start": "accept-sql-without-tls advertise-addr attrs background cache certs-dir clock-device cluster-name "
    "disable-cluster-name-verification enterprise-encryption experimental-dns-srv external-io-dir http-addr join listen-addr "
    "listening-url-file locality locality-advertise-addr log log-config-file log-dir logtostderr max-disk-temp-storage "
    "max-offset max-sql-memory max-tsdb-memory pid-file spatial-libs sql-addr store temp-dir",
    "init": "certs-dir cluster-name host insecure url",
    "sql": "certs-dir database debug-sql-cli echo-sql embedded execute file format host insecure no-line-editor port read-only "
    "safe-updates set url user watch",
}
SETTINGS = {
    "enterprise.license",
    "sql.log.slow_query.latency_threshold",
    "sql.metrics.statement_details.enabled",
    "sql.stats.automatic_collection.enabled",
    "sql.trace.log_statement_execute",
    "sql.trace.stmt.enable_threshold",
}
GRAMMAR = Lark((Path(__file__).parent / "cockroachdb.lark").read_text(encoding="utf-8"))


def store(environment: str = "staging", **more: Any) -> CockroachDB:
    found = derive(load("spacetime"), environment)[0].components["cockroachdb"]
    return CockroachDB.model_validate({**found.model_dump(by_alias=True, exclude_none=True), **more})


def nodes() -> tuple[Node, ...]:
    return tuple(graph("staging"))


@pytest.fixture(scope="module")
def staging() -> tuple[Node, ...]:
    return nodes()


def test_the_seeds_figures(staging: tuple[Node, ...]) -> None:
    body = inputs(staging, "StatefulSet", "cockroachdb")
    assert body["spec"]["replicas"] == 3
    assert body["spec"]["selector"]["matchLabels"]["app"] == "cockroachdb"
    [container] = body["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {"requests": {"cpu": "1", "memory": "4G"}, "limits": {"cpu": "2", "memory": "8G"}}
    assert {port["containerPort"] for port in container["ports"]} == {26257, 8080}
    for index in range(3):
        claim = inputs(staging, "PersistentVolumeClaim", f"data-cockroachdb-{index}")
        assert claim["spec"]["resources"]["requests"]["storage"] == "50G"
    headless, public = (inputs(staging, "Service", name)["spec"] for name in ("cockroachdb", "cockroachdb-public"))
    assert headless["clusterIP"] == "None"
    assert "clusterIP" not in public
    for service in (headless, public):
        assert {port["port"] for port in service["ports"]} == {26257, 8080}
    assert inputs(staging, "PodDisruptionBudget", "cockroachdb")["spec"]["maxUnavailable"] == 1


def test_the_claims_are_those_that_the_controller_looks_for(staging: tuple[Node, ...]) -> None:
    """``<claim>-<set>-<n>``, with a template that would bind to nothing."""
    spec = inputs(staging, "StatefulSet", "cockroachdb")["spec"]
    [claim] = spec["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == ""
    urn = node(staging, "StatefulSet", "cockroachdb")
    for index in range(spec["replicas"]):
        claimed = node(staging, "PersistentVolumeClaim", f"{claim['metadata']['name']}-cockroachdb-{index}")
        assert claimed["urn"] in urn["depends_on"]
        assert (claimed["protect"], claimed["retain_on_delete"]) == (False, False)


def test_production_keeps_its_volumes() -> None:
    claim = node(tuple(graph("production")), "PersistentVolumeClaim", "data-cockroachdb-0")
    assert (claim["protect"], claim["retain_on_delete"]) == (True, True)


def test_pods_are_spread_probed_and_restricted(staging: tuple[Node, ...]) -> None:
    pod = inputs(staging, "StatefulSet", "cockroachdb")["spec"]["template"]["spec"]
    assert [term["topologyKey"] for term in pod["topologySpreadConstraints"]] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    [container] = pod["containers"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/health?ready=1", "port": "http", "scheme": "HTTPS"}
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    for each in (*pod["containers"], *pod["initContainers"]):
        assert each["securityContext"]["readOnlyRootFilesystem"] is True
        assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["securityContext"]["runAsNonRoot"] is True


def test_the_game_waits_for_the_setup_and_trusts_the_authority(staging: tuple[Node, ...]) -> None:
    game = node(staging, "Deployment", "game-server")
    pod = game["inputs"]["spec"]["template"]["spec"]
    [trusted] = [volume for volume in pod["volumes"] if volume["name"] == "ca-cockroachdb"]
    assert trusted["secret"] == {"secretName": "cockroachdb-tls", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    env = {item["name"]: item.get("value") for item in pod["containers"][0]["env"]}
    assert env["COCKROACHDB_CA_FILE"] == "/etc/understudy/ca-cockroachdb/ca.crt"
    assert env["COCKROACHDB_DATABASE"] == "spacetime_staging"
    assert env["COCKROACHDB_USER"] == "staging_user"
    assert env["COCKROACHDB_HOST"] == "cockroachdb-public.staging.svc.cluster.local"
    [component] = [n for n in staging if n["type"] == "understudy:service:Service"]
    assert node(staging, "Job", "cockroachdb-setup")["urn"] in component["depends_on"]


def test_it_is_never_insecure(staging: tuple[Node, ...]) -> None:
    everything = repr([n["inputs"] for n in staging if "cockroachdb" in n["name"]])
    assert "insecure" not in everything
    command = " ".join(start("cockroachdb", "staging", "eu", 3))
    assert "--certs-dir=/cockroach/certs" in command
    assert "--locality=region=eu,zone=${ZONE:-unknown},node=${NODE}" in command


def test_flags_are_in_the_manual() -> None:
    commands = [" ".join(start("db", "shop", "eu", 3)), *re.findall(r"cockroach (?:init|sql) [^|<>)]*", SETUP)]
    assert len(commands) == 3
    for command in commands:
        _, verb, *words = command.split()
        found = {word.removeprefix("--").partition("=")[0] for word in words if word.startswith("--")}
        assert found
        assert found <= set(FLAGS[verb].split()), command


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_sql_is_in_the_manuals_grammar(environment: str) -> None:
    declared = store(environment)
    found = GRAMMAR.parse(as_file([*statements(declared), *schedules(declared)]))
    kinds = [str(child.children[0].data) for child in found.children]
    assert kinds.count("set_cluster_setting") == len(settings(declared))
    assert kinds[-2:] == ["drop_schedules", "create_schedule"]
    assert settings(declared).keys() <= SETTINGS
    GRAMMAR.parse(as_file(schedules(store(backup=None))))


def test_the_environments_differ_as_declared() -> None:
    staging, production = settings(store("staging")), settings(store("production"))
    assert staging["sql.log.slow_query.latency_threshold"] == "'100ms'"
    assert production["sql.log.slow_query.latency_threshold"] == "'500ms'"
    assert staging["sql.trace.stmt.enable_threshold"] == "'100ms'"
    assert production["sql.trace.stmt.enable_threshold"] == "'0s'"
    assert staging["sql.trace.log_statement_execute"] == production["sql.trace.log_statement_execute"] == "true"
    assert "RECURRING '@hourly' FULL BACKUP '@daily'" in schedules(store())[1]
    assert "s3://spacetime-staging-backups/" in schedules(store("staging"))[1]
    assert "ALTER ROLE ALL SET default_transaction_isolation = 'serializable';" in statements(store())


def test_names_that_changed_follow_the_version() -> None:
    newer = settings(store(version="v24.1.5"))
    assert newer["sql.log.all_statements.enabled"] == "true"
    assert newer["sql.txn.read_committed_isolation.enabled"] == "false"
    assert "sql.trace.log_statement_execute" not in newer


def test_another_schedule_takes_the_place_of_the_old() -> None:
    declared = store()
    assert declared.backup
    other = store(backup={**declared.backup.model_dump(), "full": "@weekly"})
    labels = [re.findall(r"'(understudy-\w+)'", line)[0] for line in (schedules(declared)[1], schedules(other)[1])]
    assert labels[0] != labels[1]
    assert f"label != '{labels[1]}'" in schedules(other)[0]


COCKROACH = """#!/bin/sh
# Answers as the manual says; keeps what it was asked.
printf '%s\\n' "$*" >>"$LOG/arguments"
case $1 in
init)
  case $* in *db-1*) ;; *) echo "ERROR: dial tcp: connection refused" >&2; exit 1 ;; esac
  [ -e "$LOG/initialised" ] && { echo "ERROR: cluster has already been initialized" >&2; exit 1; }
  touch "$LOG/initialised"; echo "Cluster successfully initialized" ;;
sql) cat >>"$LOG/sql" ;;
esac
"""


@pytest.mark.parametrize(("zone", "tier"), [("eu-1a", "eu-1a"), ("", "unknown")])
def test_the_node_starts_with_its_names(zone: str, tier: str, tmp_path: Path) -> None:
    """An older Kubernetes gives no zone; a tier without a value would be refused."""
    program = tmp_path / "cockroach"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    [container] = inputs(nodes(), "StatefulSet", "cockroachdb")["spec"]["template"]["spec"]["containers"]
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "POD": "cockroachdb-1", "NODE": "n1", "ZONE": zone}
    said = subprocess.run(
        container["command"], env=variables, check=True, capture_output=True, text=True
    ).stdout.split()
    assert said[0] == "start"
    assert "--advertise-addr=cockroachdb-1.cockroachdb.staging.svc.cluster.local" in said
    assert f"--locality=region=eu-central-1,zone={tier},node=n1" in said
    [join] = [word for word in said if word.startswith("--join=")]
    assert join.count(",") == 2


def run_setup(folder: Path, **environment: str) -> None:
    program = folder / "bin" / "cockroach"
    program.parent.mkdir(exist_ok=True)
    program.write_text(COCKROACH)
    program.chmod(0o755)
    (folder / "setup.sh").write_text(SETUP)
    (folder / "statements.sql").write_text(as_file(statements(store())))
    (folder / "schedules.sql").write_text(as_file(schedules(store())))
    variables = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "LOG": str(folder),
        "CERTS": "/certs",
        "STATEMENTS": str(folder),
        "NODES": "db-0 db-1 db-2",
        "USER_IDENTIFIER": '"staging_user"',
        **environment,
    }
    subprocess.run(["sh", str(folder / "setup.sh")], env=variables, check=True, capture_output=True)


def test_setup_initialises_once_and_says_everything_again(tmp_path: Path) -> None:
    secrets = {"PASSWORD": "it's a 'secret'", "LICENCE": "crl-0-licence"}
    for _ in range(2):
        run_setup(tmp_path, **secrets)
    said = (tmp_path / "sql").read_text()
    GRAMMAR.parse(said)
    assert said.count("ALTER USER \"staging_user\" WITH PASSWORD 'it''s a ''secret''';") == 2
    assert said.startswith("SET CLUSTER SETTING enterprise.license = 'crl-0-licence';")
    arguments = (tmp_path / "arguments").read_text()
    assert "sql --certs-dir=/certs --host=db-1" in arguments
    for secret in secrets.values():
        assert secret not in arguments


def test_setup_without_a_licence_sets_none(tmp_path: Path) -> None:
    run_setup(tmp_path, PASSWORD="p")
    assert "enterprise.license" not in (tmp_path / "sql").read_text()
