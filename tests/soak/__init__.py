"""What `make soak` runs on the host itself: many tries of what must never happen once."""
