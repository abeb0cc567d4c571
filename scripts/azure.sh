# Read in by other scripts: what they ask of Azure besides a deployment.

# register SUBSCRIPTION NAMESPACE…   registers resource providers, and waits until they are
register() {
  where=$1
  shift
  for namespace; do
    az provider register --subscription "$where" --namespace "$namespace" --wait --output none
  done
}

# again COMMAND…   runs it again where it fails, as long as what it needs may be too new to count: a
# role, an assignment, a function. A missing right and a broken template do not pass by waiting.
#   LANYARD_TRIES   how often (20)     LANYARD_PAUSE   seconds in between (30)
again() {
  left=${LANYARD_TRIES:-20}
  said=$(mktemp)
  until "$@" 2>"$said"; do
    left=$((left - 1))
    if [ "$left" -le 0 ] || grep -qE 'AuthorizationFailed|InvalidTemplate|InvalidAuthenticationToken|az login' "$said"; then
      cat "$said" >&2
      rm -f "$said"
      return 1
    fi
    printf 'not yet, again in %s s: %s\n' "${LANYARD_PAUSE:-30}" "$(head -n 1 "$said")" >&2
    sleep "${LANYARD_PAUSE:-30}"
  done
  cat "$said" >&2
  rm -f "$said"
}
