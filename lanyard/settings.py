"""The app's own settings (environment variables), read and checked.

AZURE_CLIENT_ID, LANYARD_PRINCIPAL_ID   the app's user-assigned identity; its resource id may
  (and LANYARD_IDENTITY_ID)             be left out: then a policy that names it is not refused
LANYARD_INSTALLATION                    a GUID for good, which what the app makes carries
LANYARD_CREDENTIAL                      azureCli at a desk: the login of `az login`, not the
                                        app's identity (managedIdentity)
AzureWebJobsStorage__accountName        the storage account, or the three addresses
  (or __queueServiceUri, __tableServiceUri, __blobServiceUri)
LANYARD_EVENTS__accountName             the account of the queue of events, where it is not the
  (or __queueServiceUri), __credential, __clientId   same: the host's own connection to it
LANYARD_POLICY                          the policy file or folder (lanyard.yaml in the app's
                                        folder), or the https address of a blob
LANYARD_CLOUD                           another cloud than AzureCloud: AzureUSGovernment,
                                        AzureChinaCloud
LANYARD_ARM_ENDPOINT, LANYARD_GRAPH_ENDPOINT   other addresses than the cloud's
LANYARD_ARM_AUDIENCE, LANYARD_GRAPH_AUDIENCE   where it is not the endpoint itself
LANYARD_QUOTA_RESERVE                   percent of ARM's quota left to others (9)
LANYARD_SETTLE_SECONDS                  seconds that events of a resource wait to be one (0)
LANYARD_LONGEST_DELAY_SECONDS           no message waits longer (7 days, the queue's own limit)
LANYARD_NOTICES_ENDPOINT                where decisions go: a custom topic of CloudEvents 1.0
LANYARD_TELEMETRY                       true: the app sends its traces and metrics to
                                        APPLICATIONINSIGHTS_CONNECTION_STRING
PYTHON_ENABLE_OPENTELEMETRY, PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY
                                        the worker's own: something else collects them
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from lanyard.values.clouds import Cloud, CloudName, Endpoint, cloud_of
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded, is_guid

#: Seconds: Azure's longest visibility delay of a message is 7 days.
MAX_DELAY = 7 * 24 * 3600 - 60
_STORAGE = "AzureWebJobsStorage"
_EVENTS = "LANYARD_EVENTS"
# Either makes the worker, and what its user adds to the package, who collects.
_COLLECTING = ("PYTHON_ENABLE_OPENTELEMETRY", "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY")
_FALSE = {"0", "false", "f", "no", "n"}
_INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"
# Where function_app.py is: a relative path means the same wherever the host was started from.
_APP_FOLDER = Path(__file__).parents[1]


class SettingsError(LanyardError):
    """A setting is missing or cannot be used; the message names it."""


class CredentialKind(StrEnum):
    """Whose tokens the app works with: its own identity's, or at a desk those of whoever signed in
    with `az login`.
    """

    MANAGED_IDENTITY = "managedIdentity"
    AZURE_CLI = "azureCli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of them, read and checked. Addresses have no slash at their end."""

    #: The policy's file or folder.
    policy: Path
    #: A blob in its place, or "".
    policy_url: str = ""
    #: Client id and object id of the app's own user-assigned identity, lower case.
    client_id: str
    principal_id: str
    credential: CredentialKind = CredentialKind.MANAGED_IDENTITY
    #: Its resource id, lower case, or "".
    identity_id: str = ""
    #: Whose role assignments and identities are the app's own: a GUID, lower case.
    installation: str
    #: Where Azure Resource Manager and Microsoft Graph are.
    arm: Endpoint
    graph: Endpoint
    #: The services of the app's own storage account.
    queue_url: str
    table_url: str
    blob_url: str = ""
    #: Where the queue of events is.
    events_url: str = ""
    #: The share (0 to 1) of ARM's quota that is left to others.
    quota_reserve: float = 0.09
    #: Seconds that an event waits for others of the same resource.
    settle: float = 0.0
    #: Seconds after which any message comes back, whatever asked for more.
    longest_delay: float = MAX_DELAY
    #: Where the topic takes events that others subscribe to, or "".
    notices_url: str = ""
    #: Whether anybody collects traces and metrics.
    collected: bool = False
    #: Whether the app itself sends them.
    exported: bool = False

    @property
    def identity(self) -> ResourceId | None:
        """The app's own identity, where it is set: a policy that names it is refused."""
        return ResourceId.parse(self.identity_id) if self.identity_id else None

    @property
    def own_ids(self) -> frozenset[str]:
        """The ids by which the app's own writes are known."""
        return frozenset({self.client_id, self.principal_id})


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. Raises SettingsError that names what is missing or wrong."""
    policy = _policy(environment)
    exported = _exported(environment)
    cloud = _cloud(environment)
    return Settings(
        policy=_APP_FOLDER / policy,
        policy_url=_https(environment, "LANYARD_POLICY") if "://" in policy else "",
        client_id=_guid(environment, "AZURE_CLIENT_ID"),
        principal_id=_guid(environment, "LANYARD_PRINCIPAL_ID"),
        credential=_credential(environment),
        identity_id=_identity_id(environment),
        installation=_installation(environment),
        arm=cloud.arm,
        graph=cloud.graph,
        queue_url=_storage(environment, "queue", cloud),
        table_url=_storage(environment, "table", cloud),
        blob_url=_storage(environment, "blob", cloud),
        events_url=_storage(environment, "queue", cloud, events_connection(environment)),
        quota_reserve=_number(environment, "LANYARD_QUOTA_RESERVE", 9, most=90) / 100,
        settle=_number(environment, "LANYARD_SETTLE_SECONDS", 0, most=60),
        longest_delay=_number(
            environment, "LANYARD_LONGEST_DELAY_SECONDS", MAX_DELAY, most=MAX_DELAY
        ),
        notices_url=_https(environment, "LANYARD_NOTICES_ENDPOINT"),
        collected=exported or _by_the_worker(environment),
        exported=exported,
    )


def _policy(environment: Mapping[str, str]) -> str:
    policy = environment.get("LANYARD_POLICY", "lanyard.yaml")
    if policy == "-":
        raise SettingsError(
            "the app setting LANYARD_POLICY is '-': the app reads no standard input; name a file "
            "or folder of its package, or the address of a blob"
        )
    return policy


@cache
def settings() -> Settings:
    """The app's own settings, read once. Raises SettingsError."""
    return read_settings()


