"""What is stored is compared with what replaying the events gives."""
