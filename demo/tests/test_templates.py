"""Templates of the manufacturers: what the catalog takes, and numbers that are told from others."""

import re

import pytest

from catalog.standard_templates import INDUSTRIES, STANDARD
from contracts.templates import Document, TemplateSettings
from tailrace.core.errors import Invalid
from tailrace.core.values.custom_fields import checked
from tailrace_demo.companies import FOOD, METAL, MUSIC, Firm
from tailrace_demo.templates import Maker, maker_of


def _of(firm: Firm) -> tuple[Maker, TemplateSettings]:
    """The template, and what holds below its industry's."""
    maker = maker_of(firm)
    assert maker is not None
    industry = next(each for each in INDUSTRIES if each.code == maker.industry)
    above = industry.settings.below(STANDARD.settings)
    return maker, TemplateSettings.model_validate(maker.settings).below(above)


@pytest.mark.parametrize("firm", [METAL, FOOD])
def test_goods_are_as_their_template_wants_and_one_that_says_nothing_is_not(firm: Firm) -> None:
    maker, effective = _of(firm)
    assert {sku: checked(said, effective.fields["item"]) for sku, said in maker.made.items()} == maker.made
    assert maker.made.keys() == {good.sku for good in firm.goods}
    assert checked(maker.customer, effective.fields["customer"]) == maker.customer
    with pytest.raises(Invalid) as refused:
        checked({}, effective.fields["item"])
    assert {each.field for each in refused.value.errors} == {f"/custom_fields/{key}" for key in maker.required}


@pytest.mark.parametrize("firm", [METAL, FOOD])
def test_a_number_is_of_its_template_s_form_alone(firm: Firm) -> None:
    maker, effective = _of(firm)
    forms: dict[Document, tuple[str, str]] = {
        "quote": ("Q-2026-00001", "HW-000001"),
        "order": ("SO-000001", "HW-Q2026-00001"),
    }
    for document, others in forms.items():
        number = effective.numbering[document].format(series=2026, number=31)
        assert re.fullmatch(maker.numbers(document), number)
        assert not any(re.fullmatch(maker.numbers(document), other) for other in others)


def test_nothing_of_a_shipment_is_asked_for_that_the_demo_does_not_send() -> None:
    for firm in (METAL, FOOD):
        rules = _of(firm)[1].shipping
        assert not rules.heat_numbers and not rules.certificates and rules.when_short == "stop"


def test_who_makes_nothing_has_no_template() -> None:
    assert maker_of(MUSIC) is None
