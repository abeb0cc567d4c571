"""Microsoft.Authorization/locks: what nobody may delete or change, whatever their role."""
