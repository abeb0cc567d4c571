"""`lanyard adopt`."""
