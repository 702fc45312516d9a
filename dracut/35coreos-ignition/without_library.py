#!/usr/bin/python3
"""Copies a program without one of its libraries: for an initramfs, in which the code that calls the library is never reached.

    without_library.py PROGRAM libcurl curl_ COPY

tpm2-tools is one program for all of its tools. One of them, tpm2_getekcertificate, downloads with libcurl, which brings GnuTLS,
Kerberos, LDAP, SSH and RTMP: more than 4 MB compressed that clevis never uses, as it only creates and unseals.

In the copy, the DT_NEEDED entries and the version requirements of libraries whose name begins with `libcurl` are removed, and the
undefined symbols that begin with `curl_` are weak and without a version. The dynamic linker resolves a weak symbol that nobody
defines to 0, so that the program starts; a call would be a crash. Source: System V ABI, chapters 4 (Symbol Table) and 5 (Dynamic
Linking); Linux Standard Base, Symbol Versioning.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

PT_LOAD, PT_DYNAMIC, SHT_DYNSYM = 1, 2, 11
DT_NULL, DT_NEEDED, DT_STRTAB, DT_SYMTAB, DT_VERSYM = 0, 1, 5, 6, 0x6FFFFFF0
DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
STB_GLOBAL, STB_WEAK, SHN_UNDEF, VER_NDX_GLOBAL = 1, 2, 0, 1


class UnknownFormat(Exception):
    """The file is not an ELF program that this can change."""


class Elf:
    """A 64-bit ELF file that is changed in place."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)
        if content[:5] != b"\x7fELF\x02":
            raise UnknownFormat("not a 64-bit ELF file")
        self._order = "<" if content[5] == 1 else ">"
        program_headers, sections = self.read("QQ", 32)
        size, count, section_size, section_count = self.read("HHHH", 54)
        self._loads, self.dynamic_at = [], 0
        for number in range(count):
            kind, _, offset, address, _, length = self.read("IIQQQQ", program_headers + number * size)
            if kind == PT_LOAD:
                self._loads.append((address, address + length, offset - address))
            elif kind == PT_DYNAMIC:
                self.dynamic_at = offset
        headers = [self.read("IIQQQQIIQQ", sections + number * section_size) for number in range(section_count)]
        symbols = [header for header in headers if header[1] == SHT_DYNSYM]
        if not self.dynamic_at or not symbols:
            raise UnknownFormat("not dynamically linked, or without a table of sections")
        self.symbol_count = symbols[0][5] // symbols[0][9]

    def read(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + form, self.content, at)

    def write(self, form: str, at: int, *values: int) -> None:
        struct.pack_into(self._order + form, self.content, at, *values)

    def offset(self, address: int) -> int:
        """Where an address is in the file."""
        for begin, end, shift in self._loads:
            if begin <= address < end:
                return address + shift
        raise UnknownFormat("an address is not in the file")

    def dynamic(self) -> Iterator[tuple[int, int, int]]:
        """(offset, tag, value) of each entry up to the last."""
        at = self.dynamic_at
        while True:
            tag, value = self.read("qQ", at)
            if tag == DT_NULL:
                return
            yield at, tag, value
            at += 16

    def text(self, at: int) -> str:
        return self.content[at : self.content.index(0, at)].decode()


def without(program: bytes, library: str, symbols: str) -> bytes:
    """The program without the libraries and the symbols whose names begin so. Raises UnknownFormat."""
    elf = Elf(program)
    tags = {tag: value for _, tag, value in elf.dynamic()}
    if not {DT_STRTAB, DT_SYMTAB} <= tags.keys():
        raise UnknownFormat("the table of symbols is missing")
    strings = elf.offset(tags[DT_STRTAB])
    for number in range(elf.symbol_count):
        at = elf.offset(tags[DT_SYMTAB]) + number * 24
        name, info, _, section = elf.read("IBBH", at)
        if section == SHN_UNDEF and info >> 4 == STB_GLOBAL and elf.text(strings + name).startswith(symbols):
            elf.write("B", at + 4, STB_WEAK << 4 | info & 0xF)
            if DT_VERSYM in tags:
                elf.write("H", elf.offset(tags[DT_VERSYM]) + number * 2, VER_NDX_GLOBAL)
    entries = [(tag, value) for _, tag, value in elf.dynamic()]
    kept = [(tag, value) for tag, value in entries if tag != DT_NEEDED or not elf.text(strings + value).startswith(library)]
    if DT_VERNEED in tags:
        address, count = _without_version(elf, tags, strings, library)
        changed = {DT_VERNEED: address, DT_VERNEEDNUM: count}
        kept = [(tag, changed.get(tag, value)) for tag, value in kept]
    for number, (at, *_) in enumerate([*elf.dynamic()]):
        elf.write("qQ", at, *(kept[number] if number < len(kept) else (DT_NULL, 0)))
    return bytes(elf.content)


def _without_version(elf: Elf, tags: dict[int, int], strings: int, library: str) -> tuple[int, int]:
    """Unlink the version requirements of the library; returns (address of the first of the others, their number)."""
    address, kept = tags[DT_VERNEED], []
    for _ in range(tags[DT_VERNEEDNUM]):
        _, _, file, _, following = elf.read("HHIII", elf.offset(address))
        if not elf.text(strings + file).startswith(library):
            kept.append(address)
        address += following
    if not kept:
        raise UnknownFormat("every version requirement belongs to the library")
    for here, there in zip(kept, [*kept[1:], kept[-1]], strict=True):
        elf.write("I", elf.offset(here) + 12, there - here)
    return kept[0], len(kept)


def main() -> int:
    """Entry point."""
    program, library, symbols, copy = sys.argv[1:]
    try:
        content = without(Path(program).read_bytes(), library, symbols)
    except (UnknownFormat, struct.error, ValueError) as error:
        print(f"without_library.py: {program}: {error}", file=sys.stderr)
        return 1
    Path(copy).write_bytes(content)
    Path(copy).chmod(0o755)
    return 0


if __name__ == "__main__":
    sys.exit(main())
