"""Microsoft.Logic/workflows: consumption Logic Apps. Standard ones are sites (simulator/web)."""
