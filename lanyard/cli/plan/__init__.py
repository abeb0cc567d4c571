"""`lanyard plan`: what would be done, as a table, a text and JSON."""
