"""The Pulumi program: one stack is one environment of one system."""

import pulumi

from components.core.program import cluster_identity, read_stack, verify_charts
from components.environment import Environment, EnvironmentArgs
from config.derivation.derive import derive
from config.errors import ConfigError
from config.loader import load

try:
    stack = read_stack()
    system = load(stack.system)
    resolved, derivation = derive(system, stack.environment)
    verify_charts(resolved, stack)
    cluster = cluster_identity(resolved, stack, system.file)
except ConfigError as error:
    raise pulumi.RunError(str(error)) from None

environment = Environment(resolved.system, EnvironmentArgs(system, resolved, derivation, stack, cluster))
for name, value in environment.outputs.items():
    pulumi.export(name, value)
