"""Who the directory knows, and who may ask it. No HTTP.

Source: Microsoft Graph v1.0, "directoryObject: getByIds"; azure-facts §6.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from simulator.directory.errors import bad_request, denied, no_me, not_found, throttled
from simulator.directory.filters import Wanted, service_principal_names
from simulator.state import Json, Principal, State
from simulator.tokens.jwt import user_principal_name

MAX_IDS = 1000
#: Each of these application permissions lets a caller bring back what was deleted,
RESTORE_PERMISSIONS = frozenset({"Directory.ReadWrite.All", "Application.ReadWrite.All"})
#: and each of these read service principals.
READ_PERMISSIONS = RESTORE_PERMISSIONS | {"Directory.Read.All", "Application.Read.All"}
#: Who is in a group; Microsoft Graph v1.0, "List group transitive members".
GROUP_PERMISSIONS = frozenset(
    {"Directory.ReadWrite.All", "Directory.Read.All", "Group.Read.All", "GroupMember.Read.All"}
)

#: Graph's name of each kind of principal.
TYPES = {"User": "user", "Group": "group", "ServicePrincipal": "servicePrincipal"}
_UNKNOWN_OF_A_USER = (
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
)
#: What Graph shows of a service principal that the simulator does not keep (recorded),
_UNKNOWN_OF_AN_APPLICATION = (
    *("appDisplayName", "appDescription", "applicationTemplateId", "appOwnerOrganizationId"),
    *("createdDateTime", "description", "disabledByMicrosoftStatus", "homepage", "loginUrl"),
    *("logoutUrl", "notes", "preferredSingleSignOnMode", "preferredTokenSigningKeyThumbprint"),
    *("signInAudience", "tokenEncryptionKeyId", "info", "samlSingleSignOnSettings"),
)
#: and the lists of it.
_EMPTY_OF_AN_APPLICATION = (
    *("notificationEmailAddresses", "replyUrls", "tags", "addIns", "appRoles", "keyCredentials"),
    *("oauth2PermissionScopes", "passwordCredentials", "resourceSpecificApplicationPermissions"),
)


class Answer(StrEnum):
    """How complete `getByIds` and lists answer: absence is not to be taken for deletion."""

    FULL = "full"
    HALF = "half"  # every second one of what was found
    EMPTY = "empty"


@dataclass
class DirectoryBehaviour:
    """Mutable: tests flip a switch while it runs. Durations on the simulator's clock."""

    answer: Answer = Answer.FULL
    throttle_next: int = 0  # so many requests get 429 without Retry-After
    new_principal_lag_seconds: float = 0.0  # a new principal does not resolve this long
    hidden: set[str] = field(default_factory=set)  # object ids that never resolve
    # Whether managed identities go through the recycle bin, as applications do (U).
    recycles_managed_identities: bool = True

    def spoil[Found](self, found: list[Found]) -> list[Found]:
        """What of a list is answered."""
        match self.answer:
            case Answer.EMPTY:
                return []
            case Answer.HALF:
                return found[::2]
        return found


