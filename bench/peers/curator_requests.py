"""curator over its OpenAI backend. `python curator_requests.py URL JOBS IN_FLIGHT [RETRIES]`."""

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

LITELLM = Path(find_spec("litellm").origin).parent  # brings the table of tokens that would be downloaded else
os.environ |= {
    "TELEMETRY_ENABLED": "false",
    "CURATOR_VIEWER": "0",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "CURATOR_DISABLE_CACHE": "1",
    "TIKTOKEN_CACHE_DIR": str(LITELLM / "litellm_core_utils" / "tokenizers"),
}

from bespokelabs import curator  # noqa: E402  it reads these variables when it is imported
from outcomes import tell  # noqa: E402

url, jobs, in_flight, *retries = sys.argv[1:]


class Answers(curator.LLM):
    """A prompt is a row, and so is its answer."""

    def prompt(self, row: dict[str, str]) -> str:
        return row["prompt"]

    def parse(self, row: dict[str, str], response: str) -> dict[str, str]:
        return {"prompt": row["prompt"], "answer": response}


llm = Answers(
    model_name="first-model",
    backend="openai",
    backend_params={
        "base_url": url,
        "api_key": "k",
        "max_concurrent_requests": int(in_flight),
        **({"max_retries": int(retries[0])} if retries else {}),
        "require_all_responses": False,
    },
)
with tempfile.TemporaryDirectory() as folder:
    answered = llm([{"prompt": f"prompt {number}"} for number in range(int(jobs))], working_dir=folder).dataset
    tell(sum(row["answer"] == f"answer to {row['prompt']}" for row in answered), int(jobs))
