"""Figures, each printed by a command; timings are never asserted in tests."""
