"""Transport errors in one line each: name, refusal, route, TLS (with a hint about the clock), timeout, broken connection.

`requests` wraps an error of `urllib3`, which wraps that of the socket; only the innermost one has the cause.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.host.printable import printable

_CERTIFICATE_NOT_YET_VALID, _CERTIFICATE_EXPIRED = 9, 10  # openssl/x509_vfy.h: X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED
_FIX_NAME = "check the name, and that the machine has a name server from DHCP or the kernel command line"
_FIX_ROUTE = "check the network of the machine: link, address, route"
_FIX_TRUST = "add the server's CA to ignition.security.tls.certificateAuthorities"
# For the first config, and for a platform's metadata: no config applies to their fetch.
_FIX_TRUST_FIRST = (
    "add the server's CA to those of the image and its initramfs, or name another server with the kernel argument"
    " ignition.config.url="
)
_FIX_ANSWER = "check that an HTTP server answers on this port, and any proxy or firewall on the way to it"
_ANSWERS = {  # by exceptions of http.client, urllib3 and ignition.fetch.transport
    "BadStatusLine": "the server's answer does not begin with an HTTP status line",
    "UnknownProtocol": "the server answers with an unknown version of HTTP",
    "LineTooLong": "the server's answer has a line of more than 64 KiB",
    "TooMuch": "the server's answer has too many headers",
    "InvalidHeader": "the server's answer has a malformed header",
    "InvalidChunkLength": "the server's answer has a malformed chunk",
    "Malformed": "the server's answer has a malformed chunk",
}


def explain(error: BaseException, *, header_s: float | None, of_config: bool = True) -> tuple[str, str]:
    """(cause, fix) in words; the fix is `""` if there is none. Neither contains a URL.

    `of_config`: whether a config set the rules of the fetch, so that a change of the config may help.
    """
    causes = list(_chain(error))
    text, fix = _explain(causes, header_s)
    if fix == _FIX_TRUST and not of_config:
        fix = _FIX_TRUST_FIRST
    if any(type(cause).__name__ == "ProxyError" for cause in causes):
        return f"proxy: {text}", fix or "check ignition.proxy"
    return text, fix


def _explain(causes: list[BaseException], header_s: float | None) -> tuple[str, str]:
    import errno
    import socket
    import ssl

    from ignition.fetch.names import WrongName

    # Nearly all of them are OSErrors: the most specific class comes first.
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return f"the server's name does not resolve ({cause.strerror})", _FIX_NAME
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause)
        if isinstance(cause, WrongName):
            return f"the server's TLS certificate is not accepted: {cause.args[0]}", "use a name that is in the certificate"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {cause.reason or cause.strerror or 'handshake failed'}", "check that the server speaks TLS on this port"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused", "check the port, and that the server runs"
        if isinstance(cause, OSError) and cause.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}:
            return "no route to the server", _FIX_ROUTE
        if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
            return "no source port below 1024 is free", ""
    return _explain_silence(causes, header_s)


def _explain_silence(causes: list[BaseException], header_s: float | None) -> tuple[str, str]:
    names = {type(cause).__name__ for cause in causes}
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return "timed out: no connection", _FIX_ROUTE
    if names & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        limit = f" within {header_s:.3g} s" if header_s is not None else ""
        return f"timed out: no answer{limit}", ""
    for cause in causes:
        if isinstance(cause, ConnectionError | EOFError) or type(cause).__name__ == "IncompleteRead":
            return "the server closed the connection early", ""
        if str(cause).startswith("Tunnel connection failed"):  # http.client, HTTPConnection._tunnel: status and reason only
            return printable(str(cause), 150), ""
    return _explain_answer(causes)


def _explain_answer(causes: list[BaseException]) -> tuple[str, str]:
    """The defect in the bytes of an answer. Their text is never shown: it may contain the URL, and that a secret."""
    from http.client import HTTPException

    from urllib3.exceptions import HTTPError

    for cause in causes:
        name = type(cause).__name__
        if name in _ANSWERS:
            return _ANSWERS[name], _FIX_ANSWER
        if type(cause) is HTTPException and str(cause).startswith("got more than"):  # http.client, _read_headers
            return _ANSWERS["TooMuch"], _FIX_ANSWER
    # Any other error that the libraries raise while reading an answer comes from its bytes.
    if not any(isinstance(cause, HTTPException | HTTPError | OSError) for cause in causes[:-1]):
        return f"transport error {type(causes[-1]).__name__}", ""
    known = next(cause for cause in reversed(causes) if isinstance(cause, HTTPException | HTTPError | OSError))
    return f"the server's answer is malformed ({type(known).__name__})", _FIX_ANSWER


def _certificate(error: BaseException) -> tuple[str, str]:
    text = f"the server's TLS certificate is not accepted: {getattr(error, 'verify_message', '') or 'unknown reason'}"
    code = getattr(error, "verify_code", 0)
    if code in {_CERTIFICATE_NOT_YET_VALID, _CERTIFICATE_EXPIRED}:
        import time

        return text, about_clock(time.time(), behind=code == _CERTIFICATE_NOT_YET_VALID)
    return text, _FIX_TRUST


def about_clock(now: float, *, behind: bool) -> str:
    """The advice about a certificate that is not valid `now`. `behind`: only a slow clock can be the reason."""
    import os

    file = getattr(__spec__ and __spec__.loader, "archive", __file__)  # or the one of `make zipapp` that it is in
    made = os.stat(file).st_mtime  # the clock cannot be right if it is before the installation of this file
    says = f"this machine's clock says {_minute(now)}"
    if now < made:
        return f"{says}, which is before this program was made ({_minute(made)}): set it"
    if behind:
        return f"{says}, which is probably too early: set it"
    return f"{says}: if that is wrong, set it, else renew the certificate"


def _minute(seconds: float) -> str:
    import time

    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps, in any of the ways that requests and urllib3 wrap."""
    todo, seen = [error], set()
    while todo:
        current = todo.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        # A suppressed context is not a cause: urllib3 first calls getresponse() with an argument of Python 2.
        context = None if current.__suppress_context__ else current.__context__
        wrapped = (current.__cause__, context, getattr(current, "reason", None), *current.args)
        todo += [inner for inner in wrapped if isinstance(inner, BaseException)]
