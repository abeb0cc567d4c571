"""`lanyard adopt`: what stands already becomes Lanyard's on a person's word, and others' again."""
