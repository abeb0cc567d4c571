"""The examples are good policies, by the schema too, and give what they say they give."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lanyard.cli import main
from lanyard.cli.schema import policy_schema
from lanyard.planning.desired import Desired, desired
from lanyard.policy import load_policy
from lanyard.policy.privileged import is_allowed
from lanyard.values.compute import ComputeResource, Identity, SystemAssigned
from lanyard.values.resource_id import ResourceId
from lanyard.values.roles import BUILT_IN_ROLES, role_name
from tests.support.json_schema import mistakes

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.rglob("*.yaml"))
POLICIES = sorted([*EXAMPLES.glob("*.yaml"), EXAMPLES / "folder"])
SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"

MACHINE = "Microsoft.Compute/virtualMachines/vm1"
SET = "Microsoft.Compute/virtualMachineScaleSets/render-1"
SITE = "Microsoft.Web/sites/app1"
SLOT = "Microsoft.Web/sites/app1/slots/staging"
CONTAINER_APP = "Microsoft.App/containerApps/app1"


def resource(path: str, group: str, *, kind: str = "", **tags: str) -> ComputeResource:
    found = ResourceId.parse(f"{SUBSCRIPTION}/resourceGroups/{group}/providers/{path}")
    return ComputeResource(
        id=found, location="westeurope", tags=tags, identity=Identity(), kind=kind
    )


def given(wanted: Desired) -> list[str]:
    """What is attached, and each grant as "role at the last word of its scope to whom"."""
    assert wanted.unfulfillable == ()
    identities = [identity.name for identity in wanted.identities]
    grants = [
        f"{role_name(grant.role_id)} at {grant.scope.rpartition('/')[2]} to "
        f"{'system' if isinstance(grant.to, SystemAssigned) else grant.to}"
        for grant in wanted.grants
    ]
    return identities + grants


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_an_example_is_a_good_policy(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(path)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_good_by_the_schema_and_names_it(file: Path) -> None:
    text = file.read_text()
    document: Any = yaml.safe_load(text)
    assert mistakes(document, policy_schema()) == []
    first, second = text.splitlines()[:2]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (file.parent / schema).resolve() == EXAMPLES.parent / "docs" / "lanyard.schema.json"
    assert second.startswith("# ") or file.parent.name == "folder"


@pytest.mark.parametrize(
    ("example", "found", "expected"),
    [
        (
            "observe-first.yaml",
            resource(MACHINE, "rg-try-lanyard"),
            [
                "id-lanyard-westeurope",
                "Monitoring Metrics Publisher at rg-try-lanyard to id-lanyard-westeurope",
            ],
        ),
        (
            "shared-identity-per-region.yaml",
            resource(MACHINE, "rg-shop-1"),
            [
                "id-shop-westeurope",
                "Storage Blob Data Reader at rg-shop-1 to id-shop-westeurope",
            ],
        ),
        ("shared-identity-per-region.yaml", resource(MACHINE, "rg-other"), []),
        (
            "one-identity-a-resource.yaml",
            resource("Microsoft.Compute/virtualMachines/worker-7", "rg-app"),
            [
                "id-worker-7",
                "Storage Queue Data Message Processor at rg-app to id-worker-7",
                "Storage Queue Data Message Sender at rg-app to id-worker-7",
            ],
        ),
        ("existing-identity.yaml", resource(MACHINE, "rg-app", App="Payments"), ["id-payments"]),
        (
            "web-apps-read-secrets.yaml",
            resource(SITE, "rg-app", team="shop"),
            ["id-web-westeurope", "Key Vault Secrets User at kv-shop to id-web-westeurope"],
        ),
        (
            "web-apps-read-secrets.yaml",
            resource(SLOT, "rg-app", team="shop"),
            ["id-web-westeurope", "Key Vault Secrets User at kv-shop to id-web-westeurope"],
        ),
        ("web-apps-read-secrets.yaml", resource(SITE, "rg-app"), []),
        (
            "container-apps-pull-images.yaml",
            resource(CONTAINER_APP, "rg-app"),
            ["AcrPull at contoso to system"],
        ),
        (
            "scale-sets-manual-upgrade.yaml",
            resource(SET, "rg-app"),
            [
                "id-render-westeurope",
                "Storage Blob Data Contributor at rg-app to id-render-westeurope",
            ],
        ),
        (
            "own-standard.yaml",
            resource(MACHINE, "rg-app", app="orders"),
            [
                "id-lanyard-westeurope",
                "Storage Queue Data Message Processor at storders to id-lanyard-westeurope",
                "App Configuration Data Reader at rg-app to id-lanyard-westeurope",
                "Monitoring Metrics Publisher at rg-app to id-lanyard-westeurope",
            ],
        ),
        ("own-standard.yaml", resource(SITE, "rg-app", kind="app,linux", app="orders"), []),
        ("excluded-resources.yaml", resource(SITE, "rg-app", lanyard="ignore"), []),
        (
            "excluded-resources.yaml",
            resource(SITE, "prod", lanyard="ignore"),
            [
                "id-lanyard-westeurope",
                "Monitoring Metrics Publisher at prod to id-lanyard-westeurope",
            ],
        ),
        (
            "privileged-role.yaml",
            resource("Microsoft.Compute/virtualMachines/agent", "rg-sandbox-1"),
            ["id-landing-zone", "User Access Administrator at rg-sandbox-1 to id-landing-zone"],
        ),
        (
            "folder",
            resource(SITE, "rg-web"),
            [
                "id-lanyard-westeurope",
                "Monitoring Metrics Publisher at rg-web to id-lanyard-westeurope",
            ],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_example_gives_what_it_says(
    example: str, found: ComputeResource, expected: list[str]
) -> None:
    assert given(desired(load_policy(EXAMPLES / example), found)) == expected


def test_a_manual_scale_set_is_brought_up_to_date() -> None:
    policy = load_policy(EXAMPLES / "scale-sets-manual-upgrade.yaml")
    assert desired(policy, resource(SET, "rg-app")).upgrade_instances


def test_the_privileged_role_is_allowed_where_the_example_says_and_nowhere_else() -> None:
    privileged = load_policy(EXAMPLES / "privileged-role.yaml").privileged
    role = BUILT_IN_ROLES["User Access Administrator"]
    assert is_allowed(role, f"{SUBSCRIPTION}/resourceGroups/rg-sandbox-1", privileged)
    assert not is_allowed(role, f"{SUBSCRIPTION}/resourceGroups/rg-prod", privileged)
    assert not is_allowed(role, SUBSCRIPTION, privileged)
