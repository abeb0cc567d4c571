"""`lanyard diff`: what a change of the policy gives and takes, as text, JSON, Markdown, a page."""
