"""Why a wanted identity is not attached, and what changes that. Pure."""

from lanyard.planning.desired import WantedIdentity
from lanyard.planning.obstacle import Obstacle
from lanyard.planning.plan import Plan
from lanyard.values.errors import Because
from lanyard.values.own_identity import RESOURCE_TAG


def why_blocked(identity: WantedIdentity, plan: Plan) -> Obstacle:
    """Of one that the plan has as blocked."""
    if (failure := plan.unread.get(identity.id)) is not None:
        return Obstacle(
            Because.CANNOT_BE_ASKED,
            f"{identity.id} cannot be read: {failure}",
            "let the app read it, or name another one in the policy; it is asked again by itself",
        )
    if identity.id not in plan.theirs:
        return Obstacle(Because.NO_IDENTITY, f"{identity.id} does not exist", "create it")
    if identity.dedicated:
        return Obstacle(
            Because.ANOTHER_OWNER,
            f"{identity.id} exists, and was not made for this resource",
            "use {resource.hash} in its name in the policy; delete it, if nothing uses it",
        )
    return Obstacle(
        Because.ANOTHER_OWNER,
        f"{identity.id} was made for another resource alone",
        "give one of the two another name in the policy; or, once no rule makes it for that one, "
        f"take its tag {RESOURCE_TAG} off",
    )
