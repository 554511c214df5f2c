"""An export from kick-off to its end: what each request does, apart from how it comes in."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence

from flask import Request, Response, jsonify
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from sandbox.access import Access
from sandbox.bulk_data.faults import (
    NOTHING_WRONG,
    SWITCH,
    error_resources,
    has_ranges,
    refuse_file,
    refuse_status,
    spoil_answer,
    spoil_content,
    spoil_manifest,
)
from sandbox.bulk_data.gathering import Wanted, gather, gather_deleted
from sandbox.bulk_data.jobs import File, Job, Jobs, files_of, new_id
from sandbox.bulk_data.kick_off import NDJSON, Asked, read_kick_off, require_export, types_to_export
from sandbox.bulk_data.problems import problem
from sandbox.bundles import Json
from sandbox.chart_store import ChartStore
from sandbox.faults import Fault
from sandbox.fhir_answers import RefusalError

_LONGEST_PAUSE = 30
"""Seconds that a client is asked to wait at most."""


class Exports:
    """See the module. Threads may share it.

    Args:
        store: the charts.
        jobs: that were begun.
        per_file: most resources of one file.
        faults: those that are switched on, by name.
    """

    def __init__(self, store: ChartStore, jobs: Jobs, per_file: int, faults: Callable[[], Mapping[str, Fault]]) -> None:
        """Of one EHR."""
        self.store, self._jobs, self._per_file, self._faults = store, jobs, per_file, faults

    def begin(self, request: Request, granted: Access, offered: Sequence[str], patients: Collection[str] | None) -> Job:
        """Begin an export: it holds the charts as they are now, however long it then takes.

        Args:
            request: the kick-off.
            granted: what the token lets its bearer do.
            offered: types that this endpoint exports.
            patients: FHIR ids; None for everybody.

        Raises:
            RefusalError: it is not sound, or not for this token.
        """
        asked = read_kick_off(request)
        types = types_to_export(asked, offered, granted)
        wanted = Wanted(types, patients, asked.since, granted)
        instant, begun = self.store.instant(), self._jobs.now()
        deleted = gather_deleted(self.store, wanted)
        problems = [*error_resources(self._fault), *_left_out(asked, offered)]
        job = Job(
            new_id(),
            granted.client_id,
            asked,
            types,
            instant,
            begun,
            files_of(gather(self.store, wanted), self._per_file),
            files_of({"Bundle": deleted}, self._per_file, "deleted."),
            files_of({"OperationOutcome": problems}, self._per_file, "error."),
        )
        self._jobs.add(job)
        return job

    def find(self, job_id: str, granted: Access) -> Job:
        """An export of whoever asks; others are not told that there is one.

        Raises:
            RefusalError: there is none of that id any more, or the token does not cover it.
        """
        job = self._jobs.find(job_id, granted.client_id)
        if job is None:
            raise RefusalError(404, "not-found", "There is no such export: it was deleted, or never begun by this client.")
        require_export(granted, job.types)
        if self._jobs.is_over(job):
            raise RefusalError(410, "deleted", "The export is over: its files are kept for an hour.")
        return job

    def delete(self, job: Job) -> None:
        """Forget an export ("Bulk Data Delete Request")."""
        self._jobs.remove(job)

    def status(self, job: Job, url: str, *, needs_token: bool) -> Response:
        """How far it is, or its manifest ("Bulk Data Status Request").

        Args:
            job: the export.
            url: its own; its files are below it.
            needs_token: whether a token has to be sent for the files.

        Raises:
            RefusalError: a fault that is switched on.
        """
        fault = self._fault
        refuse_status(fault, self._jobs.note_request(job, "status"))
        takes = fault.seconds if fault.kind == "slow" else 0.0
        left = job.begun + takes - self._jobs.now()
        if left > 0:
            pause = min(_LONGEST_PAUSE, math.ceil(left))
            done = f"{100 - math.ceil(100 * min(1, left / takes))}% complete"
            return Response(status=202, headers={"X-Progress": done, "Retry-After": str(pause)})
        response = jsonify(spoil_manifest(_manifest(job, url, needs_token), fault))
        response.headers["Expires"] = job.expires
        return response

    def file(self, job: Job, name: str, request: Request) -> Response:
        """A file, or a part of one (RFC 9110, section 14), "Bulk Data Output File Request".

        Raises:
            RefusalError: there is no such file, or no such part of it; or a fault that is switched on.
        """
        fault, found = self._fault, job.file(name)
        if found is None:
            raise RefusalError(404, "not-found", "The export has no such file.")
        refuse_file(fault, job, self._jobs)
        sound = _part(spoil_content(found, fault), request) if has_ranges(fault) else _whole(found)
        return spoil_answer(sound, fault, self._jobs.note_request(job, name))

    @property
    def _fault(self) -> Fault:
        return self._faults().get(SWITCH, NOTHING_WRONG)


def _manifest(job: Job, url: str, needs_token: bool) -> Json:
    def listed(files: Sequence[File]) -> list[Json]:
        return [{"type": one.resource_type, "url": f"{url}/{one.name}", "count": one.count} for one in files]

    return {
        "transactionTime": job.instant,
        "request": job.asked.url,
        "requiresAccessToken": needs_token,
        "output": listed(job.output),
        "deleted": listed(job.deleted),
        "error": listed(job.error),
    }


def _whole(file: File) -> Response:
    return Response(file.content, content_type=NDJSON)


def _part(file: File, request: Request) -> Response:
    response = _whole(file)
    response.add_etag()
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=len(file.content))
    except RequestedRangeNotSatisfiable:
        text, length = "The file has no such part.", f"bytes */{len(file.content)}"
        raise RefusalError(416, "value", text, Content_Range=length) from None
    return response


def _left_out(asked: Asked, offered: Sequence[str]) -> list[Json]:
    """What was asked for and is not known, one OperationOutcome to each (`Prefer: handling=lenient`)."""
    names = [*asked.unsupported, *(one for one in asked.types if one not in offered)]
    texts = [f"Number {number} of what was asked for is not supported, and was left out." for number, _ in enumerate(names, 1)]
    return [problem("warning", "not-supported", text) for text in texts]
