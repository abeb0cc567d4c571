"""The proof on a real subscription: `make prove`. Never part of the deployed app."""
