"""Whether a policy names the app's own identity, as far as the file shows it."""

import re

from lanyard.policy.document import IdentitySpec, Policy
from lanyard.policy.problems import Found
from lanyard.policy.templates import variables
from lanyard.values.resource_id import ResourceId, folded

# The same for all resources of one place: which of them a rule matches does not matter.
_OF_THE_PLACE = {"subscription", "location"}


def names_own(policy: Policy, own: ResourceId) -> Found:
    """Every identity that is `own`, or comes to it in a region of the app's own subscription.

    One whose name has a part of the resource's own may come to it, too: that is seen where a
    resource has that name, and held there.
    """
    for name, spec in policy.identities.items():
        if spec.id is not None:
            if folded(spec.id) == own.key:
                yield ("identities", name, "id"), _message(own)
        elif _comes_to(spec, own):
            yield ("identities", name, "name"), _message(own)


def _message(own: ResourceId) -> str:
    return f"{own.name} is Lanyard's own identity: whoever has it is Lanyard; name another one"


def _comes_to(spec: IdentitySpec, own: ResourceId) -> bool:
    name, group = spec.name or "", spec.resource_group or "{resourceGroup}"
    if not {*variables(name), *variables(group)} <= _OF_THE_PLACE:
        return False
    return _fits(name, own.name, own) and _fits(group, own.resource_group, own)


def _fits(template: str, name: str, own: ResourceId) -> bool:
    parts = re.split(r"(\{\w+\})", folded(template.replace("{subscription}", own.subscription)))
    pattern = "".join("[a-z0-9]+" if part == "{location}" else re.escape(part) for part in parts)
    return re.fullmatch(pattern, folded(name)) is not None
