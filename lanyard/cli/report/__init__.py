"""`lanyard report`."""
