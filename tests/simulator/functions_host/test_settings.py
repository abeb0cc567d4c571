"""Settings, host.json, connections, keys and messages: pure reading."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from simulator.functions_host.connections import Connection, read_connection
from simulator.functions_host.errors import StartError
from simulator.functions_host.functions import Indexed, declared
from simulator.functions_host.host_json import read_host_json
from simulator.functions_host.http import route_path
from simulator.functions_host.keys import load_keys
from simulator.functions_host.logs import parse_level
from simulator.functions_host.messages import (
    Encoding,
    decode_content,
    encode_content,
    outgoing_texts,
)
from simulator.functions_host.protocol import TypedData
from simulator.functions_host.settings import Settings, read_settings

#: An object with a date, as the host writes it anew.
OVER_LINES = '{\n  "ü": "ü",\n  "at": "2026-11-28T10:00:00+00:00"\n}'
URI = "https://127.0.0.1:1/devstoreaccount1"


def test_the_environment_wins_over_local_settings(tmp_path: Path) -> None:
    local = {"IsEncrypted": False, "Values": {"A": "file", "B": "file"}}
    (tmp_path / "local.settings.json").write_text(json.dumps(local))
    settings = read_settings(tmp_path, {"B": "environment"})
    assert settings.resolve("%A%-%B%-50%") == "file-environment-50%"
    with pytest.raises(StartError, match="the app setting C is missing"):
        settings.resolve("%C%")


@pytest.mark.parametrize("content", ["{", "[]", '{"Values": {"A": 1}}', '{"Values": []}'])
def test_refuses_local_settings_that_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "local.settings.json").write_text(content)
    with pytest.raises(StartError, match=r"local\.settings\.json"):
        read_settings(tmp_path, {})


def test_host_json_has_the_defaults_of_azure(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0", "extensionBundle": {"id": "x"}}')
    read = read_host_json(tmp_path, {}).extensions
    assert read.http.route_prefix == "api"
    assert (read.queues.batch_size, read.queues.new_batch_threshold) == (16, 8)
    assert (read.queues.max_dequeue_count, read.queues.message_encoding) == (5, "base64")
    assert read.queues.visibility_timeout == timedelta(0)
    assert read.queues.max_polling_interval == timedelta(minutes=1)


def test_a_setting_overrides_host_json(tmp_path: Path) -> None:
    content = {"version": "2.0", "extensions": {"queues": {"batchSize": 2}}}
    (tmp_path / "host.json").write_text(json.dumps(content))
    prefix = "AzureFunctionsJobHost__extensions__queues__"
    settings = {f"{prefix}batchSize": "32", f"{prefix}visibilityTimeout": "1.02:03:04.5"}
    queues = read_host_json(tmp_path, settings).extensions.queues
    assert (queues.batch_size, queues.new_batch_threshold) == (32, 16)
    assert queues.visibility_timeout == timedelta(1, 4.5, 0, 0, 3, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("[]", "host.json"),
        ('{"version": "1.0"}', "version"),
        ('{"version": "2.0", "extensions": {"queues": {"batchSize": 0}}}', "batchSize"),
        ('{"version": "2.0", "extensions": {"queues": {"visibilityTimeout": 30}}}', "time span"),
        ('{"version": "2.0", "extensions": {"queues": {"messageEncoding": "x"}}}', "Encoding"),
    ],
)
def test_says_what_is_wrong_with_host_json(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "host.json").write_text(content)
    with pytest.raises(StartError, match=message):
        read_host_json(tmp_path, {})


def test_says_that_host_json_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"host\.json: No such file"):
        read_host_json(tmp_path, {})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"S__queueServiceUri": URI, "S__clientId": "c"}, Connection(URI, "c")),
        (
            {"S__accountName": "acc", "S__credential": "managedidentity"},
            Connection("https://acc.queue.core.windows.net", None),
        ),
        ({"AzureWebJobsS__queueServiceUri": URI}, Connection(URI, None)),
    ],
    ids=["by address", "by account", "prefixed"],
)
def test_reads_a_connection(settings: dict[str, str], expected: Connection) -> None:
    assert read_connection("S", Settings(settings)) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "set S__queueServiceUri or S__accountName"),
        ({"S": "UseDevelopmentStorage=true"}, "S is a connection string; use an identity"),
        ({"AzureWebJobsS": "AccountName=a", "S__accountName": "a"}, "AzureWebJobsS is a conn"),
        ({"S__accountName": "a", "S__credential": "workloadidentity"}, "not served"),
    ],
    ids=["nothing", "connection string", "prefixed connection string", "other credential"],
)
def test_refuses_a_connection_without_an_identity(settings: dict[str, str], message: str) -> None:
    with pytest.raises(StartError, match=message):
        read_connection("S", Settings(settings))


def test_keys_are_random_unless_a_file_keeps_them(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    kept = load_keys(file)
    assert load_keys(file) == kept
    assert load_keys(None) != load_keys(None)
    assert kept.master not in repr(kept)


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"master": "", "function": "b", "eventgrid_extension": "c"}']
)
def test_refuses_a_file_of_other_keys(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(StartError, match="master, function, eventgrid_extension"):
        load_keys(tmp_path / "keys.json")


@pytest.mark.parametrize("encoding", ["base64", "none"])
def test_decodes_what_it_encodes(encoding: Encoding) -> None:
    assert decode_content(encode_content("ü{}", encoding), encoding) == "ü{}".encode()


@pytest.mark.parametrize("content", ["***", "a", "YWJj!"])
def test_refuses_what_is_no_base64(content: str) -> None:
    with pytest.raises(ValueError, match=r"base64|padding"):
        decode_content(content, "base64")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TypedData(string="a {b"), ["a {b"]),
        (TypedData(bytes=b"a"), [b"a"]),
        (TypedData(json='["a", {"b": 1.5}]'), ["a", '{\n  "b": 1.5\n}']),
        (TypedData(string='{"ü":"\\u00fc","at":"2026-11-28T12:00:00+02:00"}'), [OVER_LINES]),
        (TypedData(string="2026-11-28T12:00:00+02:00"), ["11/28/2026 10:00:00"]),
        (TypedData(string="{no json}"), ["{no json}"]),
        (TypedData(string=""), []),
        (TypedData(string="[]"), []),
        (TypedData(), []),
    ],
    ids=["text", "bytes", "list", "object", "date", "no JSON", "no text", "no element", "nothing"],
)
def test_an_output_stands_for_messages(data: TypedData, expected: list[str | bytes]) -> None:
    assert outgoing_texts(data) == expected


@pytest.mark.parametrize(
    ("route", "prefix", "expected"),
    [
        ("items/{id}", "api", "/api/items/{id}"),
        ("/files/{*rest}", "", "/files/{rest:path}"),
        ("x", "/v1/", "/v1/x"),
    ],
)
def test_builds_a_route(route: str, prefix: str, expected: str) -> None:
    assert route_path("f", route, prefix) == expected


@pytest.mark.parametrize("route", ["{id:int}", "{", "{id?}"])
def test_refuses_a_route_that_it_does_not_serve(route: str) -> None:
    with pytest.raises(StartError, match="function f: route"):
        route_path("f", route, "api")


def test_refuses_a_binding_that_it_does_not_serve() -> None:
    raw = (json.dumps({"type": "blobTrigger", "name": "blob"}),)
    with pytest.raises(StartError, match="function f: binding type 'blobTrigger' is not served"):
        declared(Indexed("f", "1", raw), Settings({}))


@pytest.mark.parametrize(
    ("settings", "enabled"),
    [
        ({}, True),
        ({"AzureWebJobs.f.Disabled": "true"}, False),
        ({"AzureWebJobs.f.Disabled": "1"}, False),
        ({"AzureWebJobs.f.Disabled": "false"}, True),
        ({"AzureWebJobs.g.Disabled": "true"}, True),
    ],
    ids=str,
)
def test_a_setting_disables_one_function(settings: dict[str, str], enabled: bool) -> None:
    raw = (json.dumps({"type": "timerTrigger", "name": "t", "schedule": "0 0 0 * * *"}),)
    assert declared(Indexed("f", "1", raw), Settings(settings)).enabled is enabled


def test_refuses_an_unknown_log_level() -> None:
    with pytest.raises(StartError, match="'Loud' is none of Trace, Debug, Information"):
        parse_level("Loud")
