"""What holds of every plan, whatever the policy, the resource and the ledger say."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DeleteIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReleaseGrant,
    RemoveOrphans,
)
from lanyard.planning.desired import Desired, desired
from lanyard.planning.plan import Actual, Owned, plan
from lanyard.policy import Policy
from lanyard.policy.load import parse_policy
from lanyard.values.compute import (
    ComputeResource,
    Identity,
    PrincipalRef,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId
from tests.support.examples import GROUP, READER, identity_id, vm_id

NAMES = ["a", "b", "c"]
SCOPES = [GROUP, vm_id().text]
ROLES = ["Reader", "AcrPull"]
ROLE_IDS = [READER, "7f951dda-4ed3-4680-a7ca-43fe172d538d"]
PRINCIPALS = {name: f"p-{name}" for name in NAMES}
MISSING = "c"  # made when missing; the others exist


def _policy(rules: list[dict[str, object]]) -> Policy:
    lines = ["version: 1", "identities:"]
    for name in NAMES:
        if name == MISSING:
            lines.append(
                f"  {name}: {{name: id-{name}, resourceGroup: rg-app, per: [subscription]}}"
            )
        else:
            lines.append(f"  {name}: {{id: {identity_id('id-' + name)}}}")
    lines.append("rules:" if rules else "rules: []")
    for index, rule in enumerate(rules):
        lines += [
            f"  - name: r{index}",
            "    match: {types: [Microsoft.Compute/virtualMachines]}",
            f"    attach: {rule['attach']}",
            f"    system: {str(rule['system']).lower()}",
            "    grant:" if rule["grant"] else "    grant: []",
        ]
        for role, scope, to in rule["grant"]:  # type: ignore[attr-defined]
            lines.append(f"      - {{role: {role}, scope: '{scope}', to: {to}}}")
    return parse_policy("generated.yaml", "\n".join(lines))


@st.composite
def rules(draw: st.DrawFn) -> list[dict[str, object]]:
    made = []
    for _ in range(draw(st.integers(0, 3))):
        attach = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
        system = draw(st.booleans())
        targets = st.sampled_from([*attach, "system"] if system else attach)
        grants = st.tuples(st.sampled_from(ROLES), st.sampled_from(SCOPES), targets)
        made.append(
            {"attach": attach, "system": system, "grant": draw(st.lists(grants, max_size=3))}
        )
    return made


@st.composite
def resources(draw: st.DrawFn) -> ComputeResource:
    attached = draw(st.dictionaries(st.sampled_from(NAMES), st.booleans()))
    block = {
        identity_id("id-" + name): PRINCIPALS[name] if alive else f"p-dead-{name}"
        for name, alive in attached.items()
    }
    system = draw(st.sampled_from([None, "p-sys"]))
    return ComputeResource(
        id=vm_id(), location="westeurope", tags={}, identity=Identity(system, block)
    )


@st.composite
def ledgers(draw: st.DrawFn) -> Owned:
    grants = st.builds(
        Grant,
        st.sampled_from(SCOPES),
        st.sampled_from(ROLE_IDS),
        st.sampled_from([*PRINCIPALS.values(), "p-sys", "p-gone"]),
    )
    claimed = draw(st.frozensets(grants, max_size=4))
    return Owned(
        attachments=draw(
            st.frozensets(st.sampled_from([identity_id("id-" + name) for name in NAMES]))
        ),
        grants=claimed,
        pending=draw(st.frozensets(grants, max_size=2)) - claimed,
        system_principals=draw(st.frozensets(st.sampled_from(["p-sys", "p-gone"]))),
        dedicated=draw(st.frozensets(st.sampled_from([identity_id("id-" + MISSING)]))),
    )


def known(resource: ComputeResource) -> dict[PrincipalRef, str]:
    principals: dict[PrincipalRef, str] = {
        UserAssigned(identity_id("id-" + name)): principal
        for name, principal in PRINCIPALS.items()
        if name != MISSING or identity_id("id-" + name) in resource.identity.user_assigned
    }
    if resource.identity.system_principal_id:
        principals[SystemAssigned()] = resource.identity.system_principal_id
    return principals


class World:
    """A model of Azure and the ledger, in which a plan is carried out."""

    def __init__(self, resource: ComputeResource, owned: Owned) -> None:
        self.resource = resource
        self.owned = owned
        self.principals = known(resource)

    def apply(self, actions: tuple[Action, ...]) -> None:
        """As Application does: a grant assigned in this plan is not released by it."""
        self.assigned: set[Grant] = set()
        for action in actions:
            if not (isinstance(action, ReleaseGrant) and action.grant in self.assigned):
                self._one(action)

    def _one(self, action: Action) -> None:
        match action:
            case CreateIdentity(id=id):
                self.principals[UserAssigned(id)] = PRINCIPALS[id.name.removeprefix("id-")]
            case AttachIdentity(id=id) | ReattachIdentity(id=id):
                self._block(id, self.principals[UserAssigned(id)])
                self.owned = replace(self.owned, attachments=self.owned.attachments | {id})
            case DetachIdentity(id=id):
                self._block(id, None)
                self.owned = replace(self.owned, attachments=self.owned.attachments - {id})
            case EnableSystemIdentity():
                identity = replace(self.resource.identity, system_principal_id="p-sys")
                self.resource = replace(self.resource, identity=identity)
                self.principals[SystemAssigned()] = "p-sys"
            case AssignRole(scope=scope, role_id=role, to=to):
                grant = Grant(scope, role, self.principals[to])
                self.assigned.add(grant)
                self._claims(self.owned.grants | {grant}, grant)
            case ReleaseGrant(grant=grant):
                self._claims(self.owned.grants - {grant}, grant)
            case DeleteIdentity(id=id):
                self.owned = replace(self.owned, dedicated=self.owned.dedicated - {id})
            case RemoveOrphans(principal_id=principal):
                left = self.owned.system_principals - {principal}
                self.owned = replace(self.owned, system_principals=left)

    def _claims(self, grants: frozenset[Grant], settled: Grant) -> None:
        pending = self.owned.pending - {settled}
        self.owned = replace(self.owned, grants=grants, pending=pending)

    def _block(self, id: ResourceId, principal: str | None) -> None:
        block = {k: v for k, v in self.resource.identity.user_assigned.items() if k != id}
        if principal is not None:
            block[id] = principal
        identity = replace(self.resource.identity, user_assigned=block)
        self.resource = replace(self.resource, identity=identity)


def planned(wanted: Desired, world: World) -> tuple[Action, ...]:
    return plan(wanted, Actual(world.resource, world.principals), world.owned).actions


@given(rules(), resources(), ledgers())
def test_a_plan_carried_out_leaves_nothing_to_plan(
    made: list[dict[str, object]], resource: ComputeResource, owned: Owned
) -> None:
    wanted = desired(_policy(made), resource)
    world = World(resource, owned)
    world.apply(planned(wanted, world))
    assert planned(wanted, world) == ()


@given(rules(), resources(), ledgers(), st.randoms())
def test_the_order_of_rules_does_not_matter(
    made: list[dict[str, object]], resource: ComputeResource, owned: Owned, dice: object
) -> None:
    shuffled = list(made)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    world = World(resource, owned)
    assert planned(desired(_policy(made), resource), world) == planned(
        desired(_policy(shuffled), resource), world
    )


def _shouted(id: ResourceId) -> ResourceId:
    return ResourceId.parse(id.text.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"))


@given(rules(), resources(), ledgers())
def test_letter_case_does_not_matter(
    made: list[dict[str, object]], resource: ComputeResource, owned: Owned
) -> None:
    loud_block = {_shouted(k): v for k, v in resource.identity.user_assigned.items()}
    loud = replace(
        resource,
        id=resource.id,
        location="WESTEUROPE",
        identity=replace(resource.identity, user_assigned=loud_block),
    )
    loud_owned = Owned(
        attachments=frozenset(map(_shouted, owned.attachments)),
        grants=frozenset(replace(grant, scope=grant.scope.upper()) for grant in owned.grants),
        pending=frozenset(replace(grant, scope=grant.scope.upper()) for grant in owned.pending),
        system_principals=owned.system_principals,
        dedicated=frozenset(map(_shouted, owned.dedicated)),
    )
    policy = _policy(made)
    quiet = planned(desired(policy, resource), World(resource, owned))
    heard = planned(desired(policy, loud), World(loud, loud_owned))
    assert [str(a).lower() for a in heard] == [str(a).lower() for a in quiet]


@given(rules(), st.none() | resources(), ledgers())
def test_nothing_is_removed_that_is_not_owned(
    made: list[dict[str, object]], resource: ComputeResource | None, owned: Owned
) -> None:
    wanted = desired(_policy(made), resource)
    actual = Actual(resource, known(resource) if resource else {})
    for action in plan(wanted, actual, owned).actions:
        match action:
            case DetachIdentity(id=id):
                assert id in owned.attachments
                assert id not in wanted.identities
            case ReleaseGrant(grant=grant):
                assert grant in owned.grants | owned.pending
            case DeleteIdentity(id=id):
                assert id in owned.dedicated
                assert id not in wanted.identities
            case RemoveOrphans(principal_id=principal):
                assert principal in owned.system_principals
                assert resource is None or resource.identity.system_principal_id != principal
