"""What a change of the policy gives and takes: two policies, carried out on one estate. Pure."""
