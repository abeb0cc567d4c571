"""What stands in an estate, with what no policy is needed for."""
