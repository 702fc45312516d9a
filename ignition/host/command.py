"""Running other programs: the only file that imports subprocess.

One way for all: argument list, fixed environment, no standard input but what is given, output captured, a time limit always.
Secrets go through `stdin`, never through the arguments: those are logged.
"""

from ignition.errors import CommandFailed
from ignition.host import log
from ignition.host.programs import known

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def run(
    argv: list[str],
    *,
    why: str,
    stdin: str = "",
    ok: tuple[int, ...] = (0,),
    timeout_s: float = 120,
) -> str:
    """Run a program of `PROGRAMS` and return its standard output as text.

    Raises CommandFailed when it is missing, is killed, takes longer than `timeout_s`, or ends with a status not in `ok`.
    """
    return status_and_output(argv, why=why, stdin=stdin, ok=ok, timeout_s=timeout_s)[1]


def status_and_output(
    argv: list[str],
    *,
    why: str,
    stdin: str = "",
    ok: tuple[int, ...] = (0,),
    timeout_s: float = 120,
) -> tuple[int, str]:
    """As `run`, for programs whose exit status is an answer (blkid: 2 = nothing found)."""
    # Imported here: many stages of many boots start no program at all, and the import costs 6 ms.
    import shlex
    import subprocess

    if not known(argv[0]):
        raise CommandFailed(f"{argv[0]} is not in the list of programs", status=None, fix="add it to ignition/host/programs.py")
    shown = shlex.join(argv)
    log.debug(f"executing: {shown}")
    try:
        done = subprocess.run(  # the argument list is ours, no shell
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env=ENVIRONMENT,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandFailed(
            f"{why}: the program {argv[0]} is missing",
            status=None,
            fix="add its package to the image: the dracut module 35coreos-ignition copies it into the initramfs",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{why}: no end after {timeout_s:g} s: {shown}", status=None) from error
    if done.returncode not in ok:
        raise CommandFailed(_wording(why, shown, done.returncode, done.stderr), status=done.returncode, stderr=done.stderr)
    return done.returncode, done.stdout


def _wording(why: str, shown: str, status: int, stderr: str) -> str:
    end = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    last = " | ".join(line.strip() for line in stderr.strip().splitlines()[-3:])
    return f"{why}: {shown}: {end}" + (f": {last}" if last else "")
