"""A diagnosis as JSON values: what is printed, answered over HTTP, and kept for those who wait."""

import time
from typing import Any

from holdfast.diagnose.checks import Examination


def diagnosis_view(found: Examination) -> dict[str, Any]:
    """Show a provider's verdict, and what is wrong beside it (``also``); ``at`` in seconds since the epoch."""
    about = found.diagnosis
    return {
        "provider": about.provider,
        "verdict": about.verdict.value,
        "also": [each.value for each in about.also],
        "sentence": about.sentence,
        "advice": about.advice,
        "at": time.time(),
    }


def checks_view(found: Examination) -> dict[str, Any]:
    """Show the checks behind it; ``seconds`` is how long they took."""
    return {
        "seconds": found.seconds,
        "checks": [{"name": each.name, "ok": each.ok, "what": each.what} for each in found.checks],
    }
