"""Problems: what an operation returns instead of a value.

Each operation names its own union, such as `CallProblem`. Every member is a frozen struct with
a stable `code` and a one-line `message`. A problem never holds a body, a header, a config value
or the text of an exception.
"""

from igniter_connectors.core.problem import *
from igniter_connectors.core.problem import __all__ as __all__
