"""The verdict of a diagnosis in words that a person need not learn, where there is no room for its sentence."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "local_network": "nothing is reached from this host",
    "local_configuration": "a key, a model's name or an address here is wrong",
    "budget": "no credit is left",
    "provider_authentication": "it refuses keys that worked",
    "provider_inference": "its models do not answer",
    "one_model": "one of its models does not answer",
    "rate_limited": "its rate limit is met",
    "web_only": "its API answers, only its web pages do not",
    "healthy": "its API answers",
}


def diagnosis_words(verdict: str) -> str:
    """Tell a verdict in a few words; one that this version does not know by its name.

    >>> diagnosis_words("provider_inference"), diagnosis_words("newer_verdict")
    ('its models do not answer', 'newer verdict')
    """
    return WORDS.get(verdict, verdict.replace("_", " "))
