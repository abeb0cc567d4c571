"""A blob service guarded by RBAC data actions: proof that an identity works, or no longer does."""
