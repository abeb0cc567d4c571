"""The only importer of the Azure SDKs: calls out, values in, every failure by its kind."""
