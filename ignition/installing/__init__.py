"""`coreos-install`: an image from a server or a file, verified, unpacked, and written to a disk that boots only when complete."""
