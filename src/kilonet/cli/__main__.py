"""`python -m kilonet.cli` is `kilonet`."""

import sys

from kilonet.cli import main

if __name__ == "__main__":
    sys.exit(main())
