"""Generate a Python and a TypeScript client from the OpenAPI document of a server, and submit and wait with both.

``python bench/generated_clients.py http://127.0.0.1:8700 [KEY]``, with openapi-python-client and npx on the PATH.
What is not installed is left out and said. Status 1 where a client cannot be made, or does not do its work.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import Request, urlopen

PYTHON = """
import sys
from holdfast_client import AuthenticatedClient
from holdfast_client.api.jobs import show_job, submit_jobs
from holdfast_client.models import JobRequest, JobRequestModel, JobView, SubmittedJob
client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
job = JobRequest(model=JobRequestModel(sys.argv[3]), prompt="What is a holdfast?")
accepted = submit_jobs.sync(client=client, body=job)
assert isinstance(accepted, SubmittedJob), accepted
view = show_job.sync(accepted.id, client=client, prefer="wait=60")
assert isinstance(view, JobView) and view.status == "succeeded", view
assert view.reply.text, view
"""
TYPESCRIPT = """
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";
declare const process: { argv: string[]; exit(status: number): never };
const [, , baseUrl, key, model] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
async function main(): Promise<void> {
  const body: components["schemas"]["JobRequest"] = {
    model: model as components["schemas"]["JobRequest"]["model"], prompt: "What is a holdfast?",
  };
  const accepted = await client.POST("/api/v1/jobs", { body });
  if (!accepted.data || !("id" in accepted.data)) throw new Error(JSON.stringify(accepted.error));
  const shown = await client.GET("/api/v1/jobs/{job}", {
    params: { path: { job: accepted.data.id }, header: { prefer: "wait=60" } },
  });
  if (shown.data?.status !== "succeeded" || !shown.data.reply?.text) throw new Error(JSON.stringify(shown));
}
main().catch((error: unknown) => { console.error(error); process.exit(1); });
"""
PACKAGES = ("openapi-typescript@7", "openapi-fetch", "typescript@5")


def main() -> int:
    url, key = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "none"
    asked = Request(f"{url}/openapi.json", headers={"Authorization": f"Bearer {key}"})  # with the names of models
    with tempfile.TemporaryDirectory() as folder, urlopen(asked, timeout=10) as answer:
        place = Path(folder)
        (place / "openapi.json").write_bytes(answer.read())
        document = json.loads((place / "openapi.json").read_text())
        model = document["components"]["schemas"]["JobRequest"]["properties"]["model"]["enum"][-1]
        done = [try_python(place, [url, key, model]), try_typescript(place, [url, key, model])]
    return 0 if all(done) else 1


def try_python(place: Path, words: list[str]) -> bool:
    """Generate with openapi-python-client, and use what came of it."""
    if shutil.which("openapi-python-client") is None:
        return say("python: openapi-python-client is not installed")
    target = place / "python"
    ways = ["--path", str(place / "openapi.json"), "--output-path", str(target)]
    made = run(["openapi-python-client", "generate", *ways], place)
    return made and run([sys.executable, "-c", PYTHON, *words], target) and say("python: submits and waits")


def try_typescript(place: Path, words: list[str]) -> bool:
    """Generate with openapi-typescript, compile strictly, and use what came of it."""
    if shutil.which("npm") is None:
        return say("typescript: npm is not installed")
    (place / "package.json").write_text('{"type": "module", "private": true}')
    (place / "use.ts").write_text(TYPESCRIPT)
    strict = ["--strict", "--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022"]
    steps = (
        ["npm", "install", "--silent", *PACKAGES],
        ["npx", "openapi-typescript", "openapi.json", "-o", "api.d.ts"],
        ["npx", "tsc", *strict, "--lib", "es2022,dom,dom.iterable", "--skipLibCheck", "use.ts"],
        ["node", "use.js", *words],
    )
    return all(run(step, place) for step in steps) and say("typescript: compiles, submits and waits")


def run(command: list[str], place: Path) -> bool:
    """Run a command in a folder; what it says of its failure goes to stderr."""
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False, env=os.environ)
    if ended.returncode:
        print(" ".join(command[:3]), ended.stdout[-3000:], ended.stderr[-3000:], sep="\n", file=sys.stderr)
    return ended.returncode == 0


def say(sentence: str) -> bool:
    print(sentence)
    return True


if __name__ == "__main__":
    sys.exit(main())
