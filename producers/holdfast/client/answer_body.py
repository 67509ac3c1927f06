"""The provider's answer that stands behind a reply, where the reply alone may not say it all."""

from typing import TYPE_CHECKING

from holdfast.model.records import JobDetail
from holdfast.store import Store
from holdfast.store.responses import find_response

if TYPE_CHECKING:
    from holdfast.model.call_result import ProviderResponse


def find_answer_body(store: Store, detail: JobDetail, tenant: str | None) -> "ProviderResponse | None":
    """Read the answer that a written request got, which may be all there is; of a plain one the reply says it."""
    if detail.job.written_in is None or detail.result is None or detail.result.reply is None:
        return None
    return store.read(find_response, detail.job.id, tenant)
