"""Microsoft.ContainerService/managedClusters (AKS)."""
