"""The tools of packaging/ are scripts, which find each other in their directory."""

import sys
from pathlib import Path

TOP = Path(__file__).parent.parent.parent
sys.path.insert(0, str(TOP / "packaging"))
