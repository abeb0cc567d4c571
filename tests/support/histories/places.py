"""What there can be in a history: few names, so that steps meet. All ids are lower case."""

from dataclasses import dataclass
from functools import cache

from tests.support.estate import Estate

LOCATION = "westeurope"
IDENTITIES = "rg-identities"
#: Machines, an app and its slot, each with the group that it lives in.
HOMES = {
    "vm1": "rg-app",
    "vm2": "rg-app",
    "vm3": "rg-shop",
    "web1": "rg-app",
    "web1/staging": "rg-app",
}
#: Where each can be moved to, and back from: "vm1" in rg-app, "vm1@shop" in rg-shop.
_MOVED = "@shop"
HOMES |= {name + _MOVED: "rg-shop" for name, group in HOMES.items() if group == "rg-app"}
GROUPS = ("rg-app", "rg-shop")
#: Identities that people make. "id-typo" nobody ever makes.
PEOPLES = ("id-old", "id-new")
TYPO = "id-typo"
SHARED = "id-shared"
#: Stands for the principal of a resource's own system-assigned identity.
SYSTEM = "system"
BLOBS = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
#: Hands out rights.
RIGHTS = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
ROLES = {"blobs": BLOBS, "reader": READER, "rights": RIGHTS}
ROLE_NAMES = {
    "blobs": "Storage Blob Data Reader",
    "reader": "Reader",
    "rights": "User Access Administrator",
}
_UAMI = "providers/microsoft.managedidentity/userassignedidentities"
_TYPES = {
    "vm": ("microsoft.compute/virtualmachines",),
    "web": ("microsoft.web/sites", "microsoft.web/sites/slots"),
}


@cache
def subscription() -> str:
    """The scope of the one subscription: the estate's seed is always the same."""
    return Estate().scope.lower()


def group_id(group: str) -> str:
    """Of a resource group by its name."""
    return f"{subscription()}/resourcegroups/{group}"


@dataclass(frozen=True)
class Place:
    """A resource by its name in `HOMES`."""

    name: str

    @property
    def group(self) -> str:
        """The name of its group."""
        return HOMES[self.name]

    @property
    def id(self) -> str:
        """Its resource id, lower case."""
        kind = "microsoft.web/sites" if self.is_web else "microsoft.compute/virtualmachines"
        path = self.name.removesuffix(_MOVED).replace("/", "/slots/")
        return f"{group_id(self.group)}/providers/{kind}/{path}"

    @property
    def is_web(self) -> bool:
        """Whether it is an app or a slot."""
        return self.name.startswith("web")

    @property
    def app(self) -> str:
        """The name of the app that it is a slot of, "" for what is none."""
        app, slash, slot = self.name.partition("/")
        return f"{app}{_MOVED if slot.endswith(_MOVED) else ''}" if slash else ""

    @property
    def elsewhere(self) -> str:
        """The name that it has once it is moved; "" for what has only one place."""
        home = self.name.removesuffix(_MOVED)
        moved = home + _MOVED if home == self.name else home
        return moved if moved in HOMES else ""

    @property
    def version(self) -> str:
        """The api-version of its type."""
        return "2023-12-01" if self.is_web else "2024-11-01"

    @property
    def own(self) -> str:
        """The id of the identity that a rule has made for it alone."""
        name = self.name.removesuffix(_MOVED).replace("/", "-")
        return f"{group_id(self.group)}/{_UAMI}/id-own-{name}"


PLACES = {name: Place(name) for name in HOMES}


def identity_id(name: str) -> str:
    """Of an identity of people, the shared one, or "own:NAME" for that of a resource alone."""
    if name.startswith("own:"):
        return PLACES[name.removeprefix("own:")].own
    return f"{group_id(IDENTITIES)}/{_UAMI}/{name}"


def place_of(resource_id: str) -> Place | None:
    """The place with this id (lower case); None for what is no resource of a history."""
    return _by_id().get(resource_id)


@cache
def _by_id() -> dict[str, Place]:
    return {place.id: place for place in PLACES.values()}


def types_of(kind: str) -> tuple[str, ...]:
    """The resource types of "vm" or "web", lower case."""
    return _TYPES[kind]
