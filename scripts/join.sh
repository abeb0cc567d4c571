#!/bin/sh
# Lets new subscriptions below a management group join by themselves (infra/join.bicep).
#   scripts/join.sh MANAGEMENT-GROUP [arguments of `lanyard rights`]
# Subscriptions that are there already join by a remediation task of the assignment `lanyard-join`.
set -eu
cd "$(dirname "$0")/.."
: "${LANYARD_APP_ID:?run it with the values of: azd env get-values}"
group=${1:?the management group}
shift
. scripts/policy.sh
rights=$fetched/rights.json
"${LANYARD:-.venv/bin/lanyard}" rights --bicep "$@" "$policy" >"$rights"
az bicep build --file infra/watch.bicep --outfile infra/watch.json
az deployment mg create \
  --management-group-id "$group" \
  --name lanyard-join \
  --location "$AZURE_LOCATION" \
  --template-file infra/join.bicep \
  --parameters "@$rights" \
  --parameters \
    appId="$LANYARD_APP_ID" \
    clientId="$LANYARD_CLIENT_ID" \
    principalId="$LANYARD_PRINCIPAL_ID" \
    storageId="$LANYARD_STORAGE_ID" \
    delivery="${LANYARD_DELIVERY:-webhook}" \
    eventsStorageId="${LANYARD_EVENTS_STORAGE_ID:-$LANYARD_STORAGE_ID}" \
    installation="$LANYARD_INSTALLATION" \
    actionGroupId="$LANYARD_ACTION_GROUP_ID" \
    location="$AZURE_LOCATION" \
  --output none
