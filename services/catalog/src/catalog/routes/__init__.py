"""The catalog's HTTP interface: one module per resource."""
