# Read in by other scripts: sets $policy to the file or folder that LANYARD_POLICY names, fetched with
# one's own identity (Storage Blob Data Reader) where that is the address of a blob. $fetched is a
# folder that goes when the script ends.
policy=${LANYARD_POLICY:-lanyard.yaml}
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
case $policy in
https://*)
  az storage blob download \
    --auth-mode login \
    --blob-url "$policy" \
    --file "$fetched/lanyard.yaml" \
    --no-progress \
    --output none
  policy=$fetched/lanyard.yaml
  ;;
esac
