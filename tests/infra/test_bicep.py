"""What must hold of infra/, read off its parse."""

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from lanyard.azure.storage import dead_letters, leases, sweep_mark
from lanyard.ports.tables import Tables
from lanyard.queue.messages import EVENTS, QUEUE
from lanyard.settings import SettingsError, read_settings
from lanyard.values.built_in_roles import BUILT_IN_ROLES
from tests.support.cases import IDENTITY_TYPE
from tests.support.estate import INSTALLATION
from tests.support.infra.bicep import (
    FILES,
    INFRA,
    body,
    declared,
    made,
    of,
    parsed,
    resources,
    texts,
    variable,
)
from tests.support.infra.functions import event_function

PROJECT = INFRA.parent
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
DEFINITIONS = "Microsoft.Authorization/roleDefinitions"


def each_of(kind: str = "") -> pytest.MarkDecorator:
    """A test of every resource made, of one type or of any."""
    found = [*made(kind)]
    ids = [f"{path.name}: {name}" for path, name in found]
    return pytest.mark.parametrize("resource", found, ids=ids, indirect=True)


@pytest.fixture
def resource(request: pytest.FixtureRequest) -> dict[str, Any]:
    """As parsed."""
    path, name = request.param
    found: dict[str, Any] = parsed(path)["resources"][name]
    return found


