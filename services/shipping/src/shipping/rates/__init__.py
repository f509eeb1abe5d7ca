"""What carriers ask for: tariffs, and what a shipment costs by each of them."""
