"""`GET /cds-services`: which services there are, and what they would like to be sent."""

from typing import Any

from flask import Blueprint, Response, request

from server.cds_hooks.prefetch import prefetch_templates
from server.cds_hooks.services import SERVICES, Service
from server.responses import json_response
from server.runtime import Runtime

CDS_HOOKS_VERSION = "2.0.1"


def discovery_blueprint(runtime: Runtime) -> Blueprint:
    """The discovery endpoint; some clients are configured with a trailing slash."""
    blueprint = Blueprint("discovery", __name__)

    @blueprint.get("/cds-services")
    @blueprint.get("/cds-services/")
    def discovery() -> Response:
        if runtime.config.discovery_needs_token:
            runtime.gate.admit(request, [runtime.url("/cds-services")])
        return json_response({"services": [_describe(service) for service in SERVICES.values()]})

    return blueprint


def _describe(service: Service) -> dict[str, Any]:
    return {
        "hook": service.hook,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "prefetch": prefetch_templates(),
        "usageRequirements": service.usage,
        "version": CDS_HOOKS_VERSION,
    }
