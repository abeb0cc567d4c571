"""Microsoft.Compute/virtualMachines: writes and deletes take time, identities come by PATCH."""
