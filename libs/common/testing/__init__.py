"""The test kit: a service in front of real servers, callers of every role, and makers with defaults."""

from libs.common.testing.callers import Callers, keys
from libs.common.testing.harness import Running, running_service, settings_environment

__all__ = ["Callers", "Running", "keys", "running_service", "settings_environment"]
