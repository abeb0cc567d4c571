#!/bin/sh
# Registers the resource providers of what infra/main.bicep makes, in the subscription that the app is
# deployed to. azd runs it before it provisions. A deployment registers what it names itself; nothing
# registers Microsoft.App, which Flex Consumption needs and no template of it names (azure-cli#33177).
set -eu
cd "$(dirname "$0")/.."
. scripts/azure.sh
register "${AZURE_SUBSCRIPTION_ID:?run it by azd, or: azd env get-values}" \
  Microsoft.App Microsoft.EventGrid Microsoft.Insights Microsoft.ManagedIdentity \
  Microsoft.OperationalInsights Microsoft.Storage Microsoft.Web
