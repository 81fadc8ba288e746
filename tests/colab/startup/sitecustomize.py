"""Python runs this as it starts: it makes a kernel look like one of Colab's."""

import sys
import types

sys.modules["google.colab"] = types.ModuleType("google.colab")
