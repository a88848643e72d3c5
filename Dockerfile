# syntax=docker/dockerfile:1
# The service as an image: API, worker and migrations are the same image with another command.

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /src
COPY docker/build.lock docker/build.lock
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r docker/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN python -m hatchling build -t wheel -d /dist

FROM python:3.11-slim-bookworm AS environment
ENV PATH=/opt/rounds/bin:$PATH
RUN python -m venv /opt/rounds
COPY docker/runtime.lock /tmp/runtime.lock
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
    -r /tmp/runtime.lock
COPY --from=wheel /dist/*.whl /tmp/
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-index /tmp/*.whl

FROM python:3.11-slim-bookworm
# LightGBM needs OpenMP's runtime, which the slim image leaves out
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin rounds \
    && install --directory --owner rounds --group rounds --mode 0700 /data
COPY --from=environment /opt/rounds /opt/rounds
ENV PATH=/opt/rounds/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ROUNDS_HOME=/data \
    ROUNDS_HOST=0.0.0.0 \
    ROUNDS_PORT=8000 \
    ROUNDS_LOG_FORMAT=json
USER rounds
WORKDIR /home/rounds
VOLUME /data
EXPOSE 8000
# asks the API; the worker and migrate services of docker-compose.yml replace or disable it
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['ROUNDS_PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["rounds"]
CMD ["serve"]
