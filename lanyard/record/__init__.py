"""What is remembered, in tables."""
