"""The HTTP interface of shipping: one module per resource."""
