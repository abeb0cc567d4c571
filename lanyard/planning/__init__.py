"""Pure: what should be, and what of it may be done."""
