"""A local Azure for Lanyard's demo and tests: it stands only where Azure itself would.

State (dataclasses, one package a service) is apart from HTTP (routes). See docs/dev/simulator.md.
Nothing is imported here: the Functions host and Azurite start without the rest.
"""
