"""`lanyard scan`: what is there, as a text, JSON and a page."""
