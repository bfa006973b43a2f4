"""The API's own description: the OpenAPI document, and the page that shows it.

Owns flask-smorest's set-up and the assets of Swagger UI, which are served from here: nothing is fetched from elsewhere. Must
not know a view. Invariant: the document is complete once `register` has been given every blueprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, json
from flask_smorest import Api
from flask_swagger_ui import get_swaggerui_blueprint
from marshmallow import Schema

from alerting.api.access import access_of, open_to_all, public
from alerting.api.reading import ApiBlueprint

_SUFFIXES = ("Answer",)


class WarningApi(Api):
    """flask-smorest without its own error answers and pages."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Errors are answered by `problems`."""

    def _register_doc_blueprint(self) -> None:
        """The document is served by `register`, with its access said."""


def _name_of(schema: type[Schema] | Schema | str) -> str:
    """The name in components/schemas: without our suffixes."""
    if isinstance(schema, str):
        return schema
    name = (schema if isinstance(schema, type) else type(schema)).__name__
    return next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)


def register(app: Flask, blueprints: Iterable[ApiBlueprint]) -> None:
    """Register the blueprints, /openapi.json and /docs."""
    app.config.update(API_TITLE="Public warnings", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = WarningApi(app, spec_kwargs=_options())
    api.spec.components.security_scheme(
        "key", {"type": "http", "scheme": "bearer", "description": "An API key: `alerting keys create`."}
    )
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    _say_roles(app, api)

    @app.get("/openapi.json")
    @public
    def openapi() -> Response:
        return Response(json.dumps(api.spec.to_dict(), sort_keys=False), mimetype="application/json")

    known = set(app.view_functions)
    page = get_swaggerui_blueprint(
        "/docs",
        "/openapi.json",
        config={
            "app_name": "Public warnings: the API",
            "oauth2RedirectUrl": "",
            "validatorUrl": None,
            "persistAuthorization": False,
        },
        blueprint_name="docs",
    )
    app.register_blueprint(page)
    open_to_all(app, set(app.view_functions) - known)


def _options() -> dict[str, Any]:
    description = (
        "One entry for warnings: a CAP 1.2 document goes to phones, mailboxes, feeds and pages. "
        "Errors are RFC 9457 problem documents that name everything that is wrong by JSON pointer."
    )
    return {
        "info": {"description": description, "x-service-version": version("alerting")},
        "security": [{"key": []}],
        "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_name_of),
    }


def _say_roles(app: Flask, api: Api) -> None:
    """Write the roles of each view into its description."""
    for rule in app.url_map.iter_rules():
        access = access_of(app.view_functions[rule.endpoint])
        path = api.flask_plugin.flaskpath2openapi(rule.rule)
        operations = api.spec._paths.get(path, {})  # noqa: SLF001 - apispec offers no way to amend a path
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if isinstance(access, frozenset) and method.lower() in operations:
                roles = ", ".join(sorted(role.value for role in access))
                operation = operations[method.lower()]
                operation["description"] = "\n\n".join(
                    filter(None, [operation.get("description"), f"Roles: {roles}."])
                )
