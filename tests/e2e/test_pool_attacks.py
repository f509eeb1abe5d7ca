"""Who begins more requests than there are connections to a service, and does not go on with them, keeps nobody else from being served."""

from attack import Attack, begun
from company import Company

from tailrace_testing.gateway import PASSWORD, Gateway


async def _served(gateway: Gateway, company: Company) -> None:
    """Log in, read and order, each once: nothing is tried again."""
    credentials = {"tenant": company.member.slug, "email": company.member.email, "password": PASSWORD}
    for number in range(3):
        answers = {
            "a log-in": await gateway.client.post("/v1/auth/login", json=credentials),
            "a read": await company.member.send("GET", "/v1/orders"),
            "a write": await company.member.send("POST", "/v1/orders", json=company.body(number + 1)),
        }
        for what, answer in answers.items():
            assert answer.status_code in {200, 201}, f"{what}: {answer.status_code} {answer.text}"


async def test_258_log_ins_that_never_come_stop_no_log_in(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    async with Attack(str(gateway.client.base_url), begun("/v1/auth/login"), 258) as attack:
        await _served(gateway, company)
    assert set(attack.told) <= {408}


async def test_275_writes_of_a_viewer_that_never_come_stop_no_other_tenant(gateway: Gateway) -> None:
    company, other = await Company.found(gateway), await gateway.new_tenant()
    email = f"viewer@{other.slug}.example"
    await other.post("/v1/auth/users", {"email": email, "name": "V", "password": PASSWORD, "roles": ["viewer"]})
    viewer = await gateway.log_in(other.slug, email)
    async with Attack(str(gateway.client.base_url), begun("/v1/orders", viewer.token), 275) as attack:
        await _served(gateway, company)
        # Nor is anybody of its own tenant kept out.
        assert (await other.send("GET", "/v1/orders")).status_code == 200
    assert set(attack.told) <= {408}
