# MinIO from source, in the version that the local stack builds: its published images are no longer updated.
FROM golang:1.26-bookworm AS build
RUN go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10002 minio \
 && install -d -o minio -g minio -m 0700 /data
COPY --from=build /go/bin/minio /usr/local/bin/minio
USER minio
VOLUME /data
ENTRYPOINT ["minio"]
CMD ["server", "--address", ":9000", "--quiet", "/data"]
