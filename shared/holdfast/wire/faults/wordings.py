"""Patterns of things, and of what is wrong with them, in the sentences of errors. Used by ``hints`` alone.

Written from the meanings that the documentation of the providers in ``codes`` gives, not from their sentences.
"""

import re
from functools import cached_property


class LazyPattern:
    """A pattern that is compiled when it is first looked for: many processes never see the error that it is for."""

    def __init__(self, *alternatives: str) -> None:
        self._alternatives = alternatives

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(self._alternatives), re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        """Find it in ``text``, whatever the case of its letters."""
        return self._pattern.search(text)

    def sub(self, instead: str, text: str) -> str:
        """Put ``instead`` into ``text`` wherever it is found."""
        return self._pattern.sub(instead, text)


SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n")
ADDRESS = re.compile(r"https?://\S+")
QUOTED = re.compile(r"(?<!\w)(['\"`])(\S.{0,400}?)\1(?!\w)")

# Money, and how it lacks.
MONEY = LazyPattern(
    r"\b(balance|credits?|funds?|billing|billed|payments?|paid|unpaid|spend(ing)?|budget|prepa(id|y|yment)|invoices?)\b",
    r"\b(arrear\w*|overdue|recharge|top[ -]?up|subscription|charge[ds]?|debt|cost limit|money|wallet|purchase)\b",
    r"余额|欠费|充值|账单|额度",
)
LACKING = LazyPattern(
    r"\b(insufficient|not enough|exhaust\w*|deplet\w*|too low|low|negative|empty|zero|exceed\w*|reach\w*|hit)\b",
    r"\b(used (up|all)|run out|ran out|out of|expired|unpaid|overdue|past due|required?|suspend\w*|disabled|over)\b",
    r"\bnot (been )?(active|enabled|set ?up)\b|\b(no|without|lacks?|lacking|do(es)?(n.t| not) have|need(s|ed)?|add)\b",
    r"\b(above|cannot afford|only afford|fail\w*)\b|不足|欠费|用尽|超出|逾期",
)
SURELY_MONEY = LazyPattern(
    r"\b(arrear\w*|overdue|payment required|good standing|insufficient[ _-]?(balance|credits?|funds?))\b",
    r"欠费|余额不足",
)
QUOTA = LazyPattern(r"\b(quota|usage limits?|usage cap|monthly limit|free (tier|plan|trial)|trial)\b")
USED_UP = LazyPattern(r"\b(exceed\w*|exhaust\w*|reach\w*|used up|over|hit|ended|expired|insufficient)\b")
PLAN = LazyPattern(r"\b(plan|billing|month(ly)?|credits?|free|trial|upgrade|current quota|account|usage)\b")
RATE = LazyPattern(
    r"rate.?limit|too many requests|throttl|concurren|allocated quota|quota exceeded for (quota )?metric",
    r"\b(rpm|tpm|rpd|tpd|qps|rps)\b|\b(per|a|each|/) ?(second|minute|min|hour|day)\b|\b(requests|tokens)/|slow down",
    r"(try again|retry|wait) (in|after|for)? ?\d",
)
NO_FREE_TIER = LazyPattern(r"quota exceeded for metric: [^,]+, limit: 0\b")  # Gemini

# Content, and filters.
_CONTENT = r"\b(content|prompt|input|messages?|text|query|image|output|response|completion|request|conversation)\b"
_BAD = r"\b(flagged|moderat\w*|inappropriate|sensitive|unsafe|harmful|prohibited|objectionable)\b"
FILTERED = LazyPattern(
    rf"{_CONTENT}.{{0,80}}\bviolat\w*.{{0,60}}\b(polic|guideline|rules?\b|terms|standards)",
    rf"{_CONTENT}.{{0,80}}{_BAD}|{_BAD}.{{0,40}}{_CONTENT}",
    rf"{_CONTENT}.{{0,60}}\brisk\b|\brisk\b.{{0,30}}{_CONTENT}",
    r"content[ _-]?(filter\w*|policy|management policy|moderation|inspection|safety)",
    r"safety[ _-]?(check|system|filter|policy)|responsible ai|jailbreak|敏感|违规|不安全",
    r"guardrail.{0,40}\b(block|interven)\w*|\b(block|interven)\w*.{0,40}guardrail",
)

# Keys, and who holds them.
_HOLDER = r"\b(organi[sz]ation|account|workspace|project|team|tenant|subscription|(api[ _-]?)?key)\b"
_OFF = r"disabled|suspended|deactivated|banned|terminated|locked"
SHUT = LazyPattern(
    rf"{_HOLDER}.{{0,60}}\b({_OFF}|blocked|restricted|on hold|closed)\b|\b({_OFF})\b.{{0,30}}{_HOLDER}",
)
KEY = LazyPattern(
    r"\b(api|access|secret|subscription|license)[ _-]?(keys?|tokens?)\b|\bx-api-key\b|\bcredentials?\b",
    r"\b(bearer|auth\w*|security|jwt|oauth)[ _-]tokens?\b|\bauthenticat\w*\b|\bsignature\b",
    r"\bauthori[sz]ation (header|token)",
)
REJECTED = LazyPattern(
    r"\b(invalid|incorrect|wrong|expired|revoked|missing|malformed|unknown|unrecogni[sz]ed|unauthori[sz]ed|required)\b",
    r"\bno\b|\bnot (valid|found|correct|match|recogni[sz]ed|provided|supplied|exist)",
    r"\b(fail\w*|could not|can ?not|denied|rejected)\b",
)
CLOCK = LazyPattern(
    r"signature (has )?(expired|not yet (current|valid))|is (now earlier|still later) than|time.{0,10}(too )?skew",
    r"clock skew|difference between the request time and|request (has )?expired|used too (early|late)|not yet valid",
    r"(issued|timestamp.{0,40}) in the future|expired timestamp|timestamp.{0,40}(expired|too (old|far)|out of range)",
)
FORBIDDEN = LazyPattern(
    r"\b(not|n.t|no) (have |been |yet )?(\w+ )?(access|permissions?|authori[sz]ed|entitled|granted|subscribed)\b",
    r"access (is )?denied|operation not allowed|not allowed to (use|access|call)|permission (denied|required)",
    r"insufficient (permission|scope|privilege)s?|marketplace|use case (details|form)|agreement (is|was|has|being|not)",
    r"accept the (terms|licen)|region.{0,30}not (supported|available|allowed)|location is not supported",
    r"not (supported|available) in (your|this) (country|region|location)|country, region|\bgated (model|repo)",
    r"must be verified|requires? (a )?verif",
)

