"""Deleting what was made, and what is left."""

from az_check.command import Command

COMMANDS = (
    Command("vm delete --resource-group rg-shop --name vm-shop --yes"),
    Command("identity delete --resource-group rg-shop --name id-extra"),
    Command(
        "identity show --resource-group rg-shop --name id-extra",
        error="(ResourceNotFound)",
        exit_code=3,
    ),
    Command("ad sp show --id $extra", error="does not exist", exit_code=3),
    Command("group delete --name rg-shop --yes"),
    Command("group delete --name rg-other --yes"),
    Command("group list", gives=[]),
    Command("resource list", gives=[]),
    Command("cloud set --name AzureCloud"),
    Command("cloud unregister --name LocalAzure"),
)
