"""Apps for the local Functions host, one a folder: what the product is measured beside."""
