"""docs/dev/simulator.md names what there is: every resource type served and every switch."""

from dataclasses import fields
from pathlib import Path

from simulator.azure import Azure
from simulator.behaviour import Behaviour

TEXT = (Path(__file__).parents[3] / "docs" / "dev" / "simulator.md").read_text("utf-8")


def test_every_resource_type_is_in_the_table() -> None:
    served = {
        kind
        for operation in Azure().arm.operations()
        for kind in _types(operation.template)
        if "/locations/" not in operation.template and not operation.poll
    }
    assert "Microsoft.Compute/virtualMachines" in served
    assert [kind for kind in sorted(served) if kind not in TEXT] == []


def test_every_switch_is_described() -> None:
    assert [each.name for each in fields(Behaviour) if f"`{each.name}`" not in TEXT] == []


def test_the_number_of_built_in_roles_is_right() -> None:
    assert f"{len(Azure().state.role_definitions)} built-in roles" in TEXT


def _types(template: str) -> list[str]:
    parts = template.split("/providers/")
    if len(parts) == 1 or parts[-1].startswith("{"):
        return []
    namespace, kind, *_ = parts[-1].split("/")
    return [f"{namespace}/{kind}"]
