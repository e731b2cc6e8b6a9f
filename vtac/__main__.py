"""`python -m vtac` is the command `vtac`."""

import sys

from vtac.tools.vtac import main

if __name__ == "__main__":
    sys.exit(main())
