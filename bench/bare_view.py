"""The least that can answer a callback in Flask: one route, 204, nothing read, checked or kept."""

from __future__ import annotations

from flask import Flask, Response

app = Flask("bare")


@app.route("/webhooks/<name>/status", methods=["POST"])
def status(name: str) -> Response:  # noqa: ARG001 - the route of the real one
    """The answer alone."""
    return Response(status=204)


@app.route("/healthz")
def healthz() -> Response:
    """For whoever waits until the server is ready."""
    return Response("ok")
