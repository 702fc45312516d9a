"""Tests of ignition/boot_loader."""
