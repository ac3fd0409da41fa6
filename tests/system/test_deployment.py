"""The files of the reference deployment agree with the software, with each other and the guide."""

import re
import subprocess
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from batchqc.documents.stores import open_archive
from batchqc.settings import SECRETS, Settings, read_settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "batchqc" / "guide" / "deployment"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("api1", "api2", "worker", "owner", "migrate")


def secrets_of(service: dict[str, Any]) -> dict[str, str]:
    """The secrets of a service: where each is found, and which it is."""
    found = [{"source": one, "target": one} if isinstance(one, str) else one
             for one in service.get("secrets", [])]  # fmt: skip
    return {one["target"]: one["source"] for one in found}


@pytest.mark.parametrize("name", OURS)
def test_every_variable_and_secret_is_a_setting_that_is_accepted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    service = SERVICES[name]
    given = {one: value for one, value in service["environment"].items() if "BATCHQC" in one}
    own = [one for one in secrets_of(service) if one.startswith("batchqc_")]
    known = {f"BATCHQC_{one.upper()}" for one in Settings.model_fields}
    assert given.keys() - known == {SECRETS}
    assert {one.upper() for one in own} <= known
    for one in own:
        (tmp_path / one).write_text("postgresql://a:a-password-of-many@primary/batchqc")
    for one, value in (given | {SECRETS: str(tmp_path)}).items():
        monkeypatch.setenv(one, str(value))
    settings = read_settings()
    open_archive(settings.store, endpoint=settings.store_endpoint, region=settings.store_region)
    assert settings.database.startswith("postgresql")
    (network,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    assert ip_network(settings.proxies) == ip_network(network["subnet"])


def test_what_a_service_names_is_there_and_all_that_is_there_is_named():
    for kind in ("secrets", "volumes"):
        used = set()
        for service in SERVICES.values():
            named = secrets_of(service).values() if kind == "secrets" else [
                one.partition(":")[0] for one in service.get("volumes", [])
                if not one.startswith("./")
            ]  # fmt: skip
            used |= set(named)
        assert used == set(COMPOSE[kind])
    for service in SERVICES.values():
        mounted = [one.partition(":")[0] for one in service.get("volumes", [])]
        assert [one for one in mounted if one.startswith(".") and not (FOLDER / one).exists()] == []
        assert set(service.get("depends_on", {})) <= SERVICES.keys()
    guide = (FOLDER.parent / "deployment.md").read_text()
    assert [one for one in COMPOSE["secrets"] if f"`{one}`" not in guide] == []


def test_both_servers_are_alike_and_never_the_owner_of_the_database():
    assert SERVICES["api1"] == SERVICES["api2"]
    assert secrets_of(SERVICES["api1"])["batchqc_database"] == "runtime_database"
    owners = {name for name in SERVICES if "owner_database" in secrets_of(SERVICES[name]).values()}
    assert owners == {"owner", "migrate"}
    assert all(volume.endswith(":ro") for volume in SERVICES["api1"]["volumes"] if "site" in volume)
    migrating = SERVICES["api1"]["depends_on"]["migrate"]["condition"]
    assert migrating == "service_completed_successfully"
    own = ("command", "healthcheck")
    assert SERVICES["worker"]["command"] == ["worker"]
    for name in SERVICES["api1"].keys() - own:
        assert SERVICES["worker"][name] == SERVICES["api1"][name]
    assert SERVICES["migrate"]["command"] == ["migrate", "--runtime-role", "batchqc_runtime"]


def test_the_proxy_knows_both_servers_and_the_primary_its_standby():
    proxy = (FOLDER / "nginx.conf").read_text()
    assert re.findall(r"server (\w+):8000", proxy) == ["api1", "api2"]
    for port in re.findall(r"listen (\d+)", proxy):
        assert [one for one in SERVICES["proxy"]["ports"] if one.endswith(f":{port}")]
    for secret in re.findall(r"/run/secrets/(\w+)", proxy):
        assert secret in secrets_of(SERVICES["proxy"])
    primary, standby = ((FOLDER / f"{name}.sh").read_text() for name in ("primary", "standby"))
    (name,) = re.findall(r"application_name=(\w+)", standby)
    assert f"synchronous_standby_names=FIRST 1 ({name})" in SERVICES["primary"]["command"]
    assert "CREATE ROLE batchqc_runtime LOGIN" in primary
    for script, service in ((primary, "primary"), (standby, "standby")):
        for secret in re.findall(r"/run/secrets/(\w+)", script):
            assert secret in secrets_of(SERVICES[service])


def test_a_standby_that_was_promoted_waits_for_its_own_as_the_primary_did(tmp_path: Path):
    """What stands on a command line is no part of the copy that a standby is made of."""
    (tmp_path / "PG_VERSION").write_text("17")
    (tmp_path / "postgres").write_text('#!/bin/sh\nfor one; do echo "$one"; done')
    (tmp_path / "postgres").chmod(0o755)
    given = {"PGDATA": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}

    def begun(**more: str) -> list[str]:
        script = ["sh", FOLDER / "standby.sh"]
        return subprocess.check_output(script, env=given | more, text=True).splitlines()

    wanted = [one for one in SERVICES["primary"]["command"] if "=" in one]
    assert "synchronous_commit=on" in wanted
    assert [one for one in wanted if one not in begun()] == []
    assert "synchronous_standby_names=" in begun(STANDBYS="")


def test_scripts_are_read_by_the_shell_and_the_image_is_built_of_what_the_lock_names():
    for script in FOLDER.glob("*.sh"):
        subprocess.run(["sh", "-n", script], check=True)
    image = (FOLDER / "Dockerfile").read_text()
    (version,) = re.findall(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"uv=={version}" in image
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = re.findall(r"--extra (\w+)", image)
    assert extras
    assert set(extras) <= project["optional-dependencies"].keys()
    context = (FOLDER / SERVICES["api1"]["build"]["context"]).resolve()
    assert context == ROOT
    assert (context / SERVICES["api1"]["build"]["dockerfile"]).is_file()


def test_the_image_has_the_programs_of_the_servers_postgresql_and_a_user_by_number():
    """`pg_dump` refuses a server that is newer, and an owner without the seal signs no backup."""
    (server,) = re.findall(r"^postgres:(\d+)", SERVICES["primary"]["image"])
    image = (FOLDER / "Dockerfile").read_text()
    assert re.findall(r"postgresql-client-(\d+)", image) == [server]
    assert re.findall(r"--uid (\d+)", image) == re.findall(r"^USER (\d+)$", image, re.MULTILINE)
    assert "seal_passphrase" in secrets_of(SERVICES["owner"]).values()
    assert "seal_passphrase" not in secrets_of(SERVICES["migrate"]).values()
