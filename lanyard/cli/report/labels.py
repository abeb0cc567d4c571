"""What the figures of a report are called, on the page and at the terminal."""

#: What the totals of each rule are.
BY_RULE = (
    "role assignments and identities on resources that it asks for. What several rules ask for "
    "counts for each of them, so that the sum may be more than the figures of the month."
)
#: By the name of the figure, in the order in which they are shown.
FIGURES = {
    "rolesGiven": "role assignments given",
    "identitiesAttached": "identities attached or switched on",
    "identitiesMade": "identities made",
    "shared": "roles that needed none: an assignment was there",
    "resources": "resources that were given something",
    "putRight": "given by a sweep, not by an event (drift, a new policy)",
    "rolesRemoved": "role assignments removed",
    "identitiesDetached": "identities detached",
    "identitiesDeleted": "identities deleted",
    "putBack": "of these put back by a person",
    "notRemoved": "to be removed, and not done",
    "held": "held for a person or a change of the policy",
    "failed": "failed for good",
    "decided": "decided by persons",
    "policies": "versions of the policy, used or refused",
    "sweeps": "sweeps",
    "sweepsFailed": "of these failed",
}
