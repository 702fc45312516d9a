"""One boot of one machine: a QEMU process in software emulation, its console log, its SSH port, and its end.

Never uses /dev/kvm: results must be the same on every host. A machine is a context manager; leaving it ends QEMU.
"""

import contextlib
import fcntl
import shlex
import signal
import socket
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from harness import qmp
from harness.console import Console
from harness.disks import Disk
from harness.errors import Failed, HarnessError
from harness.foreseen import OPERATIONS, Foreseen
from harness.hardware import Hardware, drive_arguments, hardware_arguments, plug_commands
from harness.ports import free_port
from harness.programs import find_program, leash
from harness.ssh import Answer, Key, Ssh, wait_for_server
from harness.tpm import Tpm

# Without ERMS and FSRM the guest's kernel clears and copies memory by words. With them it does so byte by byte, and the emulator
# takes a turn for each: once a guest spent two minutes in clear_page_erms (soft lockup, then a unit's start timed out).
# Without LA57 its page tables have four levels instead of five: every miss of the emulated TLB walks them in software, which was
# a quarter of a boot. With SMAP the emulator has one more TLB, for the kernel's accesses to a process, and ends a block of
# translated code where such an access begins or ends: a tenth. With AVX2 libc takes its routines of 32-byte vectors: a boot
# took a tenth longer than without.
CPU = "max,erms=off,fsrm=off,la57=off,smap=off,smep=off,umip=off,pku=off,avx=off,avx2=off,f16c=off,fma=off,xsave=off"
RELAY = Path(__file__).with_name("relay.py")
BOOT_TIMEOUT_S = 420.0
OFF_TIMEOUT_S = 120.0
VERIFY_TIMEOUT_S = 300.0
CONFIG = "/run/vm-test.ign"
APPLIED, DRIFT = "/var/lib/ignition/applied.json", 2
START_TIMEOUT_S = 30.0
SOCKET_PATH, SSH_ADDS = 107, 17  # characters: the most in a socket's path, unix(7), and what ssh adds to it meanwhile
SAVE_TIMEOUT_S = 120.0  # of one answer while memory is written or read
# The kernel's last word before a reboot, which it is not before it is switched off (kernel/reboot.c).
RESTART = r"reboot: Restarting system"
# The texts of a guest that will not come up any more: waiting longer is in vain.
DEAD_ENDS = ("Kernel panic", "The first boot failed", "You are in emergency mode", "Reached target emergency.target")


@dataclass(frozen=True)
class DirectBoot:
    """Kernel and initramfs that QEMU loads itself, instead of GRUB from the disk."""

    kernel: Path
    initrd: Path
    cmdline: str


@dataclass(frozen=True)
class Nic:
    """A network card in a network of its own; host is this host's 127.0.0.1 as the guest sees it. beside are the MAC addresses of
    further cards on the same wire.

    services maps "address:port" inside net to a port of this host. ssh_to is the guest's address that the SSH port
    leads to; "" is the one that DHCP gives. bootfile is the URL that DHCP names: the card's own firmware, iPXE, boots from it.
    """

    mac: str = "52:54:00:12:34:01"
    net: str = "10.0.2.0/24"
    host: str = "10.0.2.2"
    dns: str = "10.0.2.3"
    dhcp: str = "10.0.2.15"
    services: Mapping[str, int] = field(default_factory=dict)
    ssh_to: str = ""
    beside: Sequence[str] = ()
    bootfile: str = ""

    def argument(self, name: str, ssh_port: int) -> str:
        """The value of -netdev."""
        words = [f"user,id={name},net={self.net},host={self.host},dns={self.dns},dhcpstart={self.dhcp},ipv6=off"]
        words.append(f"hostfwd=tcp:127.0.0.1:{ssh_port}-{self.ssh_to}:22")
        if self.bootfile:
            words.append(f"bootfile={self.bootfile}")
        for address, port in self.services.items():
            words.append(f"guestfwd=tcp:{address}-cmd:python3 -I -S {RELAY} {port}")
        return ",".join(words)

    def devices(self, number: int, ssh_port: int) -> list[str]:
        """QEMU's arguments: the network, and the card or cards in it."""
        argv = ["-netdev", self.argument(f"n{number}", ssh_port)]
        if self.beside:
            argv += ["-netdev", f"hubport,id=n{number}h,hubid={number},netdev=n{number}"]
        for place, mac in enumerate((self.mac, *self.beside)):
            end = f"n{number}"
            if self.beside:
                end = f"n{number}c{place}"
                argv += ["-netdev", f"hubport,id={end},hubid={number}"]
            # Without romfile= it is ipxe-qemu's.
            firmware = "bootindex=0" if self.bootfile else "romfile="
            argv += ["-device", f"virtio-net-pci,netdev={end},mac={mac},{firmware}"]
        return argv


