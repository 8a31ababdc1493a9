# syntax=docker/dockerfile:1
# Lakeward's image. `make image` builds it with docker, podman or buildah, and tests/structure/dockerfile.test.ts holds its
# policy. Every RUN is in exec form: a base made by mmdebstrap has no shell, and neither has the image.
#
# BUILD brings Node and npm; its Node goes into the image, so the tag is the version that package.json pins for tests.
# BASE needs glibc and libstdc++ (libduckdb's), nothing else. Tags, not digests: none was resolved when this was written.
ARG BUILD=docker.io/library/node:24.21.0-bookworm-slim
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD} AS build
# For networks that sign with a certificate of their own: --build-arg NODE_EXTRA_CA_CERTS=… with the file mounted.
ARG NODE_EXTRA_CA_CERTS
WORKDIR /var/lib/lakeward
WORKDIR /app
# Scripts of packages do not run: what is installed is what the lock file's checksums say.
COPY package.json package-lock.json ./
COPY infra/image/build-dependencies.ts ./infra/image/
RUN ["node", "--disable-warning=ExperimentalWarning", "infra/image/build-dependencies.ts"]
RUN ["node", "/usr/local/lib/node_modules/npm/bin/npm-cli.js", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN ["node", "node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--declaration", "false"]
RUN ["node", "/usr/local/lib/node_modules/npm/bin/npm-cli.js", "prune", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
COPY infra/image/sbom.ts ./infra/image/
RUN ["node", "--disable-warning=ExperimentalWarning", "infra/image/sbom.ts", "sbom.cdx.json"]

FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="lakeward" \
      org.opencontainers.image.description="Kinesis in; exactly-once, deduplicated, partitioned Apache Iceberg tables out" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build --chown=65532:65532 /var/lib/lakeward /var/lib/lakeward
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/package.json /app/sbom.cdx.json /app/
COPY --from=build /app/dist /app/dist
COPY LICENSE /app/
# The root can be read-only: the work folder is the only one that is written to.
# UV_THREADPOOL_SIZE, MALLOC_MMAP_THRESHOLD_ and --initial-old-space-size: see bin/lakeward.
# An image made FROM this one brings its transforms in /app/transforms: examples/daily-active/Dockerfile.
ENV LAKEWARD_DIR=/var/lib/lakeward \
    LAKEWARD_TRANSFORMS_DIR=/app/transforms \
    HOME=/var/lib/lakeward \
    TMPDIR=/var/lib/lakeward \
    NODE_ENV=production \
    UV_THREADPOOL_SIZE=16 \
    MALLOC_MMAP_THRESHOLD_=1048576
WORKDIR /var/lib/lakeward
USER 65532:65532
VOLUME ["/var/lib/lakeward"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/dist/cli/main.js", "health", "--live"]
ENTRYPOINT ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "--initial-old-space-size=128", "/app/dist/cli/main.js"]
CMD ["run"]