def unusable() -> str:
    """Why the app cannot do its work, "" where nothing shows at once: a setting that is missing or
    wrong, a policy of the package that is not there or cannot be read. What stands in it is read
    with the first work (docs/dev/adr/0010-the-policy-is-read-with-the-first-work.md).
    """
    try:
        known = settings()
        if not known.policy_url:
            _look_at(known.policy)
    except SettingsError as error:
        return str(error)
    return ""


def _look_at(policy: Path) -> None:
    """The app reads no standard input, and no pipe: whoever writes one may never end."""
    try:
        mode = policy.stat().st_mode
        if S_ISDIR(mode):
            next(policy.iterdir(), None)
        elif S_ISREG(mode):
            policy.open("rb").close()
        else:
            raise SettingsError(
                f"{policy} (LANYARD_POLICY) cannot be read: it is no file but a pipe or a device; "
                "name a file or folder of the app's package, or the address of a blob"
            )
    except OSError as error:
        raise SettingsError(f"{policy} (LANYARD_POLICY) cannot be read: {error.strerror}") from None


def _required(environment: Mapping[str, str], name: str) -> str:
    if value := environment.get(name):
        return value
    raise SettingsError(f"the app setting {name} is missing")


def _guid(environment: Mapping[str, str], name: str) -> str:
    value = folded(_required(environment, name))
    if not is_guid(value):
        raise SettingsError(f"the app setting {name} is {value!r}: a GUID")
    return value


