"""Microsoft.Authorization: role assignments, role definitions, and the decision they lead to."""
