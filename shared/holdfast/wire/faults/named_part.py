"""Whether an error names the part of the request that is wrong: what an outage that refuses everybody hardly does."""

import re

from holdfast.wire.faults.error_body import ErrorBody

_PLACE = re.compile(
    r"^(?!(?:error|message|detail|status|reason|upstream|server|gateway)\b)[a-z_#][\w.\[\]/#-]{0,100}: \S"
)
_PART = r"(param(eter)?s?|arguments?|fields?|keys?|propert(y|ies)|attributes?|names?|inputs?|options?|values?|roles?)"
_WRONG = (
    r"(unsupported|unknown|unrecogni[sz]ed|unexpected|extra(neous)?|additional|missing|required?|invalid|forbidden"
    r"|not (allowed|permitted|supported|recogni[sz]ed|valid))"
)
_SAID = re.compile(rf"\b{_PART}\b.{{0,60}}\b{_WRONG}\b|\b{_WRONG}\b.{{0,40}}\b{_PART}\b", re.IGNORECASE)


def names_part(error: ErrorBody) -> bool:
    """Whether an error names a part of the request: as a member of its own, as a validator's place, or in words.

    >>> names_part(ErrorBody(sentences=["top_k: Extra inputs are not permitted"]))
    True
    >>> names_part(ErrorBody(sentences=["Bad request"]))
    False
    """
    return bool(error.params) or any(_PLACE.search(each) or _SAID.search(each) for each in error.sentences)
