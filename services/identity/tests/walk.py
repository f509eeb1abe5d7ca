"""Every operation of identity once: the operator founds a company, its administrator adds people and roles, and people come and go."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from invariants.walk import Walker

from identity.models import PLATFORM

PASSWORD = "correct horse battery staple"
ADMIN = {"email": "ada.admin@acme.example", "name": "Ada Admin", "password": PASSWORD}
COMPANY = {"slug": "acme", "name": "Acme Ltd", "currency": "EUR", "industry": "metalworking", "admin": ADMIN}


async def walk(w: Walker) -> None:
    w.become(PLATFORM)
    company = await w.post("/v1/tenants", COMPANY)
    await w.post("/v1/tenants", {**COMPANY, "slug": "globex"})

    given = {"tenant": "acme", "email": ADMIN["email"], "password": PASSWORD}
    tokens = await w.post("/v1/auth/login", given)
    tokens = await w.post("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    urn = "urn:ietf:params:oauth"
    asked = {
        "grant_type": f"{urn}:grant-type:token-exchange",
        "subject_token": tokens["access_token"],
        "subject_token_type": f"{urn}:token-type:access_token",
        "audience": "orders",
    }
    await w.post_form("/v1/auth/token", asked)
    await w.post("/v1/auth/logout", {"refresh_token": tokens["refresh_token"]})
    await w.get("/.well-known/jwks.json")

    await w.get("/v1/auth/keys")
    await w.post("/v1/auth/keys", {"at_once": True})

    w.become(UUID(company["id"]))
    await w.get("/v1/tenants")
    await w.get("/v1/tenants/{tenant_id}", tenant_id=company["id"])
    await w.get("/v1/tenants/current")
    await w.put("/v1/tenants/current", {"name": "Acme and Sons"})
    in_a_week = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    await w.put("/v1/tenants/current/time-zone", {"time_zone": "Asia/Tokyo", "since": in_a_week})
    bounds = [{"kind": "movement", "days_back": 31}, {"kind": "journal", "days_back": None, "days_ahead": 60}]
    await w.put("/v1/tenants/current/date-policy", {"bounds": bounds})

    role = {"name": "picker", "scopes": ["inventory:read"]}
    made = await w.post("/v1/auth/roles", role)
    await w.get("/v1/auth/roles")
    await w.get("/v1/auth/roles/{role_id}", role_id=made["id"])
    await w.put("/v1/auth/roles/{role_id}", {**role, "scopes": ["inventory:write"]}, role_id=made["id"])
    await w.delete("/v1/auth/roles/{role_id}", role_id=made["id"])
    await w.post("/v1/auth/roles/{role_id}/restore", role_id=made["id"])

    person = {"email": "grace.picker@acme.example", "name": "Grace Picker"}
    user = await w.post("/v1/auth/users", {**person, "password": PASSWORD, "roles": []})
    await w.get("/v1/auth/users")
    await w.get("/v1/auth/users/{user_id}", user_id=user["id"])
    await w.put("/v1/auth/users/{user_id}", {**person, "name": "Grace Packer", "roles": []}, user_id=user["id"])

    sales = await w.post("/v1/auth/teams", {"name": "Sales", "lead_id": user["id"]})
    north = {"name": "Sales, north", "parent_id": sales["id"], "member_ids": [user["id"]]}
    team = await w.post("/v1/auth/teams", north)
    await w.get("/v1/auth/teams")
    await w.get("/v1/auth/teams/{team_id}", team_id=team["id"])
    await w.put("/v1/auth/teams/{team_id}", {**north, "deputy_id": user["id"]}, team_id=team["id"])
    await w.get("/v1/auth/users/{user_id}/position", user_id=user["id"])
    await w.delete("/v1/auth/teams/{team_id}", team_id=team["id"])
    await w.post("/v1/auth/teams/{team_id}/restore", team_id=team["id"])

    w.become(UUID(company["id"]), UUID(user["id"]))
    await w.get("/v1/auth/me")
    await w.post("/v1/auth/password", {"current_password": PASSWORD, "new_password": "another " + PASSWORD})
    w.become(UUID(company["id"]))
    await w.delete("/v1/auth/users/{user_id}", user_id=user["id"])
    await w.get("/v1/auth/audit-logs")
