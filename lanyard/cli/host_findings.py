"""What `lanyard doctor` finds of the app's Functions host: whether it runs, which functions are
there, which setting is missing or wrong. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping

from lanyard.cli.findings import Finding, State
from lanyard.desk.azure.app_setup import Host, Subscribed
from lanyard.record.decisions import Recorded
from lanyard.settings import SettingsError, read_settings

#: Each function of the app (handlers/).
FUNCTIONS = frozenset(
    {"dead_letters", "policy_changes", "queued_events", "reconcile", "resource_events", "sweep"}
)
#: Reader is not enough for it: settings may be secrets.
SETTINGS_RIGHT = "Microsoft.Web/sites/config/list/action"
_HEARS = "/functions/resource_events"
_LOG = "the app's log says why: Application Insights, or 'func azure functionapp logstream'"


def sites(found: Iterable[Subscribed], named: str = "") -> list[str]:
    """The ids of the apps that hear events as Lanyard does, and of the one that is named (id), each
    once.
    """
    hearing = [one.endpoint for one in found if one.endpoint.lower().endswith(_HEARS)]
    heard = {each[: -len(_HEARS)].lower() for each in hearing}
    return sorted(heard | ({named.lower()} if named else set()))


def no_site() -> Finding:
    """That nobody looked at the app's host: a queue shows nothing of who takes from it."""
    message = "the app's host was not looked at: the events come by queue, which does not show it"
    return Finding("host", State.WARNING, message, "name the function app: --app-id")


def tenants_agree(subscription: str, tenant: str, home: str) -> Finding:
    """Whether a subscription is of the app's tenant (`home`). One that is delegated (Azure
    Lighthouse) wants `delegatedManagedIdentityResourceId` with each assignment, which Lanyard does
    not give (azure-facts-2, Lighthouse).
    """
    if tenant == home:
        return Finding("tenant", State.OK, f"subscription {subscription} is of the app's tenant")
    message = (
        f"subscription {subscription} is of tenant {tenant}, the app of {home}: what is delegated "
        "(Azure Lighthouse) is not served"
    )
    fix = "'lanyard offboard' it, and deploy an app in its own tenant"
    return Finding("tenant", State.PROBLEM, message, fix)


def host_state(site: str, host: Host) -> Finding:
    """Whether the host runs."""
    if host.state == "Running" and not host.errors:
        return Finding("host", State.OK, f"the Functions host of {site} runs")
    why = f": {'; '.join(host.errors)}" if host.errors else ""
    message = f"the Functions host of {site} is {host.state or 'in no state'}{why}"
    return Finding("host", State.PROBLEM, message, _LOG)


def functions_there(site: str, names: frozenset[str]) -> Finding:
    """Whether ARM shows every function."""
    if not (missing := sorted(FUNCTIONS - names)):
        return Finding("host", State.OK, f"all {len(FUNCTIONS)} functions are there")
    message = f"{site} lacks {len(missing)} of its functions: {', '.join(missing)}"
    return Finding("host", State.PROBLEM, message, f"deploy the app again; {_LOG}")


def settings_read(settings: Mapping[str, str]) -> Finding:
    """Whether the app can work as it is set."""
    try:
        read_settings(settings)
    except SettingsError as error:
        fix = "set it, and nothing is lost: events and messages wait meanwhile"
        return Finding("host", State.PROBLEM, str(error), fix)
    return Finding("host", State.OK, "its settings are complete")


def settings_unread(why: str) -> Finding:
    """That nobody looked at them."""
    message = f"the app's settings were not looked at: {why}"
    return Finding("host", State.WARNING, message, f"that takes {SETTINGS_RIGHT} on the app")


def policy_refused(refused: Recorded | None, swept: Recorded | None) -> Iterator[Finding]:
    """A policy that the app could not use, since it last swept under one that it could."""
    if refused is None or (swept is not None and swept.at > refused.at):
        return
    message = f"the app cannot use its policy: {refused.decision.reason}"
    fix = "'lanyard validate', and deploy it again; what came meanwhile waits on the queue"
    yield Finding("policy", State.PROBLEM, message, fix)
