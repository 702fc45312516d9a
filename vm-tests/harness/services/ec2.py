"""EC2's instance metadata service, version 2: all requests need a session token.

Source: the service's documented paths and rules (tokens by PUT with a lifetime header, 401 without one, 403 for
requests that came through a proxy). Values are invented. Every dated version and "latest" return the same answers.
"""

import re
import secrets
import threading
import time
from collections.abc import Mapping

from harness.services.http import Reply, Request, Service

TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "x-aws-ec2-metadata-token"
LONGEST_TTL_S = 21600
VERSIONED = re.compile(r"/(?:\d{4}-\d{2}-\d{2}|latest)/(.*)")
DEFAULTS = {
    "meta-data/instance-id": "i-0abc1234def567890",
    "meta-data/instance-type": "t3.small",
    "meta-data/local-ipv4": "172.31.5.20",
    "meta-data/hostname": "ip-172-31-5-20.eu-west-1.compute.internal",
    "meta-data/placement/availability-zone": "eu-west-1b",
    "meta-data/placement/availability-zone-id": "euw1-az2",
    "dynamic/instance-identity/document": ('{"region":"eu-west-1","instanceId":"i-0abc1234def567890","privateIp":"172.31.5.20"}'),
}


class Ec2(Service):
    """The service of one instance; user_data is its config."""

    def __init__(self, user_data: bytes, ssh_key: str = "", values: Mapping[str, str] = DEFAULTS) -> None:
        self.values = {path: text.encode() for path, text in values.items()}
        self.values["user-data"] = user_data
        if ssh_key:
            self.values["meta-data/public-keys"] = b"0=first-key"
            self.values["meta-data/public-keys/0/openssh-key"] = ssh_key.encode() + b"\n"
        self._expiry: dict[str, float] = {}
        self._lock = threading.Lock()
        super().__init__()

    def answer(self, request: Request) -> Reply:
        if "x-forwarded-for" in request.headers:
            return Reply(403)
        if request.method == "PUT":
            return self._new_token(request)
        if not self._is_valid(request.headers.get(TOKEN_HEADER, "")):
            return Reply(401)
        found = VERSIONED.fullmatch(request.path)
        body = self.values.get(found[1].rstrip("/")) if found else None
        return Reply(404) if body is None else Reply(200, body, {"Content-Type": "text/plain"})

    def _new_token(self, request: Request) -> Reply:
        """A token for as long as was asked for; 400 without a lifetime between one second and six hours."""
        if request.path != "/latest/api/token":
            return Reply(405)
        lifetime = request.headers.get(TTL_HEADER, "")
        if not lifetime.isdecimal() or not 1 <= int(lifetime) <= LONGEST_TTL_S:
            return Reply(400)
        token = secrets.token_urlsafe(40) + "=="
        with self._lock:
            self._expiry[token] = time.monotonic() + int(lifetime)
        return Reply(200, token.encode(), {"Content-Type": "text/plain"})

    def _is_valid(self, token: str) -> bool:
        """True for a token that was given out and has not ended."""
        with self._lock:
            return self._expiry.get(token, 0.0) > time.monotonic()
