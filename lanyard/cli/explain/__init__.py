"""`lanyard explain`: why a resource, a principal or a role assignment has what it has."""
