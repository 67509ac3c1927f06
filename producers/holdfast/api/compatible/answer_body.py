"""The body that answers a waiting call, in the format that its caller speaks."""

from holdfast.client.ended_job import EndedJob
from holdfast.model import exact_json
from holdfast.model.route import Api
from holdfast.wire.written_answer import write_answer


def answer_body(ended: EndedJob, wanted: Api) -> bytes:
    """Write the answer of a job that succeeded: the provider's own bytes where it spoke the format ``wanted``.

    What the format cannot say stands in a member ``holdfast`` of its own, last.
    """
    reply, response = ended.result.reply, ended.response
    assert reply is not None
    created = int(ended.result.created_at)
    written = write_answer(wanted, reply, response.body if response else None, ended.job.id, created)
    return with_last_member(written.body, b"holdfast", written.holdfast) if written.holdfast else written.body


def with_last_member(body: bytes, name: bytes, value: object) -> bytes:
    """Add a member at the end of a JSON object that has others.

    >>> with_last_member(b'{"a":1}', b"b", [2])
    b'{"a":1,"b":[2]}'
    """
    return b'%b,"%b":%b}' % (body.rstrip()[:-1], name, exact_json.dumps(value))
