"""The words that a document prints by itself, in each language; a layout may put its own in their place."""

from tailrace.core.layout import Language, Layout, Words

WORDS: dict[Language, Words] = {
    "ja": Words(
        title={"quote": "御見積書", "order_confirmation": "注文請書", "invoice": "請求書"},
        opening={
            "quote": "下記のとおり御見積申し上げます。",
            "order_confirmation": "下記のとおりご注文をお請けいたします。",
            "invoice": "下記のとおりご請求申し上げます。",
        },
        total={
            "quote": "御見積金額（税込）",
            "order_confirmation": "ご注文金額（税込）",
            "invoice": "ご請求金額（税込）",
        },
        addressee="{}　御中",
        number="番号",
        version="版",
        date="発行日",
        valid_until="有効期限",
        tax_id="登録番号",
        contact="担当",
        position="No.",
        item="品名・仕様",
        quantity="数量",
        unit_price="単価",
        line_discount="値引率",
        tax_rate="税率",
        amount="金額",
        subtotal="小計",
        discount="値引",
        net="税抜合計",
        tax="消費税",
        gross="合計（税込）",
        taxed_at="{}対象",
        tax_in_it="消費税",
        terms="取引条件",
        notes="備考",
        currency="通貨：{}",
        page="{page} / {pages} ページ",
    ),
    "en": Words(
        title={"quote": "Quotation", "order_confirmation": "Order confirmation", "invoice": "Invoice"},
        opening={
            "quote": "We are pleased to offer you the following.",
            "order_confirmation": "Thank you for your order, which we confirm as follows.",
            "invoice": "For the following we ask you to pay:",
        },
        total={"quote": "Total incl. tax", "order_confirmation": "Total incl. tax", "invoice": "Amount due"},
        addressee="{}",
        number="Number",
        version="Version",
        date="Date",
        valid_until="Valid until",
        tax_id="Tax ID",
        contact="Contact",
        position="No.",
        item="Item",
        quantity="Quantity",
        unit_price="Unit price",
        line_discount="Discount",
        tax_rate="Tax rate",
        amount="Amount",
        subtotal="Subtotal",
        discount="Discount",
        net="Total excl. tax",
        tax="Tax",
        gross="Total incl. tax",
        taxed_at="Taxed at {}",
        tax_in_it="Tax",
        terms="Terms",
        notes="Notes",
        currency="Amounts in {}",
        page="Page {page} of {pages}",
    ),
}


def words_in(layout: Layout, language: Language) -> Words:
    """Every word of the language: the layout's, else the built-in one."""
    return layout.words.get(language, Words()).over(WORDS[language])
