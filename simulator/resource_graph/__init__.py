"""Azure Resource Graph: the part of its query language that an inventory needs, over rows that
lag behind."""
