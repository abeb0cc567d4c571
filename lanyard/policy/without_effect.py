"""What of a good policy does nothing, or takes everything. Each is seen in the file alone."""

from lanyard.policy.document import Policy
from lanyard.policy.mode import Mode
from lanyard.policy.patterns import ANY
from lanyard.policy.problems import Found, Path, near
from lanyard.policy.rule import Selector
from lanyard.values.locations import LOCATIONS, RECORDED
from lanyard.values.resource_id import folded


def without_effect(policy: Policy) -> Found:
    """A mode without rules, identities that no rule attaches, locations that there are not, names
    of tags with a wildcard.
    """
    if policy.mode is Mode.FULL and not policy.rules:
        message = "mode full with no rules: all that Lanyard gave is taken away"
        yield ("mode",), message
    attached = {name for rule in policy.rules for name in rule.attach}
    for name in policy.identities.keys() - attached:
        yield ("identities", name), f"no rule attaches the identity {name!r}"
    for index, rule in enumerate(policy.rules):
        for below, selector in (((), rule.match), (("exclude",), rule.match.exclude)):
            at: Path = ("rules", index, "match", *below)
            for position, problem in _unknown_locations(selector):
                yield (*at, "locations", position), problem
            for name in selector.tags:
                if ANY in name:
                    message = f"names of tags have no wildcards: a tag named {name!r} is asked for"
                    yield (*at, "tags", name), message


def _unknown_locations(selector: Selector) -> list[tuple[int, str]]:
    return [
        (index, _unknown(location))
        for index, location in enumerate(selector.locations)
        if folded(location) not in LOCATIONS
    ]


def _unknown(location: str) -> str:
    meant = near(location, LOCATIONS)
    hint = f"; did you mean {meant!r}?" if meant else ""
    return f"no location of {RECORDED} is named {location!r}{hint}"
