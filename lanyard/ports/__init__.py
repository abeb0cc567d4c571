"""What the product asks of the outside."""
