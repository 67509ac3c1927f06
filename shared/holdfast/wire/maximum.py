"""Another maximum for a request that was accepted: nothing else of what its producer wrote is touched. Pure."""

from dataclasses import replace

import msgspec

from holdfast.model.request import Request
from holdfast.wire.pass_through import MAXIMA
from holdfast.wire.written import reread

DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])


def with_maximum(request: Request, most: int) -> Request:
    """Return ``request`` with ``most`` tokens as the longest answer; one whose format has no such field as it is."""
    written = request.written
    if written is None:
        return request.model_copy(update={"max_tokens": most})
    names = MAXIMA.get(written.api, ())
    fields = DECODER.decode(written.body)
    said = [name for name in names if name in fields] or list(names[-1:])
    for name in said:
        fields[name] = msgspec.Raw(str(most).encode())
    terms = {"strictness": request.strictness, "on_refusal": request.on_refusal, "written_in": request.written_in}
    return reread(replace(written, body=msgspec.json.encode(fields))).model_copy(update=terms)
