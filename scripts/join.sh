#!/bin/sh
# Lets new subscriptions below a management group join by themselves (infra/join.bicep). Run it again after
# a change of the policy: one definition at the group changes for all that joined.
#   scripts/join.sh MANAGEMENT-GROUP [arguments of `lanyard rights`]
# Subscriptions that are there already join by a remediation task of the assignment `lanyard-join`.
# Their events come by queue, into a storage account that holds nothing else: deploy the app with
# LANYARD_SEPARATE_EVENTS_STORAGE=true first.
set -eu
cd "$(dirname "$0")/.."
: "${LANYARD_APP_ID:?run it with the values of: azd env get-values}"
group=${1:?the management group}
shift
case " ${LANYARD_RIGHTS:-} $* " in
*by-group*)
  echo "join: the rights of what joins stand at the management group, for groups that nobody knows yet: not by group" \
    "(azd env set LANYARD_RIGHTS '', no --by-group)" >&2
  exit 1
  ;;
esac
if [ "${LANYARD_EVENTS_STORAGE_ID:-$LANYARD_STORAGE_ID}" = "$LANYARD_STORAGE_ID" ]; then
  echo "join: who joins subscriptions may write the storage account of the queue of events, which must not be the app's own:" \
    "azd env set LANYARD_SEPARATE_EVENTS_STORAGE true && azd provision" >&2
  exit 1
fi
. scripts/policy.sh
. scripts/azure.sh
rights=$fetched/rights.json
"${LANYARD:-.venv/bin/lanyard}" rights --bicep "$@" "$policy" >"$rights"
az bicep build --file infra/joined.bicep --outfile infra/joined.json
# Roles made a moment ago are assigned in it.
again az deployment mg create \
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
    eventsStorageId="$LANYARD_EVENTS_STORAGE_ID" \
    installation="$LANYARD_INSTALLATION" \
    actionGroupId="$LANYARD_ACTION_GROUP_ID" \
    location="$AZURE_LOCATION" \
  --output none
