"""What every stored result says about where it was measured."""

import os
import platform
from importlib.metadata import version


def measured_on(*more):
    names = dict.fromkeys(("keras", "tensorflow", "numpy", *more))  # each once
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {"machine": machine, "versions": {name: version(name) for name in names}}
