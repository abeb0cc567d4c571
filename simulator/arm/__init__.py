"""Azure Resource Manager's front door: what every management request passes through."""