def metadata_nic(port: int) -> Nic:
    """A card whose network has a metadata service: 169.254.169.254 port 80 is this host's port."""
    return Nic(net="169.254.0.0/16", host="169.254.0.2", dns="169.254.0.3", dhcp="169.254.0.15",
               services={"169.254.169.254:80": port})  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What to boot. drives become /dev/vda, /dev/vdb … unless they say otherwise; without direct GRUB boots.

    fw_cfg maps names to files. smbios are strings of type 11. A machine that outlives its starter goes on when this process ends
    without leaving it. saved is a file of Machine.save(): a machine with the same plan, but for its ports and copies
    of its disks, goes on from there instead of booting. foreseen is the plan that its first boot is compared with.
    """

    name: str
    folder: Path
    drives: Sequence[Disk]
    key: Key
    direct: DirectBoot | None = None
    nics: Sequence[Nic] = (Nic(),)
    fw_cfg: Mapping[str, Path] = field(default_factory=dict)
    smbios: Sequence[str] = ()
    hardware: Hardware = Hardware()
    outlives: bool = False
    saved: Path | None = None
    foreseen: Foreseen | None = None


class Machine:
    """A running machine."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.console = Console(plan.folder / f"{plan.name}.console.log")
        self.stderr = plan.folder / f"{plan.name}.qemu.log"
        self.qmp = plan.folder / f"{plan.name}.qmp"
        self.keyboard = plan.folder / f"{plan.name}.tty"
        self.ports = [0 for _ in plan.nics]
        self.process: subprocess.Popen[bytes] | None = None
        self.tpm = Tpm(plan.hardware.tpm, plan.folder / plan.name) if plan.hardware.tpm else None
        self.started = 0.0
        self.released = False

    def __enter__(self) -> "Machine":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if not self.released:
            self.kill()

    def start(self) -> "Machine":
        """Starts QEMU. A forwarded port may have been taken since it was found free, so it tries again."""
        self.console.path.unlink(missing_ok=True)
        for _ in range(3):
            self.ports = [free_port() for _ in self.plan.nics]
            if self._launch():
                return self
        raise HarnessError(f"QEMU does not start: {self._errors()}")

    def alive(self) -> bool:
        """True while QEMU runs."""
        return self.process is not None and self.process.poll() is None

    def ssh(self, user: str = "root", nic: int = 0) -> Ssh:
        """The way to log in through a network card."""
        socket = self.plan.folder / f"{self.ports[nic]}-{user}"
        fits = len(str(socket)) + SSH_ADDS <= SOCKET_PATH
        return Ssh(self.ports[nic], self.plan.key, user, socket if fits else None)

    def wait_for_login(self, timeout_s: float = BOOT_TIMEOUT_S, nic: int = 0, *, give_up: bool = True) -> Ssh:
        """Waits until the guest's SSH server answers; with give_up, Failed early when the console shows that it never will."""
        try:
            wait_for_server(self.ports[nic], timeout_s, give_up=self._dead_end if give_up else lambda: None)
        except Failed as failure:
            if "console log:" in str(failure):
                raise
            raise self.console.failure(f"{self.plan.name}: a login over SSH within {timeout_s:g} s", "none") from failure
        return self.ssh(nic=nic)

    def wait_for_console(self, pattern: str, timeout_s: float = BOOT_TIMEOUT_S) -> str:
        """Waits for a text on the console and returns everything printed so far."""
        self.console.wait_for(pattern, timeout_s, alive=self.alive)
        return self.console.text()

    def type(self, text: str, answer: str = "", timeout_s: float = 60.0) -> str:
        """Types at the serial console, and waits for the pattern `answer` behind it; returns everything printed since.

        A key at a time, like a person: the guest's emulated serial port has a buffer of 16 bytes.
        """
        begin = len(self.console.text())
        with socket.socket(socket.AF_UNIX) as keyboard:
            keyboard.connect(str(self.keyboard))
            for character in text:
                keyboard.sendall(character.encode())
                time.sleep(0.01)
                # While somebody is connected, QEMU waits until they have read: the guest's output would stop.
                _drain(keyboard)
            # QEMU drops what it has not read when the connection ends.
            deadline = time.monotonic() + timeout_s
            while _unread(keyboard):
                if time.monotonic() > deadline:
                    raise self.console.failure(f"{self.plan.name}: it takes the typed line within {timeout_s:g} s", "it does not")
                time.sleep(0.01)
                _drain(keyboard)
        if answer:
            self.console.wait_for(answer, timeout_s, alive=self.alive, begin=begin)
        return self.console.text()[begin:]

    def wait_for_sulogin(self, timeout_s: float = 60.0, begin: int = 0) -> None:
        """Waits for sulogin's prompt behind `begin` characters of the console, and until it listens.

        It prints the prompt first, and then drops what was typed so far.
        """
        self.console.wait_for(r"\(or press Control-D to continue\): $", timeout_s, alive=self.alive, begin=begin)
        time.sleep(2)

    def verify(self, altered: str = "") -> None:
        """Failed if `ignition verify` finds a difference, or with `altered`, a reason, if it finds none.

        The operations of the first boot, if it is this one, are compared with the plan as well.
        """
        if self.plan.foreseen is not None:
            self.plan.foreseen.compare(self.ssh().run(f"cat {OPERATIONS}").text)
        answer = self.ssh().run(f"test ! -e {APPLIED} || ignition verify 2>&1", VERIFY_TIMEOUT_S)
        if answer.status != (DRIFT if altered else 0):
            wanted = f"drift, since {altered}" if altered else "the machine is what was applied"
            raise self.console.failure(f"{self.plan.name}: {wanted}", answer.text)

    def against_config(self, config: Path) -> Answer:
        """The answer of `ignition verify -config`, the columns of its lines separated by one blank."""
        ssh = self.ssh()
        ssh.feed(f"cat >{CONFIG}", config.read_text(encoding="utf-8"))
        answer = ssh.run(f"ignition verify -config {CONFIG} 2>&1", VERIFY_TIMEOUT_S)
        return Answer("\n".join(" ".join(line.split()) for line in answer.text.splitlines()), answer.status)

    def power_off(self, altered: str = "") -> None:
        """Shuts the guest down properly; Failed when it does not end in time. First verifies it (`altered`: see verify)."""
        self.verify(altered)
        self.shut_down()

    def shut_down(self) -> None:
        """Shuts the guest down properly, without anything else."""
        # The guest may be gone before it has answered.
        with contextlib.suppress(Failed):
            self.ssh().run("systemctl poweroff --no-wall; true", 60)
        self.wait_for_end(OFF_TIMEOUT_S)

    def cut_off(self, altered: str = "") -> None:
        """Writes everything and ends the machine without a shutdown: faster, if a clean shutdown is not needed.

        First verifies it (`altered`: see verify).
        """
        self.verify(altered)
        self.ssh().run("sync", 60)
        self.quit()

    def wait_for_end(self, timeout_s: float) -> None:
        """Waits until QEMU ends by itself."""
        assert self.process is not None
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise self.console.failure(f"{self.plan.name}: the machine is off within {timeout_s:g} s", "it runs") from error
        self._end_tpm()

    def wait_for_reboot(self, timeout_s: float = BOOT_TIMEOUT_S) -> str:
        """Waits until the guest reboots itself; returns its whole console. Failed if it ends otherwise, or comes up instead.

        QEMU ends with the reboot, which is thus seen once: what comes after it is another machine with the same disks.
        """
        self.console.wait_for(RESTART, timeout_s, alive=self.alive)
        self.wait_for_end(OFF_TIMEOUT_S)
        return self.console.text()

    def pause(self) -> None:
        """Stops the guest's processors; QEMU then has everything in the disks' files."""
        qmp.ask(self.qmp, "stop")

    def resume(self) -> None:
        """Resumes a paused guest."""
        qmp.ask(self.qmp, "cont")

    def plug(self, number: int, disk: Disk) -> None:
        """Gives the running machine a disk, as its d<number>."""
        with qmp.Qmp(self.qmp) as monitor:
            for line in plug_commands(number, disk):
                if (said := monitor.person(line)) not in ("", "OK"):
                    raise HarnessError(f"QEMU does not take the disk: {line}: {said}")

    def save(self, path: Path) -> None:
        """Writes memory and devices into a file and ends the machine; its disks' files are of the same moment then."""
        with qmp.Qmp(self.qmp, SAVE_TIMEOUT_S) as monitor:
            monitor.command("stop")
            monitor.command("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
            monitor.command("migrate", uri=f"exec:cat >{shlex.quote(str(path))}")
            while (status := monitor.command("query-migrate")["status"]) != "completed":
                if status == "failed":
                    raise HarnessError(f"QEMU does not save the machine: {self._errors()}")
                time.sleep(0.1)
        self.quit()

    def _go_on(self) -> None:
        """Waits until a saved state is loaded, and starts the processors."""
        with qmp.Qmp(self.qmp, SAVE_TIMEOUT_S) as monitor:
            while monitor.command("query-status")["status"] == "inmigrate":
                time.sleep(0.05)
            monitor.command("cont")

    def release(self) -> None:
        """Forgets the process: leaving the machine does not end it any more."""
        self.released = True

    def gave_up(self) -> bool:
        """True when a login will never be possible."""
        return self._dead_end() is not None

    def quit(self) -> None:
        """Ends QEMU as a power cut would, but with its own caches written."""
        qmp.ask(self.qmp, "quit")
        self.wait_for_end(START_TIMEOUT_S)

    def kill(self) -> None:
        """Kills QEMU at once: what the guest has not flushed may be lost."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self._end_tpm()

    def _launch(self) -> bool:
        """True if QEMU runs and its QMP socket exists."""
        self.qmp.unlink(missing_ok=True)
        self.keyboard.unlink(missing_ok=True)
        if self.tpm is not None:
            self.tpm.start(outlives=self.plan.outlives)
        with self.stderr.open("wb") as log:
            self.process = subprocess.Popen(
                self._argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=self.plan.outlives
            )
        self.started = time.monotonic()
        while self.alive() and not self.qmp.exists():
            if time.monotonic() - self.started > START_TIMEOUT_S:
                self.kill()
            time.sleep(0.05)
        if self.alive() and self.plan.saved is not None:
            self._go_on()
        return self.alive()

    def _argv(self) -> list[str]:
        """QEMU's command line."""
        plan = self.plan
        # With logfile= everything is written to the file, whether or not a person (type()) is connected.
        console = f"socket,id=console,path={self.keyboard},server=on,wait=off,logfile={self.console.path}"
        argv = [*leash(plan.outlives), find_program("qemu-system-x86_64"), "-name", plan.name,
                "-no-user-config", "-nodefaults", "-machine", "q35", "-cpu", CPU,
                *hardware_arguments(plan.hardware, self.tpm), "-display", "none", "-vga", "std", "-no-reboot",
                "-chardev", console, "-serial", "chardev:console", "-qmp", f"unix:{self.qmp},server=on,wait=off",
                "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]  # fmt: skip
        argv += drive_arguments(plan.drives, boots=plan.direct is None)
        for number, nic in enumerate(plan.nics):
            argv += nic.devices(number, self.ports[number])
        for name, path in plan.fw_cfg.items():
            argv += ["-fw_cfg", f"name={name},file={path}"]
        for text in plan.smbios:
            argv += ["-smbios", f"type=11,value={text}"]
        if plan.direct is not None:
            argv += ["-kernel", str(plan.direct.kernel), "-initrd", str(plan.direct.initrd), "-append", plan.direct.cmdline]
        if plan.saved is not None:
            argv += ["-incoming", f"exec:cat {shlex.quote(str(plan.saved))}"]
        return argv

    def _dead_end(self) -> Failed | None:
        """Why a login will never be possible, None while it may."""
        if not self.alive():
            return self.console.failure(f"{self.plan.name}: a login over SSH", f"QEMU ended: {self._errors()}")
        text = self.console.text()
        for sign in DEAD_ENDS:
            if sign in text:
                return self.console.failure(f"{self.plan.name}: a login over SSH", f"{sign!r} on the console")
        return None

    def _errors(self) -> str:
        """The error messages of QEMU itself."""
        return self.stderr.read_text(encoding="utf-8", errors="replace").strip()[-400:] if self.stderr.exists() else ""

    def _end_tpm(self) -> None:
        """The TPM goes with the machine."""
        if self.tpm is not None:
            self.tpm.stop()


def _drain(link: socket.socket) -> None:
    """Drops everything received so far."""
    with contextlib.suppress(BlockingIOError):
        link.recv(1 << 20, socket.MSG_DONTWAIT)


def _unread(link: socket.socket) -> int:
    """The bytes that the other end has not read yet, with the kernel's own; SIOCOUTQ of tcp(7), which unix sockets have, too."""
    left: int = struct.unpack("i", fcntl.ioctl(link, termios.TIOCOUTQ, bytes(4)))[0]
    return left
