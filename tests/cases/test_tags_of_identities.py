"""Identities that are made carry what an organisation asks for; what Azure Policy refuses is held
with the name of what refuses it.
"""

import pytest

from lanyard.policy import PolicyError
from lanyard.policy.load import parse_policy
from lanyard.record.held import Answer
from lanyard.values.errors import Because
from simulator.state import Resource
from tests.support.cases import (
    IDENTITY_TYPE,
    MACHINE_TYPE,
    Rules,
    adopt,
    attached,
    begun,
    exists,
    held,
    hours,
    look,
    pass_time,
    patch,
    removals,
    roles,
)
from tests.support.estate import INSTALLATION, Estate

SHARED = "name: id-shared, resourceGroup: rg-identities, per: [subscription]"
OWN = 'name: "id-{resource.name}", per: resource'
CENTER = 'costCenter: "{tags.costCenter}"'


def tagged(tags: str, spec: str = OWN) -> str:
    return f"{{{spec}, tags: {{{tags}}}}}"


def found(estate: Estate, name: str) -> Resource:
    resources = estate.azure.state.resources.values()
    return next(one for one in resources if one.name == name and one.type == IDENTITY_TYPE)


async def made_with(
    monkeypatch: pytest.MonkeyPatch, tags: str, of_machine: dict[str, str]
) -> dict[str, str]:
    """The tags of the identity of a machine, without Lanyard's own."""
    estate = await begun(monkeypatch, Rules(identity=tagged(tags)))
    vm = await estate.create_vm("vm1", tags=of_machine)
    await hours(estate, 1)
    identity = found(estate, "id-vm1")
    assert attached(estate, vm) == ["id-vm1"]
    mine = {name: value for name, value in identity.tags.items() if name.startswith("lanyard-")}
    assert mine == {"lanyard-installation": INSTALLATION, "lanyard-resource": vm.text}
    assert identity.tags["createdBy"] == "lanyard"
    return {n: v for n, v in identity.tags.items() if n not in mine and n != "createdBy"}


ODD = "Ünit 7/3 <a@b> 100% {x} 'q' \\ #?"


@pytest.mark.parametrize(
    ("tags", "of_machine", "expected"),
    [
        ("environment: prod", {}, {"environment": "prod"}),
        (CENTER, {"costCenter": "42"}, {"costCenter": "42"}),
        (CENTER, {"COSTcenter": "42"}, {"costCenter": "42"}),
        (CENTER, {"costCenter": ODD}, {"costCenter": ODD}),
        (CENTER, {"costCenter": ""}, {"costCenter": ""}),
        (f"env: prod, {CENTER}", {"other": "1"}, {"env": "prod"}),
        ('who: "of {tags.team}, {tags.unit}"', {"team": "a", "unit": "b"}, {"who": "of a, b"}),
        ('who: "of {tags.team}, {tags.unit}"', {"team": "a"}, {}),
        ('who: "{resource.name} in {resourceGroup}"', {}, {"who": "vm1 in rg-app"}),
        ('who: "x{tags.team}"', {"team": "y" * 256}, {}),
        ('who: "{tags.team}"', {"team": "y" * 256}, {"who": "y" * 256}),
        ('"a b:c-ö": " "', {}, {"a b:c-ö": " "}),
    ],
)
async def test_an_identity_of_one_resource_is_made_with_its_tags(
    monkeypatch: pytest.MonkeyPatch,
    tags: str,
    of_machine: dict[str, str],
    expected: dict[str, str],
) -> None:
    assert await made_with(monkeypatch, tags, of_machine) == expected


async def test_a_shared_one_too_and_an_existing_ones_tags_are_not_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = 'where: "{subscription}"'
    estate = await begun(monkeypatch, Rules(identity=tagged(where, SHARED)))
    await estate.create_vm("vm1")
    await hours(estate, 1)
    tags = {"createdBy": "lanyard", "lanyard-installation": INSTALLATION}
    assert found(estate, "id-shared").tags == {"where": estate.subscription, **tags}
    await adopt(estate, Rules(identity=tagged("other: x", SHARED)))
    await estate.create_vm("vm2")
    await hours(estate, 2)
    assert found(estate, "id-shared").tags == {"where": estate.subscription, **tags}


async def test_a_tag_that_changes_later_stays_as_it_was_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=tagged(CENTER)))
    vm = await estate.create_vm("vm1", tags={"costCenter": "42"})
    await hours(estate, 1)
    await patch(estate, vm, tags={"costCenter": "43"})
    await hours(estate, 2)
    assert found(estate, "id-vm1").tags["costCenter"] == "42"
    assert await removals(estate) == []


