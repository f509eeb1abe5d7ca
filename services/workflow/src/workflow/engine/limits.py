"""The bounds within which a process of somebody else's runs. Each is tried by a test that goes beyond it."""

MAX_BYTES = 1_000_000
"""of a BPMN or DMN file"""
MAX_NODES = 200
"""flow nodes of one process, those inside its sub-processes counted; more are hard to read, too"""
MAX_ELEMENTS = 20_000
"""XML elements in one file, diagrams counted"""
MAX_STEPS = 5_000
"""elements entered between two waits of one instance; a loop without a wait ends there as an incident"""
MAX_TOKENS = 1_000
"""alive in one instance"""
MAX_INSTANCES = 500
"""of one multi-instance activity"""
MAX_DEPTH = 20
"""scopes inside one another: sub-processes, calls, instances"""
MAX_DATA = 256_000
"""bytes of JSON that one instance keeps as its data"""
MAX_NESTING = 20
"""lists and objects inside one another, in data and in XML up to twice that"""
MAX_DIGITS = 400
"""before or behind the point of a number that data keeps"""
MAX_EXPRESSION = 1_000
"""characters of one expression"""
MAX_MACROS = 2
"""of `all`, `exists`, `map`, `filter` in one expression: each multiplies what it costs"""
MAX_EVALUATIONS = 250_000
"""of the innermost term of one expression, counted before it runs"""
MAX_RULES = 1_000
"""rows of one decision table"""