@pytest.mark.parametrize("kind", ["", ASSIGNMENTS, DEFINITIONS])
def test_every_resource_made_is_tested(kind: str) -> None:
    names = [f"{path.name}: {name}" for path, name in made(kind)]
    assert names == [name for name, _ in resources(kind)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_read_whole(path: Path) -> None:
    tree = parsed(path)
    for kind, plural in (("resource", "resources"), ("module", "modules"), ("param", "parameters")):
        assert len(tree.get(plural, {})) == declared(path, kind), kind


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_takes_or_hands_out_a_key(path: Path) -> None:
    text = path.read_text()
    calls = r"list(Keys|Secrets|AccountSas|ServiceSas|ConnectionStrings)?\s*\("
    assert re.findall(calls, text) == []
    assert not re.search(r"(account|shared\w*)key=|endpointsprotocol=|password:", text, re.I)
    assert "@secure" not in text


def test_the_only_connection_string_is_the_address_of_application_insights() -> None:
    settings = app_settings()
    connection = [name for name in settings if "CONNECTION_STRING" in name]
    assert connection == ["APPLICATIONINSIGHTS_CONNECTION_STRING"]
    assert "AzureWebJobsStorage" not in settings
    insights = body(of("modules/logs.bicep")["resources"]["insights"])
    assert insights["properties"]["DisableLocalAuth"] is True


def test_storage_has_no_shared_keys_and_nothing_public() -> None:
    storage = body(of("modules/storage.bicep")["resources"]["account"])["properties"]
    assert storage["allowSharedKeyAccess"] is False
    assert storage["allowBlobPublicAccess"] is False
    assert storage["minimumTlsVersion"] == "TLS1_2"
    assert variable("packages", "main.bicep") == "packages"
    assert variable("containers", "modules/storage.bicep") == [
        "packages",
        dead_letters.CONTAINER,
        leases.CONTAINER,
        sweep_mark.CONTAINER,
    ]


def test_leases_go_when_nobody_had_them_for_a_day_and_nothing_else_does() -> None:
    lifecycle = body(of("modules/storage-data.bicep")["resources"]["lifecycle"])
    (rule,) = lifecycle["properties"]["policy"]["rules"]
    assert rule["enabled"] is True
    filters = rule["definition"]["filters"]
    assert filters == {"blobTypes": ["blockBlob"], "prefixMatch": [f"{leases.CONTAINER}/"]}
    days = {"daysAfterModificationGreaterThan": 1}
    assert rule["definition"]["actions"] == {"baseBlob": {"delete": days}}
    assert leases.LEASE_SECONDS < 24 * 3600


@each_of(ASSIGNMENTS)
def test_a_role_assignment_is_named_by_what_it_is_and_made_to_a_service_principal(
    resource: dict[str, Any],
) -> None:
    config = body(resource)
    assert config["name"]["function"]["type"] == "guid"
    assert any("rincipal" in text or "join" in text for text in texts(config["name"]))
    assert config["properties"]["principalType"] == "ServicePrincipal"


@each_of(DEFINITIONS)
def test_a_role_is_named_by_what_it_is_and_holds_actions_alone(resource: dict[str, Any]) -> None:
    config = body(resource)
    assert config["name"] == "identityRoleName" or config["name"]["function"]["type"] == "guid"
    (permission,) = config["properties"]["permissions"]
    assert list(permission) == ["actions"]
    assert config["properties"]["assignableScopes"] in (["watched"], ["group"], ["here"])


@pytest.mark.parametrize("file", ["watch.bicep", "join.bicep"])
@pytest.mark.parametrize("role", ["role", "identityRole"])
def test_the_apps_roles_have_the_actions_of_the_policy_alone(file: str, role: str) -> None:
    (permission,) = body(of(file)["resources"][role])["properties"]["permissions"]
    assert "rights" in texts(permission["actions"])


@pytest.mark.parametrize("file", ["watch.bicep", "join.bicep"])
def test_the_role_that_assigns_roles_is_given_under_its_condition_only(file: str) -> None:
    properties = body(of(file)["resources"]["assignment"])["properties"]
    for name, otherwise in (("condition", "rights"), ("conditionVersion", "2.0")):
        choice = properties[name]["operator"]
        assert choice["type"] == "conditional"
        assert [*texts(choice["operands"]["condition"])].count("condition") >= 1
        assert choice["operands"]["true_value"] is None
        assert otherwise in texts(choice["operands"]["false_value"])


@each_of()
def test_api_versions_are_pinned_and_released(resource: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", resource["api_version"])


def test_every_module_is_of_the_project() -> None:
    """Nothing is fetched from a registry: what is deployed can be read here."""
    for path in FILES:
        kinds = {module["type"] for module in parsed(path).get("modules", {}).values()}
        assert kinds <= {"local"}, path.name


def test_modules_of_the_project_are_there_and_get_the_parameters_that_they_have() -> None:
    for path in FILES:
        for name, module in parsed(path).get("modules", {}).items():
            target = parsed((path.parent / module["detail"]["path"]).resolve())
            given = set(body(module)["params"])
            known = target["parameters"]
            required = {key for key, each in known.items() if each["default"] is None}
            assert required <= given <= set(known), f"{path.name}: {name}"


def test_a_modules_name_fits_a_deployment_whatever_it_is_made_of() -> None:
    known = {r"\$\{uniqueString\([^)]*\)\}": "u" * 13}
    known[r"\$\{subscription\(\)\.subscriptionId\}"] = "s" * 36
    for path in FILES:
        for module in re.findall(r"^module .*\n(?:.*\n)*?  name: '(.*)'$", path.read_text(), re.M):
            name = module
            for part, longest in known.items():
                name = re.sub(part, longest, name)
            assert "$" not in name, f"{path.name}: the length of {module} has no bound"
            assert len(name) <= 64, f"{path.name}: {module}"


# The app.

APP = "modules/app.bicep"


def app() -> dict[str, Any]:
    properties: dict[str, Any] = body(of("modules/app.bicep")["resources"]["app"])
    return properties


def app_settings() -> dict[str, Any]:
    listed = variable("settings", "modules/app.bicep")
    return {each["name"]: each["value"] for each in listed}


CLIENT = "11111111-1111-1111-1111-111111111111"
PRINCIPAL = "22222222-2222-2222-2222-222222222222"
# Of settings that are an expression.
_WORKED_OUT = {"LANYARD_TELEMETRY": "true", "LANYARD_CLOUD": "AzureUSGovernment"}


def settings_as_deployed(**parameters: str) -> dict[str, str]:
    """As without any option, or with these parameters of the module."""
    values = {
        "noticesEndpoint": "",
        "policy": "lanyard.yaml",
        "installation": INSTALLATION,
        "clientId": CLIENT,
        "principalId": PRINCIPAL,
        "identityId": f"/subscriptions/{CLIENT}/resourceGroups/rg/providers/{IDENTITY_TYPE}/id",
    }
    values |= parameters
    return {
        name: values.get(value, value) if isinstance(value, str) else _WORKED_OUT.get(name, "x")
        for name, value in app_settings().items()
    }


def test_the_app_gets_every_setting_that_it_requires() -> None:
    environment = settings_as_deployed()
    settings = read_settings(environment)
    assert (settings.client_id, settings.principal_id) == (CLIENT, PRINCIPAL)
    assert settings.installation == INSTALLATION
    assert (settings.notices_url, settings.policy_url) == ("", "")
    assert settings.arm.url == "https://management.usgovcloudapi.net"


def test_the_app_sends_its_telemetry_unless_told_not_to() -> None:
    main = of("main.bicep")
    assert main["parameters"]["telemetry"]["default"] is True
    assert main["modules"]["app"]["config"]["params"]["telemetry"] == "telemetry"
    assert app_settings()["LANYARD_TELEMETRY"]["function"]["type"] == "string"
    for value, sent in (("True", True), ("False", False)):  # string(bool) in ARM templates
        environment = settings_as_deployed() | {"LANYARD_TELEMETRY": value}
        assert read_settings(environment).exported is sent


def test_the_host_goes_on_to_hand_over_the_apps_log_lines() -> None:
    """It stops as soon as the worker says that it has OpenTelemetry (azure-functions-host,
    OpenTelemetryConfigurationExtensions.cs), and the alerts would find nothing any more.
    """
    assert not {name for name in app_settings() if name.startswith("PYTHON_")}


def test_decisions_are_published_to_the_topic_that_was_asked_for() -> None:
    endpoint = "https://evgt-lanyard-1.westeurope-1.eventgrid.azure.net/api/events"
    assert read_settings(settings_as_deployed(noticesEndpoint=endpoint)).notices_url == endpoint
    main = of("main.bicep")
    assert main["parameters"]["notices"]["default"] is False
    assert main["modules"]["topic"]["config"]["condition"] == "notices"
    given = main["modules"]["app"]["config"]["params"]["noticesEndpoint"]["operator"]["operands"]
    assert given["condition"] == "notices"
    assert [*texts(given["true_value"])][-1] == "endpoint"
    assert given["false_value"] == ""


def test_that_topic_takes_cloud_events_of_the_app_and_no_keys() -> None:
    file = "modules/notices.bicep"
    topic = body(of(file)["resources"]["topic"])
    assert topic["properties"] == {"inputSchema": "CloudEventSchemaV1_0", "disableLocalAuth": True}
    assignment = body(of(file)["resources"]["assignment"])
    assert assignment["scope"] == "topic"
    assert variable("dataSender", file) == BUILT_IN_ROLES["EventGrid Data Sender"]
    assert "dataSender" in texts(assignment["properties"]["roleDefinitionId"])


def test_a_policy_in_a_blob_is_read_by_the_app_and_its_container_alone() -> None:
    address = "https://stpolicies.blob.core.windows.net/policies/lanyard.yaml"
    assert read_settings(settings_as_deployed(policy=address)).policy_url == address
    module = of("main.bicep")["modules"]["policyAccess"]["config"]
    assert "policyContainerId" in texts(module["condition"])
    file = "modules/policy-access.bicep"
    assignment = body(of(file)["resources"]["assignment"])
    assert assignment["scope"] == "container"
    assert variable("blobReader", file) == BUILT_IN_ROLES["Storage Blob Data Reader"]
    assert "blobReader" in texts(assignment["properties"]["roleDefinitionId"])


def test_the_parts_of_the_policys_container_are_taken_from_its_id() -> None:
    container = (
        "/subscriptions/S/resourceGroups/G/providers/Microsoft.Storage/storageAccounts/A/"
        "blobServices/default/containers/C"
    )
    text = (INFRA / "main.bicep").read_text()
    taken = re.findall(r"policyContainer\[(\d+)\]", text)
    assert [container.split("/")[int(index)] for index in taken] == ["S", "G", "A", "C"]


def test_a_burst_of_a_thousand_machines_starts_few_instances() -> None:
    """Flex Consumption has no maximum for one function: the queue's settings keep them few."""
    scale = app()["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["maximumInstanceCount"] == "maximumInstances"
    assert of("main.bicep")["parameters"]["maximumInstances"]["default"] == 40
    queues = json.loads((PROJECT / "host.json").read_text())["extensions"]["queues"]
    # Target-based scaling: the queue's length by what one instance takes at once.
    assert 1000 / (queues["batchSize"] + queues["newBatchThreshold"]) <= 3


def test_the_installation_is_the_same_at_each_deployment_unless_it_is_given() -> None:
    """By what a deployment does not change: neither the identity's ids nor what the storage has."""
    main = of("main.bicep")
    assert main["parameters"]["installation"]["default"] == ""
    (made,) = re.findall(r"installationId = (.*)", (INFRA / "main.bicep").read_text())
    assert made == "empty(installation) ? guid(group.id, appName) : installation"
    assert main["modules"]["app"]["config"]["params"]["installation"] == "installationId"


@pytest.mark.parametrize(
    "name",
    [
        "AZURE_CLIENT_ID",
        "LANYARD_PRINCIPAL_ID",
        "LANYARD_INSTALLATION",
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__queueServiceUri",
        "AzureWebJobsStorage__tableServiceUri",
    ],
)
def test_it_would_not_start_without(name: str) -> None:
    environment = settings_as_deployed()
    del environment[name]
    with pytest.raises(SettingsError):
        read_settings(environment)


def test_the_host_reaches_storage_by_the_apps_identity() -> None:
    settings = app_settings()
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    assert settings["AzureWebJobsStorage__clientId"] == "clientId"
    assert app()["identity"]["type"] == "UserAssigned"
    storage = app()["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert storage["authentication"]["type"] == "UserAssignedIdentity"


def test_the_queue_of_events_may_be_alone_in_its_account() -> None:
    """It is reached as the app's other queues are, by a connection of its own."""
    events = {each["name"]: each["value"] for each in variable("eventsSettings", APP)}
    assert {name.rpartition("__")[2] for name in events} == {
        "queueServiceUri",
        "credential",
        "clientId",
    }
    main = of("main.bicep")
    assert main["parameters"]["separateEventsStorage"]["default"] is False
    assert main["modules"]["eventsStorage"]["config"]["condition"] == "separateEventsStorage"
    file = "modules/events-storage.bicep"
    account = body(of(file)["resources"]["account"])["properties"]
    assert account == body(of("modules/storage.bicep")["resources"]["account"])["properties"]
    assignment = body(of(file)["resources"]["assignment"])
    assert assignment["scope"] == "account"
    assert variable("queueContributor", file) == BUILT_IN_ROLES["Storage Queue Data Contributor"]


def test_it_runs_the_projects_python_on_flex_consumption() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    runtime = app()["properties"]["functionAppConfig"]["runtime"]
    assert runtime["name"] == "python"
    assert project["project"]["requires-python"] == f"=={runtime['version']}.*"
    plan = body(of("modules/app.bicep")["resources"]["plan"])
    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert plan["properties"] == {"reserved": True}


def test_an_instance_is_always_ready_for_the_function_that_hears_events() -> None:
    scale = app()["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["alwaysReady"]["operator"]["operands"]["false_value"] == "ready"
    (ready,) = variable("ready", "modules/app.bicep")
    assert ready["name"] == f"function:{event_function()}"
    assert of("main.bicep")["parameters"]["alwaysReadyInstances"]["default"] == 1


def test_passwords_for_publishing_are_off() -> None:
    for kind in ("ftp", "scm"):
        publishing = body(of("modules/app.bicep")["resources"][kind])
        assert (publishing["name"], publishing["properties"]) == (kind, {"allow": False})
    assert app()["properties"]["httpsOnly"] is True


#: "The following list of site configuration properties (…) for Flex Consumption sites is invalid"
#: (azure-pipelines-tasks#21032, azure-functions-host#10643).
REFUSED_BY_FLEX = {
    "FtpsState",
    "Use32BitWorkerProcess",
    "NetFrameworkVersion",
    "FunctionsRuntimeScaleMonitoringEnabled",
    "FunctionAppScaleLimit",
    "LinuxFxVersion",
    "MinimumElasticInstanceCount",
}


def test_the_app_has_nothing_that_flex_consumption_refuses() -> None:
    config = app()["properties"]["siteConfig"]
    refused = {name.lower() for name in REFUSED_BY_FLEX}
    assert not refused & {name.lower() for name in config}
    # An empty one counts as a connection string (azure-functions-host#11782).
    worker = {name for name in app_settings() if name.startswith("FUNCTIONS_WORKER_RUNTIME")}
    assert not worker | {"AzureWebJobsStorage"} & set(app_settings())


def test_the_queues_and_tables_are_those_of_the_code() -> None:
    file = "modules/storage-data.bicep"
    assert variable("queues", file) == [
        *(QUEUE, f"{QUEUE}-poison"),
        *(EVENTS, f"{EVENTS}-poison"),
    ]
    assert variable("tables", file) == [f"lanyard{part.name}" for part in fields(Tables)]


def test_the_outputs_are_what_the_scripts_read() -> None:
    outputs = set(of("main.bicep")["outputs"])
    for script in ("watch.sh", "join.sh"):
        text = (PROJECT / "scripts" / script).read_text()
        read = set(re.findall(r"\$\{?(LANYARD_[A-Z_]+ID)\b", text))
        assert read
        assert read <= outputs, script
        parameters = set(re.findall(r"^ +(\w+)=", text, re.MULTILINE)) | {"rights"}
        taken = of(script.replace(".sh", ".bicep"))["parameters"]
        required = {name for name, each in taken.items() if each["default"] is None}
        assert required <= parameters <= set(taken), script


def test_azd_finds_the_app_and_runs_the_hook() -> None:
    azure = yaml.safe_load((PROJECT / "azure.yaml").read_text())
    (service,) = azure["services"]
    assert service in texts(app()["tags"])
    hooks = {name: PROJECT / hook["run"] for name, hook in azure["hooks"].items()}
    assert {name: hook.name for name, hook in hooks.items()} == {
        "preprovision": "providers.sh",
        "predeploy": "validate.sh",
        "postdeploy": "watch.sh",
    }
    assert all(hook.stat().st_mode & 0o100 for hook in hooks.values())
    parameters = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    assert set(parameters) <= set(of("main.bicep")["parameters"])


def test_private_networking_is_off_unless_asked_for_and_then_closes_storage() -> None:
    main = of("main.bicep")
    assert main["parameters"]["privateNetworking"]["default"] is False
    assert main["modules"]["network"]["config"]["condition"] == "privateNetworking"
    assert main["modules"]["storage"]["config"]["params"]["closed"] == "privateNetworking"
    storage = body(of("modules/storage.bicep")["resources"]["account"])["properties"]
    assert storage["networkAcls"]["defaultAction"]["operator"]["operands"]["true_value"] == "Deny"
    services = variable("services", "modules/network.bicep")
    assert services == ["blob", "queue", "table"]
