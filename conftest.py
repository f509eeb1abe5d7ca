"""Every test of the workspace may use the fixtures of tailrace_testing."""

pytest_plugins = ["tailrace_testing.spread", "tailrace_testing.plugin", "tailrace_testing.unchanged", "pytester"]
