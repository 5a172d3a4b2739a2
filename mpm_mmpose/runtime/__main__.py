"""The light command: `python -m mpm_mmpose.runtime VIDEO|FILE --out DIR`; see :mod:`mpm_mmpose.apis.light_command`."""

import sys

from ..apis.light_command import main

if __name__ == "__main__":
    sys.exit(main())
