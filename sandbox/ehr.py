"""The EHR behind the pages, put together: FHIR API, exports, authorization server, and the launch service."""

from flask import Blueprint

from sandbox.authorization.authorization import Authorization
from sandbox.authorization.endpoints import authorization_blueprint
from sandbox.authorization.launch_service import launch_blueprint
from sandbox.bulk_data.endpoints import bulk_data_blueprint
from sandbox.fhir_api import Faults, fhir_blueprint


def ehr_blueprints(authorization: Authorization, *, is_open: bool = False, faults: Faults = dict) -> tuple[Blueprint, ...]:
    """The blueprints to register.

    Args:
        authorization: the authorization server; its store holds the charts.
        is_open: answer those without a token too, such as the public CDS Hooks sandbox; a token that is sent still counts.
        faults: those of the FHIR API that are switched on, by resource type; those of exports as `$export`.
    """
    return (
        fhir_blueprint(authorization.store, access=authorization.access, is_open=is_open, faults=faults),
        bulk_data_blueprint(
            authorization.store, access=authorization.access, is_open=is_open, faults=faults, now=authorization.memory.now
        ),
        authorization_blueprint(authorization),
        launch_blueprint(authorization, is_open=is_open),
    )
