"""Whoever creates something that can be read is told where: for each POST that answers 201, the kit finds the GET that shows the same thing."""

import re

from fastapi import Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from findings import say_all

from tailrace.ids import uuid7
from tailrace.location import set_location
from tailrace.service import Service


def test_whatever_is_created_and_can_be_read_has_a_location(service: Service) -> None:
    found = []
    for router in service.routers:
        routes = [route for route in router.routes if isinstance(route, APIRoute)]
        shown = [route.response_model for route in routes if "GET" in (route.methods or ())]
        for route in routes:
            if route.status_code != 201 or route.response_model not in shown:
                continue
            called, id = re.sub(r"\{\w+\}", str(uuid7()), route.path), str(uuid7())
            answer = JSONResponse({"id": id}, 201)
            set_location(Request({"type": "http", "path": called, "headers": []}), answer, route, router.routes)
            if not answer.headers.get("location", "").endswith(id):
                found.append(f"POST {route.path} names no location")
    say_all(found)
