"""Azure Policy: definitions and their assignments, as much as a deployment makes of them."""
