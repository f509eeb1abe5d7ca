"""The routes of workflow, a module for each thing."""
