#!/bin/sh
# Lets the deployed app watch: its rights, made from the policy, and the events of each subscription.
# azd runs it after each deployment; run it again after a change of the policy. Idempotent.
#   LANYARD_WATCH     the subscriptions, separated by blanks (default: the one that is deployed to)
#   LANYARD_POLICY    the policy: a file, a folder, the address of a blob (default: lanyard.yaml)
#   LANYARD_DELIVERY  how Event Grid brings the events: webhook (the default) or queue
#   LANYARD_TOPIC_IDENTITY   "false": no identity on the topic, and so no dead letters, where Azure
#                     refuses one on a topic of a subscription
#   LANYARD_RIGHTS    "keep": leave all as it is, while a policy that gives less takes its access back;
#                     "by-group": at the resource groups that the rules name (lanyard onboard --by-group)
#   arguments         go to `lanyard rights`, such as: --removable Reader
# The other variables are the outputs of infra/main.bicep; azd gives them to its hooks.
set -eu
cd "$(dirname "$0")/.."
: "${LANYARD_APP_ID:?run it by azd, or: azd env get-values}"
if [ "${LANYARD_RIGHTS:-}" = keep ]; then
  echo "watch: rights kept as they are (LANYARD_RIGHTS=keep)" >&2
  exit 0
fi
if [ "${LANYARD_DELIVERY:-webhook} ${LANYARD_TOPIC_IDENTITY:-true}" = "queue false" ]; then
  echo "watch: a queue is sent to as the topic's identity (LANYARD_TOPIC_IDENTITY): it needs one" >&2
  exit 1
fi
. scripts/policy.sh
. scripts/azure.sh
lanyard=${LANYARD:-.venv/bin/lanyard}
rights=$fetched/rights.json
if [ "${LANYARD_RIGHTS:-}" = by-group ]; then
  "$lanyard" rights --by-group "$@" "$policy" >/dev/null
else
  "$lanyard" rights --bicep "$@" "$policy" >"$rights"
fi
# Event Grid takes a function as its endpoint once it is listed, some time after the deployment.
again az rest --method get --url "$LANYARD_APP_ID/functions/resource_events?api-version=2025-03-01" --output none
if [ "${LANYARD_RIGHTS:-}" = by-group ]; then
  # A template would fail at a group that is not there yet, and take nothing back.
  "$lanyard" onboard ${LANYARD_WATCH:-$AZURE_SUBSCRIPTION_ID} --by-group --policy "$policy" --yes "$@"
  exit 0
fi
for subscription in ${LANYARD_WATCH:-$AZURE_SUBSCRIPTION_ID}; do
  printf 'watch: %s\n' "$subscription" >&2
  register "$subscription" Microsoft.EventGrid Microsoft.Insights
  # A deployment registers what it makes; of identities the app makes the first.
  if grep -q 'Microsoft.ManagedIdentity/userAssignedIdentities/write' "$rights"; then
    register "$subscription" Microsoft.ManagedIdentity
  fi
  again az deployment sub create \
    --subscription "$subscription" \
    --name lanyard-watch \
    --location "$AZURE_LOCATION" \
    --template-file infra/watch.bicep \
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
      topicIdentity="${LANYARD_TOPIC_IDENTITY:-true}" \
    --output none
done
