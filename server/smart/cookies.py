"""The cookie of a launch: each has its own, so that several in one browser are kept apart (A-19, A-20; SM-02, SM-07)."""

import re
from hashlib import sha256
from hmac import compare_digest
from hmac import new as hmac
from itertools import islice

from flask import Request, Response

from server.smart.launches import ABSOLUTE_SECONDS
from server.trust.clients import SmartRegistration

_NAME = "myositis-cds-launch-"
_MOST = 50
_LAUNCH = re.compile(r"[A-Za-z0-9_-]{22}")


class Cookies:
    """The cookies of the app.

    Over https they are bound to our host (`__Host-`), and where an EHR shows the app in a frame they are for that EHR's pages
    only (`Partitioned`). On this machine without TLS a browser would refuse that, and all ports are one site anyway.
    """

    def __init__(self, public_url: str) -> None:
        """Look at the URL.

        Args:
            public_url: of the service.
        """
        self._is_secure = public_url.lower().startswith("https://")
        self._prefix = f"__Host-{_NAME}" if self._is_secure else _NAME

    def of(self, request: Request, launch: str) -> str:
        """The value of a launch's cookie; empty where this browser has none."""
        return request.cookies.get(self._prefix + launch, "")

    def launches(self, request: Request) -> dict[str, str]:
        """Cookies of the launches that this browser knows of, by the id of the launch; not of more than anybody has."""
        named = ((name.removeprefix(self._prefix), value) for name, value in request.cookies.items() if self._prefix in name)
        return dict(islice((one for one in named if _LAUNCH.fullmatch(one[0])), _MOST))

    def set(self, response: Response, launch: str, value: str, registration: SmartRegistration) -> None:
        """Give a launch's cookie to the browser.

        Args:
            response: that carries it.
            launch: id.
            value: the secret.
            registration: with the EHR, which may show the app in a frame.
        """
        is_framed = self._is_secure and bool(registration.frame_ancestors)
        response.set_cookie(
            self._prefix + launch,
            value,
            max_age=ABSOLUTE_SECONDS,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="None" if is_framed else "Lax",
            partitioned=is_framed,
        )

    def forget(self, response: Response, launch: str, registration: SmartRegistration) -> None:
        """Take a launch's cookie from the browser; arguments as for `set`."""
        is_framed = self._is_secure and bool(registration.frame_ancestors)
        response.delete_cookie(
            self._prefix + launch,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="None" if is_framed else "Lax",
            partitioned=is_framed,
        )


def form_token(cookie: str) -> str:
    """What a form must carry: only a page that was made for this cookie can know it (SM-08).

    Args:
        cookie: the value of the launch's cookie.
    """
    return hmac(cookie.encode(), b"form", sha256).hexdigest()


def is_own_form(request: Request, cookie: str, origin: str) -> bool:
    """Whether a form was sent from our own page, by this browser (SM-08).

    Our pages send no referrer, and with that browsers hide the origin too (Fetch, "append a request Origin header"); then
    `Sec-Fetch-Site` tells, which no page can set.

    Args:
        request: the POST.
        cookie: the value of the launch's cookie.
        origin: ours.
    """
    sent = request.headers.get("Origin", "null")
    is_ours = sent == origin or (sent == "null" and request.headers.get("Sec-Fetch-Site") == "same-origin")
    return is_ours and compare_digest(request.form.get("form_token", "").encode(), form_token(cookie).encode())
