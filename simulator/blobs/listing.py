"""Lists of containers and of blobs, in storage's XML, page by page."""

from collections.abc import Callable, Sequence
from email.utils import formatdate
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.responses import Response

from simulator.blobs.models import Blob, Container
from simulator.blobs.target import Target

_PAGE = 5000


def containers(target: Target, found: Sequence[Container]) -> Response:
    """`EnumerationResults` of `Containers`; `prefix`, `marker` and `maxresults` are honoured."""
    return _page(target, "Containers", [(each.name, each) for each in found], _container)


def blobs(target: Target, found: Sequence[Blob]) -> Response:
    """`EnumerationResults` of `Blobs`; without hierarchy."""
    return _page(target, "Blobs", sorted((each.name, each) for each in found), _blob)


def _page[Item](
    target: Target,
    kind: str,
    found: Sequence[tuple[str, Item]],
    show: Callable[[Element, Item], None],
) -> Response:
    query = target.request.query_params
    prefix, marker = query.get("prefix", ""), query.get("marker", "")
    size = min(int(query.get("maxresults", _PAGE)), _PAGE)
    fits = [(name, item) for name, item in found if name.startswith(prefix) and name >= marker]
    root = Element("EnumerationResults", ServiceEndpoint=str(target.request.base_url))
    if target.container:
        root.set("ContainerName", target.container)
    items = SubElement(root, kind)
    for _, item in fits[:size]:
        show(items, item)
    SubElement(root, "NextMarker").text = fits[size][0] if len(fits) > size else None
    return Response(
        tostring(root, encoding="utf-8", xml_declaration=True), 200, None, "application/xml"
    )


def _container(items: Element, container: Container) -> None:
    shown = SubElement(items, "Container")
    SubElement(shown, "Name").text = container.name
    properties = SubElement(shown, "Properties")
    SubElement(properties, "Last-Modified").text = formatdate(container.modified_at, usegmt=True)
    SubElement(properties, "Etag").text = f'"{container.etag}"'


def _blob(items: Element, blob: Blob) -> None:
    shown = SubElement(items, "Blob")
    SubElement(shown, "Name").text = blob.name
    properties = SubElement(shown, "Properties")
    for name, value in (
        ("Creation-Time", formatdate(blob.created_at, usegmt=True)),
        ("Last-Modified", formatdate(blob.modified_at, usegmt=True)),
        ("Etag", blob.etag),
        ("Content-Length", str(len(blob.content))),
        ("Content-Type", blob.content_type),
        ("BlobType", "BlockBlob"),
    ):
        SubElement(properties, name).text = value
