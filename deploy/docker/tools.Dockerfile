# The image of the command line, and of the watch: every service's manifest, and no service runs in it.
# docker build -f deploy/docker/tools.Dockerfile -t tailrace/tools .
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/tailrace && python -m venv /opt/build && /opt/build/bin/pip install --no-cache-dir hatchling
COPY locks /src/locks
# A service's own lock holds the versions of the common one.
RUN for lock in locks/requirements-runtime.lock locks/requirements-tools.lock locks/services/*.lock; do \
      /opt/tailrace/bin/pip install --no-cache-dir --require-hashes -r "${lock}" || exit 1; done
COPY contracts contracts
COPY libs libs
COPY services services
RUN for package in libs/debezium_connector_config libs/tailrace_core libs/tailrace libs/tailrace_tools contracts services/*; do \
      /opt/build/bin/python -m pip wheel -q --no-deps --no-build-isolation -w /wheels "./${package}" || exit 1; done \
 && /opt/tailrace/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.11-slim
LABEL org.opencontainers.image.title="tailrace/tools" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --no-create-home tailrace
COPY --from=build /opt/tailrace /opt/tailrace
ENV PATH=/opt/tailrace/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TAILRACE_DATA=/tmp/tailrace HOME=/tmp
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["tailrace"]