MANY = ", ".join(f"t{number}: x" for number in range(48))
LONG = "n" * 513


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (tagged("createdBy: me"), "'createdBy' is Lanyard's own"),
        (tagged("CREATEDBY: me"), "'CREATEDBY' is Lanyard's own"),
        (tagged("Lanyard-Resource: x"), "is Lanyard's own"),
        (tagged("lanyard-INSTALLATION: x"), "is Lanyard's own"),
        (tagged("lanyard-resource: x", SHARED), "is Lanyard's own"),
        (tagged("a: x, A: y"), "tag names have no case"),
        *((tagged(f'"a{one}b": x'), "Azure takes no") for one in ("<", ">", "%", "&", "?", "/")),
        (tagged('"a\\\\b": x'), "Azure takes no"),
        *((tagged(f"{one}: x"), "keeps") for one in ("microsoft-x", "azureEnv", "WindowsVersion")),
        (tagged(f"{LONG}: x"), "longer than 512 characters"),
        (tagged(f"a: {'v' * 257}"), "Azure takes 256 characters"),
        (tagged(MANY), "Azure takes 50 tags, 3 of them are Lanyard's own"),
        (tagged(MANY + ", last: x", SHARED), "Azure takes 50 tags, 2 of them are Lanyard's own"),
        (tagged('a: "{tags.}"'), "names no tag"),
        (tagged('a: "{tag.x}"'), "unknown variable"),
        (tagged('a: "{tags.x"'), "a brace is not closed"),
        (tagged("a: 1"), "text"),
        (tagged('a: "{tags.x}"', SHARED), "several resources share the identity"),
        (tagged('a: "{resource.name}"', SHARED), "several resources share the identity"),
        (tagged('a: "{location}"', SHARED), "several resources share the identity"),
        (
            "{id: /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/"
            f"{IDENTITY_TYPE}/id-x, tags: {{a: b}}}}",
            "this one exists",
        ),
    ],
)
def test_tags_that_cannot_be_are_refused_by_the_file(spec: str, reason: str) -> None:
    text = (
        f"version: 1\nidentities:\n  main: {spec}\n"
        f"rules: [{{name: r, match: {{types: [{MACHINE_TYPE}]}}, attach: [main]}}]\n"
    )
    with pytest.raises(PolicyError) as raised:
        parse_policy("lanyard.yaml", text)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    "spec",
    [
        tagged(MANY.removeprefix("t0: x, ")),
        tagged(MANY, SHARED),
        tagged(f"{'n' * 512}: {'v' * 256}"),
        tagged('a: "{location}{subscription}"', 'name: "id-{location}", resourceGroup: rg'),
    ],
)
def test_tags_at_their_limits_are_fine(spec: str) -> None:
    assert parse_policy("lanyard.yaml", f"version: 1\nidentities:\n  main: {spec}\n")


# Azure Policy


@pytest.mark.parametrize("spec", [OWN, SHARED], ids=["own", "shared"])
async def test_what_azure_policy_refuses_is_held_with_its_name_and_goes_on_when_it_may(
    monkeypatch: pytest.MonkeyPatch, spec: str
) -> None:
    estate = await begun(monkeypatch, Rules(identity=f"{{{spec}}}"))
    estate.azure.behaviour.denied_without_tag[IDENTITY_TYPE.lower()] = "costCenter"
    vm = await estate.create_vm("vm1")
    await hours(estate, 3)
    name = "id-vm1" if spec == OWN else "id-shared"
    assert not exists(estate, name)
    assert attached(estate, vm) == []
    entries = await held(estate)
    assert [*entries] == [f"create identity {name} in westeurope"]
    (entry,) = entries.values()
    assert entry.refusal.because is Because.AZURE_POLICY
    assert "refused by Azure Policy: Require the tag costCenter" in entry.refusal.reason
    assert "/policyAssignments/require-costcenter" in entry.refusal.reason
    outcomes = {one.outcome for one in await estate.recorded() if one.resource == vm.text}
    assert "failed" not in outcomes
    calls = [
        call for call in estate.azure.calls if call.method == "PUT" and call.path.endswith(name)
    ]
    assert 2 <= len(calls) <= 8, "at an interval"
    await adopt(estate, Rules(identity=tagged("costCenter: '42'", spec)))
    await hours(estate, 2)
    assert attached(estate, vm) == [name]
    assert roles(estate, name) == ["Reader"]
    assert await held(estate) == {}


async def test_a_person_may_dismiss_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=f"{{{OWN}}}"))
    estate.azure.behaviour.denied_without_tag[IDENTITY_TYPE.lower()] = "costCenter"
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    (entry,) = (await held(estate)).values()
    await estate.services.held.dismiss(entry.full_id, "ann")
    await look(estate, vm)
    await hours(estate, 2)
    (entry,) = (await held(estate)).values()
    assert entry.answer is Answer.DISMISSED
