"""Serves the stand-in to the engine."""

from ..serve import serve
from .provider import Aws

serve(Aws())
