# One image for every role: `api`, `worker`, or any other command.
FROM python:3.11-slim

# Which lock is installed: `run`, or `clouds`, which has what Bedrock, Vertex and the like need besides.
ARG EXTRAS=run

WORKDIR /app
COPY requirements/run.txt requirements/clouds.txt requirements/
RUN python -m pip install --no-cache-dir --require-hashes --requirement "requirements/${EXTRAS}.txt"
COPY pyproject.toml README.md LICENSE ./
COPY shared shared
COPY producers producers
COPY workers workers
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation . \
 && useradd --uid 1000 --create-home holdfast \
 && install --directory --owner 1000 --mode 700 /keys

# A number, so that a cluster that lets nobody run as root can tell that this is not.
USER 1000:1000
WORKDIR /home/holdfast
ENTRYPOINT ["holdfast"]
CMD ["--help"]
