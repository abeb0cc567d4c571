"""`lanyard access`: who has access to this."""
