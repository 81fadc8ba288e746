"""What an ordinary `pip install .` needs stands once, in requirements.txt; everything else is in pyproject.toml."""

from pathlib import Path

from setuptools import setup

lines = Path(__file__).with_name("requirements.txt").read_text(encoding="utf-8").splitlines()
setup(install_requires=[line.partition("#")[0].strip() for line in lines if not line.startswith("-")])
