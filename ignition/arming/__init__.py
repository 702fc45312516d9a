"""An image becomes one that provisions itself: what it lacks for that (`ignition doctor`), and the steps (`arm`, `disarm`)."""
