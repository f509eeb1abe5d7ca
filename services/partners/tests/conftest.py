"""The filler that is killed is a script beside the tests, which they import too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
