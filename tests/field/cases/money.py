"""Money has many words, and any status: the key waits, the spare one or another route is next."""

from field.answers import chat, claude, claude_error, error, one, prompts, text_block
from field.case import Answer, Case, Right, key
from holdfast.model.route import Api

SPARE = Right(calls_at_most=2, first_fault="spend_limit", text="fine")
TWO = ("main", "spare")
MAIN = key("main")


def spare(name: str, answer: Answer, api: Api = Api.OPENAI_CHAT, *, parked: bool | None = None) -> Case:
    """Case with two keys, of which the first has no money left. ``answer`` is the first key's.

    One job's words alone park no key: they could be meant for that job. A code that is known does.
    """
    good = claude(text_block()) if api is Api.ANTHROPIC else chat()
    return Case(name, one(), [[answer, good]], api, others=SPARE, keys=TWO, parked=parked)


CASES = [
    Case(
        "arrears-400",  # DashScope
        prompts(5),
        [[error(400, "the account is not in good standing", type="Arrearage", code="Arrearage")], [chat()]],
        others=Right(route=2, first_fault=None),
        parked=True,
        calls_to_first=6,
    ),
    spare("balance-in-a-500", claude_error(500, "api_error", "insufficient balance (1008)", MAIN), Api.ANTHROPIC),
    spare(
        "balance-in-a-200",  # MiniMax
        Answer(
            {"id": "x", "choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
            when=MAIN,
        ),
    ),
    spare(
        "quota-in-a-429",
        error(429, "you are out of quota", type="insufficient_quota", code="insufficient_quota", when=MAIN),
    ),
    spare(
        "credit-in-a-400",
        claude_error(400, "invalid_request_error", "your credit balance is too low for this", MAIN),
        Api.ANTHROPIC,
    ),
    spare(
        "balance-in-a-402",
        error(402, "Insufficient Balance", type="unknown_error", code="invalid_request_error", when=MAIN),
    ),
    spare(
        "balance-in-a-403",
        Answer({"code": 30001, "message": "your account balance is insufficient", "data": None}, 403, MAIN),
    ),
    spare(
        "quota-of-moonshot",
        error(
            429, "the account is suspended, check your plan and billing", type="exceeded_current_quota_error", when=MAIN
        ),
    ),
    spare(
        "credits-of-xai", Answer({"code": "no permission", "error": "your team has used all its credits"}, 403, MAIN)
    ),
    spare(
        "billing-in-a-400",
        error(
            400,
            "billing is not active on this account",
            type="billing_not_active",
            code="billing_not_active",
            when=MAIN,
        ),
    ),
]
