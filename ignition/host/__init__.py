"""The only access to the machine: programs, paths inside the new root, devices, journal, kernel command line."""
