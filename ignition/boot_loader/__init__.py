"""Kernel arguments in the files of a boot loader: GRUB of our image, and entries of the UAPI Boot Loader Specification."""
