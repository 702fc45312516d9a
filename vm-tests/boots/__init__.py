"""`make bench-boot`: what agents add to a first boot."""
