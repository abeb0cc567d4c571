"""Which identities a resource's own settings name, outside its identity block. Pure.

Some members take the id of an identity, some the client id of an attached one, some its object id,
alone, as a key or inside a longer text; the system-assigned one has words of its own. All of a body
is searched: a member that is not known here yet names an identity just as well, and to hold a
removal too many costs less than to take what is in use.
"""

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any, NamedTuple
from urllib.parse import unquote

from lanyard.azure.arm.answers import Json, member, part, text
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

# ARM's own account of a body: who wrote it last is no setting.
_NO_SETTINGS = {"identity", "systemdata"}
_ID = re.compile(
    r"subscriptions/[^/\s]+/resourcegroups/[^/]+/providers/microsoft\.managedidentity/"
    r"userassignedidentities/[\w-]+"
)
# At every place of a text: what looks like hexadecimal digits may stand right before.
_GUID = re.compile(r"(?=([0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}))")
_GUID_LENGTH, _FIRST_DIGITS = 32, 8
_SLASHES = re.compile(r"[\\/]+")
# Of registries, secrets, scale rules and identitySettings of container apps, and of the storage
# that a function app is deployed from (`authentication.type`).
_SYSTEM_MEMBER, _SYSTEM_WORD, _SYSTEM_KIND = "identity", "system", "systemassignedidentity"
_WORD_LENGTHS = {len(_SYSTEM_WORD), len(_SYSTEM_KIND)}


class Uses(NamedTuple):
    """The members that name an identity, by what they name."""

    user_assigned: dict[ResourceId, tuple[str, ...]]
    system: tuple[str, ...]


class _Text(NamedTuple):
    """A text of a body: its value, or the name of a member."""

    path: str
    #: Of the member whose value it is, as the service spells it; "" for a name.
    member: str
    folded: str


def uses(body: Json) -> Uses:
    """All that the settings of a resource name.

    That a site's `keyVaultReferenceIdentity` is `SystemAssigned` names nothing: it is the default,
    and every site has it.
    """
    attached = part(part(body, "identity"), "userAssignedIdentities")
    known = {word: name for name in attached for word in _words(part(attached, name))}
    own = folded(text(part(body, "identity"), "principalId"))
    user_assigned: dict[ResourceId, tuple[str, ...]] = {}
    system = [*_pulled(body)]
    settings = {name: value for name, value in body.items() if name.lower() not in _NO_SETTINGS}
    words = frozenset(known) | ({own.replace("-", "")} if own else set())
    for found in _texts(settings):
        guids = _guids(found.folded, words)
        ids = [*_ids(found.folded), *(known[guid] for guid in guids if guid in known)]
        for identity in dict.fromkeys(map(_parsed, ids)):
            if identity is not None:
                paths = user_assigned.get(identity, ())
                user_assigned[identity] = tuple(dict.fromkeys((*paths, found.path)))
        if _names_system(found) or own.replace("-", "") in guids:
            system.append(found.path)
    return Uses(user_assigned, tuple(system))


def _words(shown: Json) -> Iterator[str]:
    """The GUIDs that an attached identity goes by, without dashes."""
    for name in ("clientId", "principalId"):
        if value := text(shown, name):
            yield folded(value).replace("-", "")


def _guids(found: str, wanted: Set[str]) -> set[str]:
    """Those of the wanted ones, without dashes, that stand in it."""
    # A body has many texts, and no dash comes before the ninth digit.
    if not any(word[:_FIRST_DIGITS] in found for word in wanted):
        return set()
    return {guid.replace("-", "") for guid in _GUID.findall(found)} & wanted


def _ids(found: str) -> list[str]:
    if "userassignedidentities" not in found:
        return []
    return ["/" + each for each in _ID.findall(_SLASHES.sub("/", unquote(found)))]


def _parsed(identity: str) -> ResourceId | None:
    try:
        return ResourceId.parse(identity)
    except InvalidResourceId:
        return None


def _names_system(found: _Text) -> bool:
    word = found.folded.strip()
    in_member = found.member.lower() == _SYSTEM_MEMBER and word == _SYSTEM_WORD
    return in_member or word == _SYSTEM_KIND


def _pulled(body: Json) -> Iterator[str]:
    """A site pulls its image with an identity, and names none: with the system-assigned one."""
    config = part(part(body, "properties"), "siteConfig")
    by_identity = member(config, "acrUseManagedIdentityCreds") is True
    if by_identity and not text(config, "acrUserManagedIdentityID"):
        yield "properties.siteConfig.acrUseManagedIdentityCreds"


def _texts(body: Json) -> list[_Text]:
    """Every text in a body that can name an identity: values with the path of their member, names
    with that of theirs.
    """
    found: list[_Text] = []

    def look(value: Any, path: str, name: str) -> None:
        if isinstance(value, str):
            add(path, name, value)
        elif isinstance(value, Mapping):
            for key, each in value.items():
                add(path or key, "", key)
                look(each, f"{path}.{key}" if path else key, key)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                look(each, f"{path}[{index}]", name)

    def add(path: str, name: str, shown: str) -> None:
        # Nothing else that is shorter than a GUID names one.
        if len(shown) >= _GUID_LENGTH or len(shown.strip()) in _WORD_LENGTHS:
            found.append(_Text(path, name, folded(shown)))

    look(body, "", "")
    return found
