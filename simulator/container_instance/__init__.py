"""Microsoft.ContainerInstance/containerGroups."""
