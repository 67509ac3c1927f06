# One image for every role: `api`, `worker`, or any other command.
FROM python:3.11-slim

WORKDIR /app
COPY requirements/run.txt requirements/run.txt
RUN python -m pip install --no-cache-dir --require-hashes --requirement requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY shared shared
COPY producers producers
COPY workers workers
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation . \
 && useradd --create-home holdfast \
 && install --directory --owner holdfast --mode 700 /keys

USER holdfast
WORKDIR /home/holdfast
ENTRYPOINT ["holdfast"]
CMD ["--help"]
