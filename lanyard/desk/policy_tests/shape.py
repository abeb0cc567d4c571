"""The shape of a file of tests. What a field means is written here, once: the JSON Schema that
editors use and the reference in docs/ are made from these models. Keys of the file are camelCase.
"""

from typing import Annotated

from pydantic import Field

from lanyard.policy.rule import Tags
from lanyard.policy.section import Condition, Given, Name, Section, Text
from lanyard.values.errors import Because

#: Of the subscription that a resource is in unless a case names one.
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"


class HasIdentity(Section):
    """What identity the resource has before Lanyard looks at it."""

    system: bool = Field(False, description="Whether its system-assigned identity is on.")
    user_assigned: list[Text] = Field(
        [],
        description="The user-assigned ones that it has: their ids, or names in its own resource "
        "group; a name that the policy gives means that one.",
    )


class GivenResource(Section):
    """The resource of a case: by `id`, or by `type` and what differs from a plain one."""

    id: Annotated[Text | None, Given] = Field(
        None, description="Its whole id, in place of `type`, `name`, `resourceGroup`."
    )
    type: Annotated[Name | None, Given] = Field(
        None, description="Its type: Microsoft.Compute/virtualMachines."
    )
    name: Name = Field(
        "resource1",
        description="Its name; after those of its parents, with a / between: app1/blue.",
    )
    resource_group: Name = Field("rg-app", description="The group that it is in.")
    subscription: Name = Field(SUBSCRIPTION, description="The id of the one that it is in.")
    subscription_name: Annotated[Text | None, Given] = Field(
        None, description="The name of that one: rules may go by it."
    )
    management_groups: Annotated[list[Name] | None, Given] = Field(
        None,
        description="The names of all management groups that one is below: rules may go by them. "
        "Without `subscriptionName` or these, what such a rule asks for is held.",
    )
    location: Annotated[Name | None, Given] = Field(
        None, description="Its region; westeurope where none is given."
    )
    tags: Annotated[Tags | None, Given] = Field(None, description="Its tags.")
    kind: Annotated[Name | None, Given] = Field(
        None, description="Its kind, where its type has them."
    )
    identity: Annotated[HasIdentity | None, Given] = Field(
        None, description="The identity that it has already."
    )
    managed_by: Annotated[Text | None, Given] = Field(
        None, description="The service that manages it, where one does: aks."
    )
    manual_upgrade: Annotated[bool | None, Given] = Field(
        None, description="Whether it is a scale set whose instances are upgraded by hand."
    )


class ExpectedGrant(Section):
    """A role that an identity of the resource is to hold."""

    role: Name = Field(description="A built-in role's name, or any role's GUID.")
    scope: Text = Field(
        description="The whole id of the scope; or {resource}, {resourceGroup}, {subscription}."
    )
    to: Name = Field(description="The identity: its name in Azure, its id, or `system`.")
    condition: Annotated[Condition | None, Given] = Field(
        None, description="Of the role assignment."
    )


class ExpectedHeld(Section):
    """Something that a rule asks for and that is not done."""

    why: Annotated[Because, Field(strict=False)] = Field(
        description="The reason, as `lanyard held --json` has it."
    )
    what: Annotated[Name | None, Given] = Field(
        None,
        description="The identity (its name in Azure, or `system`) or the role that is held; left "
        "out: whatever it is.",
    )


class Expected(Section):
    """All that comes of the resource: what is not named here is expected not to be."""

    attached: list[Name] = Field(
        [],
        description="The identities that rules have it have: their names in Azure, their ids, or "
        "`system`.",
    )
    granted: list[ExpectedGrant] = Field([], description="The roles that these hold.")
    held: list[ExpectedHeld] = Field([], description="What rules ask for and is not done, and why.")
    nothing: bool = Field(False, description="Nothing at all comes of it.")


class Case(Section):
    """One resource, and what is expected."""

    name: Text = Field(description="What the case shows, in words.")
    resource: GivenResource = Field(description="What is looked at.")
    expect: Expected = Field(description="What comes of it.")


class CustomRole(Section):
    """What a custom role allows: whether it is privileged goes by that."""

    actions: list[Text] = Field([], description="Operations, with * for any part.")
    not_actions: list[Text] = Field([], description="What is taken out of them.")
    data_actions: list[Text] = Field([], description="Data operations.")
    not_data_actions: list[Text] = Field([], description="What is taken out of them.")


class PolicyTests(Section):
    """Tests of a policy. The mode of the policy is as if it were `full`."""

    policy: Annotated[Text | None, Given] = Field(
        None,
        description="The policy, a file or a folder, from where this file is. By default the file "
        "of the same name (lanyard.yaml for lanyard.test.yaml), else this folder.",
    )
    estate: Annotated[Text | None, Given] = Field(
        None,
        description="A file of `lanyard scan --save`, from where this file is: a case that names "
        "the `id` of a resource in it is about that one, as it was read.",
    )
    custom_roles: dict[Name, CustomRole] = Field(
        {}, description="By GUID, those that the policy grants and that are not built in."
    )
    tests: list[Case] = Field(min_length=1, description="The cases.")
