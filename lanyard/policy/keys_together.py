"""Which keys of a part go together: no key is wrong alone. The JSON Schema has the same
(cli/schema.py).
"""

from lanyard.policy.document import IdentitySpec
from lanyard.policy.rule import Grant


def grant_keys_problem(grant: Grant) -> str | None:
    """What is wrong with the keys of a rule's grant, or None."""
    own = (grant.role, grant.scope, grant.condition)
    if grant.standard is not None and own != (None, None, None):
        return "a grant has either 'standard' or 'role' and 'scope'"
    if grant.standard is None and (grant.role is None or grant.scope is None):
        return "a grant needs 'role' and 'scope', or 'standard'"
    return None


def identity_keys_problem(spec: IdentitySpec) -> str | None:
    """What is wrong with the keys of an identity, or None."""
    if spec.id is not None and (spec.name is not None or spec.resource_group is not None):
        return "an identity has either 'id' (an existing one) or 'name' and 'resourceGroup'"
    made = spec.name is not None and (spec.resource_group is not None or spec.dedicated)
    if spec.id is None and not made:
        return "an identity needs 'id' (an existing one) or 'name' and 'resourceGroup'"
    return None
