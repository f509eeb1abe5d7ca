"""Whoever creates something that can be read is told where: for each POST that answers 201, the kit finds the GET that shows the same thing."""

import re

from fastapi.routing import APIRoute
from findings import say_all

from tailrace.core.ids import uuid7
from tailrace.http.location import location_of
from tailrace.service import Service


def test_whatever_is_created_and_can_be_read_has_a_location(service: Service) -> None:
    found = []
    for router in service.routers:
        routes = [route for route in router.routes if isinstance(route, APIRoute)]
        shown = [route.response_model for route in routes if "GET" in (route.methods or ())]
        for route in routes:
            if route.status_code != 201 or route.response_model not in shown:
                continue
            called, id = re.sub(r"\{\w+\}", str(uuid7()), route.path), uuid7()
            location = location_of(called, id, route.response_model, router.routes)
            if not (location or "").endswith(str(id)):
                found.append(f"POST {route.path} names no location")
    say_all(found)
