"""`python -m lanyard.cli`."""

import sys

from lanyard.cli import main

sys.exit(main())
