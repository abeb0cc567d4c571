"""Microsoft.Web/sites, as far as an app with identities needs it."""
