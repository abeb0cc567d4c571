"""Microsoft.HybridCompute/machines (Azure Arc)."""
