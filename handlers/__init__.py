"""One blueprint a trigger: decode, call lanyard, encode. No SDK types, no decisions."""
