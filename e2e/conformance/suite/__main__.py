"""`python -m suite`, as `e2e/conformance/run` starts it."""

import sys

from suite.command import main

sys.exit(main())
