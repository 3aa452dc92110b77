"""The Pulumi program: one stack is one environment of one system."""

import pulumi

from components.core.program import cluster_identity, read_stack, verify_charts
from components.environment import Environment, EnvironmentArgs
from config.derivation.resolution import resolve
from config.errors import ConfigError
from config.loader import load

try:
    stack = read_stack()
    resolution = resolve(load(stack.system), stack.environment)
    verify_charts(resolution.resolved, stack)
    cluster = cluster_identity(resolution.resolved, stack, resolution.system.file)
except ConfigError as error:
    raise pulumi.RunError(str(error)) from None

environment = Environment(resolution.system.system, EnvironmentArgs(resolution, stack, cluster))
for name, value in environment.outputs.items():
    pulumi.export(name, value)
