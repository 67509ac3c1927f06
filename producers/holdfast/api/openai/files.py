"""``/v1/files``: create, retrieve, list, content, delete, as OpenAI's SDK calls them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from holdfast.api.auth.request_context import Reading, RequestContext, Submitting
from holdfast.api.compatible.client_api import refuse_anthropics_clients
from holdfast.api.openai.file_ids import FileId, read_file_id
from holdfast.api.openai.file_view import file_view, output_view, page_view
from holdfast.api.openai.output_files import output_lines, output_order
from holdfast.api.openai.upload import keep_upload, read_form
from holdfast.api.streamed import in_pieces
from holdfast.model.client_file import ClientFile
from holdfast.model.errors import Conflict, NotFound
from holdfast.store.batch_orders import hide_file
from holdfast.store.file_chunks import read_chunk
from holdfast.store.files import delete_file, find_file, is_being_read, list_files

View = dict[str, Any]
MOST_PARTS = 20  # of a form
router = APIRouter(prefix="/files", tags=["openai"], dependencies=[Depends(refuse_anthropics_clients)])


@router.post("", openapi_extra={"requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}})
async def create(context: Submitting) -> View:
    """Upload a file of purpose ``batch``, of 200 MB at most, as a multipart form."""
    async with context.request.form(max_files=1, max_fields=MOST_PARTS) as form:
        upload = read_form(form, context.settings.storage.keep_results)
        return file_view(await keep_upload(context, upload))


@router.get("")
def list_uploads(
    context: Reading,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    after: str | None = None,
    order: Literal["asc", "desc"] = "desc",
    purpose: Annotated[str | None, Query(max_length=100)] = None,
) -> View:
    """List files that were uploaded. Output files are named by their batches."""
    beyond = None if after is None else read_file_id(after).id
    found = context.app_state.installation.ready().read(
        list_files, context.tenant, limit + 1, after=beyond, purpose=purpose, oldest_first=order == "asc"
    )
    return page_view([file_view(file) for file in found[:limit]], has_more=len(found) > limit)


@router.get("/{file}")
def retrieve(file: str, context: Reading) -> View:
    """Show a file: an upload, or the output of a batch."""
    id_ = read_file_id(file)
    if id_.part is None:
        return file_view(upload_of(context, id_))
    order = output_order(context, id_)
    return output_view(order, id_, sum(map(len, output_lines(context, order, id_))))


@router.get("/{file}/content", response_class=Response)
def content(file: str, context: Reading) -> Response:
    """Stream the content of a file."""
    id_ = read_file_id(file)
    if id_.part is None:
        return StreamingResponse(chunks_of(context, upload_of(context, id_)), media_type="application/octet-stream")
    order = output_order(context, id_)
    return StreamingResponse(in_pieces(output_lines(context, order, id_)), media_type="application/jsonl")


@router.delete("/{file}")
def delete(file: str, context: Submitting) -> View:
    """Delete a file. The results of a batch stay readable through Holdfast's own API."""
    id_, store = read_file_id(file), context.app_state.installation.ready()
    if id_.part is not None:
        store.write(hide_file, output_order(context, id_).batch, id_.part)
    else:
        found = upload_of(context, id_)
        if store.read(is_being_read, found.id):
            raise Conflict(str(id_), "a batch is being made of it. Delete it when that is in progress.")
        store.write(delete_file, found.id)
    return {"id": str(id_), "object": "file", "deleted": True}


def upload_of(context: RequestContext, id_: FileId) -> ClientFile:
    """Find an upload. Raises NotFound."""
    found = context.app_state.installation.ready().read(find_file, id_.id, context.tenant)
    if found is None:
        raise NotFound("File", str(id_))
    return found


def chunks_of(context: RequestContext, file: ClientFile) -> Iterator[bytes]:
    """Yield the content of an upload."""
    store, number = context.app_state.installation.ready(), 0
    while (chunk := store.read(read_chunk, file.id, number)) is not None:
        yield chunk
        number += 1
