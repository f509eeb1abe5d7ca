"""What a new company finds: a standard template, and below it one each for metal and for food processing (quote, order and shipping design)."""

from catalog.bodies import TemplateBody
from contracts.templates import ScreenLink, ShippingRules, TemplateSettings
from tailrace.core.values.custom_fields import CustomField

STANDARD = TemplateBody(
    code="STANDARD",
    name="Standard",
    level="standard",
    settings=TemplateSettings(
        shipping=ShippingRules(
            lots=False,
            heat_numbers=False,
            certificates=False,
            in_parts=True,
            when_short="wait",
        ),
        links=[
            ScreenLink(screen="customer", target="quote", label="Quotes"),
            ScreenLink(screen="quote", target="order", label="Order"),
            ScreenLink(screen="order", target="shipment", label="Shipments"),
            ScreenLink(screen="order", target="invoice", label="Invoices"),
        ],
    ),
)

_METAL = TemplateBody(
    code="METAL",
    name="Metal processing",
    level="industry",
    settings=TemplateSettings(
        fields={
            "item": [
                CustomField(key="material", label="Material", labels={"ja": "材質"}),
                CustomField(key="surface", label="Surface treatment", labels={"ja": "表面処理"}),
                CustomField(key="heat_treatment", label="Heat treatment", labels={"ja": "熱処理"}),
                CustomField(key="drawing", label="Drawing number", labels={"ja": "図面番号"}),
            ],
            "shipment": [CustomField(key="inspection", label="Inspection report", labels={"ja": "検査成績書"})],
        },
        shipping=ShippingRules(lots=True, heat_numbers=True, certificates=True),
    ),
)

_FOOD = TemplateBody(
    code="FOOD",
    name="Food processing",
    level="industry",
    settings=TemplateSettings(
        fields={
            "item": [
                CustomField(key="allergens", label="Allergens", labels={"ja": "アレルゲン"}, max_length=500),
                CustomField(
                    key="storage",
                    label="Storage",
                    labels={"ja": "保存方法"},
                    kind="choice",
                    choices=["ambient", "chilled", "frozen"],
                ),
                CustomField(
                    key="shelf_life_days",
                    label="Shelf life in days",
                    labels={"ja": "賞味期間(日)"},
                    kind="number",
                    decimals=0,
                    minimum=1,
                    maximum=3650,
                ),
            ],
        },
        shipping=ShippingRules(lots=True, first_expired_first=True),
    ),
)

INDUSTRIES = (_METAL, _FOOD)
