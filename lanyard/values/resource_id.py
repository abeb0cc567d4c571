"""Azure resource ids, compared as Azure compares them: in any case, and no further."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

#: Azure Tables takes row keys of up to 512 UTF-16 characters (1 KiB), and a longer id than this
#: could not be recorded; Azure's own compute ids stay far below it.
MAX_ID_LENGTH = 500

#: A GUID, folded, as a part of other patterns.
GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_GUID = re.compile(GUID)
# The place of "providers" in the id of a resource in a group.
_PROVIDER = 5
# Word characters of any alphabet, and . ( ) -: of resource groups, providers and types.
_PLAIN = re.compile(r"[\w.()-]+")
# Of a resource's name: what would end a segment or a URL, or be another character by the time it is
# one, what the tables refuse in keys, and braces, which the SDKs take for places to fill in. All
# else Azure's naming rules leave to each type.
_NAME = re.compile(r"[^/\\?#%{}\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


_SEGMENT = r"(?!\.+(?:/|$))[\w.()-]+"
#: Most ids: without anything in their names that only some types take. See `_check_segments`.
_PLAIN_ID = re.compile(
    rf"/subscriptions/{GUID}"
    rf"(/resourcegroups/{_SEGMENT}(/providers/{_SEGMENT}(/{_SEGMENT}/{_SEGMENT})+)?)?",
    re.ASCII | re.IGNORECASE,
)


def is_guid(text: str) -> bool:
    """Whether it is a GUID as Azure writes them: of a subscription, a principal, a role."""
    return _GUID.fullmatch(folded(text)) is not None


def folded(text: str) -> str:
    """Lower case, as far as Azure takes two letters for one: A and a, Ä and ä.

    `str.lower` goes further: it makes a k of the Kelvin sign, so that a resource group spelt with
    that letter, which anybody may make, would be taken for "rg-k".
    """
    if text.isascii():
        return text.lower()
    return "".join(low if (low := each.lower()).upper() == each else each for each in text)


def is_plain(text: str) -> bool:
    """Whether a text can name a resource group, a provider or a type."""
    return _PLAIN.fullmatch(text) is not None and set(text) != {"."}


def is_plain_name(text: str) -> bool:
    """Whether a text can be the name of a resource, or of what it is in."""
    return _NAME.fullmatch(text) is not None and text == text.strip() and set(text) != {"."}


def is_within(id_: str, scope: str) -> bool:
    """Whether an id is `scope` or lies below it; "/" is above everything."""
    return f"{folded(id_).rstrip('/')}/".startswith(f"{folded(scope).rstrip('/')}/")


def last_name(id_: str) -> str:
    """The last segment of an id, folded: a role definition's GUID, a role assignment's name."""
    return folded(id_.rpartition("/")[2])


def names_of(id_: str) -> str:
    """All names below the provider of a resource's id, folded: "app/staging" of a slot."""
    return folded("/".join(id_.split("/")[8::2]))


# One resource is asked for it many times, one after the other.
@lru_cache(maxsize=256)
def type_of(id_: str) -> str:
    """The type of the resource that an id in a group names, as `ResourceId.type` has it; "" for a
    group and above, whatever lies there.
    """
    segments = id_.split("/")
    if len(segments) < _PROVIDER + 4 or folded(segments[3]) != "resourcegroups":
        return ""
    start = _last_provider(segments)
    return "/".join([segments[start + 1], *segments[start + 2 :: 2]])


def _last_provider(segments: list[str]) -> int:
    """Where the "providers" stands that an id's last types follow. A name may be called so, too:
    only in the place of a type it begins another provider.
    """
    places = range(_PROVIDER, len(segments) - 2, 2)
    return max((i for i in places if folded(segments[i]) == "providers"), default=_PROVIDER)


