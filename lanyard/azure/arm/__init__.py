"""Azure Resource Manager: compute, identities, role assignments, Resource Graph."""