def _credential(environment: Mapping[str, str]) -> CredentialKind:
    given = environment.get("LANYARD_CREDENTIAL", "")
    try:
        return CredentialKind(given) if given else CredentialKind.MANAGED_IDENTITY
    except ValueError:
        known = " or ".join(CredentialKind)
        raise SettingsError(f"the app setting LANYARD_CREDENTIAL is {given!r}: {known}") from None


def _identity_id(environment: Mapping[str, str]) -> str:
    value = folded(environment.get("LANYARD_IDENTITY_ID", ""))
    try:
        if value:
            ResourceId.parse(value)
    except InvalidResourceId as error:
        raise SettingsError(f"the app setting LANYARD_IDENTITY_ID: {error}") from None
    return value


def _installation(environment: Mapping[str, str]) -> str:
    """Never made up: under another one the app would not know its own role assignments again."""
    given = folded(environment.get("LANYARD_INSTALLATION", ""))
    if is_guid(given):
        return given
    problem = f"is {given!r}, which is no GUID" if given else "is missing"
    raise SettingsError(
        f"the app setting LANYARD_INSTALLATION {problem}: infra/main.bicep sets it; a successor is "
        "given its predecessor's, which stands in the description of the role assignments that "
        "Lanyard made, a new app one of its own (uuidgen)"
    )


def _cloud(environment: Mapping[str, str]) -> Cloud:
    for service in ("ARM", "GRAPH"):
        _https(environment, f"LANYARD_{service}_ENDPOINT")
    given = environment.get("LANYARD_CLOUD", "")
    try:
        return cloud_of(CloudName(given) if given else CloudName.PUBLIC, environment)
    except ValueError:
        known = ", ".join(CloudName)
        raise SettingsError(f"the app setting LANYARD_CLOUD is {given!r}: one of {known}") from None


def events_connection(environment: Mapping[str, str] = os.environ) -> str:
    """The host's connection to the queue of events: one of its own where it is set, else that to
    the app's storage account.
    """
    own = any(environment.get(f"{_EVENTS}__{name}") for name in ("queueServiceUri", "accountName"))
    return _EVENTS if own else _STORAGE


def _storage(
    environment: Mapping[str, str], service: str, cloud: Cloud, connection: str = _STORAGE
) -> str:
    if address := environment.get(f"{connection}__{service}ServiceUri"):
        return address.rstrip("/")
    if account := environment.get(f"{connection}__accountName"):
        return f"https://{account}.{service}.{cloud.storage}"
    raise SettingsError(
        f"the app setting {connection}__accountName (or {connection}__{service}ServiceUri) is "
        "missing"
    )


def _exported(environment: Mapping[str, str]) -> bool:
    wanted = environment.get("LANYARD_TELEMETRY", "")
    if wanted and not _is_true(wanted) and wanted.lower().strip() not in _FALSE:
        raise SettingsError(f"the app setting LANYARD_TELEMETRY is {wanted!r}: true or false")
    if not _is_true(wanted) or _by_the_worker(environment):
        return False
    return bool(_required(environment, _INSIGHTS))


def _by_the_worker(environment: Mapping[str, str]) -> bool:
    return any(_is_true(environment.get(name, "")) for name in _COLLECTING)


def _is_true(text: str) -> bool:
    """As the Functions worker reads its own settings (azure_functions_runtime 1.3.0)."""
    return text.lower().strip() in {"1", "true", "t", "yes", "y"}


def _https(environment: Mapping[str, str], name: str) -> str:
    address = environment.get(name, "")
    if address and not address.startswith("https://"):
        raise SettingsError(f"the app setting {name} is {address!r}: an address with https")
    return address


def _number(environment: Mapping[str, str], name: str, default: float, *, most: float) -> float:
    text = environment.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise SettingsError(f"the app setting {name} is {text!r}: a number from 0 to {most:g}")
    return value