class Directory:
    """The tenant's principals as Graph finds them. Permissions are kept by object id."""

    def __init__(self, state: State, behaviour: DirectoryBehaviour | None = None) -> None:
        self.behaviour = behaviour or DirectoryBehaviour()
        self._state = state
        self._permissions: defaultdict[str, set[str]] = defaultdict(set)

    def grant_permission(self, object_id: str, permission: str = "Directory.Read.All") -> None:
        """Give a principal an application permission (an app role of Microsoft Graph)."""
        self._permissions[object_id].add(permission)

    def revoke_permissions(self, object_id: str) -> None:
        """Take all of them back."""
        self._permissions.pop(object_id, None)

    def admit(self, object_id: str, permissions: frozenset[str] = READ_PERMISSIONS) -> None:
        """Raises AzureError 403 without one of the permissions, 429 while throttled."""
        if self.behaviour.throttle_next > 0:
            self.behaviour.throttle_next -= 1
            raise throttled()
        if not self._permissions[object_id] & permissions:
            raise denied()

    def get_by_ids(self, ids: list[str], types: list[str] | None) -> list[Json]:
        """What is found, in the order asked, each once; the rest is silently absent.

        `types` are Graph's ("servicePrincipal"); None or [] takes every type. Raises AzureError.
        """
        if not ids or len(ids) > MAX_IDS:
            raise bad_request(f"The ids collection must have 1 to {MAX_IDS} elements.")
        for each in ids:
            _check_guid(each)
        wanted = set(types or TYPES.values())
        unique = dict.fromkeys(each.lower() for each in ids)
        found = [each for each in self._visible(unique) if TYPES[each.kind] in wanted]
        return [typed(each) for each in self.behaviour.spoil(found)]

    def service_principal(self, object_id: str) -> Json:
        """One service principal. Raises AzureError 404."""
        for principal in self._visible([object_id.lower()]):
            if principal.kind == "ServicePrincipal":
                return service_principal(principal)
        raise not_found(object_id)

    def service_principals(self, wanted: Wanted) -> list[Json]:
        """Those that `wanted` takes, oldest first."""
        found = [each for each in self._all("ServicePrincipal") if wanted(each)]
        return [service_principal(each) for each in self.behaviour.spoil(found)]

    def user(self, name: str) -> Json:
        """One user, by object id or user principal name. Raises AzureError 404."""
        for principal in self._all("User"):
            if name.lower() in (principal.object_id, user_principal_name(principal).lower()):
                return user(principal)
        raise not_found(name)

    def users(self, wanted: Wanted) -> list[Json]:
        """The same of users."""
        found = [each for each in self._all("User") if wanted(each)]
        return [user(each) for each in self.behaviour.spoil(found)]

    def signed_in(self, object_id: str) -> Json:
        """The user who asks. Raises AzureError 400 for an application: it has no `me`."""
        for principal in self._visible([object_id]):
            if principal.kind == "User":
                return user(principal)
        raise no_me()

    def transitive_members(self, group: str) -> list[Json]:
        """Who is in a group, through other groups too, in the order of their ids. Raises
        AzureError 404.
        """
        if not any(each.kind == "Group" for each in self._visible([group.lower()])):
            raise not_found(group)
        found, unseen = set[str](), [group.lower()]
        while unseen:
            new = self._state.group_members.get(unseen.pop(), set()) - found
            found |= new
            unseen += new
        return [typed(each) for each in self.behaviour.spoil([*self._visible(sorted(found))])]

    def _all(self, kind: str) -> list[Principal]:
        return [each for each in self._visible(list(self._state.principals)) if each.kind == kind]

    def _visible(self, ids: Iterable[str]) -> list[Principal]:
        known = [self._state.principals[each] for each in ids if each in self._state.principals]
        return [each for each in known if self._is_visible(each)]

    def _is_visible(self, principal: Principal) -> bool:
        now = self._state.clock.now()
        if principal.object_id in self.behaviour.hidden:
            return False
        if now < principal.created_at + self.behaviour.new_principal_lag_seconds:
            return False
        lag = self._state.behaviour.directory_lag_seconds
        return principal.deleted_at is None or now < principal.deleted_at + lag


def _check_guid(value: object) -> None:
    try:
        UUID(str(value))
    except ValueError:
        raise bad_request(f"Invalid GUID:{value}") from None


def typed(principal: Principal) -> Json:
    """The object with its `@odata.type`, as among objects of several types."""
    shown = {"User": user, "Group": group, "ServicePrincipal": service_principal}[principal.kind]
    return {"@odata.type": f"#microsoft.graph.{TYPES[principal.kind]}", **shown(principal)}


def user(principal: Principal) -> Json:
    """A user (recorded)."""
    return {
        "id": principal.object_id,
        "businessPhones": [],
        "displayName": principal.display_name,
        **dict.fromkeys(_UNKNOWN_OF_A_USER),
        "userPrincipalName": user_principal_name(principal),
    }


def group(principal: Principal) -> Json:
    """A security group."""
    return {
        "id": principal.object_id,
        "deletedDateTime": None,
        "displayName": principal.display_name,
        "securityEnabled": True,
    }


def service_principal(principal: Principal) -> Json:
    """A service principal; a managed identity's names tell what it belongs to."""
    return {
        "id": principal.object_id,
        "deletedDateTime": None,
        "accountEnabled": True,
        **dict.fromkeys(_UNKNOWN_OF_AN_APPLICATION),
        **{name: [] for name in _EMPTY_OF_AN_APPLICATION},
        "appRoleAssignmentRequired": False,
        "alternativeNames": principal.alternative_names,
        "appId": principal.client_id,
        "displayName": principal.display_name,
        "servicePrincipalNames": service_principal_names(principal),
        "servicePrincipalType": "ManagedIdentity" if is_managed(principal) else "Application",
    }


def is_managed(principal: Principal) -> bool:
    """Whether it is the service principal of a managed identity, of either kind."""
    return any(each.startswith("isExplicit=") for each in principal.alternative_names)
