"""The whole estate, looked over."""
