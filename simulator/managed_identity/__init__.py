"""Microsoft.ManagedIdentity: user-assigned identities, and attaching them to resources."""
