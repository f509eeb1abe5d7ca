"""Migrations of the tables that the kit keeps in every service's database."""
