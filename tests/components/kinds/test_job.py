"""Jobs on the graph: what they wait for, who waits for them, and what does them again."""

from __future__ import annotations

from tests.components.application import bodies, body, changed, shipped, spec

STAGING = shipped()
SERVICES = ("backend", "auth-service", "user-service", "message-service", "search-service")


def test_it_has_three_hundred_seconds_and_the_engine_waits_as_long() -> None:
    [found] = bodies(STAGING, "Job")
    assert found["spec"]["activeDeadlineSeconds"] == 300
    assert found["metadata"]["name"].startswith("db-migration-")
    assert found["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"


def test_every_service_rolls_after_it() -> None:
    for name in SERVICES:
        # the engine hears of a component's children once all that the component depends on is done
        [service] = [n for n in STAGING if n["type"] == "understudy:service:Service" and n["name"] == name]
        assert any(urn.endswith("batch/v1:Job::db-migration") for urn in service["depends_on"]), name


def test_it_is_done_again_for_another_image_or_configuration_and_not_otherwise() -> None:
    def name(*replacements: tuple[str, str], images: str = "") -> str:
        [found] = bodies(changed(*replacements, images=images), "Job")
        return str(found["metadata"]["name"])

    same = name(("title: Search\n", "title: Search service\n"))
    [found] = bodies(STAGING, "Job")
    assert same == found["metadata"]["name"]
    assert name(("[npm, run, migrate]", "[npm, run, migrate-all]")) != same
    assert name(("LOG_LEVEL: info", "LOG_LEVEL: debug")) != same


def test_it_is_told_where_its_databases_are_and_reads_passwords_from_files() -> None:
    [found] = bodies(STAGING, "Job")
    [container] = found["spec"]["template"]["spec"]["containers"]
    env = {entry["name"]: entry for entry in container["env"]}
    assert env["POSTGRES_PASSWORD_FILE"]["value"] == "/etc/understudy/credentials-postgres/password"
    assert "postgres.endpoint" in env["POSTGRES_HOST"]["value"]
    assert not any("PASSWORD" in name and not name.endswith("_FILE") for name in env)
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert {"credentials-postgres", "credentials-mysql", "credentials-mongodb"} <= mounted
    volumes = {volume["name"]: volume for volume in found["spec"]["template"]["spec"]["volumes"]}
    assert volumes["credentials-postgres"]["secret"]["secretName"] == "db-credentials"


def test_the_secrets_come_from_the_platforms_secrets_manager() -> None:
    found = spec(STAGING, "ExternalSecret", "db-credentials")
    assert {entry["secretKey"]: entry["remoteRef"]["property"] for entry in found["data"]} == {
        "username": "username",
        "password": "password",
    }
    assert all("masterUserSecrets" in entry["remoteRef"]["key"] for entry in found["data"])
    assert found["target"]["template"]["data"]["port"] == "5432"
    store = spec(STAGING, "SecretStore", "platform")
    assert store == {"provider": {"aws": {"service": "SecretsManager", "region": "us-east-1"}}}
    assert {b["metadata"]["name"] for b in bodies(STAGING, "ExternalSecret")} == {
        "db-credentials",
        *(f"{name}-credentials" for name in ("mysql", "mongodb", "redis", "kafka", "elasticsearch")),
    }
    assert body(STAGING, "ServiceAccount", "db-migration")["automountServiceAccountToken"] is False
