"""The outermost room: HTTP, the environment and the terminal, and the place where the other rooms are joined.

Nothing about permissions lives here. `app.create_app(settings)` builds the server, `cli.app` is the command line.
"""

import sys
from pathlib import Path

_INSTALLED = Path(__file__).parent / "_app"

# A wheel carries the rooms inside this folder, for `schema` and `storage` are names of other people's packages.
if _INSTALLED.is_dir() and str(_INSTALLED) not in sys.path:
    sys.path.insert(0, str(_INSTALLED))
