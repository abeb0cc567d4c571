"""Lanyard gives every new Azure compute resource its identity and takes its access back."""

#: As in pyproject.toml, which the package that is deployed does not have.
__version__ = "0.1.0"
