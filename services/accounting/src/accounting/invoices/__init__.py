"""Sales invoices and credit notes: what has left and is invoiced, the documents, and how each of them stands."""