# Models and what a request names.
_GONE = r"not found|do(es)?(n.t| not) exist|decommissioned|deprecated|retired|discontinued|end of (its )?life"
_NOT_HERE = r"no longer (supported|available|exists?)|not (yet )?(deployed|loaded|been loaded)"
MODEL_GONE = LazyPattern(
    rf"\bmodels?\b.{{0,90}}\b({_GONE}|{_NOT_HERE})\b",
    r"\bmodels?\b.{0,60}\bis not (available|supported) (by|in|for|on) (the|this|your|api)|identifier is invalid",
    r"\b(no such|invalid|unknown|unrecogni[sz]ed|unsupported|non-?existent|undefined) model\b|not a valid model",
    r"no models? (is )?loaded|^model \S+ (is )?(not available|invalid|unknown)|on-demand throughput isn.t supported",
    r"deployment\b.{0,60}\b(not exist|not found)|enabled only for api versions|模型不存在",
    r"\bapi[ -]?version\b.{0,40}\b(not (supported|found|valid)|unsupported|invalid|unknown)",
    r"(unsupported|invalid) api[ -]?version",
)
_THING = (
    r"(item|response|file|conversation|container|thread|vector[ _]store|message|batch|image|document|session|skill)"
)
_MISSING = (
    r"(not found|do(es)?(n.t| not) exist|(has |is )?expired|no longer exists?|(was |been )?deleted|not available)"
)
ITEM_GONE = LazyPattern(
    rf"\b({_THING}|cached?[ _]content|cache|run|tool call)s?\b.{{0,80}}\b{_MISSING}\b",
    rf"\bno (such )?{_THING}s?\b.{{0,40}}\bfound\b",
    rf"\b(rs|resp|msg|item|file|conv|fc|thread|vs|cntr|ig|ws|prompt)_\w+.{{0,40}}\b{_MISSING}\b",
    r"no (endpoints?|providers?|allowed providers)\b.{0,80}\b(support|match|meet|satisf|available for)\w*",
)
REFERENCES = frozenset({"input", "previous_response_id", "conversation", "file_id", "file_ids", "container", "prompt"})

# Lengths.
OUTPUT = LazyPattern(
    r"\bmax[ _]?(new|output|completion)?[ _]?tokens\b|\b(completion|output) tokens\b|\bmaxOutputTokens\b"
)
CONTEXT = LazyPattern(
    r"\b(context|prompt|inputs?|messages?|sequence|n_ctx\w*|prefill|the request)\b|\brequest (too|exceed)",
    r"total (number of )?tokens|model.?s? (max\w* )?(token|length) limit|\brequest\b.{0,20}\btokens\b|上下文",
)
WITH_INPUT = LazyPattern(r"context|input|prompt|total")
LENGTH = LazyPattern(
    r"\b(context|tokens?|length|long|longer|size|window|n_ctx\w*|maximum|large|larger)\b|\btoken (limit|count)",
    r"too (long|large|many)|上下文|超长",
)
BEYOND = LazyPattern(
    r"too (long|large|big|many)|\bexceed\w*|\b(longer|greater|larger|more) than|\boverflow\w*|\babove\b|\bover the\b",
    r"must (be|have|not be) .{0,20}(<=?|less|at most|fewer|smaller|longer)|maximum (\w+ )?length|at most \d",
    r"reduce (the|your) (length|prompt|message)|cannot (be )?(exceed|more|longer)|beyond|limit (is|of) \d|out of range",
    r"do(es)?(n.t| not) fit|\d+ ?> ?\d+|shorten|\brange of\b|超长",
)
TOO_MUCH = LazyPattern(
    r"(request|payload|request entity) too large|too many (input )?tokens(?! per)|size limit exceeded",
    r"exceeded (the )?token limit",
)
REQUEST_TOO_LARGE = LazyPattern(r"\b(request|payload|request entity) (is )?too large")
ASKED = re.compile(r"\blimit:? (\d+)\b.{0,60}\brequested:? (\d+)\b", re.IGNORECASE)

# Load.
BUSY = LazyPattern(
    r"overload\w*|(model|server|engine|service|system)\b.{0,60}\b(busy|loading|starting|warming|at capacity)\b",
    r"loading model|(no|not enough|insufficient|out of|at|over|exceeded) (available )?(capacity|slots?)|queue is full",
    r"no slot available|high (demand|load|traffic)|cold.{0,30}not ready|not ready for inference|no healthy upstream",
    r"temporarily (unavailable|overloaded)|currently experiencing",
)