class InvalidResourceId(ValueError):
    """The text is no resource id that Lanyard can work with. `reason` is why, without the text."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


@dataclass(frozen=True, slots=True, order=True)
class ResourceId:
    """An Azure resource id. Equal when the lower-cased texts are: ARM returns ids in any case.

    `text` keeps the casing it came in, for calls and for people. Make it with `parse`.
    """

    key: str
    text: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Read `/subscriptions/{guid}[/resourceGroups/{name}[/providers/{ns}/{type}/{name}…]]`.

        A resource's own name, and its parents', may have whatever Azure takes for one, blanks
        inside and `$ * [ ] ~` included. Raises InvalidResourceId for anything else, and for ids
        over MAX_ID_LENGTH characters.
        """
        return _parsed(text)

    def __reduce__(self) -> tuple[type[ResourceId], tuple[str, str]]:
        """Short, because what is pickled has many."""
        return ResourceId, (self.key, self.text)

    def __str__(self) -> str:
        return self.text

    @property
    def _segments(self) -> list[str]:
        return self.text.split("/")

    @property
    def subscription(self) -> str:
        """The subscription's id, lower case."""
        return self.key.split("/")[2]

    @property
    def resource_group(self) -> str:
        """The resource group's name as written, or "" for a subscription."""
        return self._segments[4] if len(self._segments) > 4 else ""

    @property
    def resource_group_id(self) -> str:
        """The id of the resource group it is in (or is)."""
        return "/".join(self._segments[:5])

    @property
    def name(self) -> str:
        """The last segment: the resource's own name."""
        return self._segments[-1]

    @property
    def full_name(self) -> str:
        """Its own name after those of its parents: "app1-staging" of a slot."""
        return "-".join(self._segments[8::2]) or self.name

    @property
    def names(self) -> str:
        """All names below the provider, folded: "app/staging" of a slot; "" for a group."""
        return names_of(self.text)

    @property
    def type(self) -> str:
        """`Microsoft.Compute/virtualMachines`, child types joined; "" for groups and above. Of what
        `extends` a resource its own.
        """
        return type_of(self.text)

    @property
    def extends(self) -> bool:
        """Whether it lies below a resource of another provider: a diagnostic setting of a vault."""
        return _last_provider(self._segments) > _PROVIDER

    @property
    def is_resource_group(self) -> bool:
        """Whether it names a resource group itself."""
        return len(self._segments) == 5

    def within(self, scope: ResourceId) -> bool:
        """Whether it is `scope` or lies below it."""
        return self.key == scope.key or self.key.startswith(scope.key + "/")


# Many resources have the same identities, and the same subscription.
@lru_cache(maxsize=2048)
def _parsed(text: str) -> ResourceId:
    # A bar takes two places in a key of the tables.
    if (length := _utf16_length(text)) + text.count("|") > MAX_ID_LENGTH:
        raise InvalidResourceId(f"resource id of {length} characters (most: {MAX_ID_LENGTH})")
    clean = text.rstrip("/")
    if _PLAIN_ID.fullmatch(clean) is None:
        _check_segments(text, clean.split("/"))
    return ResourceId(folded(clean), clean)


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _check_segments(text: str, segments: list[str]) -> None:
    def refuse(why: str) -> None:
        raise InvalidResourceId(f"{text[:120]!r} is no resource id: {why}", why)

    if len(segments) < 3 or segments[0] or folded(segments[1]) != "subscriptions":
        refuse("it does not start with /subscriptions/")
    if not is_guid(segments[2]):
        refuse("the subscription is no GUID")
    if not are_segments(segments):
        refuse("a segment is empty or has a character that Azure names do not have")
    if len(segments) > 3 and folded(segments[3]) != "resourcegroups":
        refuse("resources outside a resource group are not handled")
    if len(segments) > 5 and folded(segments[5]) != "providers":
        refuse("'providers' is expected after the resource group")
    if len(segments) in (4, 6, 7, 8) or (len(segments) > 5 and len(segments) % 2 == 0):
        refuse("a name is missing at its end")


def are_segments(segments: list[str]) -> bool:
    """Whether each of an id's segments, after the empty first one, can stand at its place."""
    return all(_is_segment(segments, index) for index in range(1, len(segments)))


def is_own_name(segments: list[str], index: int) -> bool:
    """Whether the name of a resource stands there in an id, after its type: no name of a group, no
    type, and no provider, also below another one.
    """
    return index >= 8 and index % 2 == 0 and folded(segments[index - 1]) != "providers"


def _is_segment(segments: list[str], index: int) -> bool:
    """By its place: names stand at every second one after the provider, another provider below a
    resource included.
    """
    segment = segments[index]
    if not is_own_name(segments, index):
        return is_plain(segment)
    return is_plain_name(segment)


def subscription_of(scope: str) -> ResourceId | None:
    """The subscription that a scope is in; None above subscriptions."""
    try:
        return ResourceId.parse("/".join(scope.split("/")[:3]))
    except InvalidResourceId:
        return None
