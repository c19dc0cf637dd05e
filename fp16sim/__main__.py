"""`python -m fp16sim` is `fp16sim`."""

import sys

from .cli import main

sys.exit(main())
